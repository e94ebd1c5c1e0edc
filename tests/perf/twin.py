"""The mock engine with a durable journal, inventories, start-up, and a long incident."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.perf.measure import PYTHON, Row, Spent, recovery, spend

_SIZES = (1_000, 10_000, 100_000)
_STARTS = 5

_SIX_STEPS = """playbook: six
summary: Six steps on every host.
strategy:
  order: inventory
  waves: [100%]
  limits: {total: 500}
  guard: {failed: "10%", unreachable: "20%", new_crashes: 1}
steps:
  - triage
  - rollback
  - reboot
  - settle: {for: 10s}
  - prove
  - notify: {message: done}
"""
_ALL_EXPOSED = "mix: six\ndefault: {exposed: 1.0}\nlatency: 0\n"

_LONG = """mix: long
default:
  exposed: 0.3
  reverted: 0.1
  crash_loop: 0.3
  dark: 0.05
  asleep: 0.2
  wake: [3600, 400000]
  recovery_screen: 0.05
  window: [15, 60]
  drops: 0.02
"""
_FIVE_DAYS = "strategy.keep_trying=120h"

_SELECT = """import sys
from datetime import UTC, datetime
from recovery.inventory.loader import load
from recovery.inventory.selection import select
fleet = load((sys.argv[1],))
print(len(select(fleet, ("site in (S01, S02)",), {}, datetime.now(UTC)).hosts))
"""


def table(folder: Path, count: int) -> Path:
    """A CSV inventory of so many hosts at fifty sites."""
    path = folder / f"fleet-{count}.csv"
    with path.open("w") as file:
        file.write("name,address,os,transport,kind,site\n")
        file.writelines(
            f"h{n:06d},10.{n >> 16}.{n >> 8 & 255}.{n & 255},windows,ssh,desktop,S{n % 50:02d}\n"
            for n in range(count)
        )
    return path


def engine(folder: Path) -> Iterator[Row]:
    """Host-steps a second."""
    (folder / "six.yaml").write_text(_SIX_STEPS)
    (folder / "six.mix.yaml").write_text(_ALL_EXPOSED)
    start = min(_six(folder, 1).seconds for _ in range(_STARTS))
    for count in _SIZES:
        spent = _six(folder, count)
        journal = folder / f"six-{count}.db"
        with closing(sqlite3.connect(journal)) as log:
            steps = log.execute(
                "SELECT count(*) FROM events WHERE kind = 'step.finished'"
            ).fetchone()[0]
        yield Row(
            f"mock engine, {count:,} hosts x 6 steps",
            f"{steps / spent.seconds:,.0f} host-steps/s (without the start {steps / (spent.seconds - start):,.0f}), "
            f"{spent.seconds:.1f} s, {spent.megabytes:.0f} MB",
            ">= 10,000 host-steps/s" + ("; <= 60 s, <= 500 MB" if count == _SIZES[-1] else ""),
        )


def _six(folder: Path, count: int) -> Spent:
    """A run of six steps on so many hosts, with a journal of its own."""
    journal = folder / f"six-{count}.db"
    for file in folder.glob(f"{journal.name}*"):
        file.unlink()
    return spend(
        recovery(
            *("run", str(folder / "six.yaml"), "--mock", "--yes", "-o", "json"),
            *("-i", str(table(folder, count)), "--mix", str(folder / "six.mix.yaml")),
            *("--journal", str(journal)),
        ),
        folder,
    )


def inventory(folder: Path) -> Iterator[Row]:
    """A large inventory: load and select."""
    spent = spend([PYTHON, "-c", _SELECT, str(table(folder, 100_000))], folder)
    yield Row(
        "CSV inventory of 100,000 hosts, load and select (with Python's start)",
        f"{spent.seconds:.2f} s, {spent.megabytes:.0f} MB",
        "<= 1.5 s, <= 200 MB",
    )


def start(folder: Path) -> Iterator[Row]:
    """How long the command line takes to begin."""
    for flag in ("--help", "--version"):
        best = min(spend(recovery(flag), folder).seconds for _ in range(_STARTS))
        yield Row(f"recovery {flag}, best of {_STARTS}", f"{best:.2f} s", "<= 0.25 s")


def incident(folder: Path) -> Iterator[Row]:
    """Forty thousand hosts, some of which wake up only days later."""
    (folder / "long.mix.yaml").write_text(_LONG)
    spent = spend(
        recovery(
            *("run", "rollback", "--mock", "--yes", "-o", "json", "--set", _FIVE_DAYS),
            *("-i", str(table(folder, 40_000)), "--mix", str(folder / "long.mix.yaml")),
            *("--journal", str(folder / "long.db")),
        ),
        folder,
        expect=(0, 4, 5, 6, 7),
    )
    yield Row(
        "dry run of a 40,000-host incident of five days",
        f"{spent.seconds:.1f} s, {spent.megabytes:.0f} MB (exit code {spent.status})",
        "<= 60 s",
    )
