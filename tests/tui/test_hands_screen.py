"""The Hands screen: who waits, where, and what is to be done there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.widgets import Static

from recovery.tui.app import Dashboard
from recovery.tui.screens.acting import ActMenu
from recovery.tui.screens.host import HostScreen
from recovery.tui.widgets.host_table import HostTable
from tests.tui.scene import Stage, dashboard, half_way

if TYPE_CHECKING:
    from textual.pilot import Pilot


def waiting(stage: Stage) -> Dashboard:
    stage.snapshot()
    stage.begin()
    half_way(stage)
    return dashboard(stage, stage.snapshot())


def stands(app: Dashboard, kind: type[Any]) -> bool:
    return isinstance(app.screen, kind)


def said(app: Dashboard, where: str) -> str:
    return str(app.screen.query_one(where, Static).content)


async def pressed(pilot: Pilot[Any], *keys: str) -> None:
    await pilot.pause(0.2)
    await pilot.press(*keys)
    await pilot.pause(0.4)


def lines(app: Dashboard) -> list[str]:
    table = app.screen.query_one(HostTable)
    return [table.render_line(y).text.strip() for y in range(6)]


async def test_hosts_stand_under_their_site_with_their_checklist(stage: Stage) -> None:
    app = waiting(stage)
    async with app.run_test(size=(140, 40)) as pilot:
        await pressed(pilot, "4")
        assert said(app, "#line") == "@ 2 hosts wait for a person, at 1 sites"
        assert lines(app)[1] == "▸  ▼ MSP: 2"
        await pressed(pilot, "down")
        text = said(app, "#text")
        assert text.startswith("msp-kiosk-01")
        assert "Why: it waits at a screen that only a person can leave" in text
        assert "Remove the file in Safe Mode with Networking (about 15 min)" in text
        assert " 1. Put the machine on a wired network" in text
        assert "Take: keyboard" in text


async def test_sites_close_and_a_host_opens(stage: Stage) -> None:
    app = waiting(stage)
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "4")
        await pressed(pilot, "v")
        assert lines(app)[1] == "▸  ▶ MSP: 2"
        await pressed(pilot, "v")
        await pressed(pilot, "enter")
        assert lines(app)[1] == "▸  ▶ MSP: 2"
        await pressed(pilot, "enter", "down", "x")
        assert stands(app, ActMenu)
        await pressed(pilot, "escape", "enter")
        assert stands(app, HostScreen)


async def test_without_a_checklist_its_name_is_told(stage: Stage) -> None:
    app = waiting(stage)
    app.gateway.refusal = "the profile cannot be read"  # type: ignore[attr-defined]
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "4")
        await pressed(pilot, "down")
        assert "Checklist: safe_mode" in said(app, "#text")


async def test_nobody_waits(stage: Stage) -> None:
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "4")
        assert said(app, "#line") == "No host waits for a person."
