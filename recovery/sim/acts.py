"""What people and programs do to simulated machines, and the ledger in which each act is written down.

The ledger is a file of JSON lines, written before the reply leaves. It outlives a controller that is killed: from it
the same world is made again. It is also a witness of its own to what was really done, and how often.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from recovery.errors import InputError
from recovery.model.console import BootDevice
from recovery.sim.machine import (
    Kept,
    Machine,
    Phase,
    come_up,
    go_down,
    load_bad_file,
    power_off,
    start,
)

_SHUTDOWN = 2.0
"""Seconds from the request of a restart to its beginning."""

_HEADER_FORMAT = 1


class Act(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One act that changed a machine."""

    at: float
    host: str
    act: Literal[
        "quarantine",
        "undo",
        "reboot",
        "run",
        "power_off",
        "power_on",
        "strike",
        "enter_key",
        "mend",
        "boot_once",
    ]
    intent: str = ""
    files: tuple[int, ...] = ()
    """The variants of the bad file that were moved."""
    device: BootDevice = "disk"
    """What it starts from the next time."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a ledger: which world it is of."""

    world: int = _HEADER_FORMAT
    began: float
    seed: int
    mix: str
    """Digest of the fault mix."""


def perform(  # noqa: C901 - a case for each kind
    machine: Machine, act: Act, *, feed_frozen: bool = True
) -> None:
    """Carry the act out on a machine that was advanced to `act.at`."""
    match act.act:
        case "quarantine":
            machine.bad = tuple(file for file in machine.bad if file not in act.files)
            machine.kept = _with(machine.kept, Kept(act.intent, act.files))
        case "undo":
            machine.bad += act.files
            given = list(act.files)
            machine.kept = tuple(_undone(kept, given, act.intent) for kept in machine.kept)
            load_bad_file(machine, act.at)
        case "strike":
            machine.bad, machine.good = act.files, False
            load_bad_file(machine, act.at)
        case "mend":
            machine.bad = ()
        case "reboot":
            go_down(machine, act.at + _SHUTDOWN, act.intent)
        case "boot_once":
            machine.once = act.device
        case "power_off":
            power_off(machine, act.at)
        case "power_on" if machine.phase is Phase.OFF:
            start(machine, act.at)
        case "enter_key" if machine.phase is Phase.NEEDS_KEY:
            come_up(machine, act.at, feed_frozen=feed_frozen)
        case _:
            pass


def _with(manifests: tuple[Kept, ...], new: Kept) -> tuple[Kept, ...]:
    """The manifests with `new`; an intent has one, to which a later attempt adds."""
    before = next((kept for kept in manifests if kept.intent == new.intent), None)
    if before is None:
        return (*manifests, new)
    return tuple(
        Kept(new.intent, before.files + new.files) if kept is before else kept for kept in manifests
    )


def _undone(kept: Kept, given: list[int], intent: str) -> Kept:
    """The manifest without the files that were `given` back, each of which is taken once."""
    left = []
    for file in kept.files:
        if file in given:
            given.remove(file)
        else:
            left.append(file)
    restored = len(kept.files) - len(left)
    if not restored:
        return kept
    return Kept(kept.intent, tuple(left), "" if left else intent, kept.restored + restored)


class Ledger:
    """The file of acts, open for appending."""

    def __init__(self, path: Path, header: Header | None) -> None:
        """Begin a new file with `header`, or go on with the one that is there. Raises `InputError`."""
        try:
            if header is not None:
                _begin(path, header)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND)
        except OSError as error:
            message = f"the ledger cannot be opened: {error.strerror}"
            raise InputError(message, file=str(path)) from None

    def write(self, act: Act) -> None:
        """Append the act; it is in the file when this returns, whatever becomes of this process."""
        os.write(self._file, msgspec.json.encode(act) + b"\n")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _begin(path: Path, header: Header) -> None:
    """Make the file with its first line in it: a kill at any moment leaves the whole file, or none."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        os.write(file, msgspec.json.encode(header) + b"\n")
        path.hardlink_to(new)
    finally:
        os.close(file)
        new.unlink()


def read_ledger(path: Path) -> tuple[Header, tuple[Act, ...]]:
    """What a ledger holds. A last line without its end is cut off: no reply followed it. Raises `InputError`."""
    try:
        text = path.read_bytes()
    except OSError as error:
        message = f"the ledger cannot be read: {error.strerror}"
        raise InputError(message, file=str(path)) from None
    whole = text.rfind(b"\n") + 1
    if whole < len(text):
        os.truncate(path, whole)
    lines = _decoded(text[:whole].splitlines(), path)
    header = next(lines, None)
    if not isinstance(header, Header):
        message = "the ledger has no first line"
        raise InputError(message, file=str(path), line=1)
    return header, tuple(act for act in lines if isinstance(act, Act))


def _decoded(lines: list[bytes], path: Path) -> Iterator[Header | Act]:
    for number, line in enumerate(lines, 1):
        try:
            yield (
                msgspec.json.decode(line, type=Header)
                if number == 1
                else msgspec.json.decode(line, type=Act)
            )
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            message = f"not a line of a ledger: {error}"
            raise InputError(message, file=str(path), line=number) from None
