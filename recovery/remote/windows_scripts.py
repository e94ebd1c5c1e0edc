"""The parts of which the scripts for Windows are put together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from recovery.errors import RefusedError

_FILES = ("lib", "files", "listing")
_TAKES = (*_FILES, "vault", "quarantine")

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "triage": (*_FILES, "crashes", "facts", "machine", "triage"),
    "prove": (*_FILES, "crashes", "facts", "prove"),
    "quarantine": _TAKES,
    "race": _TAKES,
    "undo": (*_FILES, "vault", "undo"),
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


def parts(action: str, kind: str, remedy: str) -> tuple[str, ...]:
    """The parts of the script for an artifact of that kind. Raises `RefusedError` where there is none."""
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
    return (*seen, "vault", remedy, "takeback" if action == "undo" else "act")


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
