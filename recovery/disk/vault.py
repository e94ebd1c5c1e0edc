"""The quarantine on a disk that is mounted here: manifests of the form that the POSIX scripts write and take back.

A manifest names, for each file, number, SHA-256, size, mtime, mode, owner and the path that the file has on the
machine itself, as octal escapes (`recovery/remote/posix/lib.sh`). It is durable before anything moves.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path

import msgspec

from recovery.errors import InputError

_HEAD = "fleet-recovery 1 "
_MOST_BYTES = 1_000_000
_ENTRY = re.compile(
    r"(\d{1,6}) ([0-9a-f]{64}) (\d+) (-?\d+) ([0-7]{1,4}) (\d+:\d+) ((?:\\0[0-7]{3})+)"
)
_CHUNK = 1024 * 1024


class Entry(msgspec.Struct, frozen=True):
    """One file in quarantine."""

    number: int
    sha256: str
    size: int
    mtime: int
    mode: str
    owner: str
    path: str
    """On the machine itself."""

    @property
    def name(self) -> str:
        """The file's own."""
        return self.path.replace("\\", "/").rpartition("/")[2]


def text_of(artifact: str, entries: list[Entry]) -> str:
    """A whole manifest."""
    lines = [f"{_HEAD}{artifact}"]
    for entry in entries:
        octal = "".join(f"\\0{byte:03o}" for byte in entry.path.encode("utf-8", "surrogateescape"))
        about = (
            f"{entry.number} {entry.sha256} {entry.size} {entry.mtime} {entry.mode} {entry.owner}"
        )
        lines.append(f"{about} {octal}")
    return "\n".join([*lines, f"end {len(entries)}", ""])


def read(path: Path, artifact: str) -> list[Entry] | None:
    """The entries of a manifest; None for what is not a whole one of this artifact."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            lines = file.read(_MOST_BYTES).decode("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    if not lines or lines[0] != _HEAD + artifact or lines[-1] != f"end {len(lines) - 2}":
        return None
    found = [_ENTRY.fullmatch(line) for line in lines[1:-1]]
    if not all(found):
        return None
    return [_entry(match) for match in found if match is not None]


def _entry(match: re.Match[str]) -> Entry:
    number, digest, size, mtime, mode, owner, octal = match.groups()
    raw = bytes(int(part, 8) & 0xFF for part in octal.split("\\0")[1:])
    path = raw.decode("utf-8", "surrogateescape")
    return Entry(int(number), digest, int(size), int(mtime), mode, owner, path)


def digest_of(path: Path) -> tuple[str, os.stat_result]:
    """SHA-256 of a regular file, and what it was while it was read. Raises `InputError`; links are not followed."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise InputError("is not a regular file", file=str(path))
            digest = hashlib.sha256()
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=str(path)) from None
    return digest.hexdigest(), about


def write(path: Path, text: str) -> None:
    """Whole and on the disk, or not at all. Raises `OSError`."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
    flush(path.parent)


def flush(folder: Path) -> None:
    """What was done in a folder is on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
