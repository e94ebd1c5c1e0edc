"""Skeletons of incident profiles: commented, and refused until their marked places are filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from recovery.errors import InputError, UnknownNameError, UsageError
from recovery.model.remedy import ArtifactKind
from recovery.playbook.library import bundled, incident_names

_FILE = "incident.yaml"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")

SKELETONS: tuple[ArtifactKind, ...] = (
    "files",
    "package",
    "update",
    "driver",
    "definitions",
    "kernel",
    "missing_file",
    "none",
)
"""Kinds of artifacts for which there is a skeleton."""


def write_skeleton(name: str, kind: str, folder: Path) -> Path:
    """Write the skeleton of a profile into `folder`/`name` and return its file.

    Raises `UsageError` for a name or kind that is none, and `InputError` where a file is there or cannot be made.
    """
    if kind not in SKELETONS:
        raise UnknownNameError("kind of artifact", kind, SKELETONS)
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r}: the name is made of a-z, 0-9, dot, dash and underscore, up to 64"
        )
    if name in incident_names():
        raise UsageError(
            f"{name} is a bundled incident, which that name goes on to mean: choose another name"
        )
    file = folder / name / _FILE
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as new:
            new.write(skeleton(name, kind))
    except FileExistsError:
        message = "is there already, and is not written over"
        raise InputError(message, file=str(file)) from None
    except OSError as error:
        message = f"cannot be written: {error.strerror}"
        raise InputError(message, file=str(file)) from None
    return file


def skeleton(name: str, kind: str) -> str:
    """The text of a profile of that kind."""
    folder = bundled("playbooks") / "skeletons"
    whole = (folder / "profile.txt").read_text("utf-8")
    body = (folder / f"{kind}.txt").read_text("utf-8")
    holes: Mapping[str, str] = {"@NAME@": name, "@BODY@\n": body}
    for hole, value in holes.items():
        whole = whole.replace(hole, value)
    return whole
