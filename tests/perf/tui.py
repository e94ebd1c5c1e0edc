"""The dashboard on a large fleet, measured through a pseudo-terminal while another process writes events."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyte

from tests.perf.measure import PYTHON, ROOT, Row, recovery
from tests.perf.twin import table
from tests.tui.terminal import Terminal

_HOSTS = 100_000
_RATE = 5_000
_WIDTH, _HEIGHT = 160, 45
_IDLE = 10.0
_ROUNDS = 12
_PAUSE = 0.35
"""Seconds after a key, in which its picture has to come."""
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")

State = Callable[[pyte.Screen], object]
"""What a key changes on the screen."""


@dataclass(frozen=True)
class Mark:
    """A key that was pressed."""

    name: str
    at: float
    state: State


_WRITER = """
import sys, time
from datetime import UTC, datetime, timedelta
from recovery.journal.log import Log
from recovery.model.events import StepFinished
from recovery.model.evidence import BootIdentity, Progress, Reachability, Verdict
from recovery.planning import Request, record_start
from recovery.service import Service
from recovery.settings import Settings
journal, inventory, hosts, rate, seconds = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
KINDS = (Verdict.HEALTHY, Verdict.CRASH_LOOP, Verdict.EXPOSED, Verdict.RECOVERED, Verdict.DARK)
began = datetime(2024, 7, 19, 6, 0, tzinfo=UTC)
run = "r240719-060000"
def event(number):
    at, host = began + timedelta(milliseconds=number), f"h{number % hosts:06d}"
    verdict = KINDS[(number * 7 + number // hosts) % len(KINDS)]
    return StepFinished(
        at=at, run=run, host=host, index=number // hosts % 4, step="triage", attempt=1,
        outcome="ok", evidence=(Reachability(at=at, source="mock", answers=True),
        BootIdentity(at=at, source="mock", boot_id=f"b{number}")),
        verdict=verdict, because=("the bad artifact is there", f"up for {number % 90} s"),
        progress=Progress.SETTLING,
    )
log = Log.open(journal, sync="normal")
last = log.last_seq()
if not last:
    prepared = Service(Settings(journal=journal)).prepare(
        Request(playbook="rollback", inventory=(inventory,), mock=True))
    record_start(log, log.append, began, run, prepared)
    for first in range(0, hosts, 2000):
        log.append(*(event(number) for number in range(first, min(hosts, first + 2000))))
else:
    begin, number = time.monotonic(), last
    while time.monotonic() - begin < seconds:
        due = last + int((time.monotonic() - begin) * rate)
        log.append(*(event(n) for n in range(number, due)))
        number = due
        time.sleep(0.02)
log.close()
"""


def tui(folder: Path) -> Iterator[Row]:
    """First paint, keys, idling and memory."""
    inventory, journal = str(table(folder, _HOSTS)), str(folder / "tui.db")
    _write(journal, inventory, 0).wait()
    argv = recovery("--journal", journal, "tui", "--mock", "-i", inventory)
    terminal = Terminal(argv, folder, (_WIDTH, _HEIGHT), {"COLORTERM": "truecolor"})
    try:
        if not terminal.watch(30, b"Situation"):
            raise TimeoutError
        first = terminal.chunks[-1][0] - terminal.began
        yield Row(
            "dashboard, 100,000 hosts: first paint, from the start of the process",
            f"{first:.2f} s",
            "<= 1 s",
        )
        terminal.watch(60, b"reads the journal")
        whole = _settled(terminal)
        yield Row("the same: all of 100,000 events folded", f"{whole:.1f} s")
        before, began = _cpu(terminal), time.perf_counter()
        terminal.watch(_IDLE)
        idle = (_cpu(terminal) - before) / (time.perf_counter() - began)
        yield Row("the same: processor while nothing happens", f"{idle:.1%}", "<= 5 %")
        writer = _write(journal, inventory, 200)
        terminal.watch(3)
        before, began = _cpu(terminal), time.perf_counter()
        marks = _press_keys(terminal)
        busy = (_cpu(terminal) - before) / (time.perf_counter() - began)
        writer.kill()
        writer.wait()
        yield from _keys(terminal, marks)
        yield Row(
            "the same: processor while 5,000 events/s arrive and keys are pressed", f"{busy:.0%}"
        )
        yield Row("the same: memory at its largest", f"{_megabytes(terminal):.0f} MB", "<= 400 MB")
    finally:
        terminal.close()


def _cpu(terminal: Terminal) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{terminal.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS


def _megabytes(terminal: Terminal) -> float:
    """Its largest resident size."""
    status = Path(f"/proc/{terminal.process.pid}/status").read_text()
    line = next(text for text in status.splitlines() if text.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _write(journal: str, inventory: str, seconds: int) -> subprocess.Popen[bytes]:
    argv = [PYTHON, "-c", _WRITER, journal, inventory, *map(str, (_HOSTS, _RATE, seconds))]
    return subprocess.Popen(argv, cwd=ROOT, stdout=sys.stderr)


def _settled(terminal: Terminal) -> float:
    """Seconds from the start until nothing is read any more: the processor rests."""
    while True:
        before = _cpu(terminal)
        terminal.watch(1.0)
        if _cpu(terminal) - before < 0.2:
            return time.perf_counter() - terminal.began - 1.0


def _tab(screen: pyte.Screen) -> object:
    """Which screen is shown: the place of the reversed tab."""
    return next((place for place in range(60) if screen.buffer[0][place].reverse), None)


def _help(screen: pyte.Screen) -> object:
    """Whether the help is shown."""
    return any("Keys" in line for line in screen.display[:8])


def _lit(screen: pyte.Screen) -> object:
    """Where the cursor of a table is: the row with a background of its own."""
    rows = range(4, _HEIGHT - 1)
    colours = Counter(screen.buffer[row][4].bg for row in rows)
    return next((row for row in rows if colours[screen.buffer[row][4].bg] == 1), None)


_DOWN, _UP, _ESCAPE = b"\x1b[B", b"\x1b[A", b"\x1b[27u"
_KEYS: tuple[tuple[str, bytes, State], ...] = (
    ("another screen", b"2", _tab),
    ("cursor in the fleet", _DOWN, _lit),
    ("cursor in the fleet", _DOWN, _lit),
    ("cursor in the fleet", _UP, _lit),
    ("another screen", b"5", _tab),
    ("cursor in the journal", _UP, _lit),
    ("cursor in the journal", _UP, _lit),
    ("cursor in the journal", _DOWN, _lit),
    ("another screen", b"1", _tab),
    ("help", b"?", _help),
    ("help", _ESCAPE, _help),
)


def _press_keys(terminal: Terminal) -> list[Mark]:
    marks = []
    for _ in range(_ROUNDS + 1):
        for name, key, state in _KEYS:
            marks.append(Mark(name, terminal.press(key), state))
            terminal.watch(_PAUSE)
    return marks


def _keys(terminal: Terminal, marks: list[Mark]) -> Iterator[Row]:
    """How long after each key its picture was there: the output is played again to find out.

    The first round is told apart, since it makes screens that are kept from then on.
    """
    waits: dict[str, list[float]] = {}
    played = list(_waits(terminal, marks))
    for mark, wait in played[len(_KEYS) :]:
        waits.setdefault(mark.name, []).append(wait)
    first = max(wait for _, wait in played[: len(_KEYS)])
    every = [wait for found in waits.values() for wait in found]
    for name, found in waits.items():
        yield Row(f"the same, {_RATE:,} events/s: {name}", _figures(found))
    yield Row(
        f"the same, {_RATE:,} events/s: any key to its picture",
        f"{_figures(every)}; {first * 1000:.0f} ms at most when a screen is new",
        "p95 <= 50 ms",
    )


def _waits(terminal: Terminal, marks: list[Mark]) -> Iterator[tuple[Mark, float]]:
    screen = pyte.Screen(_WIDTH, _HEIGHT)
    stream = pyte.ByteStream(screen)
    chunks = iter(terminal.chunks)
    waiting: tuple[float, bytes] | None = next(chunks, None)
    for place, mark in enumerate(marks):
        end = marks[place + 1].at if place + 1 < len(marks) else float("inf")
        while waiting is not None and waiting[0] < mark.at:
            stream.feed(waiting[1])
            waiting = next(chunks, None)
        before, wait = mark.state(screen), float("inf")
        while waiting is not None and waiting[0] < end and wait == float("inf"):
            stream.feed(waiting[1])
            if mark.state(screen) != before:
                wait = waiting[0] - mark.at
            waiting = next(chunks, None)
        yield mark, wait


def _figures(waits: list[float]) -> str:
    if not waits:
        return "nothing came"
    ordered = sorted(waits)
    middle, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    return f"median {middle * 1000:.0f} ms, p95 {late * 1000:.0f} ms, {len(waits)} keys"
