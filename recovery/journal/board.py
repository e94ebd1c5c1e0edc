"""What a dashboard keeps up to date: every run and every host, counted while events come.

Nothing here costs more the larger the fleet is, but for the copies that are handed out. Of the evidence it keeps what a
table shows; a host's page is folded from the journal when somebody opens it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from recovery.journal.fleet import carried_over
from recovery.journal.progress import RunProgress, lean
from recovery.model.desk_events import DeskEvent
from recovery.model.events import (
    MILESTONES,
    AnyEvent,
    Command,
    HandedOver,
    HostFinished,
    Outcome,
    RunStarted,
)
from recovery.model.state import HostState
from recovery.ports import Stored

_RECENT = 4000
"""Events that are kept for those who follow the journal."""
_NOTABLE = 200
_SHARED = 8192
"""Reasons that are kept once for all hosts that have them."""
_ALWAYS = MILESTONES | {Command, HandedOver}
NOTABLE_KINDS = tuple(sorted(str(kind.__struct_config__.tag) for kind in (*_ALWAYS, HostFinished)))
"""Kinds of events of which some are `notable`."""
_NOTEWORTHY = (Outcome.FAILED, Outcome.UNREACHABLE)


class Change(NamedTuple):
    """What an event made of a host."""

    before: HostState | None
    after: HostState
    at: datetime


def notable(event: AnyEvent) -> bool:
    """Whether an operator who sees only a few lines should see this one."""
    return type(event) in _ALWAYS or (
        isinstance(event, HostFinished) and event.outcome in _NOTEWORTHY
    )


class Board:
    """Folds the whole journal, one event after another. What it hands out does not change any more."""

    def __init__(self, *, mock: bool) -> None:
        """Keep the hosts of the real world, or those of mock twins; runs of both are kept."""
        self.mock = mock
        self.seq = 0
        """The event that was folded last."""
        self.last: datetime | None = None
        """When the latest event of this world happened."""
        self.runs: dict[str, RunProgress] = {}
        """Oldest first."""
        self._hosts: dict[str, HostState] = {}
        self._given: Mapping[str, HostState] | None = None
        self._latest: dict[str, RunProgress] = {}
        """Host to the newest run that met it."""
        self._recent: deque[Stored] = deque(maxlen=_RECENT)
        self._notable: deque[Stored] = deque(maxlen=_NOTABLE)
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}

    def add(self, stored: Stored) -> Change | None:
        """Take one more event; what it made of a host of this world, if it did."""
        event = stored.event
        self.seq = stored.seq
        self._recent.append(stored)
        if isinstance(event, DeskEvent) and event.mock != self.mock:
            return None
        run = self._run_of(event)
        if run is None or run.mock == self.mock:
            self.last = self._moment(event)
            if notable(event):
                self._notable.append(stored)
        before = run.state(event.host) if run is not None else None
        after = run.add(event) if run is not None else None
        if not event.host or (run is not None and (run.mock != self.mock or after is None)):
            return None
        return self._moved(event, self._known(run, before, after, event))

    def hosts(self) -> Mapping[str, HostState]:
        """The hosts that any run has met."""
        if self._given is None:
            self._given = MappingProxyType(dict(self._hosts))
        return self._given

    def recent(self) -> tuple[Stored, ...]:
        """The latest events of both worlds, oldest first."""
        return tuple(self._recent)

    def notable(self) -> tuple[Stored, ...]:
        """The latest events that an operator should see, oldest first."""
        return tuple(self._notable)

    def _moment(self, event: AnyEvent) -> datetime:
        """When it happened in this world: a twin has a time of its own, which people's word does not move."""
        return (isinstance(event, DeskEvent | Command) and self.mock and self.last) or event.at

    def _run_of(self, event: AnyEvent) -> RunProgress | None:
        run = self.runs.get(event.run)
        if run is None and event.run:
            mock = isinstance(event, RunStarted) and event.mock
            if mock == self.mock:
                for other in self.runs.values():
                    if other.mock == mock and other.view().finished is not None:
                        other.forget_hosts()
            before = _Carried(self._hosts) if mock == self.mock else {}
            run = RunProgress(event.run, len(self.runs), before, self._advance, mock=mock)
            self.runs[event.run] = run
        return run

    def _known(
        self,
        run: RunProgress | None,
        before: HostState | None,
        after: HostState | None,
        event: AnyEvent,
    ) -> HostState:
        """What is known of the host; `before` and `after` are its states in the event's run."""
        name = event.host
        old = self._hosts.get(name)
        if run is None or after is None:
            return self._advance(old or HostState(name), event)
        current = self._latest.get(name)
        if old is None or current is None or run.age > current.age:
            self._latest[name] = run
            return after
        if run is current:
            return after if old is before else self._advance(old, event)
        # An older run goes on beside the host's latest: its evidence counts, its progress does not.
        return msgspec.structs.replace(old, case=lean(old, event).case, updated=event.at)

    def _moved(self, event: AnyEvent, after: HostState) -> Change:
        name, at = event.host, self._moment(event)
        before = self._hosts.get(name)
        self._hosts[name] = after
        self._given = None
        return Change(before, after, at)

    def _advance(self, state: HostState, event: AnyEvent) -> HostState:
        new = lean(state, event)
        if new.because and new.because is not state.because:
            if len(self._shared) >= _SHARED:
                self._shared.clear()
            because = self._shared.setdefault(new.because, new.because)
            if because is not new.because:
                new = msgspec.structs.replace(new, because=because)
        return new


class _Carried(Mapping[str, HostState]):
    """What a run that begins takes over from the runs before it."""

    def __init__(self, states: Mapping[str, HostState]) -> None:
        self._states = states

    def __getitem__(self, host: str) -> HostState:
        return carried_over(self._states[host])

    def __iter__(self) -> Iterator[str]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)
