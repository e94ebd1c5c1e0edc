"""`make screenshots`: pictures of the running dashboard, over the bundled airline's twin in its recovery."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from recovery.playbook.library import bundled
from recovery.service import Service
from recovery.settings import Settings
from recovery.tui.app import Dashboard
from recovery.tui.deck import Deck
from recovery.tui.feed import Feed
from recovery.tui.gateway import DeskAct, DeskVerb
from recovery.tui.service_gateway import ServiceGateway
from recovery.worlds import SystemClock

if TYPE_CHECKING:
    from textual.pilot import Pilot

_SIZE = (130, 42)
_PATIENT = {"strategy.guard.failed": "50%", "strategy.guard.new_crashes": "5%"}
_ENOUGH = 150
"""Hosts that are recovered in the pictures."""
_PICTURES = (
    ("situation", ("1",)),
    ("fleet", ("2", "v")),
    ("host", ("2", "down", "down", "down", "enter")),
    ("runs", ("escape", "3")),
    ("hands", ("4", "down")),
    ("journal", ("5",)),
    ("help", ("1", "question_mark")),
    ("report", ("escape", "s")),
)
_TECHNICIANS: Mapping[str, tuple[DeskVerb, ...]] = {
    "grace": ("on_site", "tried"),
    "joan": ("done",),
    "edith": ("on_site",),
    "hedy": (),
}
_DAY = ("situation-day", ("escape", "f2"))


async def main(folder: Path) -> None:
    """Triage, a rollback up to its middle, and the pictures."""
    with tempfile.TemporaryDirectory(prefix="recovery-screenshots-") as place:
        journal = str(Path(place) / "journal.db")
        inventory = (str(bundled("inventory") / "airline.yaml"),)
        deck = Deck(inventory=inventory, mock=True, speed="max", seed=4, by="ada", technicians=40)
        gateway = ServiceGateway(Service(Settings(journal=journal)), deck)
        feed = Feed(journal, SystemClock(), inventory, mock=True)
        app = Dashboard(feed, gateway, deck)
        async with app.run_test(size=_SIZE) as pilot:
            await _until(pilot, lambda: app.snapshot.standing.total > 0)
            await gateway.start(gateway.request("triage"))
            await _until(pilot, lambda: _over(app, 1))
            quick = msgspec.structs.replace(
                gateway.request("rollback"), speed="300x", overrides=_PATIENT
            )
            run = await gateway.start(quick)
            await _until(pilot, lambda: app.snapshot.standing.proven > _ENOUGH or _over(app, 2))
            await _until(pilot, lambda: app.snapshot.desk.waiting >= len(_TECHNICIANS))
            await _at_the_desk(app, gateway)
            await _until(pilot, lambda: app.snapshot.desk.says_done > 0)
            await _until(pilot, lambda: app.snapshot.outlook is not None)
            await _take(pilot, folder)
            if not _over(app, 2):
                await gateway.command(run, "abort")
            await _until(pilot, lambda: not any(line.is_live for line in app.snapshot.runs))
        feed.close()


async def _at_the_desk(app: Dashboard, gateway: ServiceGateway) -> None:
    """Four technicians have a ticket each: one is there, one has tried, one says that it is done."""
    for tech, verbs in _TECHNICIANS.items():
        await gateway.desk(DeskAct(verb="next", mock=True, tech=tech))
        tickets = Service(Settings(journal=app.snapshot.journal)).desk().tickets()
        host = next(ticket.host for ticket in tickets if ticket.owner == tech)
        for verb in verbs:
            await gateway.desk(
                DeskAct(verb=verb, mock=True, host=host, tech=tech, reason="the stick did not boot")
            )


async def _take(pilot: Pilot[str], folder: Path) -> None:
    for name, keys in (*_PICTURES, _DAY):
        await pilot.press(*keys)
        await pilot.pause(0.5)
        picture = pilot.app.export_screenshot(title="recovery tui")
        await asyncio.to_thread((folder / f"{name}.svg").write_text, picture)


def _over(app: Dashboard, count: int) -> bool:
    return sum(not line.is_open for line in app.snapshot.runs) >= count


async def _until(pilot: Pilot[str], holds: Callable[[], bool]) -> None:
    while not holds():
        await pilot.pause(0.1)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(target))
