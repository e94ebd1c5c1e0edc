"""A journal of real and of simulated hosts: what is shown is of the one world alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Static

from recovery.model.evidence import Verdict
from recovery.service import Service
from recovery.settings import Settings
from recovery.tui.deck import Deck
from recovery.tui.screens.host import HostScreen
from recovery.tui.service_gateway import ServiceGateway
from tests.tui.scene import Stage, dashboard, stepped

HOST = "atl-kiosk-01"


def both(folder: Path) -> Stage:
    """A real host that is dark, and its twin that is healthy, of a later run."""
    stage = Stage(folder, mock=False)
    stage.begin("real")
    stage.say(stepped(HOST, 1, Verdict.DARK, run="real"))
    stage.mock = True
    stage.begin("twin")
    stage.say(stepped(HOST, 1, Verdict.HEALTHY, run="twin"))
    stage.mock = False
    return stage


async def test_a_hosts_page_tells_of_the_world_that_is_shown(tmp_path: Path) -> None:
    stage = both(tmp_path)
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.pause(0.2)
        await app.push_screen(HostScreen(HOST))
        await pilot.pause(0.5)
        assert "dark" in str(app.screen.query_one("#head", Static).content)
        lines = str(app.screen.query_one("#lines", Static).content)
    assert "Run real" in lines
    assert "twin" not in lines


async def test_the_gateway_explains_each_of_them(tmp_path: Path) -> None:
    stage = both(tmp_path)
    gateway = ServiceGateway(Service(Settings(journal=stage.journal)), Deck())
    real, of_real = await gateway.explain(HOST, mock=False)
    twin, of_twin = await gateway.explain(HOST, mock=True)
    assert (real.verdict, {line.run for line in of_real}) == (Verdict.DARK, {"real"})
    assert (twin.verdict, {line.run for line in of_twin}) == (Verdict.HEALTHY, {"twin"})


async def test_a_plan_by_what_is_known_is_rehearsed_on_its_very_hosts(tmp_path: Path) -> None:
    stage = both(tmp_path)
    gateway = ServiceGateway(Service(Settings(journal=stage.journal)), Deck())
    plan = stage.prepare("triage", ["verdict = dark"])
    assert plan.order == (HOST,)
    view = await gateway.rehearse(plan)
    assert view.finished is not None
    assert set(view.states) == {HOST}


@pytest.mark.parametrize(("mock", "verdict"), [(False, "dark"), (True, "healthy")])
def test_a_limit_is_by_what_is_shown(tmp_path: Path, mock: bool, verdict: str) -> None:
    stage = both(tmp_path)
    stage.mock = mock
    assert stage.prepare("triage", [f"verdict = {verdict}"]).order == (HOST,)
