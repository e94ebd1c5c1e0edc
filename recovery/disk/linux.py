"""Linux on a mounted disk: kept kernel messages, crash folders, and the artifact's folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from recovery.disk.finding import (
    artifact_folder,
    below,
    entries,
    folders,
    is_file,
    modified_at,
)
from recovery.disk.install import SOURCE, Install, list_artifact
from recovery.disk.opening import open_file
from recovery.errors import InputError
from recovery.model.evidence import ArtifactListing, CrashRecord
from recovery.model.incident import Artifact, Incident

_MARKS = (("etc", "os-release"), ("usr", "lib", "os-release"), ("etc", "fstab"), ("var", "crash"))
_FOLDERS = (("var", "lib", "systemd", "pstore"), ("sys", "fs", "pstore"), ("var", "crash"))
_MESSAGES = re.compile(r"(?:vmcore-)?dmesg\b.*", re.IGNORECASE)
_PANIC = re.compile(rb"[^\n]*(?:Kernel panic|BUG:|Oops)[^\n]*")
_HEAD = 1024 * 1024
_LONGEST = 300
_DEEPEST = 3
_MOST = 50


def is_linux(root: Path) -> bool:
    """Whether a Linux stands there."""
    return any(below(root, *mark) is not None for mark in _MARKS)


def examine(linux: Path, root: Path, incident: Incident, at: datetime) -> Install:
    """What the disk of one Linux at `linux`, which is `root` or below it, says. `at`: now, UTC."""
    problems: list[str] = []
    read: list[str] = []
    crashes = []
    kept = sorted(_kept_messages(linux), key=modified_at)
    if len(kept) > _MOST:
        problems.append(f"only the newest {_MOST} of {len(kept)} kept kernel messages were read")
    for path in kept[-_MOST:]:
        try:
            with open_file(path, follow=False) as stream:
                text = _PANIC.search(stream.read(_HEAD))
        except (InputError, OSError) as error:
            problems.append(str(error))
            continue
        read.append(str(path.relative_to(root)))
        if text:
            crashes.append(_crash(path, root, text[0], at))
    platform = incident.platforms.get("linux")
    listing = _listing(linux, platform.artifact, at, problems) if platform is not None else None
    return Install(
        os="linux",
        place=str(linux.relative_to(root)),
        name=_hostname(linux),
        listing=listing,
        crashes=tuple(crashes),
        read=tuple(read),
        problems=tuple(problems),
    )


def _crash(path: Path, root: Path, text: bytes, at: datetime) -> CrashRecord:
    shown = text[:_LONGEST].decode("utf-8", "replace").strip()
    inside = str(path.relative_to(root))
    return CrashRecord(
        at=at,
        source=SOURCE,
        crashed_at=modified_at(path),
        text="".join(char for char in shown if char.isprintable()),
        record="pstore" if "pstore" in inside else "kdump",
        dump=inside,
    )


def _listing(
    root: Path, artifact: Artifact, at: datetime, problems: list[str]
) -> ArtifactListing | None:
    if artifact.kind != "files":
        problems.append(f"an artifact of kind {artifact.kind} cannot be told from the disk alone")
        return None
    try:
        place = artifact_folder(root, *artifact.directory.strip("/").split("/"))
        return list_artifact(artifact, place, case=True, at=at)
    except (InputError, OSError) as error:
        problems.append(str(error))
        return None


def _kept_messages(root: Path) -> Iterator[Path]:
    for names in _FOLDERS:
        folder = below(root, *names)
        if folder is not None:
            yield from _messages_in(folder, _DEEPEST)


def _messages_in(folder: Path, depth: int) -> Iterator[Path]:
    for entry in entries(folder):
        if _MESSAGES.fullmatch(entry.name) and is_file(entry):
            yield Path(entry.path)
    if depth > 0:
        for inner in folders(folder):
            yield from _messages_in(inner, depth - 1)


def _hostname(root: Path) -> str:
    path = below(root, "etc", "hostname")
    if path is None:
        return ""
    try:
        with open_file(path, follow=False) as stream:
            name = stream.read(256).split(b"\n")[0].decode("utf-8", "replace").strip()
    except (InputError, OSError):
        return ""
    return name if name.isprintable() else ""
