"""The Fleet screen: every host, to search, to sort, to mark, and to act on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import ClassVar

import msgspec
from textual import on, work
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static
from typing_extensions import override

from recovery.inventory.completion import Completion, complete
from recovery.inventory.query import Known
from recovery.model.host import Fleet
from recovery.tui.actions import Action, bindings
from recovery.tui.draw.figures import some
from recovery.tui.fleet_rows import (
    AS_IT_COMES,
    GROUPINGS,
    Roll,
    View,
    checked,
    columns,
    kept,
    listed,
    shown,
)
from recovery.tui.inert import content
from recovery.tui.screens.acting import ActingPage
from recovery.tui.screens.folded import FoldedScreen
from recovery.tui.screens.host import HostScreen
from recovery.tui.signs import PROGRESS, VERDICTS
from recovery.tui.snapshot import EMPTY, Snapshot
from recovery.tui.widgets.arrangement import Arrangement, Wanted
from recovery.tui.widgets.host_table import MARK_ACTIONS, TABLE_ACTIONS, HostTable
from recovery.tui.widgets.query_bar import QueryBar, QueryInput

_MANY = 5000
"""Rows that are arranged on another thread, so that no key waits for it."""
_PAUSE = 0.5
"""Seconds between two arrangements of so many rows."""
_WIDE = 150
_OWN = (
    Action("fleet.query", "slash", "Query", "Say which hosts are listed", "Fleet", shown=True),
    Action("fleet.act", "x", "Act", "Act on the marked hosts, or on this one", "Fleet", shown=True),
    Action("fleet.sort", "o", "Sort", "Sort by the next column", "Fleet", shown=True),
    Action("fleet.reverse", "O", "Turn round", "Sort the other way round", "Fleet"),
    Action(
        "fleet.group", "v", "Group", "By site, service, verdict, stop code", "Fleet", shown=True
    ),
    Action("fleet.fold", "f", "Same", "Hosts that say the same, together", "Fleet", shown=True),
    Action("fleet.all", "escape", "All hosts", "Take the query away", "Fleet"),
)


class FleetScreen(ActingPage):
    """A table of all hosts below a query."""

    DEFAULT_CSS = """
    FleetScreen #line { height: 1; padding: 0 1; color: $muted; }
    FleetScreen #peek { width: 50; padding: 0 1; border-left: solid $border; display: none; }
    FleetScreen.wide #peek { display: block; }
    """
    NAME = "fleet"
    LETS_GO = True
    AUTO_FOCUS = "HostTable"
    ACTIONS: ClassVar[tuple[Action, ...]] = (*_OWN, *TABLE_ACTIONS, *MARK_ACTIONS)
    BINDINGS: ClassVar[list[BindingType]] = bindings(_OWN)

    def __init__(self) -> None:
        """Nothing is known yet."""
        super().__init__()
        self._rows = Roll.of(EMPTY)
        self._view = AS_IT_COMES
        self._order = ""
        self._grouping = 0
        self._known = Known(Fleet())
        self._columns = columns(lambda: self.snapshot.now)
        self._peeked = Content("")
        self._stale = False
        self._busy = False
        self._anew = False
        """Another list was asked for: what stands first in it is what is wanted."""

    @override
    def body(self) -> Iterable[Widget]:
        """Query, a line about the list, the list, and at its right what is known of the host under the cursor."""
        yield QueryBar(self._check, self._complete)
        yield Static("… waits for the inventory", id="line", markup=False)
        table = HostTable(self._columns, id="hosts")
        peek = Static(id="peek", markup=False)
        yield Horizontal(table, peek)

    @property
    def table(self) -> HostTable:
        """The list."""
        return self.query_one("#hosts", HostTable)

    def on_screen_resume(self) -> None:
        """The list has the keys when one comes here."""
        super().on_screen_resume()
        if self._stale and self._is_quick:
            self._stale = False
            rows = Roll.of(self.snapshot, self._rows)
            self._show(rows, rows.arranged(), self._view)
        if self.focused is None:
            self.table.focus()

    @override
    def let_go(self) -> None:
        """The rows of all hosts come anew with the next snapshot."""
        super().let_go()
        self._stale = False
        if self._is_quick:
            self._rows.let_go()

    def on_resize(self) -> None:
        """What is known of a host stands beside the list where there is room."""
        self.set_class(self.size.width >= _WIDE, "wide")

    # --- the list

    def watch_snapshot(self, old: Snapshot, new: Snapshot) -> None:
        """Show what is new."""
        if new.fleet is not self._known.fleet:
            self._known = Known(new.fleet)
        if old.hosts is not new.hosts or old.fleet is not new.fleet:
            self._refresh()
        else:
            self.table.refresh()

    def _refresh(self) -> None:
        self._stale = True
        if not self._busy:
            self._busy = True
            self.catch_up()

    @work(group="rows")
    async def catch_up(self) -> None:
        """Arrange the rows until they are those of the latest snapshot."""
        try:
            while self._stale:
                self._stale = False
                await self._arrange(self.snapshot, self._view)
        finally:
            self._busy = False

    @property
    def _is_quick(self) -> bool:
        """Whether the list is what it was, but for the states of the hosts."""
        return self._view == AS_IT_COMES and self._rows.is_of(self.snapshot.fleet)

    async def _arrange(self, snapshot: Snapshot, view: View) -> None:
        many = len(snapshot.fleet.hosts) > _MANY
        if many and not self._is_quick:
            rows = await asyncio.to_thread(Roll.of, snapshot, self._rows)
            found = await asyncio.to_thread(listed, snapshot, rows, view)
        else:
            rows = Roll.of(snapshot, self._rows)
            found = listed(snapshot, rows, view)
        self._show(rows, found, view)
        if many:
            await asyncio.sleep(_PAUSE)

    def _show(self, rows: Roll, found: Arrangement, view: View) -> None:
        self._rows = rows
        self.table.show(found, sorted_by=self._order, descending=view.wanted.descending)
        if self._anew and view is self._view:
            self._anew = False
            self.table.action_edge(-1)
        self._say(len(found.rows))
        self._peek()

    def _say(self, count: int) -> None:
        marks = len(self.table.marks)
        total = len(self.snapshot.fleet.hosts)
        hosts = some(total, "host")
        parts = [f"{count:,} of {hosts}" if count != total else f"all {hosts}"]
        if marks:
            parts.append(f"✓ {marks:,} marked")
        if self._grouping:
            parts.append(f"by {GROUPINGS[self._grouping].title}")
        self.query_one("#line", Static).update(content("  ·  ".join(parts)), layout=False)

    @on(HostTable.Marked)
    def _marked(self) -> None:
        self._say(self.table.listed)

    @on(HostTable.Moved)
    def _peek(self) -> None:
        row = self._rows.of_host(self.table.current)
        lines: list[Content] = []
        if row is not None:
            state = row.state
            verdict, progress = VERDICTS[state.verdict], PROGRESS[state.progress]
            lines = [
                content(row.name, "bold"),
                content(shown(verdict), verdict.style),
                content(shown(progress), progress.style),
                *(content(f"· {text}") for text in state.because),
                *([content(state.message, "$muted")] if state.message else []),
            ]
        told = Content("\n").join(lines)
        if not told.is_same(self._peeked):  # to lay out the whole screen anew is dear
            self._peeked = told
            self.query_one("#peek", Static).update(told)

    # --- queries

    def _check(self, text: str) -> None:
        checked(text, self._known)

    def _complete(self, text: str) -> Completion:
        return complete(text, self._known)

    @on(QueryBar.Asked)
    def _asked(self, message: QueryBar.Asked) -> None:
        query = checked(message.query, self._known) if message.query else None
        self._view = msgspec.structs.replace(self._view, query=query)
        self._anew = True
        self.table.focus()
        self._refresh()

    @on(QueryInput.Left)
    def _left(self) -> None:
        self.table.focus()

    def action_query(self) -> None:
        """Type a query."""
        self.query_one(QueryBar).input.focus()

    def action_all(self) -> None:
        """List every host."""
        self.query_one(QueryBar).put("")

    # --- order and groups

    def action_sort(self) -> None:
        """By the next column."""
        keys = ["", *(column.key for column in self._columns if column.order is not None)]
        self._sort_by(keys[(keys.index(self._order) + 1) % len(keys)])

    @on(HostTable.SortAsked)
    def _sort_asked(self, message: HostTable.SortAsked) -> None:
        if message.name == self._order:
            self.action_reverse()
        else:
            self._sort_by(message.name)

    def action_reverse(self) -> None:
        """The other way round."""
        self._want(descending=not self._view.wanted.descending)

    def _sort_by(self, key: str) -> None:
        self._order = key
        order = next((column.order for column in self._columns if column.key == key), None)
        self._want(order=order, descending=False)

    def action_group(self) -> None:
        """By the next thing."""
        self._grouping = (self._grouping + 1) % len(GROUPINGS)
        grouping = GROUPINGS[self._grouping]
        self._want(group=grouping.key, ranks=grouping.ranks, closed=frozenset())

    @on(HostTable.Folded)
    def _folded(self, message: HostTable.Folded) -> None:
        self._want(closed=self._view.wanted.closed ^ {message.name})

    def _want(self, **changes: object) -> None:
        wanted: Wanted = msgspec.structs.replace(self._view.wanted, **changes)
        self._view = msgspec.structs.replace(self._view, wanted=wanted)
        self._anew = "closed" not in changes or "group" in changes
        self._refresh()

    # --- acting

    def action_act(self) -> None:
        """On the marked hosts, or on the one under the cursor."""
        self.act_on(self.table.chosen)

    @on(HostTable.Opened)
    async def _opened(self, message: HostTable.Opened) -> None:
        await self.app.push_screen(HostScreen(message.name))

    async def action_fold(self) -> None:
        """Hosts that say the same, together: the marked ones, else those that are listed."""
        marks = self.table.marks
        rows = (
            [row for row in self._rows if row.name in marks]
            if marks
            else list(kept(self.snapshot, self._rows, self._view.query))
        )
        what = "the marked hosts" if marks else str(self._view.query or "all hosts")
        await self.app.push_screen(FoldedScreen(rows, what))
