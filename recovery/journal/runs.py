"""The runs that a journal holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import msgspec

from recovery.journal.reader import Reader
from recovery.model.events import HostFinished, RunFinished, RunResumed, RunStarted
from recovery.ports import Stored


class RunSummary(msgspec.Struct, frozen=True):
    """One line of `runs list`."""

    run: str
    playbook: str
    incident: str
    total: int
    mock: bool
    started: datetime
    finished: datetime | None = None
    exit_code: int | None = None
    exit_reason: str = ""
    counts: dict[str, int] = {}
    """Outcome to number of hosts."""
    resumed: int = 0
    by: str = ""
    check: bool = False
    """It only reads."""


def summaries(events: Iterable[Stored]) -> list[RunSummary]:
    """The runs, oldest first, from the events about runs. A run that has not finished has no counts."""
    found: dict[str, RunSummary] = {}
    for stored in events:
        event = stored.event
        if isinstance(event, RunStarted):
            found[event.run] = RunSummary(
                run=event.run,
                playbook=event.playbook,
                incident=event.incident,
                total=event.total,
                mock=event.mock,
                started=event.at,
                by=event.by,
                check=event.check,
            )
        elif isinstance(event, RunResumed | RunFinished) and event.run in found:
            found[event.run] = _went_on(found[event.run], event)
    return list(found.values())


def list_runs(journal: Reader) -> list[RunSummary]:
    """The runs, oldest first, with counts also for those that have not finished."""
    return [
        run if run.finished else msgspec.structs.replace(run, counts=_counts(journal, run.run))
        for run in summaries(journal.run_events())
    ]


def _went_on(run: RunSummary, event: RunResumed | RunFinished) -> RunSummary:
    replace = msgspec.structs.replace
    if isinstance(event, RunResumed):
        return replace(
            run, resumed=run.resumed + 1, finished=None, exit_code=None, exit_reason="", counts={}
        )
    return replace(
        run,
        finished=event.at,
        exit_code=event.exit_code,
        exit_reason=event.exit_reason,
        counts=event.counts,
    )


def _counts(journal: Reader, run: str) -> dict[str, int]:
    outcomes = {
        stored.event.host: stored.event.outcome.value
        for stored in journal.read(run=run, kinds=("host.finished",))
        if isinstance(stored.event, HostFinished)
    }
    return dict(sorted(Counter(outcomes.values()).items()))
