"""What a rehearsal on the mock twin says of the run that it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from recovery.model.events import Outcome
from recovery.report.status import RunLike

WELL = (Outcome.RECOVERED, Outcome.HEALTHY, Outcome.DONE)
"""Outcomes after which nothing is left to do."""


class Forecast(msgspec.Struct, frozen=True):
    """How a rehearsal went. Seconds count from its beginning."""

    total: int
    counts: Mapping[str, int]
    """Outcome to number of hosts; `open` are those that did not end."""
    half: float | None = None
    """When half of the hosts had ended well; None when they never had."""
    most: float | None = None
    """The same for nine of ten."""
    all: float | None = None
    """The same for every host."""
    ended: float | None = None
    """When the pursuit of the last host was over, however it ended."""
    stopped: str = ""
    """How the guard halted it, in words."""
    gates: tuple[str, ...] = ()
    """Approvals that it waited for and nobody gave."""

    @property
    def well(self) -> int:
        """Hosts that ended well."""
        return sum(self.counts.get(outcome.value, 0) for outcome in WELL)


def forecast(view: RunLike) -> Forecast:
    """The forecast from the run of the rehearsal."""
    began = view.started.at if view.started else None
    states = view.states.values()
    total = max(view.started.total if view.started else 0, len(states))
    counts: dict[str, int] = {}
    for state in states:
        if state.outcome is not None:
            counts[state.outcome.value] = counts.get(state.outcome.value, 0) + 1
    if total > sum(counts.values()):
        counts["open"] = total - sum(counts.values())
    well = sorted(s.updated for s in states if s.updated and s.outcome in WELL)
    ended = [s.updated for s in states if s.updated and s.outcome is not None]
    return Forecast(
        total,
        dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        _after(began, well, -(-total // 2)),
        _after(began, well, -(-total * 9 // 10)),
        _after(began, well, total),
        (max(ended) - began).total_seconds() if ended and began else None,
        _stopped(view),
        tuple(asked.gate for asked in view.asked),
    )


def _after(began: datetime | None, times: list[datetime], number: int) -> float | None:
    if began is None or not 0 < number <= len(times):
        return None
    return (times[number - 1] - began).total_seconds()


def _stopped(view: RunLike) -> str:
    guard = view.guard
    return (
        f"{guard.rule} {guard.count} of {guard.denominator}, limit {guard.limit}" if guard else ""
    )
