"""The status of a fleet and of a run, as JSON that others may rely on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from recovery.model.events import ApprovalAsked, GuardTripped, RunFinished, RunStarted
from recovery.model.evidence import Progress, Verdict
from recovery.model.host import Fleet, Host
from recovery.model.state import HostState

SCHEMA = 1


class RunLike(Protocol):
    """What is asked of the view of a run."""

    @property
    def run(self) -> str:
        """Its id."""

    @property
    def started(self) -> RunStarted | None:
        """Its first event."""

    @property
    def finished(self) -> RunFinished | None:
        """Its last one, once it has ended."""

    @property
    def states(self) -> Mapping[str, HostState]:
        """Its hosts, as far as something was recorded of them."""

    @property
    def waves(self) -> Sequence[msgspec.Struct]:
        """Its waves."""

    @property
    def asked(self) -> Sequence[ApprovalAsked]:
        """Questions that nobody has answered."""

    @property
    def held(self) -> str:
        """Why nothing new is begun."""

    @property
    def paused(self) -> bool:
        """Whether a person paused it."""

    @property
    def guard(self) -> GuardTripped | None:
        """How the guard halted it."""

    @property
    def resumed(self) -> int:
        """How often it was taken up again."""


def status(states: Mapping[str, HostState], fleet: Fleet | None = None) -> dict[str, Any]:
    """Counts by verdict, progress and outcome. With a fleet its hosts count, also those of which nothing is known."""
    nothing = HostState("")
    names = [host.name for host in fleet.hosts] if fleet is not None else list(states)
    found = [states.get(name, nothing) for name in names]
    return _counted(found, len(found))


def run_status(view: RunLike, waiting: Sequence[msgspec.Struct] = ()) -> dict[str, Any]:
    """As `status` for the hosts of a run, and where the run stands. `waiting`: what it waits for, by step."""
    started, finished = view.started, view.finished
    total = max(started.total if started else 0, len(view.states))
    return {
        **_counted(list(view.states.values()), total),
        "run": view.run,
        "playbook": started.playbook if started else "",
        "incident": started.incident if started else "",
        "mock": started.mock if started else False,
        "started": msgspec.to_builtins(started.at if started else None),
        "finished": msgspec.to_builtins(finished.at if finished else None),
        "exit_code": finished.exit_code if finished else None,
        "exit_reason": finished.exit_reason if finished else "",
        "resumed": view.resumed,
        "waves": msgspec.to_builtins(list(view.waves)),
        "waiting": msgspec.to_builtins(list(waiting)),
        "approvals": [{"gate": asked.gate, "question": asked.question} for asked in view.asked],
        "held": view.held,
        "paused": view.paused,
        "guard": msgspec.to_builtins(view.guard),
    }


def host_rows(states: Mapping[str, HostState], fleet: Fleet | None = None) -> list[dict[str, Any]]:
    """One row a host: name, verdict, progress, site, because, and what else is known.

    With a fleet its hosts in its order, else every host that has a state. Times are ISO 8601 in UTC, or null.
    """
    if fleet is None:
        return [_row(state, None) for state in states.values()]
    return [_row(states.get(host.name) or HostState(host.name), host) for host in fleet.hosts]


def stop_code(state: HostState) -> int | None:
    """The stop code of the latest crash on record that has one."""
    codes = (crash.stop_code for crash in reversed(state.case.crashes))
    return next((code for code in codes if code is not None), None)


def _row(state: HostState, host: Host | None) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "name": state.name,
        "verdict": state.verdict.value,
        "progress": state.progress.value,
        "site": host.site if host else "",
        "service": host.service if host else "",
        "kind": host.kind if host else "",
        "because": list(state.because),
        "outcome": state.outcome.value if state.outcome else "",
        "message": state.message,
        "wave": state.wave,
        "attempts": state.attempts,
        "reboots": state.reboots,
        "runbook": state.runbook,
        "last_seen": msgspec.to_builtins(state.case.answered_at),
        "silent_since": msgspec.to_builtins(state.case.silent_since),
        "updated": msgspec.to_builtins(state.updated),
        "stop_code": stop_code(state),
    }


HOST_COLUMNS = tuple(_row(HostState(""), None))
"""What a row of `host_rows` names, in order."""


def _counted(states: Sequence[HostState], total: int) -> dict[str, Any]:
    """Every verdict and progress is named. Hosts without a state count as unknown and untouched."""
    verdicts = Counter(state.verdict.value for state in states)
    progress = Counter(state.progress.value for state in states)
    outcomes = Counter(state.outcome.value for state in states if state.outcome)
    verdicts[Verdict.UNKNOWN.value] += total - len(states)
    progress[Progress.UNTOUCHED.value] += total - len(states)
    return {
        "schema": SCHEMA,
        "total": total,
        "verdicts": {verdict.value: verdicts[verdict.value] for verdict in Verdict},
        "progress": {step.value: progress[step.value] for step in Progress},
        "outcomes": dict(sorted(outcomes.items())),
    }
