"""How an incident went, for the review afterwards: folded event by event, beside the states of the hosts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

import msgspec

from recovery.model.events import (
    AnyEvent,
    GuardTripped,
    HostAdmitted,
    HostReturned,
    RunFinished,
    RunStarted,
    StepFinished,
)
from recovery.model.evidence import Verdict
from recovery.model.state import HostState
from recovery.report.course import DOWN

_MOMENTS = 400
_WELL = frozenset((Verdict.HEALTHY, Verdict.RECOVERED))
_ILL = (DOWN - {Verdict.DARK}) | {Verdict.EXPOSED}
_QUIET = (HostAdmitted, HostReturned)


class Moment(msgspec.Struct, frozen=True):
    """A line of the timeline."""

    at: datetime
    run: str
    what: str


class Outage(msgspec.Struct, frozen=True):
    """One time in which a host did no work, as far as it was seen."""

    host: str
    since: datetime
    until: datetime | None = None
    """None while it goes on."""

    def hours(self, now: datetime) -> float:
        """How long it lasted, or lasts."""
        return max(0.0, ((self.until or now) - self.since).total_seconds()) / 3600.0


class Mistake(msgspec.Struct, frozen=True):
    """A verdict that a host was well, which what was seen later contradicts."""

    host: str
    said: str
    at: datetime
    """When it was said."""
    then: str
    """What it turned out to be."""
    later: datetime
    because: tuple[str, ...]


class StepWork(msgspec.Struct):
    """What one kind of step achieved, over all runs."""

    step: str
    attempts: int = 0
    outcomes: Counter[str] = msgspec.field(default_factory=Counter)
    seconds: float = 0.0
    hosts: set[str] = msgspec.field(default_factory=set)
    achieved: set[str] = msgspec.field(default_factory=set)
    """Hosts on which it was carried out, or had been."""
    proved: set[str] = msgspec.field(default_factory=set)
    """Hosts that became `recovered` by what it saw."""


class Stop(msgspec.Struct):
    """The guard halted a run."""

    run: str
    at: datetime
    rule: str
    count: int
    limit: int
    denominator: str
    spared: int = 0
    """Hosts that were to be changed and were not begun any more."""


class Story:
    """Collects from the events of one world, in their order."""

    def __init__(self, describe: Callable[[AnyEvent], str]) -> None:
        """`describe` puts an event into words."""
        self._describe = describe
        self.moments: list[Moment] = []
        self.left_out = 0
        """Moments that were too many for the list."""
        self.steps: dict[str, StepWork] = {}
        self.outages: list[Outage] = []
        self.mistakes: list[Mistake] = []
        self.stops: list[Stop] = []
        self.keys: set[str] = set()
        """Hosts that asked for their recovery key and are past that: somebody typed it."""
        self._down: dict[str, datetime] = {}
        self._bare: dict[str, datetime] = {}
        self._unprotected: Counter[str] = Counter()
        self._well: dict[str, tuple[Verdict, datetime]] = {}
        self._asked: set[str] = set()

    def add(self, event: AnyEvent) -> None:
        """Take one more event, before the change that it made of a host."""
        match event:
            case StepFinished():
                self._step(event)
            case GuardTripped():
                stop = Stop(
                    event.run, event.at, event.rule, event.count, event.limit, event.denominator
                )
                self.stops.append(stop)
            case RunFinished():
                self._finished(event)
            case _:
                pass
        if not event.host and not isinstance(event, _QUIET):
            self._note(event)

    def see(self, before: HostState | None, after: HostState, at: datetime) -> None:
        """A host has changed."""
        old = before.verdict if before is not None else None
        new = after.verdict
        if old == new:
            return
        name = after.name
        if new in DOWN:
            self._down.setdefault(name, at)
        elif name in self._down:
            self.outages.append(Outage(name, self._down.pop(name), at))
        self._protection(name, new, at)
        self._believed(after, at)
        if new == Verdict.NEEDS_KEY:
            self._asked.add(name)
        elif name in self._asked and new not in DOWN:
            self.keys.add(name)

    def all_outages(self) -> list[Outage]:
        """The longest first, those that go on included; ended ones count to their end, the others to now."""
        return [*self.outages, *(Outage(name, since) for name, since in self._down.items())]

    def unprotected(self, now: datetime) -> Counter[str]:
        """Host to seconds in which it answered without its protection shown to run, until now."""
        found = Counter(self._unprotected)
        for name, since in self._bare.items():
            found[name] += max(0, round((now - since).total_seconds()))
        return found

    def _protection(self, name: str, new: Verdict, at: datetime) -> None:
        if new == Verdict.DEGRADED:
            self._bare.setdefault(name, at)
        elif name in self._bare:
            self._unprotected[name] += round((at - self._bare.pop(name)).total_seconds())

    def _believed(self, after: HostState, at: datetime) -> None:
        name, new = after.name, after.verdict
        if new in _WELL:
            self._well[name] = (new, at)
        elif new in _ILL and name in self._well:
            said, when = self._well.pop(name)
            self.mistakes.append(Mistake(name, said, when, new, at, after.because))

    def _step(self, event: StepFinished) -> None:
        work = self.steps.setdefault(event.step, StepWork(event.step))
        work.attempts += 1
        work.outcomes[event.outcome] += 1
        work.seconds += event.seconds
        work.hosts.add(event.host)
        if event.outcome in ("ok", "already"):
            work.achieved.add(event.host)
        if event.verdict == Verdict.RECOVERED:
            work.proved.add(event.host)

    def _finished(self, event: RunFinished) -> None:
        for stop in self.stops:
            if stop.run == event.run and not stop.spared:
                stop.spared = event.counts.get("cancelled", 0)

    def _note(self, event: AnyEvent) -> None:
        if len(self.moments) >= _MOMENTS and not isinstance(
            event, RunStarted | RunFinished | GuardTripped
        ):
            self.left_out += 1
            return
        self.moments.append(Moment(event.at, event.run, self._describe(event)))
