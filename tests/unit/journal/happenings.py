"""Events for the tests of the journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from recovery.model.events import (
    AnyEvent,
    Command,
    HostFinished,
    Notice,
    Outcome,
    RunStarted,
    StepFinished,
    StepIntended,
    StepOutcome,
)
from recovery.model.evidence import AnyEvidence, Progress, Verdict

BEGAN = datetime(2024, 7, 19, 6, 0, tzinfo=UTC)
RUN = "r20240719-060000-7f3a"


def at(seconds: float) -> datetime:
    """So many seconds after the beginning."""
    return BEGAN + timedelta(seconds=seconds)


def started(run: str = RUN, *, total: int = 3, mock: bool = False, **documents: str) -> RunStarted:
    return RunStarted(
        at=BEGAN,
        run=run,
        playbook="rollback",
        incident="crowdstrike-291",
        total=total,
        mock=mock,
        documents=documents,
    )


def notice(number: int, run: str = RUN) -> Notice:
    return Notice(at=at(number), run=run, message=f"notice {number}")


def intended(
    host: str, seconds: float = 0, *, step: str = "quarantine", index: int = 1
) -> AnyEvent:
    return StepIntended(
        at=at(seconds),
        run=RUN,
        host=host,
        index=index,
        step=step,
        attempt=1,
        intent=f"i-{host}-{index}",
    )


def finished_step(
    host: str,
    seconds: float = 0,
    *,
    outcome: StepOutcome = "ok",
    verdict: Verdict = Verdict.EXPOSED,
    progress: Progress = Progress.FIXED,
    evidence: tuple[AnyEvidence, ...] = (),
    run: str = RUN,
    step: str = "quarantine",
    index: int = 1,
) -> StepFinished:
    return StepFinished(
        at=at(seconds),
        run=run,
        host=host,
        index=index,
        step=step,
        attempt=1,
        outcome=outcome,
        intent=f"i-{host}-{index}",
        evidence=evidence,
        verdict=verdict,
        because=(f"{verdict} as seen after {seconds:g} s",),
        progress=progress,
    )


def ended(
    host: str, seconds: float = 0, outcome: Outcome = Outcome.RECOVERED, run: str = RUN
) -> HostFinished:
    return HostFinished(
        at=at(seconds),
        run=run,
        host=host,
        outcome=outcome,
        verdict=Verdict.RECOVERED,
        progress=Progress.DONE,
    )


def pause(run: str = RUN) -> Command:
    return Command(at=at(5), run=run, verb="pause", by="ada")


@contextmanager
def tampering(path: Path) -> Iterator[sqlite3.Connection]:
    """The journal's file in the hands of somebody who may do everything, and wipes the rules out first."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("DROP TRIGGER events_are_not_changed")
        connection.execute("DROP TRIGGER events_are_not_removed")
        yield connection
    finally:
        connection.close()
