"""A host's page when the journal cannot be read for a while."""

from __future__ import annotations

import msgspec
from textual.widgets import Static

from recovery.tui.screens.host import HostScreen
from tests.tui.scene import Stage, dashboard, half_way
from tests.tui.test_situation_screen import ready, shown, stands, told, until


async def test_a_page_that_could_not_be_read_says_so_and_is_read_again(stage: Stage) -> None:
    stage.begin()
    half_way(stage)
    snapshot = stage.snapshot()
    app = dashboard(stage, snapshot)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, "2", "home")
        app.gateway.refusal = "the disk [red]is gone"  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, stands(app, HostScreen), "the page")
        words = "✗ The journal cannot be read: the disk [red]is gone"
        await until(pilot, lambda: words in shown(app), "the reason")
        app.gateway.refusal = ""  # type: ignore[attr-defined]
        app.source.next = msgspec.structs.replace(snapshot)  # type: ignore[attr-defined]
        await until(pilot, lambda: "triage: done" in shown(app), "the timeline")
        assert told(app) == ""
        assert "cannot be read" not in str(app.screen.query_one("#lines", Static).content)
