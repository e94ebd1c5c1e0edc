"""Opening what may be damaged, huge, or no file at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from recovery.errors import InputError


def open_file(path: Path, *, follow: bool = True) -> BinaryIO:
    """A regular file, for reading. Raises `InputError` for everything else, and says what to do instead.

    Without `follow` a symbolic link is refused as well.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "that is no file name"
        raise InputError(f"cannot be read: {reason.lower()}", file=str(path)) from None
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        message = (
            "is a folder: name the files in it; for a mounted disk use `recovery triage --offline`"
        )
    else:
        message = "is not a regular file"
    raise InputError(message, file=str(path))
