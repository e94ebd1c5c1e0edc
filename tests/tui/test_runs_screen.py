"""The Runs screen and the way to a run: plan, dry run, confirmation, and every word to a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Input, OptionList, Static

from recovery.journal.views import RunView
from recovery.model.events import ApprovalAsked, Command, GuardTripped, Outcome, RunHeld, RunStarted
from recovery.model.state import HostState
from recovery.tui.app import Dashboard
from recovery.tui.run_words import run_lines, state_of
from recovery.tui.screens.confirm import Confirm
from recovery.tui.screens.plan import PlanScreen
from recovery.tui.screens.runs import RunsScreen
from tests.tui.scene import RUN, Stage, at, dashboard, half_way, over

if TYPE_CHECKING:
    from textual.pilot import Pilot


def calls(app: Dashboard) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = app.gateway.calls  # type: ignore[attr-defined]
    return found


def stands(app: Dashboard, kind: type[Any]) -> bool:
    return isinstance(app.screen, kind)


def said(app: Dashboard, where: str) -> str:
    return str(app.screen.query_one(where, Static).content)


def told(app: Dashboard) -> str:
    return " ".join(notice.message for notice in app._notifications)


async def runs(pilot: Pilot[Any], *keys: str) -> None:
    await pilot.pause(0.3)
    await pilot.press("3", *keys)
    await pilot.pause(0.3)


async def pressed(pilot: Pilot[Any], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause(0.2)


@pytest.fixture
def app(stage: Stage) -> Dashboard:
    stage.snapshot()
    stage.begin()
    half_way(stage)
    asked = ApprovalAsked(at=at(820), run=RUN, gate="step:1", question="go on?")
    stage.say(asked)
    return dashboard(stage, stage.snapshot())


async def planned(pilot: Pilot[Any], playbook: str) -> None:
    await runs(pilot, "n")
    options = pilot.app.screen.query_one(OptionList)
    options.highlighted = options.get_option_index(playbook)
    await pilot.pause(0.4)


async def test_a_run_is_shown_as_it_goes_on(app: Dashboard) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await runs(pilot)
        assert stands(app, RunsScreen)
        text = said(app, "#run")
        assert text.startswith("? waits for approval")
        assert "step:1: go on?   (a approves)" in text
        assert "★ recovered" in text
        assert "Wave 2: 5 of 5 ended" in text
        assert "Wave 3: 5 of 12 ended, 7 begun  ▸ open" in text
        assert "still to come" in text


@pytest.mark.parametrize(
    ("keys", "call"),
    [
        ("ay", ("command", RUN, "approve", "step:1")),
        ("p", ("command", RUN, "pause", "")),
        ("xy", ("command", RUN, "abort", "")),
        ("Xy", ("command", RUN, "cancel", "")),
    ],
)
async def test_keys_tell_the_run(app: Dashboard, keys: str, call: tuple[str, ...]) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await runs(pilot)
        for key in keys:
            await pressed(pilot, key)
        assert calls(app) == [call]
        assert "told the run" in told(app)


@pytest.mark.parametrize("keys", ["an", "xn", "Xn"])
async def test_a_question_can_be_answered_with_no(app: Dashboard, keys: str) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await runs(pilot)
        for key in keys:
            await pressed(pilot, key)
        assert calls(app) == []


async def test_a_refusal_is_told_and_changes_nothing(app: Dashboard) -> None:
    app.gateway.refusal = "the journal [red]is gone"  # type: ignore[attr-defined]
    async with app.run_test(size=(80, 24)) as pilot:
        await runs(pilot, "p")
        assert "the journal [red]is gone" in told(app)
        assert stands(app, RunsScreen)


async def test_a_run_that_nobody_carries_out_is_taken_up(stage: Stage) -> None:
    stage.snapshot()
    stage.begin()
    app = dashboard(stage, stage.snapshot(live=False))
    async with app.run_test(size=(80, 24)) as pilot:
        await runs(pilot)
        assert "nobody carries it out" in said(app, "#run")
        await pressed(pilot, "u")
        assert "MOCK" in str(app.screen.query(Static).first().content)
        await pressed(pilot, "enter")
        assert calls(app) == []
        await pressed(pilot, "y")
        assert calls(app) == [("take_up", RUN)]


async def test_a_finished_run_takes_no_orders_and_can_be_tried_again(stage: Stage) -> None:
    stage.snapshot()
    stage.begin()
    half_way(stage)
    stage.say(over())
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(80, 24)) as pilot:
        await runs(pilot)
        assert said(app, "#run").startswith("✗ 1 host failed")
        await pressed(pilot, "a")
        assert "has finished" in told(app)
        await pressed(pilot, "t")
        await pilot.pause(0.4)
        assert stands(app, PlanScreen)
        request = calls(app)[-1][1]
        assert (request.playbook, request.limits) == ("rollback", ("name = atl-kiosk-13",))


async def test_nothing_to_try_again(stage: Stage) -> None:
    stage.snapshot()
    stage.begin()
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(80, 24)) as pilot:
        await runs(pilot, "t")
        assert "every host" in told(app)
        await pressed(pilot, "a")
        assert stands(app, RunsScreen)


async def test_the_plan_says_what_would_be_done(app: Dashboard) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await planned(pilot, "rollback")
        text = said(app, "#plan")
        for words in (
            "Hosts     60: ",
            "triage → rollback → reboot → settle → prove",
            "Waves     1, 5, ",
            "✓ Verified",
            "! Cannot be undone: line 14: nothing undoes reboot",
            "! 2 protected hosts are not changed: atl-dc-[1-2]",
            "Needs the right to restart the host",
        ):
            assert words in text


async def test_hosts_are_said_by_a_query_and_a_typo_is_told(app: Dashboard) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await planned(pilot, "triage")
        await pressed(pilot, "slash", *"site=ATLL", "enter")
        await pilot.pause(0.3)
        assert "✗ Nothing can be begun" in said(app, "#plan")
        assert "did you mean 'ATL'" in said(app, "#plan")
        await pressed(pilot, "b")
        assert stands(app, PlanScreen)
        app.screen.query_one(Input).value = ""
        await pressed(pilot, "slash", *"site=BOS", "enter")
        await pilot.pause(0.3)
        assert "Hosts     10: bos-gate-[01-10]" in said(app, "#plan")
        await pressed(pilot, "slash", "escape")
        assert stands(app, PlanScreen)
        await pressed(pilot, "escape")
        assert stands(app, RunsScreen)


async def test_a_dry_run_tells_its_forecast(app: Dashboard) -> None:
    states = {
        "a": HostState("a", outcome=Outcome.RECOVERED, updated=at(600)),
        "b": HostState("b", outcome=Outcome.FAILED, updated=at(1200)),
    }
    started = RunStarted(at=at(0), run="r", playbook="rollback", incident="c", total=3)
    guard = GuardTripped(at=at(3), rule="failed", count=1, limit=1, denominator="wave 1 (1 host)")
    asked = ApprovalAsked(at=at(3), gate="step:2", question="?")
    app.gateway.views["rehearsal"] = RunView(  # type: ignore[attr-defined]
        "r", started, states=states, guard=guard, asked=(asked,)
    )
    async with app.run_test(size=(120, 40)) as pilot:
        await planned(pilot, "rollback")
        await pressed(pilot, "d")
        text = said(app, "#forecast")
        assert calls(app)[-1][0] == "rehearse"
        for words in ("★      1 recovered", "…      1 not ended", "Ended      after 20m"):
            assert words in text
        assert "Half well  not within this run" in text
        assert "The guard halted it: failed 1 of wave 1 (1 host), limit 1" in text
        assert "It waited for approval of step:2" in text


async def test_a_dry_run_that_fails_is_told(app: Dashboard) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await planned(pilot, "triage")
        app.gateway.refusal = "no room"  # type: ignore[attr-defined]
        await pressed(pilot, "d")
        assert "✗ The dry run failed\nno room" in said(app, "#forecast")
        await pressed(pilot, "b")
        assert "✗ The run did not begin\nno room" in said(app, "#forecast")


async def test_a_change_begins_only_with_the_number_typed(app: Dashboard) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await planned(pilot, "rollback")
        await pressed(pilot, "b")
        assert stands(app, Confirm)
        await pressed(pilot, *"59", "enter")
        assert stands(app, Confirm)
        await pressed(pilot, "escape")
        assert stands(app, PlanScreen)
        assert not [call for call in calls(app) if call[0] == "start"]
        await pressed(pilot, "b", *"60", "enter")
        assert calls(app)[-1][0] == "start"
        assert stands(app, RunsScreen)
        assert "has begun" in told(app)


async def test_what_only_looks_begins_at_once(app: Dashboard) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await planned(pilot, "rollback")
        await pressed(pilot, "c")
        await pilot.pause(0.4)
        assert "✓ Changes nothing on any host" in said(app, "#plan")
        await pressed(pilot, "b")
        (verb, request) = calls(app)[-1]
        assert (verb, request.check) == ("start", True)


def test_where_a_run_stands_has_a_word(stage: Stage) -> None:
    stage.snapshot()
    stage.begin()
    assert str(state_of(stage.snapshot().runs[-1])) == "▸ goes on"
    stage.say(RunHeld(at=at(5), run=RUN, reason="the blocker says no"))
    assert str(state_of(stage.snapshot().runs[-1])) == "‖ held: the blocker says no"
    stage.say(Command(at=at(6), run=RUN, verb="pause"))
    assert str(state_of(stage.snapshot().runs[-1])) == "‖ paused"
    trip = GuardTripped(at=at(7), run=RUN, rule="failed", count=2, limit=1, denominator="wave 1")
    stage.say(trip)
    text = "\n".join(words for _, words in run_lines(stage.snapshot().runs[-1]))
    assert "✗ GUARD: failed 2 of wave 1, limit 1" in text
