"""What an after-action report is told of, event by event."""

from __future__ import annotations

from typing import Any

import pytest

from recovery.model.events import (
    AnyEvent,
    GuardTripped,
    Notice,
    RunFinished,
    StepFinished,
)
from recovery.model.evidence import Verdict
from recovery.model.state import HostState
from recovery.report.story import Outage, Story
from tests.unit.journal.happenings import RUN, at, notice, started


def story(*events: AnyEvent) -> Story:
    found = Story(lambda event: type(event).__name__)
    for event in events:
        found.add(event)
    return found


def turned(found: Story, *verdicts: tuple[float, Verdict]) -> None:
    before: HostState | None = None
    for seconds, verdict in verdicts:
        after = HostState("h1", verdict=verdict, because=("seen",))
        found.see(before, after, at(seconds))
        before = after


def step(name: str, outcome: Any, host: str = "h1", **fields: Any) -> AnyEvent:
    own = {"index": 0, "attempt": 1, "seconds": 30.0, **fields}
    return StepFinished(at=at(9), run=RUN, host=host, step=name, outcome=outcome, **own)


def test_outages_begin_and_end_with_what_was_seen() -> None:
    found = story()
    turned(
        found,
        (0, Verdict.CRASH_LOOP),
        (1800, Verdict.DARK),
        (3600, Verdict.DEGRADED),
        (4200, Verdict.RECOVERED),
        (9000, Verdict.BLUE_SCREEN),
    )
    ended, goes_on = found.all_outages()
    assert ended == Outage("h1", at(0), at(3600))
    assert (ended.hours(at(99_999)), goes_on.until) == (1.0, None)
    assert goes_on.hours(at(9000 + 7200)) == 2.0


def test_hours_without_protection_go_on_until_it_is_shown_to_run() -> None:
    found = story()
    turned(found, (0, Verdict.DEGRADED), (600, Verdict.DEGRADED), (1200, Verdict.RECOVERED))
    assert found.unprotected(at(9999)) == {"h1": 1200}
    turned(found, (2000, Verdict.DEGRADED))
    assert found.unprotected(at(2300)) == {"h1": 1500}


@pytest.mark.parametrize(
    ("then", "is_mistake"),
    [
        (Verdict.CRASH_LOOP, True),
        (Verdict.EXPOSED, True),
        (Verdict.NEEDS_KEY, True),
        (Verdict.DARK, False),  # it may have been switched off
        (Verdict.RECOVERED, False),
    ],
)
def test_a_host_that_was_said_to_be_well_and_is_not_is_a_mistake(
    then: Verdict, is_mistake: bool
) -> None:
    found = story()
    turned(found, (0, Verdict.HEALTHY), (60, then))
    assert bool(found.mistakes) == is_mistake
    for mistake in found.mistakes:
        assert (mistake.host, mistake.said, mistake.then) == ("h1", "healthy", then)
        assert (mistake.at, mistake.later, mistake.because) == (at(0), at(60), ("seen",))


def test_one_mistake_is_told_once() -> None:
    found = story()
    turned(
        found,
        (0, Verdict.RECOVERED),
        (60, Verdict.DARK),
        (90, Verdict.CRASH_LOOP),
        (99, Verdict.EXPOSED),
    )
    assert [mistake.then for mistake in found.mistakes] == ["crash_loop"]


def test_a_host_that_is_past_asking_for_its_key_had_it_typed() -> None:
    found = story()
    turned(found, (0, Verdict.NEEDS_KEY), (60, Verdict.DARK))
    assert found.keys == set()
    turned(found, (90, Verdict.DEGRADED))
    assert found.keys == {"h1"}


def test_what_steps_achieved() -> None:
    found = story(
        step("rollback", "unreachable"),
        step("rollback", "ok"),
        step("rollback", "already", "h2"),
        step("settle", "ok", verdict=Verdict.RECOVERED),
    )
    rollback, settle = found.steps["rollback"], found.steps["settle"]
    assert (rollback.attempts, rollback.seconds, rollback.hosts) == (3, 90.0, {"h1", "h2"})
    assert (rollback.achieved, rollback.proved) == ({"h1", "h2"}, set())
    assert rollback.outcomes == {"unreachable": 1, "ok": 1, "already": 1}
    assert settle.proved == {"h1"}


def test_what_the_guard_stopped() -> None:
    tripped = GuardTripped(
        at=at(9), run=RUN, rule="failed", count=2, limit=1, denominator="wave 1 (5 hosts)"
    )
    halted = RunFinished(at=at(10), run=RUN, exit_reason="halted", exit_code=6, counts={"cancelled": 40})  # fmt: skip
    other = RunFinished(at=at(10), run="other", exit_reason="", exit_code=0, counts={"cancelled": 9})  # fmt: skip
    (stop,) = story(tripped, other, halted).stops
    assert (stop.run, stop.rule, stop.count, stop.limit, stop.spared) == (RUN, "failed", 2, 1, 40)


def test_the_timeline_is_of_runs_and_bounded_but_never_without_their_ends() -> None:
    finished = RunFinished(at=at(999), run=RUN, exit_reason="", exit_code=0)
    about_a_host = Notice(at=at(1), run=RUN, host="h1", message="x")
    found = story(started(), about_a_host, *(notice(number) for number in range(1000)), finished)
    assert (found.moments[0].what, found.moments[-1].what) == ("RunStarted", "RunFinished")
    assert len(found.moments) == 401
    assert found.left_out == 601
