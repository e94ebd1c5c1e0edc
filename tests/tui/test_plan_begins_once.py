"""The plan while a run begins: shown, begun once, told, and for the hosts that the field names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static

from recovery.errors import RefusedError
from recovery.planning import Prepared, Request
from recovery.tui.app import Dashboard
from recovery.tui.screens.confirm import Confirm
from recovery.tui.screens.plan import PlanScreen
from recovery.tui.screens.runs import RunsScreen
from tests.tui.scene import Stage, dashboard, half_way

if TYPE_CHECKING:
    from textual.pilot import Pilot


class Slow:
    """A start that takes as long as the test wants, and may then be refused."""

    def __init__(self, app: Dashboard) -> None:
        self.asked: list[Request] = []
        self.over = asyncio.Event()
        self.refusal = ""
        app.gateway.start = self.start  # type: ignore[method-assign]

    async def start(self, request: Request) -> str:
        self.asked.append(request)
        await self.over.wait()
        if self.refusal:
            raise RefusedError(self.refusal)
        return "r240719-070000-abcd"


@pytest.fixture
def app(stage: Stage) -> Dashboard:
    stage.snapshot()
    stage.begin()
    half_way(stage)
    return dashboard(stage, stage.snapshot())


def shown(app: Dashboard) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    for _ in range(100):
        if holds():
            return
        await pilot.pause(0.05)
    pytest.fail(shown(pilot.app))  # type: ignore[arg-type]


def said(app: Dashboard, where: str) -> str:
    return str(app.screen.query_one(where, Static).content)


def told(app: Dashboard) -> str:
    return " ".join(notice.message for notice in app._notifications)


async def planned(pilot: Pilot[Any], app: Dashboard, playbook: str) -> None:
    await pilot.pause(0.3)
    await pilot.press("3", "n")
    await until(pilot, lambda: isinstance(app.screen, PlanScreen))
    options = app.screen.query_one(OptionList)
    options.highlighted = options.get_option_index(playbook)
    await until(pilot, lambda: f"{playbook}:" in said(app, "#plan"))


def ready(app: Dashboard) -> Prepared | None:
    found: Prepared | None = app.screen._prepared  # type: ignore[attr-defined]
    return found


async def test_nothing_happens_twice_and_nobody_leaves_untold(app: Dashboard) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        slow = Slow(app)
        await planned(pilot, app, "triage")
        await pilot.press("b", "b", "escape", "b", "c", "slash", "d", "enter", "escape")
        await until(pilot, lambda: len(slow.asked) == 1)
        await pilot.pause(0.2)
        assert isinstance(app.screen, PlanScreen)
        assert app.screen.query_one("PlanScreen > Vertical", Vertical).border_subtitle == "begins…"
        assert "▸ Begins" in said(app, "#forecast")
        assert not slow.asked[0].check
        slow.over.set()
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        assert len(slow.asked) == 1
        assert "run r240719-070000-abcd has begun" in told(app)


async def test_what_was_confirmed_is_what_is_asked_for(app: Dashboard) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        slow = Slow(app)
        slow.over.set()
        await planned(pilot, app, "rollback")
        shown = ready(app)
        assert shown is not None
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press(*"60", "enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        assert [request.plan for request in slow.asked] == [shown.digest]


async def test_a_refusal_stays_beside_a_plan_that_is_made_anew(app: Dashboard) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        slow = Slow(app)
        slow.refusal = "rollback would now be for 40 hosts; look at the plan again"
        slow.over.set()
        await planned(pilot, app, "triage")
        before = ready(app)
        await pilot.press("b")
        await until(pilot, lambda: "✗ The run did not begin" in said(app, "#forecast"))
        await until(pilot, lambda: ready(app) is not None and ready(app) is not before)
        assert "40 hosts" in said(app, "#forecast")
        await until(pilot, lambda: "✗ The run did not begin" in shown(app))
        assert app.focused is app.screen.query_one(OptionList)
        slow.refusal = ""
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))


async def test_a_question_that_was_answered_with_no_lets_one_go_on(app: Dashboard) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        slow = Slow(app)
        await planned(pilot, app, "rollback")
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        assert slow.asked == []
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))


@pytest.mark.parametrize("way", ["tab", "enter"])
async def test_the_plan_is_for_the_hosts_that_the_field_names(app: Dashboard, way: str) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await planned(pilot, app, "triage")
        await pilot.press("slash", *"site=BOS", way)
        await until(pilot, lambda: "Hosts     10: bos-gate-[01-10]" in said(app, "#plan"))


async def test_esc_takes_back_what_was_typed(app: Dashboard) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await planned(pilot, app, "triage")
        await pilot.press("slash", *"site=BOS", "escape")
        await pilot.pause(0.2)
        assert app.screen.query_one(Input).value == ""
        assert "Hosts     60: " in said(app, "#plan")


async def test_what_was_typed_and_not_planned_yet_does_not_begin(app: Dashboard) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        slow = Slow(app)
        await planned(pilot, app, "triage")
        await pilot.press("slash", *"site=BOS")
        app.screen.action_start()  # type: ignore[attr-defined]
        await until(pilot, lambda: "Hosts     10: bos-gate-[01-10]" in said(app, "#plan"))
        assert slow.asked == []
