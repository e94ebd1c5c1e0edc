"""The forecast that stands beside the burn-down: `recovery simulate` in a process of its own, seldom and bounded."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping
from datetime import datetime

import msgspec

from recovery.errors import RefusedError
from recovery.forecast.outcome import Forecast, Span
from recovery.tui.children import environment, program
from recovery.tui.inert import plain
from recovery.tui.snapshot import Outlook, Snapshot

_MOST_HOSTS = 20_000
_MOST_EVENTS = 500_000
"""What is larger takes too long to be played while somebody works at the screen."""
_PATIENCE = 120.0
"""Seconds for which a forecast may take."""
_RUNS, _SAMPLE = 8, 200
_POLITE = 15
"""Its niceness: the screen and the run come first."""
_MOST_SAID = 4_000_000


def why_none(snapshot: Snapshot, technicians: int) -> str:
    """Why there can be no forecast now, in a few words; nothing where there can be one."""
    if not technicians:
        return "recovery tui --technicians N"
    newest = snapshot.runs[-1] if snapshot.runs else None
    if newest is None or not snapshot.standing.samples:
        return "no run has begun"
    if newest.mock != snapshot.mock:
        return "the latest run is of the other world"
    if not snapshot.standing.left:
        return "nothing is left to do"
    if len(snapshot.fleet.hosts) > _MOST_HOSTS or snapshot.seq > _MOST_EVENTS:
        return "too large to play beside this screen: recovery simulate"
    return ""


async def forecast(journal: str, config: str, technicians: int, now: datetime) -> Outlook:
    """Play the journal's hosts as they stand. Raises `RefusedError` with why it cannot be done."""
    words = [*program(journal, config), "simulate", "--output=json", "--no-alone", "--order=cost"]
    words += [f"--runs={_RUNS}", f"--sample={_SAMPLE}", f"--technicians={technicians}"]
    child = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
        start_new_session=True,
    )
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, child.pid, _POLITE)
    try:
        async with asyncio.timeout(_PATIENCE):
            out, err = await child.communicate()
    except TimeoutError:
        raise RefusedError(f"it takes more than {_PATIENCE:.0f} s") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode or len(out) > _MOST_SAID:
        raise RefusedError(_said(err) or "it ended without a word")
    return read(out, now)


def read(document: bytes, now: datetime) -> Outlook:
    """The outlook of what `simulate` printed. Raises `RefusedError`."""
    try:
        found = msgspec.json.decode(document, type=Forecast)
        begins = datetime.fromisoformat(found.begins)
        hours: Mapping[str, Span] = next(each for each in found.scenarios if not each.alone).hours
    except (msgspec.DecodeError, ValueError, StopIteration) as error:
        raise RefusedError(f"it cannot be read: {error}") from None
    return Outlook(
        made=now,
        begins=begins,
        down=found.down,
        technicians=found.crew.technicians,
        shifts=found.crew.shifts,
        spans={name: (span.p10, span.p90) for name, span in hours.items()},
    )


def _said(err: bytes) -> str:
    lines = err[-4000:].decode("utf-8", "replace").strip().splitlines()
    return plain(lines[-1].removeprefix("error: "), 200) if lines else ""
