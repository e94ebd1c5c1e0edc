"""On a small terminal keys reach all of a text: a host's page, a ticket's checklist, a run, folded replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from recovery.model.events import Notice
from recovery.model.evidence import Progress, Verdict
from tests.tui.scene import RUN, Stage, at, crash, dashboard, half_way, handed_over, stepped
from tests.tui.test_situation_screen import ready, shown, until

if TYPE_CHECKING:
    from textual.pilot import Pilot

HOST = "atl-dc-1"


@pytest.fixture
def told(stage: Stage) -> Stage:
    stage.snapshot()
    stage.begin()
    half_way(stage)
    failed = stepped(
        HOST,
        900,
        Verdict.CRASH_LOOP,
        outcome="failed",
        progress=Progress.FIXING,
        message="the file is locked by the vendor's driver",
        evidence=(crash(),),
        because=tuple(f"reason {number} of many" for number in range(6)),
    )
    stage.say(
        failed,
        handed_over(HOST, 910, "nothing helps"),
        *(Notice(at=at(920), run=RUN, host="", message=f"notice {n}") for n in range(3)),
    )
    return stage


async def reached(pilot: Pilot[Any], words: str, *, most: int = 12) -> None:
    """Page down until the words are in sight."""
    for _ in range(most):
        if words in shown(pilot.app):  # type: ignore[arg-type]
            return
        await pilot.press("pagedown")
        await pilot.pause(0.05)
    pytest.fail(f"no key reaches {words!r}\n{shown(pilot.app)}")  # type: ignore[arg-type]


async def test_a_hosts_page_has_everything_within_reach(told: Stage) -> None:
    app = dashboard(told, told.snapshot())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "2", "home", "enter")
        await until(pilot, lambda: "reason 5 of many" in shown(app), "the page")
        for words in (
            "stop code 0x50",
            "1 of this step",
            "last: ",
            "handed over with runbook safe_mode",
            f"Run {RUN}",
        ):
            await reached(pilot, words)
        assert HOST in shown(app).splitlines()[1]


async def test_a_tickets_checklist_is_scrolled_and_the_next_one_begins_at_its_top(
    told: Stage,
) -> None:
    app = dashboard(told, told.snapshot())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "4", "down")
        await until(pilot, lambda: "Why:" in shown(app), "the ticket")
        await pilot.pause(0.3)
        assert "Only evidence closes" not in shown(app)
        await pilot.press("tab")
        await reached(pilot, "Only evidence")
        await pilot.press("tab", "down")
        await until(pilot, lambda: "Why:" in shown(app), "the top of the next ticket")


async def test_a_runs_text_is_scrolled(told: Stage) -> None:
    app = dashboard(told, told.snapshot())
    async with app.run_test(size=(80, 18)) as pilot:
        await ready(pilot, "3")
        await until(pilot, lambda: "goes on" in shown(app), "the run")
        assert "notice 2" not in shown(app)
        await pilot.press("tab")
        await reached(pilot, "notice 2")
