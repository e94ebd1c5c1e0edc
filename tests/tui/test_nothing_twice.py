"""What takes a while is shown, done once whatever is pressed meanwhile, and told in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Static

from recovery.errors import RefusedError
from recovery.tui.app import Dashboard
from recovery.tui.screens import situation
from recovery.tui.screens.desk_form import DeskForm
from recovery.tui.screens.hands import HandsScreen
from recovery.tui.snapshot import Snapshot
from tests.tui.scene import RUN, Stage, carried, dashboard, half_way

if TYPE_CHECKING:
    from textual.pilot import Pilot


class Slow:
    """A verb of the gateway that takes as long as the test wants, and may then be refused."""

    def __init__(self, app: Dashboard, verb: str, answer: str) -> None:
        self.calls = 0
        self.over = asyncio.Event()
        self.refusal = ""
        self._answer = answer
        setattr(app.gateway, verb, self.call)

    async def call(self, _what: object) -> str:
        self.calls += 1
        await self.over.wait()
        if self.refusal:
            raise RefusedError(self.refusal)
        return self._answer


def shown(app: Dashboard) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def told(app: Dashboard) -> str:
    return " ".join(notice.message for notice in app._notifications)


async def until(pilot: Pilot[Any], holds: Callable[[], object]) -> None:
    for _ in range(100):
        if holds():
            return
        await pilot.pause(0.05)
    pytest.fail(shown(pilot.app))  # type: ignore[arg-type]


async def bring(pilot: Pilot[Any], app: Dashboard, snapshot: Snapshot) -> None:
    app.source.next = snapshot  # type: ignore[attr-defined]
    await until(pilot, lambda: app.snapshot.runs == snapshot.runs)


async def begun(pilot: Pilot[Any], app: Dashboard) -> Slow:
    await until(pilot, lambda: app.snapshot.standing.total == 60)
    slow = Slow(app, "start", RUN)
    await pilot.press("t", "t", "escape", "t")
    await until(pilot, lambda: "Run: triage begins…" in shown(app))
    return slow


async def test_one_triage_begins_until_it_is_seen(stage: Stage) -> None:
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(100, 30)) as pilot:
        slow = await begun(pilot, app)
        slow.over.set()
        await until(pilot, lambda: f"run {RUN} looks at the hosts" in told(app))
        await pilot.press("t")
        stage.begin(playbook="triage")
        await bring(pilot, app, stage.snapshot(live=False))
        await pilot.press("t")
        assert "triage begins…" in shown(app)
        await bring(pilot, app, carried(app.snapshot))
        await until(pilot, lambda: "triage begins…" not in shown(app))
        assert slow.calls == 1


async def test_a_triage_that_did_not_begin_is_told_and_may_be_begun_again(stage: Stage) -> None:
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(100, 30)) as pilot:
        slow = await begun(pilot, app)
        slow.refusal = "the journal is full"
        slow.over.set()
        await until(pilot, lambda: "the journal is full" in told(app))
        assert "triage begins…" not in shown(app)
        await pilot.press("t")
        await until(pilot, lambda: slow.calls == 2)


async def test_a_run_that_is_never_seen_is_not_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(situation, "_UNTIL_SEEN", 0.05)
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(100, 30)) as pilot:
        slow = await begun(pilot, app)
        slow.over.set()
        await until(pilot, lambda: "looks at the hosts" in told(app))
        await until(pilot, lambda: "triage begins…" not in shown(app))


@pytest.mark.parametrize("refusal", ["", "it is ben's until 07:20"])
async def test_an_act_at_the_desk_is_done_once_and_told(stage: Stage, refusal: str) -> None:
    stage.snapshot()
    stage.begin()
    half_way(stage)
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(100, 30)) as pilot:
        slow = Slow(app, "desk", "msp-kiosk-01 is ada's")
        slow.refusal = refusal
        await until(pilot, lambda: app.snapshot.hands)
        await pilot.press("4")
        await until(pilot, lambda: isinstance(app.screen, HandsScreen))
        await pilot.press("down", "c")
        await until(pilot, lambda: isinstance(app.screen, DeskForm))
        await pilot.press(*"ada", "enter", "enter", "escape", "ctrl+l", "enter", "escape")
        await until(pilot, lambda: slow.calls)
        await pilot.pause(0.2)
        line = app.screen.query_one("#wrong", Static)
        assert (str(line.content), str(app.screen.query_one("#lead", Static).content)) == (
            "▸ writes…",
            "",
        )
        slow.over.set()
        if refusal:
            await until(pilot, lambda: str(line.content) == f"✗ {refusal}")
            await pilot.press("escape")
        else:
            await until(pilot, lambda: "is ada's" in told(app))
        await until(pilot, lambda: isinstance(app.screen, HandsScreen))
        assert slow.calls == 1
