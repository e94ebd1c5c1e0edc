"""The keys of the dashboard: what they mean, how they are shown, and that they come before news."""

from __future__ import annotations

import pytest

from recovery.errors import UnknownNameError
from recovery.tui.actions import Action, keymap, keys_of
from recovery.tui.app import ACTIONS, Dashboard
from recovery.tui.screens.quit import QuitScreen
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
        keymap({"app.hlep": "f1"}, ACTIONS)


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
