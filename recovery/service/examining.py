"""Verbs that look at files and disks instead of hosts, and need neither journal nor inventory."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from recovery.detect import evidence_file
from recovery.detect.evidence_file import FileEvidence
from recovery.detect.offline_rules import judge_disk
from recovery.detect.screen import TextReader
from recovery.disk import fixing, linux, windows
from recovery.disk.finding import root_of
from recovery.disk.fixing import Fixed
from recovery.disk.image import mounted
from recovery.disk.install import Install
from recovery.disk.opening import open_file
from recovery.disk.systems import systems_on
from recovery.errors import InputError
from recovery.model.evidence import Judgement
from recovery.model.incident import Incident
from recovery.model.secret import Secret
from recovery.ocr import Engine, choose
from recovery.ports import Clock

LONGEST = 120.0
"""Seconds for one file."""
_MOST_FILES = 10_000
"""Of a folder."""
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
    engine: Engine = "auto",
    now: Callable[[], float] = time.monotonic,
) -> list[Examined]:
    """What each file proves, in order; `-` is `stdin`, and a folder stands for the files in it.

    One that cannot be read does not keep the others from it. `engine` reads the text of pictures; one that is named and
    not installed is a `UsageError`.
    """
    reader = choose(engine)
    ask = _Asked(modules, stdin, reader, now)
    return [_one(file, ask) for name in files for file in _within(name)]


def examine_disk(
    name: str, incident: Incident, at: datetime, *, now: Callable[[], float] = time.monotonic
) -> list[tuple[Install, Judgement]]:
    """What a mounted disk proves of each system on it. `at`: now, UTC.

    Reads only. Raises `InputError` when the folder cannot be read or holds neither Windows nor Linux.
    """
    root = root_of(name)
    began = now()
    found = [
        windows.examine(place, root, incident, at, lambda: now() - began > LONGEST)
        if os == "windows"
        else linux.examine(place, root, incident, at)
        for os, place in systems_on(root)
    ]
    if not found:
        message = (
            "holds neither a Windows folder nor a Linux: name the folder at which the disk is mounted; "
            "a BitLocker volume has to be unlocked first"
        )
        raise InputError(message, file=name)
    return [
        (install, judge_disk(install.listing, install.crashes, incident, install.os))
        for install in found
    ]


class _Asked(msgspec.Struct, frozen=True):
    """What goes for all files."""

    modules: Sequence[str]
    stdin: BinaryIO | None
    reader: TextReader | None
    now: Callable[[], float]


def _within(name: str) -> list[str]:
    """The files of a folder, by name and without those of its folders; anything else as it is."""
    try:
        entries = sorted(entry for entry in Path(name).iterdir() if entry.is_file())
    except OSError:
        return [name]
    return [str(entry) for entry in entries[:_MOST_FILES]] or [name]


def _one(file: str, ask: _Asked) -> Examined:
    began = ask.now()
    try:
        with _opened(file, ask.stdin) as stream:
            found = evidence_file.read(
                stream,
                modules=ask.modules,
                enough=lambda: ask.now() - began > LONGEST,
                reader=ask.reader,
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


def _opened(file: str, stdin: BinaryIO | None) -> BinaryIO:
    if file != "-":
        return open_file(Path(file))
    if stdin is None:
        message = "there is no standard input"
        raise InputError(message, file=file)
    return io.BytesIO(stdin.read(_LARGEST_INPUT))


def fix_disk(
    name: str, incident: Incident, clock: Clock, ask: DiskFix
) -> tuple[list[Fixed], tuple[str, ...]]:
    """Carry the incident's file remedy out on a mounted disk or an image, or take it back; and what was left out.

    Raises `InputError`, `UnsupportedError`; what cannot be done about one of several systems is in its result.
    """
    if Path(name).is_dir():
        root = root_of(name)
        if root.samefile("/") and not ask.check:
            message = "is the system that runs here, and not the disk of a machine that is off"
            raise InputError(message, file=name)
        return _fixed(root, incident, clock, ask), ()
    with mounted(name, ask.key, held_off=ask.held_off, read_only=ask.check) as image:
        found: list[Fixed] = []
        for volume in image.volumes:
            with contextlib.suppress(InputError):  # a volume with no system on it
                found += _fixed(volume, incident, clock, ask)
    if not found:
        message = f"no Windows and no Linux on it: {'; '.join(image.left_out) or 'all volumes were looked at'}"
        raise InputError(message, file=name)
    return found, image.left_out


class DiskFix(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done on a disk."""

    intent: str
    """Name of the folder in quarantine."""
    undo: bool = False
    check: bool = False
    """Only look."""
    key: Secret | None = None
    """Recovery password of its BitLocker volumes."""
    held_off: bool = False


def _fixed(root: Path, incident: Incident, clock: Clock, ask: DiskFix) -> list[Fixed]:
    chosen = fixing.systems(root, incident)
    if ask.undo:
        return [fixing.undo(system) for system in chosen]
    return [fixing.fix(system, ask.intent, clock, check=ask.check) for system in chosen]
