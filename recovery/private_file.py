"""Files that hold secrets: nobody but their owner may use them."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def read(path: Path, most: int) -> bytes:
    """The beginning of a file that its owner alone may use, at most `most` bytes and one more where there is more.

    Raises `OSError`, and `ValueError` with the reason where others may use it.
    """
    # A named pipe would otherwise hold the program until somebody writes to it.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        check(path, os.fstat(handle))
        return stream.read(most + 1)


def write(path: Path, body: bytes) -> None:
    """Make a file that its owner alone may use. Raises `OSError`, `FileExistsError` where there is one."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    handle = os.open(path, flags, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(body)
        stream.flush()
        os.fsync(handle)


def check(path: Path, status: os.stat_result) -> None:
    """Raise `ValueError` with the reason where somebody else may use the file."""
    if not stat.S_ISREG(status.st_mode):
        message = f"{path} is not a file"
    elif status.st_uid != os.geteuid():
        message = f"{path} belongs to another user"
    elif stat.S_IMODE(status.st_mode) & 0o077:
        message = f"other users may use {path}; take that away: chmod 600 {path}"
    else:
        return
    raise ValueError(message)
