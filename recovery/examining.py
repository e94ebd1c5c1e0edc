"""Verbs that look at files and disks instead of hosts, and need neither journal nor inventory."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from recovery.detect import evidence_file
from recovery.detect.evidence_file import FileEvidence
from recovery.disk.opening import open_file
from recovery.errors import InputError

LONGEST = 120.0
"""Seconds for one file."""
_LARGEST_INPUT = 256 * 1024 * 1024
"""Bytes that are taken from standard input."""


class Examined(msgspec.Struct, frozen=True):
    """One file, and what it proves."""

    file: str
    found: FileEvidence
    error: str = ""
    """Why it could not be read at all."""


def examine(
    files: Sequence[str],
    *,
    modules: Sequence[str] = (),
    stdin: BinaryIO | None = None,
    now: Callable[[], float] = time.monotonic,
) -> list[Examined]:
    """What each file proves, in order; `-` is `stdin`. One that cannot be read does not keep the others from it."""
    return [_one(file, modules, stdin, now) for file in files]


def _one(
    file: str, modules: Sequence[str], stdin: BinaryIO | None, now: Callable[[], float]
) -> Examined:
    began = now()
    try:
        if file == "-" and stdin is not None:
            stream: BinaryIO = io.BytesIO(stdin.read(_LARGEST_INPUT))
        else:
            stream = open_file(Path(file))
        with stream:
            found = evidence_file.read(
                stream, modules=modules, enough=lambda: now() - began > LONGEST
            )
    except (InputError, OSError) as error:
        said = (
            str(error)
            if isinstance(error, InputError)
            else f"{file}: cannot be read: {error.strerror}"
        )
        return Examined(
            file, FileEvidence(kind="unknown", problems=("it could not be read",)), said
        )
    return Examined(file, found)
