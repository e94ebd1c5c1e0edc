"""What a dashboard folds as it goes is what the folds of the whole journal say."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import pytest

from recovery.journal import views
from recovery.journal.board import NOTABLE_KINDS, Board, Change, notable
from recovery.journal.log import Log
from recovery.model.events import (
    AnyEvent,
    HandedOver,
    HostAdmitted,
    HostFinished,
    HostObserved,
    Outcome,
    RunFinished,
    StepIntended,
)
from recovery.model.evidence import (
    AnyEvidence,
    BootIdentity,
    CrashRecord,
    Progress,
    Reachability,
    Verdict,
)
from recovery.ports import Stored
from recovery.report.status import stop_code
from tests.unit.journal.happenings import RUN, at, ended, finished_step, intended, notice, started

HOSTS = [f"h{number}" for number in range(8)]
STEPS = ("triage", "rollback", "reboot", "prove", "hand_over")


def stored(*events: AnyEvent) -> list[Stored]:
    return [Stored(seq, event) for seq, event in enumerate(events, 1)]


def board_of(*events: AnyEvent, mock: bool = False) -> Board:
    board = Board(mock=mock)
    for item in stored(*events):
        board.add(item)
    return board


def some_evidence(chance: random.Random, seconds: float) -> tuple[AnyEvidence, ...]:
    when = at(seconds)
    return chance.choice(
        [
            (),
            (Reachability(at=when, source="look", answers=False, reason="silent"),),
            (BootIdentity(at=when, source="ssh", boot_id=f"b{seconds}"),),
            (
                CrashRecord(
                    at=when, source="ssh", stop_code=0x50, module="m", text="t", record="dump"
                ),
            ),
            (CrashRecord(at=when, source="ssh", text="no code"),),
        ]
    )


def a_life(seed: int) -> list[AnyEvent]:
    """Two runs over the same hosts, the second of which begins before the first has ended."""
    chance = random.Random(seed)  # noqa: S311 - a story, not a secret
    events: list[AnyEvent] = [started(RUN, total=8)]
    for second in range(1, 120):
        if second == 60:
            events.append(started("r2", total=8))
        run = RUN if second < 60 or chance.random() < 0.3 else "r2"
        host, index = chance.choice(HOSTS), chance.randrange(4)
        verdict = chance.choice(list(Verdict))
        evidence = some_evidence(chance, second)
        choices: list[AnyEvent] = [
            finished_step(host, second, run=run, index=index, verdict=verdict, evidence=evidence),
            finished_step(host, second, run=run, index=index, outcome="failed", verdict=verdict),
            HostObserved(at=at(second), run=run, host=host, evidence=evidence, verdict=verdict),
            HostAdmitted(at=at(second), run=run, host=host, wave=1),
            HandedOver(at=at(second), run=run, host=host, runbook="safe_mode", reason="locked"),
            ended(host, second, run=run),
        ]
        events.append(chance.choice(choices))
    return events


@pytest.mark.parametrize("seed", range(12))
def test_it_knows_of_hosts_and_runs_what_the_folds_of_the_whole_journal_say(seed: int) -> None:
    events = a_life(seed)
    board, known = board_of(*events), views.known_hosts(stored(*events))
    assert board.hosts().keys() == known.keys()
    for name, state in board.hosts().items():
        full = known[name]
        assert (state.verdict, state.progress, state.outcome, state.because, state.index) == (
            *(full.verdict, full.progress, full.outcome, full.because, full.index),
        )
        assert state.case.answered_at == full.case.answered_at
        assert state.case.silent_since == full.case.silent_since
        assert stop_code(state) == stop_code(full)
    first = views.fold(RUN, stored(*events))
    seen = board.runs[RUN].view()
    assert (seen.verdicts, seen.outcomes, seen.waves, seen.events) == (
        *(first.verdicts, first.outcomes, first.waves, first.events),
    )
    assert board.runs["r2"].view().counts() == _second(events).counts()


def _second(events: list[AnyEvent]) -> views.RunView:
    return views.fold("r2", stored(*events))


@pytest.mark.parametrize("seed", range(6))
def test_what_hosts_wait_for_is_what_a_look_at_all_of_them_says(seed: int) -> None:
    events, now = a_life(seed), at(500)
    run = board_of(*events).runs[RUN]
    counted = views.fold(RUN, stored(*events)).waiting(STEPS, now)
    assert {(wait.step, wait.hosts, wait.silent) for wait in run.waits(STEPS, now)} == {
        (wait.step, wait.hosts, wait.silent) for wait in counted
    }


def test_those_that_came_first_to_a_step_are_named_first() -> None:
    events = [
        finished_step(host, second, index=0, step="triage") for second, host in enumerate(HOSTS)
    ]
    run = board_of(started(total=20), *events, finished_step("h0", 20)).runs[RUN]
    waits = {wait.step: wait for wait in run.waits(STEPS, at(30))}
    assert (waits["rollback"].oldest, waits["rollback"].seconds) == (tuple(HOSTS[1:6]), 29.0)
    assert (waits["reboot"].hosts, waits["begin"].hosts) == (1, 12)


def test_worlds_are_not_mixed() -> None:
    events = [started("real"), started("twin", mock=True)]
    events += [finished_step("a", 1, run="real"), finished_step("b", 2, run="twin")]  # type: ignore[list-item]
    for mock, host in ((False, "a"), (True, "b")):
        board = board_of(*events, mock=mock)
        assert list(board.hosts()) == [host]
        assert {run: progress.mock for run, progress in board.runs.items()} == {
            "real": False,
            "twin": True,
        }
        assert board.runs["real" if mock else "twin"].view().states.keys() == {
            "b" if host == "a" else "a"
        }


def test_an_event_says_what_it_made_of_the_host() -> None:
    board = board_of(started(), finished_step("h1", 1, verdict=Verdict.CRASH_LOOP))
    change = board.add(Stored(3, finished_step("h1", 2, verdict=Verdict.RECOVERED)))
    assert isinstance(change, Change)
    assert change.before is not None
    assert (change.before.verdict, change.after.verdict) == (Verdict.CRASH_LOOP, Verdict.RECOVERED)
    assert board.add(Stored(4, notice(3))) is None


def test_an_event_of_no_run_counts_for_its_host() -> None:
    board = board_of(finished_step("h1", 1, run="", verdict=Verdict.DARK))
    assert board.hosts()["h1"].verdict == Verdict.DARK
    assert board.last == at(1)


def test_a_run_that_is_over_keeps_its_counts_and_gives_its_hosts_back() -> None:
    over = RunFinished(at=at(9), run=RUN, exit_reason="done", exit_code=0)
    board = board_of(started(total=1), ended("h1", 5), over)
    assert list(board.runs[RUN].view().states) == ["h1"]
    board.add(Stored(9, started("r2")))
    view = board.runs[RUN].view()
    assert (dict(view.states), view.outcomes, board.runs[RUN].waits(STEPS, at(10))) == (
        {},
        {"recovered": 1},
        (),
    )


def test_what_a_later_run_takes_over_is_what_was_known_and_not_what_was_done() -> None:
    board = board_of(started(), ended("h1", 5), started("r2"), intended("h1", 8))
    assert (
        board.hosts()["h1"].outcome is Outcome.RECOVERED
    )  # of the older run, beside the newer one
    board.add(
        Stored(
            9,
            StepIntended(
                at=at(9), run="r2", host="h1", index=1, step="rollback", attempt=1, intent="i"
            ),
        )
    )
    state = board.hosts()["h1"]
    assert (state.verdict, state.outcome, state.progress) == (
        Verdict.RECOVERED,
        None,
        Progress.FIXING,
    )


def test_only_what_an_operator_should_see_is_notable() -> None:
    failed = HostFinished(at=at(1), run=RUN, host="h1", outcome=Outcome.FAILED)
    events: list[AnyEvent] = [started(), finished_step("h1"), failed, ended("h2", 2), notice(3)]
    board = board_of(*events)
    assert [item.event for item in board.notable()] == [events[0], failed, events[4]]
    assert len(board.recent()) == 5
    assert {str(type(event).__struct_config__.tag) for event in events if notable(event)} <= set(
        NOTABLE_KINDS
    )


def test_a_copy_does_not_change_any_more() -> None:
    board = board_of(started(), finished_step("h1"))
    before = board.hosts()
    assert before is board.hosts()
    board.add(Stored(9, finished_step("h2")))
    assert list(before) == ["h1"]


def test_a_journal_is_read_backwards(tmp_path: Path) -> None:
    with closing(Log.open(tmp_path / "j.db")) as log:
        log.append(
            started(),
            *(notice(n) for n in range(2500)),
            finished_step("h1", 1),
            finished_step("h2", 2),
        )
        assert [item.seq for item in log.backwards()] == list(range(2503, 0, -1))
        assert [item.seq for item in log.backwards(before=3)] == [2, 1]
        assert [item.event.host for item in log.backwards(kinds=("step.finished",))] == ["h2", "h1"]
        assert [item.seq for item in log.backwards(host="h1")] == [2502]
        assert [item.seq for item in log.backwards(run="none")] == []
