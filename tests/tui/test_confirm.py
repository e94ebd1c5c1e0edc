"""The question before a run that changes machines: what is needed to decide is in sight, and keys reach the rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Input, OptionList

from recovery.tui.screens.confirm import Confirm
from tests.tui.scene import Stage, dashboard
from tests.tui.test_situation_screen import shown, until

if TYPE_CHECKING:
    from textual.pilot import Pilot


async def asked(pilot: Pilot[Any], playbook: str) -> None:
    """Until the question for the number of hosts stands there."""
    app = pilot.app
    await until(pilot, lambda: app.snapshot.stage == "live", "the first snapshot")  # type: ignore[attr-defined]
    await pilot.press("3", "n")
    await until(pilot, lambda: app.screen.query(OptionList), "the playbooks")
    options = app.screen.query_one(OptionList)
    options.highlighted = options.get_option_index(playbook)
    await until(pilot, lambda: app.screen._prepared is not None, "the plan")  # type: ignore[attr-defined]
    await pilot.press("b")
    await until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
    await pilot.pause(0.1)


def dialog(pilot: Pilot[Any]) -> str:
    """What stands in the dialog."""
    box = pilot.app.screen.query_one(".dialog").region
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join(strip.crop(box.x, box.right).text for strip in strips[box.y : box.bottom])


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (140, 42)])
@pytest.mark.parametrize(("mock", "world"), [(True, "MOCK: nothing"), (False, "REAL MACHINES")])
async def test_world_and_warnings_come_first_and_are_in_sight(
    tmp_path: Path, home: Path, size: tuple[int, int], mock: bool, world: str
) -> None:
    stage = Stage(tmp_path, mock=mock)
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=size) as pilot:
        await asked(pilot, "rollback")
        text = dialog(pilot)
        places = [
            text.find(words)
            for words in (
                world,
                "! Cannot be undone: line 14: nothing undoes reboot",
                "! 2 protected hosts are not changed: atl-dc-[1-2]",
                "Hosts     60",
                "Type the number of hosts, 60, and press Enter",
            )
        ]
        assert -1 not in places, text
        assert places == sorted(places)
        assert "undone" in text.splitlines()[2], text


async def test_keys_scroll_what_is_longer_while_the_field_has_them(stage: Stage) -> None:
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(50, 16)) as pilot:
        await asked(pilot, "rollback")
        assert "PgDn show the rest" in shown(app)
        assert "Needs the right to restart the host" not in shown(app)
        await pilot.press("pagedown", "pagedown", "pagedown", "down")
        await until(pilot, lambda: "right to restart the host" in shown(app), "the end")
        assert "MOCK: nothing here is real" in shown(app)
        await pilot.press("5", "pageup", "pageup", "pageup", "up")
        await until(pilot, lambda: "! Cannot be undone" in shown(app), "the beginning")
        assert app.screen.query_one(Input).value == "5"


async def test_where_all_is_in_sight_no_key_is_named_for_more(stage: Stage) -> None:
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(140, 42)) as pilot:
        await asked(pilot, "rollback")
        assert "show the rest" not in shown(app)
        assert "Needs the right to restart the host" in shown(app)
