"""The Journal screen: followed, filtered, read backwards."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from textual.widgets import Static

from recovery.journal.reader import Reader
from recovery.tui.app import Dashboard
from recovery.tui.screens.event import EventScreen
from recovery.tui.widgets.event_log import EventLog
from tests.tui.pictures import looks_as_kept
from tests.tui.scene import Stage, dashboard, half_way, over

if TYPE_CHECKING:
    from textual.pilot import Pilot


def opened(stage: Stage) -> Dashboard:
    stage.snapshot()
    stage.begin()
    half_way(stage)
    app = dashboard(stage, stage.snapshot())
    store(app, stage)
    return app


def store(app: Dashboard, stage: Stage) -> None:
    with closing(Reader.open(stage.journal)) as log:
        app.gateway.stored = tuple(log.read())  # type: ignore[attr-defined]


async def pressed(pilot: Pilot[Any], *keys: str) -> None:
    await pilot.pause(0.2)
    await pilot.press(*keys)
    await pilot.pause(0.4)


def seqs(app: Dashboard) -> list[int]:
    return [stored.seq for stored in app.screen.query_one(EventLog).rows]


def hosts(app: Dashboard) -> set[str]:
    return {stored.event.host for stored in app.screen.query_one(EventLog).rows}


def said(app: Dashboard) -> str:
    return str(app.screen.query_one("#shown", Static).content)


async def test_what_happens_is_added_and_followed(stage: Stage) -> None:
    app = opened(stage)
    async with app.run_test(size=(140, 40)) as pilot:
        await pressed(pilot, "5")
        last = app.snapshot.seq
        assert seqs(app)[-1] == last
        assert looks_as_kept(app, "journal")
        stage.say(over())
        store(app, stage)
        app.snapshot = stage.snapshot()
        await pilot.pause(0.4)
        assert seqs(app)[-1] == last + 1
        await pressed(pilot, "f")
        assert not app.screen.query_one(EventLog).follows


async def test_a_filter_shows_some_and_is_taken_back(stage: Stage) -> None:
    app = opened(stage)
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "5")
        everything = seqs(app)
        await pressed(pilot, "slash")
        await pressed(pilot, *"host:atl-kiosk-01", "enter")
        assert hosts(app) == {"atl-kiosk-01"}
        await pressed(pilot, "escape")
        assert seqs(app) == everything
        await pressed(pilot, "i")
        assert set(seqs(app)) < set(everything)


async def test_a_wrong_filter_is_told_and_changes_nothing(stage: Stage) -> None:
    app = opened(stage)
    async with app.run_test(size=(140, 40)) as pilot:
        await pressed(pilot, "5")
        before = seqs(app)
        await pressed(pilot, "slash")
        await pressed(pilot, *"kind:host.finish", "enter")
        assert "host.finished" in said(app)
        assert seqs(app) == before


async def test_one_event_is_shown_whole(stage: Stage) -> None:
    app = opened(stage)
    async with app.run_test(size=(140, 40)) as pilot:
        await pressed(pilot, "5")
        await pressed(pilot, "enter")
        assert isinstance(app.screen, EventScreen)
        await pressed(pilot, "escape")
        assert not isinstance(app.screen, EventScreen)
