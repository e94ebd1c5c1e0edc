"""One run as it goes on: its view, and what its hosts wait for, kept up to date event by event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice

import msgspec

from recovery.journal.views import RunFold, RunView, StepWait
from recovery.model.case import CaseFile, add_evidence
from recovery.model.events import AnyEvent
from recovery.model.evidence import AnyEvidence, BootIdentity, CrashRecord, Reachability
from recovery.model.state import HostState, apply

_OLDEST = 5
Advance = Callable[[HostState, AnyEvent], HostState]


class RunProgress:
    """The fold of one run. It costs the same for each event, however many hosts there are."""

    def __init__(
        self, run: str, age: int, before: Mapping[str, HostState], advance: Advance, *, mock: bool
    ) -> None:
        """`age` counts the runs before it; `before` is what was known of the hosts."""
        self.run = run
        self.age = age
        self.mock = mock
        self._fold = RunFold(run, before, advance)
        self._queues: dict[int, dict[str, None]] = {}
        """Index of a step to the hosts for which it is next, those that came first in front."""
        self._silent: dict[int, set[str]] = {}

    def add(self, event: AnyEvent) -> HostState | None:
        """Take one more event; the state that it brought its host to, if it has one."""
        name = event.host
        before = self._fold.state(name) if name else None
        self._fold.add(event)
        if not name:
            return None
        after = self._fold.state(name)
        if after is not None:
            self._queue(before, after)
        return after

    def view(self) -> RunView:
        """The run as it stands, with its hosts as long as they are kept."""
        return self._fold.view()

    def state(self, host: str) -> HostState | None:
        """Where the host stands in this run; None before its first event."""
        return self._fold.state(host)

    def forget_hosts(self) -> None:
        """Give the memory of the hosts of a run back that is over."""
        self._fold.forget_hosts()
        self._queues.clear()
        self._silent.clear()

    def waits(self, steps: Sequence[str], now: datetime) -> tuple[StepWait, ...]:
        """As `views.waiting`, in constant time: what hosts wait for by the step that is next, most hosts first."""
        view = self.view()
        if view.finished is not None:
            return ()
        found = [self._wait(index, steps, now) for index, queue in self._queues.items() if queue]
        started = view.started
        if started is not None and started.total > len(view.states):
            waited = max(0.0, (now - started.at).total_seconds())
            found.append(StepWait("begin", started.total - len(view.states), (), waited))
        return tuple(sorted(found, key=lambda wait: (-wait.hosts, wait.step)))

    def _wait(self, index: int, steps: Sequence[str], now: datetime) -> StepWait:
        queue = self._queues[index]
        oldest = tuple(islice(queue, _OLDEST))
        first = self._fold.state(oldest[0])
        since = (first.since or first.updated or now) if first else now
        return StepWait(
            steps[index] if index < len(steps) else "end",
            len(queue),
            oldest,
            max(0.0, (now - since).total_seconds()),
            len(self._silent.get(index, ())),
        )

    def _queue(self, before: HostState | None, after: HostState) -> None:
        old = before.index if before is not None and before.outcome is None else None
        new = after.index if after.outcome is None else None
        if old is not None and old != new:
            self._queues.get(old, {}).pop(after.name, None)
            self._silent.get(old, set()).discard(after.name)
        if new is None:
            return
        if old != new:
            self._queues.setdefault(new, {})[after.name] = None
        if after.case.silent_since is not None:
            self._silent.setdefault(new, set()).add(after.name)
        elif new in self._silent:
            self._silent[new].discard(after.name)


def lean(state: HostState, event: AnyEvent) -> HostState:
    """As `apply`, but of the evidence only what a table shows is kept: silence, the last answer, the last stop code."""
    evidence: tuple[AnyEvidence, ...] = getattr(event, "evidence", ())
    case_file = state.case
    for item in evidence:
        case_file = _with(case_file, item)
    return apply(state, event, case_file)


def _with(case_file: CaseFile, item: AnyEvidence) -> CaseFile:
    match item:
        case Reachability():
            return add_evidence(case_file, item)
        case BootIdentity(at=at):
            return msgspec.structs.replace(case_file, answered_at=at, silent_since=None, silence="")
        case CrashRecord(stop_code=int()):
            crash = CrashRecord(
                at=item.at,
                source=item.source,
                stop_code=item.stop_code,
                module=item.module,
                record=item.record,
            )
            return msgspec.structs.replace(case_file, crashes=(crash,))
        case _:
            return case_file
