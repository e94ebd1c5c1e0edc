"""The command palette carries out what the keys of a screen and of its table do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.command import CommandPalette, DiscoveryHit
from textual.widgets import Static

from recovery.tui.app import Dashboard
from recovery.tui.palette import ActionCommands
from recovery.tui.screens.fleet import FleetScreen
from recovery.tui.widgets.event_log import EventLog
from recovery.tui.widgets.host_table import HostTable
from recovery.tui.widgets.query_bar import QueryBar
from tests.tui.scene import Stage, dashboard, half_way

if TYPE_CHECKING:
    from textual.pilot import Pilot


@pytest.fixture
def app(stage: Stage) -> Dashboard:
    stage.snapshot()
    stage.begin()
    half_way(stage)
    return dashboard(stage, stage.snapshot())


async def chosen(pilot: Pilot[str], words: str) -> None:
    """Type into the palette, and take the first that it finds."""
    await pilot.pause(0.2)
    await pilot.press("ctrl+p")
    await pilot.press(*words)
    for _ in range(50):
        await pilot.pause(0.1)
        if not isinstance(pilot.app.screen, CommandPalette):
            break
        await pilot.press("enter")
    await pilot.pause(0.3)


async def test_verbs_of_the_table_are_found_and_done(app: Dashboard) -> None:
    async with app.run_test(size=(130, 40)) as pilot:
        await pilot.pause(0.2)
        await pilot.press("2")
        await chosen(pilot, "mark all")
        table = app.screen.query_one(HostTable)
        assert len(table.marks) == 60
        await chosen(pilot, "unmark")
        assert not table.marks
        await chosen(pilot, "group")
        assert "▼" in table.render_line(1).text
        await chosen(pilot, "sort")
        assert "Host▲" in table.render_line(0).text
        await chosen(pilot, "query")
        assert app.focused is app.screen.query_one(QueryBar).input


async def test_verbs_of_the_log_are_found_and_done_and_the_help_names_its_keys(
    stage: Stage, app: Dashboard
) -> None:
    app.gateway.stored = stage.snapshot().recent  # type: ignore[attr-defined]
    async with app.run_test(size=(130, 60)) as pilot:
        await pilot.pause(0.2)
        await pilot.press("5")
        await chosen(pilot, "reads what came before")
        log = app.screen.query_one(EventLog)
        assert log.chosen == log.rows[0]
        await pilot.press("question_mark")
        await pilot.pause(0.2)
        text = str(app.screen.query_one(Static).content)
        assert "Enter      Open" in text
        assert "End, G     Latest" in text


async def test_every_verb_of_the_fleet_is_offered(app: Dashboard) -> None:
    async with app.run_test(size=(130, 40)) as pilot:
        await pilot.pause(0.2)
        await pilot.press("2")
        await pilot.pause(0.2)
        hits = [hit async for hit in ActionCommands(app.screen).discover()]
        offered = [hit.text for hit in hits if isinstance(hit, DiscoveryHit)]
        assert {action.title for action in FleetScreen.ACTIONS} <= {str(title) for title in offered}
