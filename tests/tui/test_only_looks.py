"""A run that only looks is called so everywhere, and is tried again as what it was."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from textual.widgets import Static

from recovery.errors import RefusedError, UnknownNameError
from recovery.journal.log import Log
from recovery.model.events import Outcome
from recovery.model.evidence import Verdict
from recovery.planning import Request, record_start
from recovery.tui.app import Dashboard
from recovery.tui.deck import Deck
from recovery.tui.plan_words import plan_lines
from recovery.tui.screens.plan import PlanScreen
from recovery.tui.service_gateway import ServiceGateway
from tests.tui.scene import RUN, Stage, at, dashboard, ended, over, stepped

if TYPE_CHECKING:
    from textual.pilot import Pilot

HOST = "atl-kiosk-13"


def looked(stage: Stage, **asked: Any) -> Request:
    """A look at one host, which failed."""
    request = Request(
        playbook="rollback",
        inventory=(str(stage.inventory),),
        limits=(HOST,),
        check=True,
        by="ada",
        **{"mock": stage.mock, **asked},
    )
    prepared = stage.service.prepare(request)
    stage.snapshot()
    with closing(Log.open(stage.journal)) as log:
        record_start(log, log.append, at(0), RUN, prepared)
    stage.say(
        stepped(HOST, 5, Verdict.CRASH_LOOP),
        ended(HOST, 9, Outcome.FAILED, Verdict.CRASH_LOOP, "the file is locked"),
        over(10),
    )
    return request


def shown(app: Dashboard) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def said(app: Dashboard, where: str) -> str:
    return str(app.screen.query_one(where, Static).content)


async def until(pilot: Pilot[Any], app: Dashboard, holds: Callable[[], object]) -> None:
    for _ in range(100):
        if holds():
            return
        await pilot.pause(0.05)
    pytest.fail(shown(app))


def test_a_plan_that_only_looks_takes_nothing_back_that_it_does_not_do(stage: Stage) -> None:
    request = stage.prepare().request
    prepared = stage.service.prepare(msgspec.structs.replace(request, check=True))
    text = "\n".join(words for _, words in plan_lines(prepared))
    assert "Only a look: " in text
    assert "✓ Changes nothing on any host" in text
    assert "A run would need the right to restart the host" in text
    assert "Cannot be undone" not in text
    assert "protected" not in text
    assert "Worst" not in text


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_its_run_is_not_taken_for_one_that_changes(
    stage: Stage, size: tuple[int, int]
) -> None:
    looked(stage)
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=size) as pilot:
        await until(pilot, app, lambda: "only a look: rollback on 1 host" in shown(app))
        await pilot.press("3")
        await until(pilot, app, lambda: app.screen.query("#run"))
        await until(pilot, app, lambda: "Only a look: " in said(app, "#run"))
        if size[0] > 100:
            assert "look: rollback" in shown(app)


async def test_it_is_tried_again_as_it_was(stage: Stage) -> None:
    whole = looked(
        stage, incident="mcafee-dat-5958", overrides={"strategy.soak": "7s"}, concurrency=3
    )
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, app, lambda: app.snapshot.runs)
        await pilot.press("3", "t")
        await until(pilot, app, lambda: isinstance(app.screen, PlanScreen))
        await until(pilot, app, lambda: "Only a look: " in said(app, "#plan"))
        request = app.gateway.calls[-1][1]  # type: ignore[attr-defined]
        wanted = msgspec.structs.replace(whole, limits=(f"name = {HOST}",), speed=Deck().speed)
        assert request == wanted


@pytest.mark.parametrize(("mock", "words"), [(True, "on the mock twin"), (False, "on real")])
async def test_a_run_of_the_other_world_is_not_tried_again_here(
    stage: Stage, mock: bool, words: str
) -> None:
    looked(stage, mock=mock)
    deck = Deck(inventory=(str(stage.inventory),), mock=not mock)
    gateway = ServiceGateway(stage.service, deck)
    with pytest.raises(RefusedError, match=rf"{words}.*recovery runs retry {RUN}"):
        await gateway.again(RUN, ())
    with pytest.raises(UnknownNameError, match="did you mean"):
        await gateway.again(RUN + "1", ())


async def test_that_a_run_was_in_the_other_world_is_told_on_the_screen(stage: Stage) -> None:
    looked(stage)
    app = dashboard(stage, stage.snapshot())
    stage.mock = False
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, app, lambda: app.snapshot.runs)
        await pilot.press("3", "t")
        await until(
            pilot,
            app,
            lambda: any("was on the mock twin" in note.message for note in app._notifications),
        )
        assert not isinstance(app.screen, PlanScreen)
