"""The Journal screen: filtered, followed, read backwards, each event whole."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Any

import pytest
from textual.widgets import Input, Static

from recovery.errors import RecoveryError, UsageError
from recovery.journal.reader import Reader
from recovery.model.events import AnyEvent, Notice
from recovery.model.evidence import Verdict
from recovery.ports import Stored
from recovery.tui.app import Dashboard
from recovery.tui.gateway import Sieve
from recovery.tui.screens.event import EventScreen
from recovery.tui.screens.journal import JournalScreen
from recovery.tui.sieve import latest, passes, sieve_of
from recovery.tui.widgets.event_log import EventLog
from tests.tui.scene import RUN, Stage, at, dashboard, half_way, over, stepped
from tests.tui.test_situation_screen import shown, told, until


@pytest.fixture
def app(stage: Stage) -> Dashboard:
    stage.begin()
    half_way(stage)
    snapshot = stage.snapshot()
    app = dashboard(stage, snapshot)
    app.gateway.stored = snapshot.recent  # type: ignore[attr-defined]
    return app


def log(app: Dashboard) -> EventLog:
    return app.screen.query_one(EventLog)


def hosts(app: Dashboard) -> set[str]:
    return {stored.event.host for stored in log(app).rows}


def bring(app: Dashboard, stage: Stage, *events: AnyEvent) -> None:
    """Events that happen while somebody looks."""
    stage.say(*events)
    app.source.next = stage.snapshot()  # type: ignore[attr-defined]


async def opened(pilot: Any, *keys: str) -> None:
    await until(pilot, lambda: pilot.app.snapshot.stage == "live", "the first snapshot")
    await pilot.press("5")
    await until(pilot, lambda: isinstance(pilot.app.screen, JournalScreen), "the screen")
    await until(pilot, lambda: log(pilot.app).rows, "events")
    await pilot.press(*keys)
    await pilot.pause(0.1)


async def sift(pilot: Any, text: str) -> None:
    await pilot.press("slash", *text, "enter")
    await pilot.pause(0.2)


async def test_the_latest_event_is_in_sight_and_the_next_ones_follow(
    app: Dashboard, stage: Stage
) -> None:
    async with app.run_test(size=(120, 20)) as pilot:
        await opened(pilot)
        assert "the file is locked" in shown(app)
        assert f"{app.snapshot.seq} shown of {app.snapshot.seq} events" in shown(app)
        bring(app, stage, Notice(at=at(830), run=RUN, message="something new"))
        await until(pilot, lambda: "something new" in shown(app), "the new event")
        assert log(app).chosen == log(app).rows[-1]


@pytest.mark.parametrize("keys", [(), ("i",), ("i", "i"), ("home", "i")])
@pytest.mark.parametrize("size", [(120, 20), (100, 60)])
async def test_the_latest_is_in_sight_where_nothing_more_happens_too(
    stage: Stage, keys: tuple[str, ...], size: tuple[int, int]
) -> None:
    stage.begin()
    stage.say(*(Notice(at=at(n), run=RUN, message=f"notice {n}") for n in range(1200)))
    snapshot = stage.snapshot()
    app = dashboard(stage, snapshot)
    app.gateway.stored = snapshot.recent  # type: ignore[attr-defined]
    read = app.gateway.events

    async def late(sieve: Sieve, before: int, count: int) -> tuple[Stored, ...]:
        await asyncio.sleep(0.1)
        return await read(sieve, before, count)

    app.gateway.events = late  # type: ignore[method-assign]
    async with app.run_test(size=size) as pilot:
        await opened(pilot, *keys)
        await until(pilot, lambda: "notice 1199" in shown(app), "the latest")
        assert "follows" in shown(app)
        assert log(app).chosen == log(app).rows[-1]


async def test_who_goes_up_is_left_in_peace_and_f_follows_again(
    app: Dashboard, stage: Stage
) -> None:
    async with app.run_test(size=(120, 20)) as pilot:
        await opened(pilot, "up", "k")
        chosen = log(app).chosen
        bring(app, stage, Notice(at=at(830), run=RUN, message="something new"))
        await until(pilot, lambda: log(app).rows[-1].event.at == at(830), "the new event")
        assert log(app).chosen == chosen
        assert "stands still: f follows" in shown(app)
        await pilot.press("f")
        await until(pilot, lambda: "something new" in shown(app), "the new event in sight")
        await pilot.press("f")
        assert not log(app).follows


async def test_keys_go_through_the_log(app: Dashboard) -> None:
    async with app.run_test(size=(120, 20)) as pilot:
        await opened(pilot, "home")
        assert log(app).chosen == log(app).rows[0]
        await pilot.press("pagedown", "pageup", "down", "j")
        assert log(app).chosen == log(app).rows[2]
        await pilot.press("end")
        assert log(app).chosen == log(app).rows[-1]
        assert log(app).follows


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("host:atl-kiosk-07", {"atl-kiosk-07"}),
        ("kind:host.handed_over", {"msp-kiosk-01", "msp-kiosk-09"}),
        ("LOCKED ended", {"atl-kiosk-13"}),
        ("run:last kind:run", {""}),
        ("kind:wave run:r24", {""}),
    ],
)
async def test_it_is_filtered(app: Dashboard, text: str, found: set[str]) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await opened(pilot)
        whole = len(log(app).rows)
        await sift(pilot, text)
        assert hosts(app) == found
        assert log(app).has_focus
        await pilot.press("escape")
        await until(pilot, lambda: len(log(app).rows) == whole, "everything again")
        assert app.screen.query_one(Input).value == ""


async def test_what_comes_is_filtered_too(app: Dashboard, stage: Stage) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await opened(pilot)
        await sift(pilot, "host:atl-kiosk-07")
        count = len(log(app).rows)
        fresh = [stepped(name, 900, Verdict.DARK) for name in ("atl-kiosk-07", "atl-kiosk-08")]
        bring(app, stage, *fresh)
        await until(pilot, lambda: len(log(app).rows) == count + 1, "the one event")


async def test_only_the_important(app: Dashboard) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await opened(pilot, "i")
        await until(pilot, lambda: len(log(app).rows) < 20, "the important")
        assert "only the important" in shown(app)
        await pilot.press("i")
        await until(pilot, lambda: len(log(app).rows) > 100, "everything")


@pytest.mark.parametrize(
    ("text", "words"),
    [("kind:step.finshed", "step.finished"), ("run:r9", RUN), ("host:", "write host:NAME")],
)
async def test_a_filter_that_cannot_be_read_is_told_and_changes_nothing(
    app: Dashboard, text: str, words: str
) -> None:
    async with app.run_test(size=(140, 30)) as pilot:
        await opened(pilot)
        before = list(log(app).rows)
        await sift(pilot, text)
        assert words in str(app.screen.query_one("#shown", Static).content)
        assert list(log(app).rows) == before


async def test_an_event_is_shown_whole(app: Dashboard) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await opened(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, EventScreen), "the event")
        assert '"message": "the file is locked"' in shown(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, JournalScreen), "the journal")
        await pilot.click(EventLog, offset=(10, 3))
        assert log(app).chosen == log(app).rows[log(app).scroll_offset.y + 3]
        await pilot.click(EventLog, offset=(10, 3), times=2)
        await until(pilot, lambda: isinstance(app.screen, EventScreen), "the event")


async def test_older_events_are_read_when_somebody_goes_there(stage: Stage) -> None:
    stage.begin()
    stage.say(*(Notice(at=at(n), run=RUN, message=f"notice {n}") for n in range(1200)))
    snapshot = stage.snapshot()
    app = dashboard(stage, snapshot)
    app.gateway.stored = snapshot.recent  # type: ignore[attr-defined]
    async with app.run_test(size=(120, 20)) as pilot:
        await opened(pilot)
        await until(pilot, lambda: len(log(app).rows) == 500, "the latest")
        first = log(app).rows[0]
        await pilot.press("home")
        await until(pilot, lambda: len(log(app).rows) == 1000, "older ones")
        assert log(app).chosen == first
        await pilot.press("home")
        await until(pilot, lambda: log(app).rows[0].seq == 1, "the first of all")
        await pilot.press("home")
        await pilot.pause(0.2)
        assert len(log(app).rows) == snapshot.seq


async def test_when_more_happens_than_is_kept_it_is_read_anew(app: Dashboard, stage: Stage) -> None:
    async with app.run_test(size=(120, 20)) as pilot:
        await opened(pilot)
        flood = [Notice(at=at(900 + n), run=RUN, message=f"flood {n}") for n in range(4500)]
        stage.say(*flood)
        snapshot = stage.snapshot()
        app.gateway.stored = snapshot.recent  # type: ignore[attr-defined]
        app.source.next = snapshot  # type: ignore[attr-defined]
        await until(pilot, lambda: "flood 4499" in shown(app), "the latest")
        assert len(log(app).rows) == 500


async def test_a_journal_that_cannot_be_read_is_told(app: Dashboard) -> None:
    async with app.run_test(size=(120, 20)) as pilot:
        await opened(pilot)

        async def refuse(*_: object) -> tuple[Stored, ...]:
            raise RecoveryError("the disk cannot be read")

        app.gateway.events = refuse  # type: ignore[method-assign, assignment]
        await pilot.press("i")
        await until(pilot, lambda: "the disk cannot be read" in told(app), "the reason")


async def test_the_oldest_lines_go_when_there_are_too_many(app: Dashboard) -> None:
    async with app.run_test(size=(120, 20)) as pilot:
        await opened(pilot, "up")
        log(app).extend([Stored(1000 + n, over(n)) for n in range(25_000)])
        await pilot.pause(0.1)
        assert (len(log(app).rows), log(app).rows[-1].seq) == (20_000, 25_999)


def test_a_sieve_takes_the_same_from_the_journal_as_from_what_comes(stage: Stage) -> None:
    stage.begin()
    half_way(stage)
    with closing(Reader.open(stage.journal)) as journal:
        whole = list(journal.read())
        for sieve in (
            Sieve(),
            Sieve(important=True),
            Sieve(host="atl-kiosk-13"),
            Sieve(run=RUN, kinds=("host.finished",), text="recovered"),
            Sieve(run="other"),
        ):
            wanted = [item.seq for item in whole if passes(sieve)(item.event)]
            assert [item.seq for item in latest(journal, sieve, 0, 1000)] == wanted
            assert [item.seq for item in latest(journal, sieve, 100, 3)] == [
                seq for seq in wanted if seq < 100
            ][-3:]


def test_of_several_runs_that_begin_so_none_is_taken() -> None:
    with pytest.raises(UsageError, match="2 runs begin with 'r1'"):
        sieve_of("run:r1", ["r11", "r12"])
    assert sieve_of("run:r1 x y", ["r1", "r12"], important=True) == Sieve(
        run="r1", text="x y", important=True
    )
