"""A whole recovery by keyboard alone, over the real service and the mock twin of the bundled demo fleet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import OptionList, Static

from recovery.model.evidence import Verdict
from recovery.playbook.library import bundled
from recovery.service import Service
from recovery.settings import Settings
from recovery.tui.app import Dashboard
from recovery.tui.deck import Deck
from recovery.tui.feed import Feed
from recovery.tui.screens.plan import PlanScreen
from recovery.tui.service_gateway import ServiceGateway
from recovery.tui.widgets.host_table import HostTable
from recovery.worlds import SystemClock

if TYPE_CHECKING:
    from textual.pilot import Pilot

_PATIENCE = 600
"""Tenths of a second; nothing takes so long unless it never ends."""


@pytest.fixture
def app(tmp_path: Path, home: Path) -> Iterator[Dashboard]:
    journal = str(tmp_path / "journal.db")
    inventory = (str(bundled("inventory") / "demo.yaml"),)
    mix = str(bundled("inventory") / "demo.mix.yaml")
    deck = Deck(inventory=inventory, mock=True, speed="1200x", mix=mix, by="ada")
    gateway = ServiceGateway(Service(Settings(journal=journal)), deck)
    feed = Feed(journal, SystemClock(), inventory, mock=True)
    yield Dashboard(feed, gateway, deck)
    feed.close()
    for child in gateway._children:
        child.wait()


async def until(pilot: Pilot[Any], holds: Callable[[], bool], what: str) -> None:
    for _ in range(_PATIENCE):
        if holds():
            return
        await pilot.pause(0.1)
    rows = [strip.text for strip in pilot.app.screen._compositor.render_strips()]
    pytest.fail("\n".join([f"never came: {what}", *rows]))


def said(app: Dashboard, where: str) -> str:
    return str(app.screen.query_one(where, Static).content)


def runs_over(app: Dashboard, count: int) -> bool:
    return sum(not line.is_open for line in app.snapshot.runs) == count


async def plan_ready(pilot: Pilot[Any], app: Dashboard) -> None:
    await until(pilot, lambda: isinstance(app.screen, PlanScreen), "the plan")
    await until(pilot, lambda: "✓ Verified" in said(app, "#plan"), "the verifier's word")


@pytest.mark.slow
async def test_triage_look_rehearse_begin_approve_hand_over_prove(app: Dashboard) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: len(app.snapshot.fleet.hosts) == 60, "the inventory")
        await _triage(pilot, app)
        looping = await _look(pilot, app)
        await _rehearse_and_begin(pilot, app)
        await until(pilot, lambda: "waits for approval" in _run(app), "the question")
        await pilot.press("a")
        await pilot.pause(0.3)
        await pilot.press("y")
        await until(pilot, lambda: runs_over(app, 2), "the end of the rollback")
        recovered = [s for s in app.snapshot.hosts.values() if s.verdict == Verdict.RECOVERED]
        assert len(recovered) > looping // 2
        await _hand_over_and_prove(pilot, app)


async def _triage(pilot: Pilot[Any], app: Dashboard) -> None:
    await pilot.press("2")
    await pilot.pause(0.3)
    await pilot.press("a", "x", "t")
    await plan_ready(pilot, app)
    await pilot.press("b")
    await until(pilot, lambda: runs_over(app, 1), "the triage's end")
    await until(pilot, lambda: not isinstance(app.screen, PlanScreen), "the screen below")
    verdicts = {state.verdict for state in app.snapshot.hosts.values()}
    assert {Verdict.CRASH_LOOP, Verdict.HEALTHY} <= verdicts


async def _look(pilot: Pilot[Any], app: Dashboard) -> int:
    await pilot.press("u", "slash", *"verdict=crash_loop", "enter")
    await until(pilot, lambda: "of 60 hosts" in said(app, "#line"), "the looping hosts")
    return app.screen.query_one(HostTable).listed


async def _rehearse_and_begin(pilot: Pilot[Any], app: Dashboard) -> None:
    await pilot.press("3", "n")
    await until(pilot, lambda: isinstance(app.screen, PlanScreen), "the choice of playbooks")
    options = app.screen.query_one(OptionList)
    options.highlighted = options.get_option_index("frozen_rollback")
    await until(pilot, lambda: "→ freeze" in said(app, "#plan"), "the plan")
    await pilot.press("d")
    await until(pilot, lambda: "Ended" in said(app, "#forecast"), "the forecast")
    await pilot.press("b")
    await pilot.pause(0.3)
    await pilot.press(*"60", "enter")
    await until(pilot, lambda: not isinstance(app.screen, PlanScreen), "the screen below")


async def _hand_over_and_prove(pilot: Pilot[Any], app: Dashboard) -> None:
    before = len(app.snapshot.hands)
    await pilot.press("2", "escape")
    await until(pilot, lambda: said(app, "#line") == "all 60 hosts", "all hosts")
    waits = {hand.host for hand in app.snapshot.hands}
    table = app.screen.query_one(HostTable)
    chosen = next(name for name in app.snapshot.hosts if name not in waits)
    table.go_to(chosen)
    await pilot.press("x", "h")
    await plan_ready(pilot, app)
    await pilot.press("b")
    await until(pilot, lambda: chosen in app.snapshot.tickets, "the host in hands")
    await until(pilot, lambda: not isinstance(app.screen, PlanScreen), "the screen below")
    await pilot.press("4")
    board = (f"waiting {before}", "proven 1")
    await until(pilot, lambda: all(w in said(app, "#line") for w in board), "the handed-over host")
    await pilot.press("down", "x", "p")
    await plan_ready(pilot, app)
    await pilot.press("b")
    await until(pilot, lambda: runs_over(app, 4), "the proof's end")
    await until(pilot, lambda: not isinstance(app.screen, PlanScreen), "the screen below")


def _run(app: Dashboard) -> str:
    found = app.screen.query("#run")
    return str(found.first(Static).content) if found else ""
