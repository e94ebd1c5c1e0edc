"""The physics of one simulated machine.

A machine is evaluated only when somebody asks: `advance` carries out what has happened since. Its state depends on the
seed, its name and the acts on it so far, never on how often or in which steps it was asked. Times are seconds since
1970 in whole ticks of `faults.TICKS`.
"""

from __future__ import annotations

import hashlib
import math
from enum import StrEnum

import msgspec

from recovery.model.console import BootDevice
from recovery.sim.faults import Faults, between, chance

NEVER = math.inf

EARLY = 120.0
"""A crash within so many seconds of the boot's end counts as a failed start (Microsoft's WinRE technical reference)."""

FAILED_STARTS = 2
"""After so many failed starts in a row a desktop shows the recovery screen (the same reference)."""

RESCUE = 256.0
"""Seconds that an image takes that is started instead of the disk: loading, its work, the restart."""

_WINDOWS = 8
"""Boots after which the drawn lengths of windows repeat, so that long loops can be passed over."""


class Phase(StrEnum):
    """What the machine is in."""

    OFF = "off"
    BOOTING = "booting"
    WINDOW = "window"
    """It answers, and will crash by itself."""
    RUNNING = "running"
    """It answers, and is stable."""
    CRASHED = "crashed"
    """It writes its dump and restarts."""
    BLUE_SCREEN = "blue_screen"
    """It stays on the blue screen."""
    RECOVERY_SCREEN = "recovery_screen"
    NEEDS_KEY = "needs_key"


_UP = (Phase.WINDOW, Phase.RUNNING)


class Kept(msgspec.Struct, frozen=True, gc=False):
    """A quarantine manifest on the machine."""

    intent: str
    files: tuple[int, ...]
    """The variants of the bad file that it still holds."""
    undone_by: str = ""
    """Intent of the act that put the last of them back."""
    restored: int = 0
    """Files that it put back."""


class Machine(msgspec.Struct, kw_only=True, gc=False):
    """One machine, as far as it can be told apart from another one."""

    host: str
    seed: bytes
    faults: Faults
    traits: frozenset[str]
    boot_takes: float
    """Seconds."""
    dump_takes: float
    """Seconds."""
    pace: float
    """How slow its network is, from 0 to 1."""
    skew: float = 0.0
    """Seconds by which its clock is ahead."""
    lucky_boot: int = 0
    """The boot in which it fetches the reverted file; 0 is none."""

    phase: Phase = Phase.OFF
    since: float = 0.0
    """When the phase began."""
    until: float = NEVER
    """When it ends by itself."""
    boot: int = 0
    """Number of the boot."""
    boot_at: float = 0.0
    crash_due: float = NEVER
    cause: str = ""
    """Why it will crash: `incident`, `anew`, `other`; empty when it will not."""
    down_due: float = NEVER
    """When the restart that was asked for begins."""
    mark: str = ""
    """Intent of that restart."""
    failed: int = 0
    """Failed starts in a row; counted only where there is a recovery screen."""
    once: BootDevice = "disk"
    """What it starts from the next time."""
    safe: bool = False
    """This boot is in Safe Mode."""

    bad: tuple[int, ...] = ()
    """The variants of the bad file in its folder."""
    good: bool = False
    """The reverted file is there as well."""
    kept: tuple[Kept, ...] = ()
    crashed_at: float = 0.0
    """Time of the latest crash; 0 is none."""
    crashed_by: str = ""

    @property
    def answers(self) -> bool:
        """Whether its system is up."""
        return self.phase in _UP

    @property
    def is_bad(self) -> bool:
        """The folder rule (CrowdStrike, technical alert): a bad file and no good one."""
        return bool(self.bad) and not self.good

    @property
    def fixed(self) -> bool:
        """Whether a quarantine on it stands."""
        return any(not kept.undone_by for kept in self.kept)

    @property
    def boot_id(self) -> str:
        """Identity of the boot, in the form of /proc/sys/kernel/random/boot_id: a random UUID (RFC 9562, version 4)."""
        text = f"{self.host}\0boot\0{self.boot}".encode()
        digits = hashlib.blake2b(text, key=self.seed, digest_size=16).hexdigest()
        variant = "89ab"[int(digits[16], 16) & 3]
        return (
            f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
        )


def advance(machine: Machine, now: float, *, feed_frozen: bool = True) -> None:
    """Let everything happen that happens up to and including `now`."""
    while machine.until <= now:
        if machine.phase is Phase.CRASHED:
            _pass_over(machine, now, feed_frozen=feed_frozen)
        _happen(machine, machine.until, feed_frozen=feed_frozen)


def start(machine: Machine, at: float) -> None:
    """A boot begins."""
    machine.boot += 1
    rescue = _rescue(machine) if machine.once != "disk" else 0.0
    machine.once = "disk"
    machine.boot_at = at + rescue
    machine.safe = "safe_mode" in machine.traits and machine.fixed
    machine.mark = ""
    machine.down_due = NEVER
    _enter(machine, Phase.BOOTING, at, machine.boot_at + machine.boot_takes)


def _rescue(machine: Machine) -> float:
    """What the image of the network or medium does before it restarts the machine, and the seconds that it takes.

    It moves the bad files to the machine's quarantine. A disk that is going to ask for its key it cannot read.
    """
    if machine.bad and "key_at_reboot" not in machine.traits:
        machine.kept = (*machine.kept, Kept(f"offline-{machine.boot}", machine.bad))
        machine.bad = ()
    return RESCUE


def come_up(machine: Machine, at: float, *, feed_frozen: bool = True) -> None:
    """The system is up and begins to answer."""
    if not feed_frozen and "redelivered" in machine.traits and machine.fixed and not machine.bad:
        machine.bad = (machine.boot + 100,)
    if machine.boot == machine.lucky_boot and machine.is_bad:
        machine.good = True
    machine.cause = cause_of_boot(machine)
    machine.crash_due = at + lasts(machine, machine.cause, machine.boot) if machine.cause else NEVER
    if not machine.cause:
        machine.failed = 0
    _enter(machine, Phase.WINDOW if machine.cause else Phase.RUNNING, at, machine.crash_due)


def load_bad_file(machine: Machine, at: float) -> None:
    """A bad file has come into the folder: the sensor of a running machine loads it at once, and will crash."""
    if (
        machine.answers
        and machine.is_bad
        and not machine.safe
        and not machine.cause
        and "late" not in machine.traits
    ):
        machine.cause = "incident"
        machine.crash_due = at + lasts(machine, "incident", machine.boot)
        _enter(machine, Phase.WINDOW, at, min(machine.crash_due, machine.down_due))


def go_down(machine: Machine, at: float, intent: str) -> None:
    """A restart was asked for and begins at `at`, if the machine does not crash before."""
    machine.mark = intent
    machine.down_due = at
    machine.until = min(machine.crash_due, at)


def power_off(machine: Machine, at: float) -> None:
    """The power is cut."""
    _calm(machine)
    _enter(machine, Phase.OFF, at, NEVER)


def cause_of_boot(machine: Machine) -> str:
    """Why a boot that begins now will crash; empty when it will not."""
    if machine.safe:
        return ""
    if "other" in machine.traits:
        return "other"
    if machine.is_bad:
        return "incident"
    return "anew" if "crash_anew" in machine.traits and machine.fixed else ""


def lasts(machine: Machine, cause: str, boot: int) -> float:
    """Seconds from the boot's end to the crash."""
    faults = machine.faults
    span = (
        faults.window
        if cause == "incident"
        else faults.anew
        if cause == "anew"
        else faults.other_every
    )
    return between(span, chance(machine.seed, machine.host, cause, boot % _WINDOWS))


def _happen(machine: Machine, at: float, *, feed_frozen: bool) -> None:
    """The phase ends, and the next one begins."""
    match machine.phase:
        case Phase.BOOTING if "key_at_reboot" in machine.traits:
            _enter(machine, Phase.NEEDS_KEY, at, NEVER)
        case Phase.BOOTING:
            come_up(machine, at, feed_frozen=feed_frozen)
        case Phase.WINDOW | Phase.RUNNING if machine.crash_due <= at:
            _crash(machine, at)
        case Phase.CRASHED if machine.failed >= FAILED_STARTS:
            machine.failed = 0
            _enter(machine, Phase.RECOVERY_SCREEN, at, NEVER)
        case Phase.CRASHED | Phase.OFF:
            start(machine, at)
        case _:
            machine.failed = 0
            _calm(machine)
            start(machine, at)


def _crash(machine: Machine, at: float) -> None:
    machine.crashed_at = at
    machine.crashed_by = machine.cause
    booted_at = machine.boot_at + machine.boot_takes
    early = at - booted_at <= EARLY
    machine.failed = machine.failed + 1 if early and "gives_up" in machine.traits else 0
    _calm(machine)
    if "halts" in machine.traits:
        _enter(machine, Phase.BLUE_SCREEN, at, NEVER)
    else:
        _enter(machine, Phase.CRASHED, at, at + machine.dump_takes)


def _pass_over(machine: Machine, now: float, *, feed_frozen: bool) -> None:
    """Skip whole rounds of an endless loop; the state is the one that step by step would have led to."""
    traits = machine.traits
    refetches = not feed_frozen and "redelivered" in traits and not machine.bad
    if (
        refetches
        or machine.safe
        or "gives_up" in traits
        or "key_at_reboot" in traits
        or "safe_mode" in traits
    ):
        return
    cause = cause_of_boot(machine)
    shortest = _WINDOWS * (machine.boot_takes + machine.dump_takes)
    if not cause or now - machine.until <= shortest:
        return
    lengths = [lasts(machine, cause, place) for place in range(_WINDOWS)]
    lap = shortest + sum(lengths)
    laps = int((now - machine.until) // lap)
    if machine.lucky_boot > machine.boot and machine.is_bad:
        laps = min(laps, (machine.lucky_boot - machine.boot - 1) // _WINDOWS)
    if laps <= 0:
        return
    machine.boot += laps * _WINDOWS
    machine.until += laps * lap
    machine.since = machine.crashed_at = machine.until - machine.dump_takes
    machine.boot_at = machine.since - lengths[machine.boot % _WINDOWS] - machine.boot_takes
    machine.crashed_by = cause


def _calm(machine: Machine) -> None:
    machine.cause = ""
    machine.crash_due = NEVER
    machine.down_due = NEVER
    machine.mark = ""


def _enter(machine: Machine, phase: Phase, at: float, until: float) -> None:
    machine.phase = phase
    machine.since = at
    machine.until = until
