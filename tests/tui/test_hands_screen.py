"""The Hands screen: the desk's board, and what a lead does at it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Input, Static

from recovery.model.desk_events import TicketClaimed, TicketSaidDone, TicketTried
from recovery.model.evidence import BootIdentity, Verdict
from recovery.model.ticket import Stage as Where
from recovery.model.ticket import Ticket
from recovery.tui.app import Dashboard
from recovery.tui.desk_rows import rows_of
from recovery.tui.draw.people import people
from recovery.tui.screens.acting import ActMenu
from recovery.tui.screens.desk_form import DeskForm
from recovery.tui.screens.hands import HandsScreen
from recovery.tui.screens.host import HostScreen
from recovery.tui.snapshot import Snapshot
from recovery.tui.widgets.host_table import HostTable
from tests.tui.scene import Stage, at, dashboard, half_way, stepped

if TYPE_CHECKING:
    from textual.pilot import Pilot

ONE, OTHER = "msp-kiosk-01", "msp-kiosk-09"
SECOND_SITE = "bos-gate-01"


def waiting(stage: Stage) -> Dashboard:
    stage.snapshot()
    stage.begin()
    half_way(stage)
    return dashboard(stage, stage.snapshot())


def stands(app: Dashboard, kind: type[Any]) -> bool:
    return isinstance(app.screen, kind)


def said(app: Dashboard, where: str) -> str:
    return str(app.screen.query_one(where, Static).content)


def told(app: Dashboard) -> str:
    return " ".join(str(note.message) for note in app._notifications)


async def pressed(pilot: Pilot[Any], *keys: str) -> None:
    await pilot.pause(0.2)
    await pilot.press(*keys)
    await pilot.pause(0.4)


async def typed(pilot: Pilot[Any], *words: str) -> None:
    """The words into the fields, from the one that has the keys, and then Enter."""
    await pilot.pause(0.2)
    for place, word in enumerate(words):
        await pilot.press(*(["tab"] if place else []), *word)
    await pressed(pilot, "enter")


async def news(app: Dashboard, stage: Stage, pilot: Pilot[Any]) -> None:
    app.source.next = stage.snapshot()  # type: ignore[attr-defined]
    await pilot.pause(0.6)


def lines(app: Dashboard, count: int = 8) -> list[str]:
    table = app.screen.query_one(HostTable)
    return [table.render_line(y).text.strip() for y in range(count)]


def where(stage: Stage, host: str = ONE) -> str:
    """As the desk itself says: stage and owner."""
    ticket = stage.service.desk().job(host).ticket
    return f"{ticket.stage.value} {ticket.owner}".strip()


async def test_tickets_stand_under_their_stage_with_their_checklist(stage: Stage) -> None:
    app = waiting(stage)
    async with app.run_test(size=(140, 40)) as pilot:
        await pressed(pilot, "4")
        assert "waiting 2" in said(app, "#line")
        assert "escalated 0" in said(app, "#line")
        assert lines(app)[1] == "▸  ▼ ▫ waiting: 2"
        await pressed(pilot, "down")
        text = said(app, "#text")
        assert text.startswith(ONE)
        assert "Why: it waits at a screen that only a person can leave" in text
        assert "Remove the file in Safe Mode with Networking (about 15 min)" in text
        assert " 1. Put the machine on a wired network" in text
        assert "Take: keyboard" in text


@pytest.mark.parametrize("size", [(80, 24), (250, 70)])
async def test_every_count_is_in_sight(stage: Stage, size: tuple[int, int]) -> None:
    app = waiting(stage)
    async with app.run_test(size=size) as pilot:
        await pressed(pilot, "4")
        rows = said(app, "#line").splitlines()
        assert len(rows) == 2
        assert max(map(len, rows)) <= 80
        for word in ("waiting", "claimed", "on site", "says done"):
            assert word in rows[0]
        for word in ("proven", "came back", "escalated", "tried"):
            assert word in rows[1]


async def test_groups_change_close_and_a_host_opens(stage: Stage) -> None:
    app = waiting(stage)
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "4")
        await pressed(pilot, "v")
        assert lines(app)[1] == "▸  ▼ MSP: 2"
        await pressed(pilot, "enter")
        assert lines(app)[1] == "▸  ▶ MSP: 2"
        await pressed(pilot, "v")
        assert lines(app)[1] == "▸  ▼ (none): 2"
        await pressed(pilot, "down", "x")
        assert stands(app, ActMenu)
        await pressed(pilot, "escape", "enter")
        assert stands(app, HostScreen)


async def test_a_ticket_is_given_tried_and_said_to_be_done(stage: Stage) -> None:
    app = waiting(stage)
    async with app.run_test(size=(140, 40)) as pilot:
        await pressed(pilot, "4", "down", "c")
        assert stands(app, DeskForm)
        await typed(pilot, "grace")
        assert where(stage) == f"{Where.CLAIMED} grace"
        await news(app, stage, pilot)
        assert "claimed 1" in said(app, "#line")
        assert "1 with 1 technician" in people(app.snapshot, 60, 8).plain
        assert "grace" in "".join(lines(app))
        await pressed(pilot, "o")
        await typed(pilot)  # the technician who has it stands there already
        assert where(stage) == f"{Where.ON_SITE} grace"
        await news(app, stage, pilot)
        await pressed(pilot, "t")
        await typed(pilot, "no keyboard")
        await news(app, stage, pilot)
        assert "grace: no keyboard" in said(app, "#text")
        await pressed(pilot, "d")
        await typed(pilot)
        assert where(stage) == f"{Where.SAYS_DONE} grace"
        assert "says done" in told(app)


async def test_a_proof_closes_the_ticket_and_proven_ones_are_folded(stage: Stage) -> None:
    app = waiting(stage)
    hour, boot = at(5000), BootIdentity(at=at(990), source="ssh", boot_id="another")
    stage.say(
        TicketClaimed(at=at(900), host=ONE, mock=True, tech="grace", until=hour),
        TicketSaidDone(at=at(950), host=ONE, mock=True, tech="grace"),
        stepped(ONE, 990, Verdict.RECOVERED, step="prove", evidence=(boot,)),
    )
    async with app.run_test(size=(140, 40)) as pilot:
        await pressed(pilot, "4")
        await news(app, stage, pilot)
        assert "★ proven 1" in said(app, "#line")
        assert "▶ ★ proven: 1" in "\n".join(lines(app))


async def test_the_best_ticket_goes_to_a_technician(stage: Stage) -> None:
    app = waiting(stage)
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "4", "n")
        await typed(pilot, "grace", "MSP")
        assert "claimed, grace until" in told(app)
        owners = {where(stage, ONE), where(stage, OTHER)}
        assert owners == {Where.WAITING.value, f"{Where.CLAIMED} grace"}
        await pressed(pilot, "n")
        await typed(pilot, "joan", "ATL")
        assert "no ticket waits at ATL" in said(app, "#wrong")


async def test_what_is_refused_is_said_and_a_lead_may(stage: Stage) -> None:
    app = waiting(stage)
    stage.service.desk().claim(ONE, _who("grace"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "4", "down", "c")
        await typed(pilot, "joan")
        assert "is held by grace until" in said(app, "#wrong")
        assert where(stage) == f"{Where.CLAIMED} grace"
        await pressed(pilot, "ctrl+l")
        assert said(app, "#lead") == "As lead ada: also against whoever holds it."
        await pressed(pilot, "enter")
        assert where(stage) == f"{Where.CLAIMED} joan"


async def test_a_field_that_is_needed_is_asked_for(stage: Stage) -> None:
    app = waiting(stage)
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "4", "down", "e")
        await typed(pilot, "grace")
        assert "say this too" in said(app, "#wrong")
        assert app.focused is app.screen.query_one("#to", Input)
        await pressed(pilot, "escape")
        assert stands(app, HandsScreen)
        assert where(stage) == Where.WAITING


async def test_a_ticket_is_released_and_escalated(stage: Stage) -> None:
    app = waiting(stage)
    for host in (ONE, OTHER):
        stage.service.desk().claim(host, _who("grace"))
    async with app.run_test(size=(120, 30)) as pilot:
        await pressed(pilot, "4")
        await news(app, stage, pilot)
        await pressed(pilot, "down", "r")
        await typed(pilot)
        assert where(stage) == f"{Where.WAITING} grace"
        await news(app, stage, pilot)
        await pressed(pilot, "home", "down", "e")
        await typed(pilot, "the vendor", "the disk is dead")
        assert where(stage, OTHER) == f"{Where.ESCALATED} the vendor"


async def test_marked_tickets_go_to_one_technician(stage: Stage) -> None:
    app = waiting(stage)
    stage.service.desk().claim(OTHER, _who("joan"))
    async with app.run_test(size=(120, 30)) as pilot:
        await pressed(pilot, "4", "a", "c")
        await typed(pilot, "grace")
        assert where(stage) == f"{Where.CLAIMED} grace"
        assert "1 refused" in told(app)
        assert "held by joan" in told(app)


async def test_a_machine_is_added_that_nobody_knew(stage: Stage) -> None:
    app = waiting(stage)
    async with app.run_test(size=(120, 30)) as pilot:
        await pressed(pilot, "4", "m")
        await typed(pilot, "lost-01", "found in a cellar", "BOS", "cellar")
        assert where(stage, "lost-01") == Where.WAITING
        await news(app, stage, pilot)
        assert "lost-01" in "\n".join(lines(app))
        await pressed(pilot, "end", "x")
        assert "no inventory knows lost-01" in told(app)


async def test_the_desk_of_the_other_world_is_left_alone(stage: Stage) -> None:
    app = waiting(stage)
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "4", "down")
        stage.mock = False
        stage.begin(run="r240719-080000", seconds=2000)
        await pressed(pilot, "c")
        await typed(pilot, "grace")
        assert "the desk is about real hosts" in said(app, "#wrong")


async def test_a_recovery_key_is_never_shown(stage: Stage) -> None:
    key = "-".join(["000011"] * 8)
    app = waiting(stage)
    stage.say(
        TicketTried(
            at=at(900), host=ONE, mock=True, tech="grace", reason=f"typed {key}", until=at(5000)
        )
    )
    async with app.run_test(size=(140, 40)) as pilot:
        await pressed(pilot, "4")
        await news(app, stage, pilot)
        await pressed(pilot, "home", "down")
        assert "grace: typed" in said(app, "#text")
        assert key not in said(app, "#text")


async def test_without_a_checklist_it_is_said_why(stage: Stage) -> None:
    app = waiting(stage)
    app.gateway.refusal = "the profile cannot be read"  # type: ignore[attr-defined]
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "4")
        await pressed(pilot, "down")
        assert "The checklist cannot be read: the profile cannot be read" in said(app, "#text")


async def test_nobody_waits(stage: Stage) -> None:
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "4")
        assert "No host waits for a person." in said(app, "#line")
        await pressed(pilot, "c")
        assert stands(app, HandsScreen)


@pytest.mark.parametrize(
    ("since", "now", "clock", "seconds"),
    [
        (at(100), at(160), at(160), 60),
        (at(100), at(160), at(80_000_000), 60),
        (at(80_000_000), at(160), at(80_000_030), 30),
        (at(7000), at(0), at(80_000_000), 0),
    ],
)
def test_people_and_twins_have_their_own_time(
    since: datetime, now: datetime, clock: datetime, seconds: float
) -> None:
    ticket = Ticket(host="a", opened=since, since=since)
    snapshot = Snapshot(now=now, clock=clock, tickets={"a": ticket})
    assert [row.since for row in rows_of(snapshot)] == [seconds]


def _who(tech: str) -> Any:
    from recovery.desk.rules import Who  # noqa: PLC0415

    return Who(tech=tech)
