"""Artifacts that are not files, in sentences for an operator."""

from __future__ import annotations

from collections.abc import Mapping

from recovery.model.evidence import ArtifactItem, ArtifactListing, ItemState
from recovery.model.remedy import ArtifactKind

_SHOWN = 3
_STANDS: Mapping[ArtifactKind, str] = {
    "package": "is installed",
    "update": "is installed",
    "driver": "is loaded at the next start",
    "definitions": "is in use",
    "kernel": "is started next",
    "missing_file": "is there",
}
"""What it means for an item of that kind to be in place."""
_WORDS: Mapping[ItemState, str] = {
    "good": ", a good version",
    "bad": ", a bad version",
    "old": ", from before the bad update",
    "other": ", not a bad version",
    "disabled": "",
    "pending": "",
    "missing": "",
}


def items_text(listing: ArtifactListing) -> str:
    """What the endpoint found, such as `KB5074109 is installed`."""
    if listing.kind == "none":
        return "nothing on the disk is bad in this incident"
    wrong = [item for item in listing.items if item.state in ("bad", "missing")]
    if listing.kind == "kernel":
        wrong = [item for item in wrong if "default" in item.detail] or wrong
    shown = (wrong if listing.bad else []) or _in_place(listing)
    if not shown:
        return f"{listing.name} is not installed" if listing.kind != "kernel" else "no bad kernel"
    return ", ".join(_item(item, listing.kind) for item in shown[:_SHOWN])


def _in_place(listing: ArtifactListing) -> list[ArtifactItem]:
    """What to name of a host that is not bad: of kernels only the one that is started next."""
    if listing.kind != "kernel":
        return list(listing.items)
    return [item for item in listing.items if "default" in item.detail]


def _item(item: ArtifactItem, kind: ArtifactKind) -> str:
    name = f"{item.name} {item.version}".strip()
    if item.state == "missing":
        return f"{name} is missing"
    if item.state == "disabled":
        return f"{name} is disabled"
    if item.state == "pending":
        return f"{name} goes with the next start"
    plain = kind in ("update", "missing_file") or not item.version
    word = "" if plain and item.state != "good" else _WORDS[item.state]
    return f"{name} {_STANDS.get(kind, 'is there')}{word}"
