"""Files that hold recovery keys: their owner alone may use them, and no more of one is read than it may hold."""

from __future__ import annotations

from pathlib import Path

from recovery import private_file
from recovery.errors import KeySourceError


def read_keys(path: Path, most: int) -> bytes:
    """The file, of at most `most` bytes. Raises `KeySourceError`."""
    try:
        raw = private_file.read(path, most)
    except OSError as error:
        raise KeySourceError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise KeySourceError(str(error)) from None
    if len(raw) > most:
        raise KeySourceError(f"{path} is larger than {most} bytes")
    return raw
