"""The Journal screen: everything that happened, filtered and followed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import msgspec
from textual import on, work
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static
from typing_extensions import override

from recovery.errors import RecoveryError
from recovery.tui.actions import Action, bindings
from recovery.tui.gateway import Sieve
from recovery.tui.inert import plain
from recovery.tui.screens.event import EventScreen
from recovery.tui.screens.page import Page
from recovery.tui.sieve import passes, sieve_of
from recovery.tui.snapshot import Snapshot
from recovery.tui.widgets.event_log import LOG_ACTIONS, EventLog

_PAGE = 500
"""Events that are read at once."""
_HINT = "words, host:NAME, run:ID, kind:step.finished"

_OWN = (
    Action("journal.filter", "slash", "Filter", f"Only some events: {_HINT}", "Journal", shown=True),
    Action("journal.follow", "f", "Follow", "Keep the latest event in sight, or not", "Journal", shown=True),
    Action("journal.important", "i", "Important", "Only what matters, or all", "Journal", shown=True),
    Action("journal.clear", "escape", "All", "Everything again", "Journal"),
)  # fmt: skip


class JournalScreen(Page):
    """Reads backwards from the journal as far as somebody scrolls, and adds what happens."""

    NAME = "journal"
    LETS_GO = True
    ACTIONS: ClassVar[tuple[Action, ...]] = (*_OWN, *LOG_ACTIONS)
    BINDINGS: ClassVar[list[BindingType]] = bindings(_OWN)

    def __init__(self) -> None:
        """Everything is shown at first."""
        super().__init__()
        self._sieve = Sieve()
        self._seen = 0
        self._begun = False

    @override
    def body(self) -> Iterable[Widget]:
        """The filter, what is shown, the events."""
        yield Input(placeholder=_HINT, id="filter", compact=True)
        yield Static("", id="shown", markup=False)
        yield EventLog(id="log")

    @property
    def events(self) -> EventLog:
        """The log."""
        return self.query_one(EventLog)

    @override
    def on_mount(self) -> None:
        """Begin with the log in focus."""
        super().on_mount()
        self.events.focus()

    def watch_snapshot(self, snapshot: Snapshot) -> None:
        """Add what has happened."""
        if not snapshot.seq or not self.query(EventLog):
            return
        first = snapshot.recent[0].seq
        if not self._begun or first > self._seen + 1:  # more has happened than the feed keeps
            self._begun = True
            self._read()
        else:
            wanted = passes(self._sieve)
            new = [item for item in snapshot.recent if item.seq > self._seen]
            self.events.extend([item for item in new if wanted(item.event)])
        self._seen = snapshot.seq
        self._say()

    def action_filter(self) -> None:
        """Type what is wanted."""
        self.query_one(Input).focus()

    def action_follow(self) -> None:
        """Follow, or stay."""
        self.events.follow(on=not self.events.follows)
        self._say()

    def action_important(self) -> None:
        """Only the important, or everything."""
        self._show(msgspec.structs.replace(self._sieve, important=not self._sieve.important))

    def action_clear(self) -> None:
        """Everything again."""
        self.query_one(Input).value = ""
        self.events.focus()
        if self._sieve != Sieve():
            self._show(Sieve())

    @on(Input.Submitted)
    def sift(self, event: Input.Submitted) -> None:
        """Show what was asked for; what cannot be read is told and changes nothing."""
        runs = [line.run for line in self.snapshot.runs]
        try:
            sieve = sieve_of(event.value, runs, important=self._sieve.important)
        except RecoveryError as error:
            self.query_one("#shown", Static).update(
                Content.styled(f" {plain(str(error), 300)}", "bold $error")
            )
            return
        self.events.focus()
        self._show(sieve)

    @on(EventLog.AtTop)
    def read_more(self) -> None:
        """What came before."""
        rows = self.events.rows
        if rows and rows[0].seq > 1:
            self._read(rows[0].seq)

    @on(EventLog.Chosen)
    async def show_whole(self, event: EventLog.Chosen) -> None:
        """One event, whole."""
        await self.app.push_screen(EventScreen(event.stored))

    def _show(self, sieve: Sieve) -> None:
        self._sieve = sieve
        self.events.follows = True
        self.events.replace(())
        self._read()
        self._say()

    @work(exclusive=True, group="journal", exit_on_error=False)
    async def _read(self, before: int = 0) -> None:
        try:
            found = await self.gateway.events(self._sieve, before, _PAGE)
        except RecoveryError as error:
            self.tell(str(error), severe=True)
            return
        if before:
            self.events.prepend(found)
        else:
            self.events.replace(found)
        self._say()

    def _say(self) -> None:
        sieve, rows = self._sieve, self.events.rows
        parts = [f" {len(rows):,} shown of {self.snapshot.seq:,} events"]
        parts += [f"{name} {plain(value, 60)}" for name, value in _named(sieve) if value]
        parts.append("follows" if self.events.follows else "stands still: f follows")
        told = Content.styled("   ".join(parts), "$muted")
        self.query_one("#shown", Static).update(told, layout=False)


def _named(sieve: Sieve) -> tuple[tuple[str, str], ...]:
    return (
        ("host", sieve.host),
        ("run", sieve.run),
        ("kinds", ", ".join(sieve.kinds)),
        ("with", sieve.text),
        ("only the", "important" if sieve.important else ""),
    )
