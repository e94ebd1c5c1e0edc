"""Several runs at once: which of them is in focus, which of them an order goes to, and that none is unseen."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from recovery.journal.views import RunView
from recovery.model.events import ApprovalAsked, Command, GuardTripped, WaveOpened
from recovery.tui.run_words import run_lines, state_of
from recovery.tui.screens.question import Question
from recovery.tui.screens.runs import RunsScreen
from recovery.tui.snapshot import RunLine, Snapshot
from tests.tui.scene import CARRIED, Stage, at, dashboard, over
from tests.tui.test_situation_screen import calls, ready, shown, stands, told, until

if TYPE_CHECKING:
    from textual.pilot import Pilot

ROLLBACK, TRIAGE = "r240719-060000", "r240719-060500"


def held_by(snapshot: Snapshot, live: Sequence[str]) -> Snapshot:
    """With these runs carried out, and the others not."""
    lines = tuple(
        msgspec.structs.replace(line, carried_by=CARRIED if line.run in live else "")
        for line in snapshot.runs
    )
    return msgspec.structs.replace(snapshot, runs=lines)


def two(stage: Stage, *, ended: bool = False, live: Sequence[str] = ()) -> Snapshot:
    """A rollback, and a newer triage that goes on or has `ended`."""
    stage.begin(ROLLBACK)
    stage.begin(TRIAGE, "triage", 300)
    if ended:
        stage.say(over(400, TRIAGE))
    return held_by(stage.snapshot(), live)


def line_of(run: str, *, live: bool, changes: bool, asks: bool, ended: bool) -> RunLine:
    view = msgspec.structs.replace(
        RunView(run),
        asked=(ApprovalAsked(at=at(1), run=run, gate="step:1", question="?"),) if asks else (),
        finished=over(2, run) if ended else None,
    )
    return RunLine(view=view, mock=False, carried_by=CARRIED if live else "", changes=changes)


URGENT_FIRST = (
    {"live": True, "changes": False, "asks": True, "ended": False},
    {"live": True, "changes": True, "asks": False, "ended": False},
    {"live": True, "changes": False, "asks": False, "ended": False},
    {"live": False, "changes": True, "asks": False, "ended": False},
    {"live": False, "changes": True, "asks": False, "ended": True},
)


@pytest.mark.parametrize("pair", [*itertools.combinations(range(len(URGENT_FIRST)), 2)])
@pytest.mark.parametrize("turned", [False, True])
def test_the_focus_is_on_the_most_urgent_run(pair: tuple[int, int], turned: bool) -> None:
    urgent, other = (line_of(f"r{place}", **URGENT_FIRST[place]) for place in pair)
    runs = (other, urgent) if turned else (urgent, other)
    assert Snapshot(runs=runs).focus is urgent


def test_of_equally_urgent_runs_the_newest_is_in_focus_and_none_of_the_other_world() -> None:
    kinds = URGENT_FIRST[1]
    first, second, mock = (line_of(f"r{place}", **kinds) for place in range(3))
    mock = msgspec.structs.replace(mock, mock=True)
    snapshot = Snapshot(runs=(first, second, mock))
    assert snapshot.focus is second
    assert {line.run for line in snapshot.others} == {first.run, mock.run}


async def test_a_rollback_that_nobody_carries_out_is_seen_and_taken_up_after_a_newer_triage(
    stage: Stage,
) -> None:
    app = dashboard(stage, two(stage, ended=True))
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        assert "rollback on 60 hosts" in shown(app)
        assert "nobody carries it out: u takes it up" in shown(app)
        await pilot.press("u")
        await until(pilot, stands(app, Question), "the question")
        assert "It changes machines" in shown(app)
        await pilot.press("y")
        await until(pilot, lambda: calls(app), "the taking up")
    assert calls(app) == [("take_up", ROLLBACK)]


async def test_a_question_is_answered_beside_a_newer_run(stage: Stage) -> None:
    two(stage)
    stage.say(ApprovalAsked(at=at(310), run=ROLLBACK, gate="step:1", question="go on?"))
    app = dashboard(stage, held_by(stage.snapshot(), (ROLLBACK, TRIAGE)))
    async with app.run_test(size=(140, 40)) as pilot:
        await ready(pilot)
        assert "? waits for approval of step:1: go on?" in shown(app)
        assert f"+ 1 more open: 1 under way   {TRIAGE}" in shown(app)
        await pilot.press("a")
        await until(pilot, stands(app, Question), "the question")
        await pilot.press("y")
        await until(pilot, lambda: calls(app), "the answer")
    assert calls(app) == [("command", ROLLBACK, "approve", "step:1")]


async def test_other_open_runs_are_named_in_one_line(stage: Stage) -> None:
    two(stage)
    for number in range(4):
        stage.begin(f"r240719-07000{number}", "triage", 400 + number)
    asks = "r240719-070001"
    stage.say(ApprovalAsked(at=at(500), run=asks, gate="step:1", question="go on?"))
    stage.say(ApprovalAsked(at=at(500), run=ROLLBACK, gate="step:1", question="go on?"))
    snapshot = held_by(stage.snapshot(), (ROLLBACK, TRIAGE, asks))
    app = dashboard(stage, msgspec.structs.replace(snapshot, runs=snapshot.runs[::-1]))
    async with app.run_test(size=(200, 40)) as pilot:
        await ready(pilot)
        (line,) = [line for line in shown(app).splitlines() if "more open" in line]
    assert "+ 5 more open: 1 asks, 1 under way, 3 carried out by nobody   r240719-070001, " in line


async def on_runs(pilot: Pilot[Any], *keys: str) -> None:
    await ready(pilot, "3")
    await until(pilot, stands(pilot.app, RunsScreen), "the runs")  # type: ignore[arg-type]
    for key in keys:
        await pilot.press(key)
        await pilot.pause(0.1)


@pytest.mark.parametrize(
    ("live", "keys", "call"),
    [
        ((ROLLBACK, TRIAGE), ("home", "p"), ("command", TRIAGE, "pause", "")),
        ((ROLLBACK, TRIAGE), ("end", "p"), ("command", ROLLBACK, "pause", "")),
        ((TRIAGE,), ("end", "u", "y"), ("take_up", ROLLBACK)),
        ((ROLLBACK,), ("home", "u", "y"), ("take_up", TRIAGE)),
        ((ROLLBACK, TRIAGE), ("home", "X", "y"), ("command", TRIAGE, "cancel", "")),
    ],
)
async def test_an_order_goes_to_the_run_under_the_cursor(
    stage: Stage, live: Sequence[str], keys: Sequence[str], call: tuple[str, ...]
) -> None:
    app = dashboard(stage, two(stage, live=live))
    async with app.run_test(size=(100, 30)) as pilot:
        await on_runs(pilot, *keys)
        await until(pilot, lambda: calls(app), "the order")
    assert calls(app) == [call]


@pytest.mark.parametrize(
    ("live", "keys", "words"),
    [
        ((TRIAGE,), ("end", "p"), f"nobody carries run {ROLLBACK} out: take it up first"),
        ((TRIAGE,), ("home", "u"), f"{CARRIED} carries run {TRIAGE} out"),
        ((TRIAGE,), ("home", "a"), "the run asks nothing"),
    ],
)
async def test_a_key_that_does_nothing_says_why(
    stage: Stage, live: Sequence[str], keys: Sequence[str], words: str
) -> None:
    app = dashboard(stage, two(stage, live=live))
    async with app.run_test(size=(100, 30)) as pilot:
        await on_runs(pilot, *keys)
        await until(pilot, lambda: words in told(app), words)
    assert calls(app) == []


async def test_before_any_run_a_key_says_that_none_goes_on(stage: Stage) -> None:
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, "p")
        await until(pilot, lambda: "not now: no run goes on" in told(app), "the reason")


async def test_the_cursor_stays_where_somebody_has_set_it(stage: Stage) -> None:
    app = dashboard(stage, two(stage, live=(ROLLBACK, TRIAGE)))
    async with app.run_test(size=(100, 30)) as pilot:
        await on_runs(pilot, "home")
        stage.say(over(500, ROLLBACK))
        stage.begin("r240719-080000", "rollback", 600)
        newer = held_by(stage.snapshot(), (TRIAGE, "r240719-080000"))
        app.source.next = newer  # type: ignore[attr-defined]
        await until(pilot, lambda: "r240719-080000" in shown(app), "the newer run")
        await pilot.press("p")
        await until(pilot, lambda: calls(app), "the order")
    assert calls(app) == [("command", TRIAGE, "pause", "")]


async def test_a_pause_pressed_twice_never_goes_on_by_itself(stage: Stage) -> None:
    app = dashboard(stage, two(stage, live=(ROLLBACK, TRIAGE)))
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, "p")
        await until(pilot, lambda: calls(app), "the pause")
        await pilot.press("p")
        await until(pilot, stands(app, Question), "the question")
        await pilot.press("p", "enter", "escape")
        stage.say(Command(at=at(410), run=ROLLBACK, verb="pause", by="grace"))
        paused = held_by(stage.snapshot(), (ROLLBACK, TRIAGE))
        app.source.next = paused  # type: ignore[attr-defined]
        await until(pilot, lambda: "‖ paused" in shown(app), "the pause")
        await pilot.press("p", "n")
        assert calls(app) == [("command", ROLLBACK, "pause", "")]


async def test_an_order_that_nobody_hears_is_told_as_such(stage: Stage) -> None:
    app = dashboard(stage, two(stage, live=(ROLLBACK, TRIAGE)))
    app.gateway.hears = ""  # type: ignore[attr-defined]
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, "p")
        await until(pilot, lambda: told(app), "the notice")
    assert told(app) == f"pause is noted, but nobody carries run {ROLLBACK} out: take it up"


def test_a_run_that_is_being_stopped_or_was_halted_opens_no_more_waves(stage: Stage) -> None:
    stage.begin(ROLLBACK)
    stage.say(WaveOpened(at=at(5), run=ROLLBACK, wave=1, size=1))
    assert "still to come" in _told(stage)
    stage.say(Command(at=at(6), run=ROLLBACK, verb="cancel"))
    assert str(state_of(stage.snapshot().runs[-1])) == "‖ is being stopped"
    assert "still to come" not in _told(stage)
    trip = GuardTripped(at=at(7), run=ROLLBACK, rule="failed", count=2, limit=1, denominator="x")
    stage.say(trip)
    assert str(state_of(stage.snapshot().runs[-1])) == "■ HALTED BY THE GUARD"


def _told(stage: Stage) -> str:
    return "\n".join(words for _, words in run_lines(stage.snapshot().runs[-1]))
