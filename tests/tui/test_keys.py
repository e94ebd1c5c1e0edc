"""The keys of the dashboard: what they mean, how they are shown, and that they come before news."""

from __future__ import annotations

from typing import Any

import pytest

from recovery.errors import UnknownNameError, UsageError
from recovery.tui.actions import Action, keymap, keys_of
from recovery.tui.app import ACTIONS, Dashboard
from recovery.tui.screens.acting import ActMenu
from recovery.tui.screens.host import HostScreen
from recovery.tui.screens.plan import PlanScreen
from recovery.tui.screens.quit import QuitScreen
from recovery.tui.screens.runs import RunsScreen
from tests.tui.scene import Stage, carried, dashboard
from tests.tui.test_situation_screen import ready, stands, until


@pytest.mark.parametrize("pressed", ["2", "x", "f2"])
async def test_a_key_comes_before_news(stage: Stage, pressed: str) -> None:
    app = dashboard(stage, stage.snapshot())
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.source.ways == 0  # type: ignore[attr-defined]
        await pilot.press(pressed)
        assert app.source.ways == 1  # type: ignore[attr-defined]


def test_a_key_for_an_action_that_there_is_not_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"app\.hlep.*app\.help"):
        keymap({"app.hlep": "f1"}, [ACTIONS])


@pytest.mark.parametrize(
    "key", ["nonsense+key", "nonsense", "", "x,", "Ctrl+t", "ctrl+ctrl+t", "ctrl+", "<any>"]
)
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(UsageError, match=r"tui\.keys: app\.ask_quit: .* is no key"):
        keymap({"app.ask_quit": key}, [ACTIONS])


@pytest.mark.parametrize("key", ["x", "?", "question_mark", "f12", "ctrl+t", "ctrl+shift+f5", "ä"])
def test_what_a_keyboard_has_is_a_key(stage: Stage, key: str) -> None:
    assert keymap({"app.report": key, "app.help": "f1"}, [ACTIONS])["app.report"] == key
    if key != "x":
        dashboard(stage, keys={"app.report": key, "app.help": "f1"})


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"situation.triage": "q"}, r"situation\.triage: 'q' is the key of app\.ask_quit \(Quit\)"),
        ({"app.report": "f5,x"}, r"app\.report: 'x' is the key of .*\.(act|abort)"),
        ({"app.report": "?"}, r"app\.report: '\?' is the key of app\.help"),
        ({"app.report": "ctrl+i"}, r"app\.report: 'ctrl\+i' is the key of .* \(Text\)"),
        ({"plan.start": "d"}, r"plan\.start: 'd' is the key of plan\.rehearse"),
        ({"host.act": "p"}, r"host\.act: 'p' is the key of host\.picture"),
        ({"host.act": "f9", "host.picture": "f9"}, r"host\.(act|picture): 'f9' is the key of host"),
    ],
)
def test_a_key_that_would_hide_another_action_is_refused(
    stage: Stage, keys: dict[str, str], words: str
) -> None:
    with pytest.raises(UsageError, match=rf"tui\.keys: {words}"):
        dashboard(stage, keys=keys)


def test_two_actions_may_change_their_keys(stage: Stage) -> None:
    dashboard(stage, keys={"situation.triage": "p", "situation.pause": "t", "plan.start": "q"})


async def test_keys_of_a_hosts_page_and_of_a_plan_are_those_of_the_settings(stage: Stage) -> None:
    keys = {"host.act": "f8", "plan.leave": "f9"}
    app = dashboard(stage, stage.snapshot(), keys=keys)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, "2", "home", "enter")
        await until(pilot, stands(app, HostScreen), "the page")
        await pilot.press("x")
        assert isinstance(app.screen, HostScreen)
        await pilot.press("f8")
        await until(pilot, stands(app, ActMenu), "the acts")
        await pilot.press("t")
        await until(pilot, stands(app, PlanScreen), "the plan")
        await pilot.press("f9")
        await until(pilot, stands(app, HostScreen), "the page")


def test_keys_are_shown_as_they_stand_on_a_keyboard() -> None:
    action = Action("a.b", "ctrl+p,question_mark,pageup,x", "T", "t", "G")
    assert keys_of(action, {}) == "Ctrl+p, ?, PgUp, x"
    assert keys_of(action, {"a.b": "f2"}) == "f2"


def test_every_action_has_an_id_of_its_own_and_every_key_one_meaning_on_a_screen() -> None:
    pages: list[tuple[Action, ...]] = [page.ACTIONS for page in Dashboard.MODES.values()]
    for own in pages:
        actions = (*own, *ACTIONS)
        assert len({action.id for action in actions}) == len(actions)
        keys = [key for action in actions for key in action.key.split(",")]
        assert sorted(keys) == sorted(set(keys))


@pytest.mark.parametrize("before", [(), ("5", "slash"), ("question_mark",), ("X",)])
async def test_ctrl_q_asks_too_wherever_the_keys_are(stage: Stage, before: tuple[str, ...]) -> None:
    stage.begin()
    app = dashboard(stage, carried(stage.snapshot()))
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, *before)
        below = app.screen
        await pilot.press("ctrl+q")
        await until(pilot, stands(app, QuitScreen), "the question")
        await pilot.press("ctrl+q", "escape")
        await until(pilot, lambda: app.screen is below, "the screen below")
        assert app.return_value is None
        await pilot.press("ctrl+q")
        await until(pilot, stands(app, QuitScreen), "the question")
        await pilot.press("y")
        await until(pilot, lambda: app.return_value is not None, "the end")
    assert app.return_value == "come back: recovery tui"


@pytest.mark.parametrize(
    ("screen", "verb"), [(RunsScreen, "pause"), (PlanScreen, "hosts"), (PlanScreen, "leave")]
)
def test_a_key_that_comes_before_its_screen_is_there_does_nothing(
    stage: Stage, screen: type[Any], verb: str
) -> None:
    made = screen(dashboard(stage).gateway) if screen is PlanScreen else screen()
    assert made.check_action(verb, ()) is None
