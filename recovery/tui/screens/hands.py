"""The Hands screen: the hosts that need a person, by site, with checklist, attempts and proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import ClassVar, NamedTuple

from textual import on, work
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static
from typing_extensions import override

from recovery.errors import RecoveryError
from recovery.journal.board import Hand
from recovery.model.host import Host
from recovery.model.incident import Runbook
from recovery.model.state import HostState
from recovery.tui.actions import Action, bindings
from recovery.tui.fleet_rows import age, shown, state_columns
from recovery.tui.inert import content
from recovery.tui.screens.acting import ActingPage
from recovery.tui.screens.host import HostScreen
from recovery.tui.signs import VERDICTS
from recovery.tui.snapshot import Snapshot
from recovery.tui.widgets.arrangement import Wanted, arrange
from recovery.tui.widgets.columns import Column
from recovery.tui.widgets.host_table import MARK_ACTIONS, TABLE_ACTIONS, HostTable

_OWN = (
    Action("hands.act", "x", "Act", "Prove, or act on the marked hosts", "Hands", shown=True),
    Action("hands.sites", "v", "Fold sites", "Close or open all sites", "Hands", shown=True),
)


class HandRow(NamedTuple):
    """One host that waits for a person."""

    name: str
    hand: Hand
    host: Host
    state: HostState
    now: datetime


class HandsScreen(ActingPage):
    """Hosts by site, and what to do with the one under the cursor."""

    DEFAULT_CSS = """
    HandsScreen #line { height: 1; padding: 0 1; color: $muted; }
    HandsScreen #book { width: 40%; min-width: 30; padding: 0 1; border-left: solid $border; }
    """
    NAME = "hands"
    AUTO_FOCUS = "HostTable"
    ACTIONS: ClassVar[tuple[Action, ...]] = (*_OWN, *TABLE_ACTIONS, *MARK_ACTIONS)
    BINDINGS: ClassVar[list[BindingType]] = bindings(_OWN)

    def __init__(self) -> None:
        """Nobody is known to wait yet."""
        super().__init__()
        self._folded_sites: frozenset[str] = frozenset()
        self._rows: Mapping[str, HandRow] = {}
        self._books: Mapping[str, Runbook] | None = None

    @override
    def body(self) -> Iterable[Widget]:
        """The list, and the checklist beside it."""
        yield Static("No host waits for a person.", id="line", markup=False)
        yield Horizontal(
            HostTable(_columns(), id="hands"),
            VerticalScroll(Static(id="text", markup=False), id="book", can_focus=False),
        )

    @property
    def table(self) -> HostTable:
        """The list."""
        return self.query_one("#hands", HostTable)

    def on_screen_resume(self) -> None:
        """The list has the keys when one comes here."""
        super().on_screen_resume()
        self.table.focus()

    def watch_snapshot(self, old: Snapshot, new: Snapshot) -> None:
        """Show who waits."""
        if old.hands != new.hands or old.fleet is not new.fleet or old.hosts is not new.hosts:
            self._show()
        if new.hands and self._books is None:
            self._books = {}
            self.read_books(new.hands[0].host)

    def _show(self) -> None:
        snapshot = self.snapshot
        hosts = snapshot.members
        rows = [
            HandRow(
                hand.host,
                hand,
                hosts.get(hand.host) or Host(name=hand.host),
                snapshot.hosts.get(hand.host) or HostState(hand.host),
                snapshot.now,
            )
            for hand in snapshot.hands
        ]
        self._rows = {row.name: row for row in rows}
        wanted = Wanted(group=_site, closed=self._folded_sites)
        self.table.show(arrange(rows, wanted))
        sites = len({_site(row) for row in rows})
        words = f"@ {len(rows):,} hosts wait for a person, at {sites} sites"
        self.query_one("#line", Static).update(words if rows else "No host waits for a person.")
        self._text()

    @work(exit_on_error=False)
    async def read_books(self, host: str) -> None:
        """Read the incident's checklists, once."""
        try:
            prepared = await self.gateway.prepare(
                self.gateway.request("triage", (f'name = "{host}"',))
            )
        except RecoveryError as error:
            self.tell(str(error), severe=True)
            return
        self._books = prepared.incident.runbooks
        self._text()

    @on(HostTable.Moved)
    def _text(self) -> None:
        row = self._rows.get(self.table.current)
        lines = _hand(row, self._books or {}) if row is not None else iter(())
        self.query_one("#text", Static).update(Content("\n").join(lines))

    @on(HostTable.Folded)
    def _folded(self, message: HostTable.Folded) -> None:
        self._folded_sites ^= {message.name}
        self._show()

    def action_sites(self) -> None:
        """Close all sites, or open them."""
        sites = frozenset(_site(row) for row in self._rows.values())
        self._folded_sites = frozenset() if self._folded_sites >= sites else sites
        self._show()

    def action_act(self) -> None:
        """On the marked hosts, or on the one under the cursor."""
        self.act_on(self.table.chosen)

    @on(HostTable.Opened)
    async def _opened(self, message: HostTable.Opened) -> None:
        await self.app.push_screen(HostScreen(message.name))


def _site(row: HandRow) -> str:
    return row.host.site


def _columns() -> tuple[Column, ...]:
    return (
        Column("name", "Host", 14, 26, lambda row: row.name),
        state_columns()[0],
        Column("waits", "Waits", 6, 6, _waits, rank=2, right=True),
        Column("place", "Location", 8, 20, lambda row: row.host.location, rank=3),
        Column("reboots", "Boots", 6, 6, lambda row: str(row.state.reboots), rank=4, right=True),
        Column("reason", "Why", 10, 200, lambda row: row.hand.reason, rank=5),
    )


def _waits(row: HandRow) -> str:
    return age((row.now - row.hand.since).total_seconds())


def _hand(row: HandRow, books: Mapping[str, Runbook]) -> Iterator[Content]:
    host, hand = row.host, row.hand
    yield content(row.name, "bold")
    yield content(f"{host.site} {host.location}".strip() or "no known place")
    yield content(f"Handed over {_waits(row)} ago by {hand.run}", "$muted")
    yield content(f"Why: {hand.reason}")
    yield content(f"Tried: {row.state.attempts} attempts, {row.state.reboots} restarts")
    verdict = VERDICTS[row.state.verdict]
    yield content(f"Evidence: {shown(verdict)}", verdict.style)
    for reason in row.state.because:
        yield content(f"  · {reason}")
    yield Content("")
    book = books.get(hand.runbook)
    if book is None:
        yield content(f"Checklist: {hand.runbook}", "$muted")
        return
    yield content(f"{book.title} (about {book.minutes} min)", "bold $primary")
    if book.kit:
        yield content(f"Take: {', '.join(book.kit)}", "$muted")
    for number, step in enumerate(book.steps, 1):
        yield content(f"{number:>2}. {step}")
    yield Content("")
    yield content("Done? x p proves it from evidence.", "$accent")
