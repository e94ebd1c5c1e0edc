"""The Hands screen: the desk's board. Who waits, who works on what, and what to do in front of the machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual import on, work
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static
from typing_extensions import override

from recovery.desk.queue import Job
from recovery.errors import RecoveryError
from recovery.model.ticket import DeskNumbers
from recovery.tui.actions import Action, bindings
from recovery.tui.desk_rows import (
    GROUPINGS,
    PROVEN,
    TicketRow,
    columns,
    figures,
    rows_of,
    ticket_text,
)
from recovery.tui.screens.acting import ActingPage
from recovery.tui.screens.desk_verbs import DESK_ACTIONS, DeskVerbs
from recovery.tui.screens.host import HostScreen
from recovery.tui.snapshot import Snapshot
from recovery.tui.widgets.arrangement import Arrangement, Wanted, arrange
from recovery.tui.widgets.host_table import MARK_ACTIONS, TABLE_ACTIONS, HostTable

_MANY = 2000
"""Rows that are arranged on another thread, so that no key waits for it."""
_SETTLE = 0.08
"""Seconds for which the cursor rests on a ticket before its checklist is asked for."""
_OWN = (
    Action("hands.act", "x", "Act", "Prove, or act on the marked hosts", "Hands", shown=True),
    Action("hands.group", "v", "Group", "By stage, by site, by technician", "Hands", shown=True),
    Action(
        "hands.book",
        "tab",
        "Text",
        "To the ticket's text, which arrows scroll, and back",
        "Hands",
        call="app.focus_next",
    ),
    *DESK_ACTIONS,
)


class HandsScreen(DeskVerbs, ActingPage):
    """Tickets under their stages, and the one under the cursor in full."""

    DEFAULT_CSS = """
    HandsScreen #line { height: 2; }
    HandsScreen #book { width: 40%; min-width: 30; padding: 0 1; border-left: solid $border; }
    HandsScreen #book:focus { border-left: solid $accent; }
    """
    NAME = "hands"
    AUTO_FOCUS = "HostTable"
    ACTIONS: ClassVar[tuple[Action, ...]] = (*_OWN, *TABLE_ACTIONS, *MARK_ACTIONS)
    BINDINGS: ClassVar[list[BindingType]] = bindings(_OWN)

    def __init__(self) -> None:
        """No ticket is known yet."""
        super().__init__()
        self._grouping = 0
        self._folded_groups: frozenset[str] = frozenset((PROVEN,))
        self._rows: Mapping[str, TicketRow] = {}
        self._job: Job | None = None
        self._asked: tuple[object, ...] = ()
        self._why_not = ""

    @override
    def body(self) -> Iterable[Widget]:
        """The figures, the tickets, and the checklist beside them."""
        yield Static(figures(DeskNumbers()), id="line", markup=False)
        yield Horizontal(
            HostTable(columns(), id="hands"),
            VerticalScroll(Static(id="text", markup=False), id="book"),
        )

    @property
    def table(self) -> HostTable:
        """The tickets."""
        return self.query_one("#hands", HostTable)

    def on_screen_resume(self) -> None:
        """The list has the keys when one comes here."""
        super().on_screen_resume()
        self.table.focus()

    def watch_snapshot(self, old: Snapshot, new: Snapshot) -> None:
        """Show how the tickets stand; the time that goes on shows too."""
        if old.desk is not new.desk:
            self.query_one("#line", Static).update(figures(new.desk))
        if old.tickets is not new.tickets or old.clock != new.clock or old.now != new.now:
            self.rearrange()

    @work(exclusive=True, group="rows")
    async def rearrange(self) -> None:
        """Put the tickets into the table."""
        snapshot, wanted = self.snapshot, self._wanted
        if len(snapshot.tickets) > _MANY:
            rows, found = await asyncio.to_thread(_arranged, snapshot, wanted)
        else:
            rows, found = _arranged(snapshot, wanted)
        self._rows = {row.name: row for row in rows}
        self.table.show(found)
        self._text()

    @property
    def _wanted(self) -> Wanted:
        grouping = GROUPINGS[self._grouping]
        return Wanted(group=grouping.key, ranks=grouping.ranks, closed=self._folded_groups)

    @on(HostTable.Moved)
    def _text(self) -> None:
        row = self._rows.get(self.table.current)
        if row is None:
            self.query_one("#text", Static).update("")
            return
        ticket = row.ticket
        asked = (row.name, ticket.verdict, ticket.runbook, ticket.run, ticket.site, ticket.location)
        if asked[:1] != self._asked[:1]:
            self.query_one("#book").scroll_home(animate=False)
        if asked != self._asked:
            self._asked, self._job, self._why_not = asked, None, ""
            self.read_checklist(row.name)
        self.query_one("#text", Static).update(
            ticket_text(row, self._job, self._why_not, self.snapshot)
        )

    @work(exclusive=True, group="checklist")
    async def read_checklist(self, host: str) -> None:
        """Ask for what is to be done with the ticket under the cursor."""
        await asyncio.sleep(_SETTLE)
        try:
            self._job = await self.gateway.job(host, mock=self.snapshot.mock)
        except RecoveryError as error:
            self._why_not = str(error)
        self._text()

    @on(HostTable.Folded)
    def _folded(self, message: HostTable.Folded) -> None:
        self._folded_groups ^= {message.name}
        self.rearrange()

    def action_group(self) -> None:
        """Under other headings."""
        self._grouping = (self._grouping + 1) % len(GROUPINGS)
        self.rearrange()

    def action_act(self) -> None:
        """On the marked hosts, or on the one under the cursor."""
        self.act_on(self.table.chosen)

    @on(HostTable.Opened)
    async def _opened(self, message: HostTable.Opened) -> None:
        await self.app.push_screen(HostScreen(message.name))


def _arranged(snapshot: Snapshot, wanted: Wanted) -> tuple[list[TicketRow], Arrangement]:
    rows = rows_of(snapshot)
    return rows, arrange(rows, wanted)
