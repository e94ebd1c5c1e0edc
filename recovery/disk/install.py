"""What was found of one operating system on a mounted disk."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import msgspec

from recovery.detect.folder_rule import is_bad, matches, state_of
from recovery.disk.opening import open_file
from recovery.errors import InputError
from recovery.model.evidence import (
    ArtifactFile,
    ArtifactListing,
    CrashRecord,
    FileState,
    RestartRecord,
)
from recovery.model.host import Os
from recovery.model.incident import Artifact

SOURCE = "disk"
_MOST_FILES = 500
_MOST_NAMES = 1_000_000
_HEADER = 64


class Install(msgspec.Struct, frozen=True, kw_only=True):
    """One installation, and the evidence on its disk. Times are by its own clock."""

    os: Os
    place: str
    """Where it stands, below the folder that was named."""
    name: str = ""
    """Of the machine, as its log gives it."""
    listing: ArtifactListing | None = None
    """None where the artifact could not be looked at."""
    crashes: tuple[CrashRecord, ...] = ()
    """Oldest first."""
    restarts: tuple[RestartRecord, ...] = ()
    read: tuple[str, ...] = ()
    """The files that were read."""
    problems: tuple[str, ...] = ()
    """What could not be read, or only in part."""


def list_artifact(
    artifact: Artifact, folder: Path | None, *, case: bool, at: datetime
) -> ArtifactListing:
    """The artifact's folder; `folder` is None where there is none. Raises `InputError` for one that hides something."""
    if folder is None:
        return ArtifactListing(
            at=at, source=SOURCE, directory=artifact.directory, exists=False, bad=False
        )
    named = sorted(name for name in _names(folder) if matches(artifact, name, case=case))
    if len(named) > _MOST_FILES:
        message = f"more than {_MOST_FILES} files have the artifact's name"
        raise InputError(message, file=str(folder))
    files = [_file(artifact, folder / name) for name in named]
    return ArtifactListing(
        at=at,
        source=SOURCE,
        directory=str(folder),
        exists=True,
        bad=is_bad(files),
        files=tuple(files),
    )


def _names(folder: Path) -> list[str]:
    """What is in a folder, all of it: what was left out or could not be read might be the bad file, or the good one."""
    names: list[str] = []
    try:
        with os.scandir(folder) as listing:
            for entry in listing:
                names.append(entry.name)
                if len(names) > _MOST_NAMES:
                    break
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=str(folder)) from None
    if len(names) > _MOST_NAMES:
        message = f"holds more than {_MOST_NAMES} files: the artifact's folder is not like that"
        raise InputError(message, file=str(folder))
    return names


def _file(artifact: Artifact, path: Path) -> ArtifactFile:
    irregular = _irregular(path)
    if irregular is not None:
        return ArtifactFile(path=str(path), state=irregular)
    with open_file(path, follow=False) as stream:
        try:
            header = stream.read(_HEADER)
        except OSError as error:
            message = f"cannot be read: {error.strerror}"
            raise InputError(message, file=str(path)) from None
    found = path.lstat()
    return ArtifactFile(
        path=str(path),
        state=state_of(artifact, header, found.st_mtime),
        size=found.st_size,
        mtime=found.st_mtime,
        header=header[: len(artifact.header) // 2].hex(),
    )


def _irregular(path: Path) -> FileState | None:
    if path.is_symlink():
        return "link"
    if path.is_dir():
        return "directory"
    return None if path.is_file() else "other"
