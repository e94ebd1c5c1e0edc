"""Finding files below a mounted disk as Windows would: case does not matter. Links are never followed out of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from recovery.errors import InputError

MOST = 20_000
"""Entries of one folder that are looked at."""


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder, by name; empty where it cannot be read."""
    found: list[os.DirEntry[str]] = []
    try:
        with os.scandir(folder) as listing:
            for entry in listing:
                found.append(entry)
                if len(found) >= MOST:
                    break
    except OSError:
        return sorted(found, key=lambda entry: entry.name)
    return sorted(found, key=lambda entry: entry.name)


def folders(folder: Path) -> Iterator[Path]:
    """Its folders, links left out."""
    for entry in entries(folder):
        if _is_folder(entry):
            yield Path(entry.path)


def below(folder: Path, *names: str) -> Path | None:
    """What stands at `names` below a folder, in whatever case; None when it is not there or a link leads to it.

    The spelling that was asked for wins where several differ in nothing but case.
    """
    for name in names:
        named = [entry for entry in entries(folder) if entry.name.casefold() == name.casefold()]
        named = [entry for entry in named if not entry.is_symlink()]
        if not named:
            return None
        exact = [entry for entry in named if entry.name == name]
        folder = Path((exact or named)[0].path)
    return folder


def link_at(folder: Path, *names: str) -> Path | None:
    """The link by which nothing stands at `names` below a folder for `below`; None where it is not for a link."""
    for name in names:
        known = below(folder, name)
        if known is None:
            links = (e for e in entries(folder) if e.name.casefold() == name.casefold())
            return next((Path(entry.path) for entry in links), None)
        folder = known
    return None


def artifact_folder(folder: Path, *names: str) -> Path | None:
    """As `below`, for the folder of an artifact. Raises `InputError` where a link leads to it, which tells nothing."""
    found = below(folder, *names)
    link = link_at(folder, *names) if found is None else None
    if link is not None:
        message = "is a link, which is not followed: what it leads to was not looked at"
        raise InputError(message, file=str(link))
    return found


def root_of(name: str) -> Path:
    """The folder of that name. Raises `InputError` when it is none."""
    root = Path(name)
    try:
        resolved = root.resolve(strict=True)
        if resolved.is_dir():
            with os.scandir(resolved):
                return resolved
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "that is no folder's name"
        raise InputError(f"cannot be read: {reason.lower()}", file=name) from None
    message = "is not a folder: mount the disk (read-only is enough) and name the mount point"
    raise InputError(message, file=name)


def is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is a regular file, also where its medium fails; no link."""
    try:
        return entry.is_file(follow_symlinks=False)
    except OSError:
        return False


def modified(entry: os.DirEntry[str]) -> float:
    """Its mtime, seconds since 1970; 0 where that cannot be read."""
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except OSError:
        return 0.0


def modified_at(path: Path) -> float:
    """As `modified`, of a path."""
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False
