"""The parts of which the scripts for Windows are put together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from recovery.errors import RefusedError
from recovery.model.remedy import ArtifactKind

_FILES = ("lib", "files", "listing")
_TAKES = (*_FILES, "vault", "quarantine")

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "triage": (*_FILES, "crashes", "facts", "machine", "triage"),
    "prove": (*_FILES, "crashes", "facts", "prove"),
    "quarantine": _TAKES,
    "race": _TAKES,
    "undo": (*_FILES, "vault", "undo", "takeback"),
    "reboot": ("lib", "reboot"),
    "run": ("lib", "run"),
    "exposure": ("lib", "files", "facts", "machine", "exposure"),
    "strike": ("strike",),
}
"""Action to the parts of its script, where the artifact is files. `strike` is the remedy for the seconds of a boot
window, by cmd alone; everything else is PowerShell."""

LOOKS: Mapping[str, str] = {
    "driver": "drivers",
    "update": "updates",
    "definitions": "definitions",
    "missing_file": "missing",
    "none": "nothing",
}
"""Kind of an artifact that is not files to the part that looks for it."""

REMEDIES = ("driver_disable", "package_remove", "definitions_rollback", "restore_file")
"""Remedies for those; each is a part. All but `driver_disable` and `restore_file` say that they cannot be undone."""

_ANY_KIND = ("reboot", "run", "exposure")

OFFLINE: Mapping[str, tuple[ArtifactKind | None, tuple[str, ...]]] = {
    "offline_driver_disable": (
        "driver",
        (
            "drivers",
            "vault",
            "driver_disable",
            "remedy",
            "offline",
            "offline_driver",
            "offline_act",
        ),
    ),
    "offline_driver_undo": (
        "driver",
        (
            "drivers",
            "vault",
            "driver_disable",
            "back",
            "offline",
            "offline_driver",
            "offline_takeback",
        ),
    ),
    "offline_package_remove": (
        "update",
        (
            "updates",
            "vault",
            "package_remove",
            "remedy",
            "offline",
            "offline_packages",
            "offline_act",
        ),
    ),
    "safeboot_set": (None, ("vault", "offline", "safeboot", "safeboot_set")),
    "safeboot_clear": (None, ("vault", "offline", "safeboot", "safeboot_clear")),
}
"""Actions on a Windows that does not run, whose drive is the setting VOLUME: the kind of artifact that each is for, and
its parts. The host that carries them out is a helper machine, or the machine itself on recovery media."""


def parts(action: str, kind: str, remedy: str) -> tuple[str, ...]:
    """The parts of the script for an artifact of that kind. Raises `RefusedError` where there is none."""
    if action in OFFLINE:
        return _offline(action, kind)
    if kind == "files" or action in _ANY_KIND:
        if action in ACTIONS:
            return ACTIONS[action]
        message = f"{action} is no remedy for files"
        raise RefusedError(message)
    if kind not in LOOKS:
        message = f"there is no script that looks for an artifact of kind {kind} on windows"
        raise RefusedError(message)
    seen = ("lib", "files", "items", LOOKS[kind])
    if action == "triage":
        return (*seen, "crashes", "facts", "machine", "triage")
    if action == "prove":
        return (*seen, "crashes", "facts", "prove")
    if action not in ("undo", "race", remedy) or remedy not in REMEDIES:
        message = (
            f"no script carries out {remedy if action in ('undo', 'race') else action!r} on windows"
        )
        raise RefusedError(message)
    last = ("back", "takeback") if action == "undo" else ("remedy", "act")
    return (*seen, "vault", remedy, *last)


def _offline(action: str, kind: str) -> tuple[str, ...]:
    wanted, own = OFFLINE[action]
    if wanted is None:
        return ("lib", "files", *own)
    if kind != wanted:
        message = f"{action} is for an artifact of kind {wanted}, and this one is of kind {kind}"
        raise RefusedError(message)
    return ("lib", "files", "items", *own)


@cache
def script(action: str, kind: str = "files", remedy: str = "") -> bytes:
    """The script's parts without their comments and indents, which only cost time on a slow line."""
    suffix, comment = (".cmd", "rem") if action == "strike" else (".ps1", "#")
    folder = resources.files("recovery.remote") / "windows"
    lines = [
        line.strip()
        for part in parts(action, kind, remedy)
        for line in (folder / f"{part}{suffix}").read_text("ascii").splitlines()
    ]
    kept = (line for line in lines if line and not line.startswith(comment))
    return "\n".join(kept).encode("ascii")
