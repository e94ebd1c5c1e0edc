"""Pure folds of the journal: what a run looks like, and what is known of each host.

The same events give the same view, in whatever pieces they are folded, and a view never changes once it was given out.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec

from recovery.journal.fleet import World, carried_over, history, known_hosts, of_world
from recovery.journal.runs import RunSummary, list_runs, summaries
from recovery.journal.timeline import Line, timeline
from recovery.journal.words import describe
from recovery.model.events import (
    AnyEvent,
    ApprovalAsked,
    Command,
    CredentialStopped,
    GuardTripped,
    HostAdmitted,
    HostFinished,
    HostReturned,
    Notice,
    RunFinished,
    RunHeld,
    RunResumed,
    RunStarted,
    WaveClosed,
    WaveOpened,
)
from recovery.model.state import HostState, apply
from recovery.ports import Stored

__all__ = [
    "Line",
    "RunFold",
    "RunSummary",
    "RunView",
    "StepWait",
    "WaveView",
    "World",
    "carried_over",
    "describe",
    "fold",
    "history",
    "known_hosts",
    "list_runs",
    "of_world",
    "summaries",
    "timeline",
    "waiting",
]

_NOTICES = 50
_OLDEST = 5


class WaveView(msgspec.Struct, frozen=True):
    """One wave of a run."""

    number: int
    size: int = 0
    opened: datetime | None = None
    closed: datetime | None = None
    admitted: int = 0
    """Hosts that have a place in it."""
    ended: int = 0
    """Those of them whose pursuit is over."""


class StepWait(msgspec.Struct, frozen=True):
    """Hosts for which the same step is next."""

    step: str
    """`begin` for hosts of which nothing was recorded yet, `end` behind the last step."""
    hosts: int
    oldest: tuple[str, ...]
    """Those that wait longest, the longest first."""
    seconds: float
    """How long the first of them waits."""
    silent: int = 0
    """Those of the hosts that do not answer."""


class RunView(msgspec.Struct, frozen=True):
    """One run, as far as the journal tells."""

    run: str
    started: RunStarted | None = None
    finished: RunFinished | None = None
    """None while it goes on, also when it was taken up again."""
    states: Mapping[str, HostState] = MappingProxyType({})
    verdicts: Mapping[str, int] = MappingProxyType({})
    progress: Mapping[str, int] = MappingProxyType({})
    outcomes: Mapping[str, int] = MappingProxyType({})
    """Number of hosts by verdict, progress and outcome; hosts of which nothing was recorded are in none of them."""
    wave: int = 0
    wave_open: bool = False
    waves: tuple[WaveView, ...] = ()
    approved: frozenset[str] = frozenset()
    asked: tuple[ApprovalAsked, ...] = ()
    """Questions that nobody has answered, as they were asked first."""
    held: str = ""
    paused: bool = False
    """A person said so, and nobody said to go on."""
    aborted: bool = False
    cancelled: bool = False
    guard: GuardTripped | None = None
    """How the guard halted the run since it was last taken up."""
    credentials: tuple[str, ...] = ()
    """Those that are not used any more."""
    notices: tuple[Notice, ...] = ()
    """The latest."""
    resumed: int = 0
    last: datetime | None = None
    """When the latest event happened."""
    events: int = 0

    def counts(self) -> Counter[str]:
        """Hosts by how their pursuit ended; those that go on count as `open`."""
        found = Counter(self.outcomes)
        total = max(self.started.total if self.started else 0, len(self.states))
        if total > found.total():
            found["open"] = total - found.total()
        return found

    def waiting(self, steps: Sequence[str], now: datetime) -> list[StepWait]:
        """What the run waits for, with the hosts that nothing was recorded of as `begin`."""
        found = waiting(self.states.values(), steps, now)
        if self.started is not None and self.started.total > len(self.states):
            waited = (now - self.started.at).total_seconds()
            found.append(StepWait("begin", self.started.total - len(self.states), (), waited))
        return found


class RunFold:
    """Folds the events of one run, one after another, in whatever pieces they come."""

    def __init__(
        self,
        run: str,
        before: Mapping[str, HostState] | None = None,
        advance: Callable[[HostState, AnyEvent], HostState] = apply,
    ) -> None:
        """Begin with nothing, or with the states that the run's hosts had `before` it. `advance` adds an event."""
        self._view = RunView(run)
        self._advance = advance
        self._states: dict[str, HostState] = {}
        self._before = before or {}
        self._verdicts: Counter[str] = Counter()
        self._progress: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._waves: dict[int, WaveView] = {}
        self._events = 0
        self._last: datetime | None = None
        self._given: RunView | None = None

    def add(self, event: AnyEvent) -> None:
        """Take one more event; those of other runs are none of its business."""
        if event.run != self._view.run:
            return
        self._given = None
        self._events += 1
        if not isinstance(event, Command):  # an order comes by the clock of people, not by a twin's
            self._last = event.at
        if event.host:
            self._about_host(event)
        elif isinstance(event, WaveOpened | WaveClosed):
            self._about_wave(event)
        else:
            change = _CHANGES.get(type(event))
            if change is not None:
                self._view = msgspec.structs.replace(self._view, **change(self._view, event))

    def state(self, host: str) -> HostState | None:
        """Where the host stands now; None before its first event."""
        return self._states.get(host)

    def forget_hosts(self) -> None:
        """Give the memory of the hosts back; what was counted stays. For a run that is over."""
        self._states = {}
        self._given = None

    def view(self) -> RunView:
        """The run as it stands."""
        if self._given is None:
            self._given = msgspec.structs.replace(
                self._view,
                states=MappingProxyType(dict(self._states)),
                verdicts=_counted(self._verdicts),
                progress=_counted(self._progress),
                outcomes=_counted(self._outcomes),
                waves=tuple(self._waves[number] for number in sorted(self._waves)),
                events=self._events,
                last=self._last,
            )
        return self._given

    def _about_host(self, event: AnyEvent) -> None:
        name = event.host
        old = self._states.get(name)
        new = self._advance(old or self._before.get(name) or HostState(name), event)
        self._states[name] = new
        if old is not None:
            self._count_host(old, -1)
        self._count_host(new, 1)
        was_over = old is not None and old.outcome is not None
        match event:
            case HostAdmitted(wave=number):
                self._count(number, admitted=1)
            case HostReturned(wave=number):
                self._count(number, admitted=-1)
            case HostFinished() if new.wave and not was_over:
                self._count(new.wave, ended=1)
            case _:
                pass

    def _count_host(self, state: HostState, number: int) -> None:
        self._verdicts[state.verdict.value] += number
        self._progress[state.progress.value] += number
        if state.outcome is not None:
            self._outcomes[state.outcome.value] += number

    def _about_wave(self, event: WaveOpened | WaveClosed) -> None:
        wave = self._waves.get(event.wave, WaveView(event.wave))
        is_open = isinstance(event, WaveOpened)
        if isinstance(event, WaveOpened):
            wave = msgspec.structs.replace(wave, size=event.size, opened=event.at, closed=None)
        else:
            wave = msgspec.structs.replace(wave, closed=event.at)
        self._waves[event.wave] = wave
        self._view = msgspec.structs.replace(self._view, wave=event.wave, wave_open=is_open)

    def _count(self, number: int, *, admitted: int = 0, ended: int = 0) -> None:
        wave = self._waves.get(number, WaveView(number))
        self._waves[number] = msgspec.structs.replace(
            wave, admitted=wave.admitted + admitted, ended=wave.ended + ended
        )


def fold(
    run: str, events: Iterable[Stored], before: Mapping[str, HostState] | None = None
) -> RunView:
    """The view of a run from its events, and the states that its hosts had `before` it."""
    folding = RunFold(run, before)
    for stored in events:
        folding.add(stored.event)
    return folding.view()


def waiting(states: Iterable[HostState], steps: Sequence[str], now: datetime) -> list[StepWait]:
    """What hosts wait for, by the step that is next, most hosts first.

    `steps` are the names of the playbook's steps, then of its failure path's.
    """
    groups: dict[str, list[HostState]] = {}
    for state in states:
        if state.outcome is None:
            name = steps[state.index] if state.index < len(steps) else "end"
            groups.setdefault(name, []).append(state)
    found = [_wait(name, hosts, now) for name, hosts in groups.items()]
    return sorted(found, key=lambda wait: (-wait.hosts, wait.step))


def _wait(step: str, hosts: Sequence[HostState], now: datetime) -> StepWait:
    def since(state: HostState) -> datetime:
        return state.since or state.updated or now

    oldest = heapq.nsmallest(_OLDEST, hosts, key=lambda state: (since(state), state.name))
    silent = sum(1 for state in hosts if state.case.silent_since is not None)
    seconds = max(0.0, (now - since(oldest[0])).total_seconds())
    return StepWait(step, len(hosts), tuple(state.name for state in oldest), seconds, silent)


def _counted(counter: Counter[str]) -> Mapping[str, int]:
    return MappingProxyType({name: count for name, count in sorted(counter.items()) if count})


def _resumed(view: RunView, _event: RunResumed) -> dict[str, Any]:
    """Another process has taken the run up: what held the one before it holds no more."""
    return {
        "resumed": view.resumed + 1,
        "finished": None,
        "guard": None,
        "held": "",
        "paused": False,
        "aborted": False,
    }


def _asked(view: RunView, event: ApprovalAsked) -> dict[str, Any]:
    known = (*view.approved, *(question.gate for question in view.asked))
    return {} if event.gate in known else {"asked": (*view.asked, event)}


def _command(view: RunView, event: Command) -> dict[str, Any]:
    match event.verb:
        case "approve":
            asked = tuple(question for question in view.asked if question.gate != event.gate)
            return {"approved": view.approved | {event.gate}, "asked": asked}
        case "pause" | "resume":
            return {"paused": event.verb == "pause"}
        case "abort":
            return {"aborted": True}
        case "cancel":
            return {"cancelled": True}


_CHANGES: Mapping[type, Callable[[RunView, Any], dict[str, Any]]] = {
    RunStarted: lambda _view, event: {"started": event},
    RunResumed: _resumed,
    RunFinished: lambda _view, event: {"finished": event, "wave_open": False},
    ApprovalAsked: _asked,
    Command: _command,
    RunHeld: lambda _view, event: {"held": "" if event.released else event.reason},
    GuardTripped: lambda _view, event: {"guard": event},
    CredentialStopped: lambda view, event: {"credentials": (*view.credentials, event.credential)},
    Notice: lambda view, event: {"notices": (*view.notices, event)[-_NOTICES:]},
}
