"""A log of any length: only the lines in sight are drawn."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual
from typing_extensions import override

from recovery.ports import Stored
from recovery.tui.actions import Action, bindings
from recovery.tui.draw.happenings import line

_MOST = 20_000
"""Lines that are kept in sight of the scroll bar; older ones are read again when somebody goes there."""
_DRAWN = 500
"""Lines that are kept as they were drawn."""


LOG_ACTIONS = tuple(
    Action(f"log.{name}", key, title, tooltip, "Events", call=call)
    for name, key, title, tooltip, call in (
        ("up", "up,k", "Up", "One event up", "move(-1)"),
        ("down", "down,j", "Down", "One event down; at the latest it follows", "move(1)"),
        ("page_up", "pageup", "Page up", "One screen up", "page(-1)"),
        ("page_down", "pagedown", "Page down", "One screen down", "page(1)"),
        ("first", "home,g", "First", "The first that is there; reads what came before", "to_first"),
        ("last", "end,G", "Latest", "The latest, and follow", "to_last"),
        ("open", "enter", "Open", "The whole event under the cursor", "choose"),
    )
)


class EventLog(ScrollView, can_focus=True):
    """Events, the latest at the bottom, with a cursor. It follows while the cursor is on the latest."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(LOG_ACTIONS)
    COMPONENT_CLASSES: ClassVar[set[str]] = {"event-log--cursor"}
    DEFAULT_CSS = """
    EventLog {
        height: 1fr;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
    }
    EventLog > .event-log--cursor {
        background: $primary-muted;
    }
    """

    class AtTop(Message):
        """Somebody wants to see what came before the first line."""

    class Chosen(Message):
        """Somebody wants to see the whole of an event."""

        def __init__(self, stored: Stored) -> None:
            """This one."""
            super().__init__()
            self.stored = stored

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        """Empty."""
        super().__init__(id=id)
        self._rows: list[Stored] = []
        self._cursor = 0
        self._strips: LRUCache[tuple[int, int, bool, bool], Strip] = LRUCache(_DRAWN)
        self.follows = True
        """Whether the latest event is kept in sight."""

    @property
    def rows(self) -> Sequence[Stored]:
        """What it holds."""
        return self._rows

    @property
    def chosen(self) -> Stored | None:
        """The event under the cursor."""
        return self._rows[self._cursor] if self._rows else None

    def replace(self, rows: Sequence[Stored]) -> None:
        """Show these instead, and the latest of them."""
        self._rows = list(rows)
        self._cursor = max(0, len(self._rows) - 1)
        self._changed()

    def extend(self, rows: Sequence[Stored]) -> None:
        """More has happened; what is there already is not added twice."""
        last = self._rows[-1].seq if self._rows else 0
        new = rows[bisect_left(rows, last + 1, key=lambda stored: stored.seq) :]
        if not new:
            return
        self._rows.extend(new)
        spare = len(self._rows) - _MOST
        if spare > 0:
            del self._rows[:spare]
            self._cursor = max(0, self._cursor - spare)
            if not self.follows:
                self.scroll_to(y=max(0, self.scroll_offset.y - spare), animate=False)
        if self.follows:
            self._cursor = len(self._rows) - 1
        self._changed()

    def prepend(self, rows: Sequence[Stored]) -> None:
        """What came before the first line; what is in sight stays where it is."""
        first = self._rows[0].seq if self._rows else 0
        old = [stored for stored in rows if not first or stored.seq < first]
        if not old:
            return
        self._rows[:0] = old
        self._cursor += len(old)
        y = self.scroll_offset.y + len(old)
        self._changed()
        self.scroll_to(y=y, animate=False, immediate=True, force=True)

    def follow(self, *, on: bool) -> None:
        """Keep the latest in sight, or not."""
        self.follows = on
        if on and self._rows:
            self._cursor = len(self._rows) - 1
        self._changed()

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    def _changed(self) -> None:
        """Scrolled by `force`: the bar, without which Textual scrolls nothing, only comes with the next layout."""
        self.virtual_size = Size(self._width, len(self._rows))
        if self.follows:
            self.scroll_end(animate=False, immediate=True, force=True, x_axis=False)
        self.refresh()

    def on_resize(self) -> None:
        """Use the room there is."""
        self._changed()

    @override
    def render_line(self, y: int) -> Strip:
        """One line of those in sight."""
        width = self._width
        place = self.scroll_offset.y + y
        if place >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        stored = self._rows[place]
        key = (stored.seq, width, place == self._cursor, self.has_focus)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._drawn(stored, width, lit=place == self._cursor and self.has_focus)
            self._strips[key] = strip
        return strip

    def _drawn(self, stored: Stored, width: int, *, lit: bool) -> Strip:
        told = line(stored, width, run=width >= _ROOM_FOR_RUNS)
        style = self.visual_style
        if lit:
            style = style + self.get_visual_style("event-log--cursor")
        strips = Visual.to_strips(self, told, width, 1, style, pad=True)
        return strips[0].adjust_cell_length(width, style.rich_style)

    @override
    def notify_style_update(self) -> None:
        """Colours changed."""
        super().notify_style_update()
        self._strips.clear()

    def action_move(self, lines: int) -> None:
        """Up and down; at the latest it follows again."""
        self._go(self._cursor + lines)

    def action_page(self, pages: int) -> None:
        """A screen up or down."""
        self._go(self._cursor + pages * max(1, self.size.height - 1))

    def action_to_first(self) -> None:
        """To the first line that is there."""
        self._go(0)

    def action_to_last(self) -> None:
        """To the latest, and follow."""
        self._go(len(self._rows) - 1)

    def action_choose(self) -> None:
        """Show the whole event."""
        if self.chosen is not None:
            self.post_message(self.Chosen(self.chosen))

    def on_click(self, event: events.Click) -> None:
        """To that line; a second click shows the whole event."""
        place = self.scroll_offset.y + event.y
        if place < len(self._rows):
            self._go(place)
            if event.chain > 1:
                self.action_choose()

    @override
    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.follows = False
        super()._on_mouse_scroll_up(event)

    def _go(self, place: int) -> None:
        if place <= 0:
            self.post_message(self.AtTop())
        self._cursor = max(0, min(len(self._rows) - 1, place))
        self.follows = self._cursor >= len(self._rows) - 1
        self.scroll_to_region(
            Region(0, self._cursor, self._width, 1), animate=False, immediate=True, force=True
        )
        self.refresh()


_ROOM_FOR_RUNS = 110
"""Cells from which on the run stands in front of the host."""
