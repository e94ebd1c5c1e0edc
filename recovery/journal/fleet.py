"""What all runs together know of each host."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from recovery.journal.reader import Reader
from recovery.model.desk_events import DeskEvent
from recovery.model.events import AnyEvent, RunStarted
from recovery.model.state import HostState, apply
from recovery.ports import Stored

World = Literal["latest", "real", "mock"]
"""Runs on real machines, runs on a mock twin, or those of the kind that the latest run is of. They are never mixed:
what a simulated host showed is no evidence of a real one."""


def known_hosts(events: Iterable[Stored], *, world: World = "latest") -> dict[str, HostState]:
    """The state of each host: progress as in the latest run that met it, on the evidence of every run."""
    fleets = {False: _Fleet(), True: _Fleet()}
    mocks: dict[str, bool] = {}
    latest = False
    for stored in events:
        event = stored.event
        if isinstance(event, RunStarted):
            latest = mocks[event.run] = event.mock
        elif isinstance(event, DeskEvent):
            fleets[event.mock].add(event)
        elif event.host:
            fleets[mocks.get(event.run, False)].add(event)
    return fleets[latest if world == "latest" else world == "mock"].states


def of_world(events: Iterable[Stored], world: World) -> list[Stored]:
    """The events of one world alone, as they come; all of them where the world is that of the latest run."""
    if world == "latest":
        return list(events)
    mocks: dict[str, bool] = {}
    found = []
    for stored in events:
        event = stored.event
        if isinstance(event, RunStarted):
            mocks[event.run] = event.mock
        mock = event.mock if isinstance(event, DeskEvent) else mocks.get(event.run, False)
        if mock == (world == "mock"):
            found.append(stored)
    return found


def carried_over(state: HostState) -> HostState:
    """What a new run takes over from earlier ones: the evidence and what it adds up to, nothing of what was done."""
    return HostState(
        state.name,
        verdict=state.verdict,
        because=state.because,
        case=state.case,
        updated=state.updated,
    )


def history(journal: Reader, host: str) -> list[Stored]:
    """The events about one host, in order, with the starts of the runs that met it; empty when none did."""
    own = list(journal.read(host=host))
    runs = {stored.event.run for stored in own}
    starts = [
        stored
        for stored in journal.run_events()
        if isinstance(stored.event, RunStarted) and stored.event.run in runs
    ]
    return sorted(starts + own, key=lambda stored: stored.seq)


class _Fleet:
    """Real hosts, or simulated ones."""

    def __init__(self) -> None:
        self.states: dict[str, HostState] = {}
        self._runs: dict[str, str] = {}
        self._ages: dict[str, int] = {"": -1}

    def add(self, event: AnyEvent) -> None:
        """Take one more event about a host."""
        name, run = event.host, event.run
        state = self.states.get(name) or HostState(name)
        current = self._runs.get(name, "")
        age = self._ages.setdefault(run, len(self._ages))
        if run == current or not run:
            state = apply(state, event)
        elif age > self._ages[current]:
            self._runs[name] = run
            state = apply(carried_over(state), event)
        else:  # an older run goes on beside the host's latest: its evidence counts, its progress does not
            case_file = apply(state, event).case
            state = msgspec.structs.replace(state, case=case_file, updated=event.at)
        self.states[name] = state
