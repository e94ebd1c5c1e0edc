"""A table of any number of rows: only the lines on the screen are ever drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from typing_extensions import override

from recovery.tui.actions import Action, bindings
from recovery.tui.widgets.arrangement import Arrangement, Heading
from recovery.tui.widgets.cells import fit
from recovery.tui.widgets.columns import GAP, TONES, Column, share

_GUTTER = 3
"""Cells for the sign of the cursor, that of a marked row, and a gap."""


TABLE_ACTIONS = tuple(
    Action(f"table.{name}", key, title, tooltip, "Lists", call=call)
    for name, key, title, tooltip, call in (
        ("up", "up,k", "Up", "One line up", "move(-1)"),
        ("down", "down,j", "Down", "One line down", "move(1)"),
        ("page_up", "pageup", "Page up", "One screen up", "page(-1)"),
        ("page_down", "pagedown", "Page down", "One screen down", "page(1)"),
        ("first", "home,g", "First", "The first line", "edge(-1)"),
        ("last", "end,G", "Last", "The last line", "edge(1)"),
        ("open", "enter", "Open", "Open what is under the cursor; close or open a group", "open"),
    )
)
MARK_ACTIONS = tuple(
    Action(f"table.{name}", key, title, tooltip, "Marks", call=call)
    for name, key, title, tooltip, call in (
        ("mark", "space", "Mark", "Mark or unmark; on a heading the whole open group", "mark"),
        ("extend_up", "shift+up", "Mark up", "Mark from here upwards", "extend(-1)"),
        ("extend_down", "shift+down", "Mark down", "Mark from here downwards", "extend(1)"),
        ("mark_all", "a", "Mark all", "Mark all that are listed", "mark_all"),
        ("invert", "i", "Turn marks round", "Mark what is not marked, and that alone", "invert"),
        ("unmark", "u", "Unmark all", "Take all marks away", "unmark"),
    )
)


class LineTable(ScrollView, can_focus=True):
    """Rows under a fixed header, with a cursor that follows its row by name."""

    DEFAULT_CSS = """
    LineTable { height: 1fr; background: $surface; scrollbar-size-horizontal: 0; }
    LineTable > .host-table--header { background: $panel; color: $foreground; text-style: bold; }
    LineTable > .host-table--heading { color: $primary; text-style: bold; }
    LineTable > .host-table--cursor { background: $primary-muted; text-style: bold; }
    LineTable > .host-table--marked { background: $warning-muted; }
    LineTable > .host-table--good { color: $success; }
    LineTable > .host-table--bad { color: $error; }
    LineTable > .host-table--warn { color: $warning; }
    LineTable > .host-table--busy { color: $accent; }
    LineTable > .host-table--faint { color: $muted; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"host-table--{name}" for name in ("header", "heading", "cursor", "marked", *TONES)
    }
    BINDINGS: ClassVar[list[BindingType]] = bindings(TABLE_ACTIONS)

    class About(Message):
        """Something about one line of the table."""

        def __init__(self, table: LineTable, name: str) -> None:
            """By name."""
            super().__init__()
            self.table = table
            self.name = name

        @property
        @override
        def control(self) -> LineTable:
            """The table."""
            return self.table

    class Opened(About):
        """A row was opened."""

    class Moved(About):
        """The cursor stands on another row; an empty name means a heading or nothing."""

    class Folded(About):
        """A group is to be closed or opened; the name is its key."""

    class SortAsked(About):
        """The rows are to be sorted by a column; the name is its key."""

    def __init__(self, columns: Sequence[Column], *, id: str | None = None) -> None:  # noqa: A002 - Textual's own word
        """With these columns, and no rows yet."""
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._shown = Arrangement()
        self._at = 0
        self._anchor: int | None = None
        self._marks: frozenset[str] = frozenset()
        self._sorted_by = ("", False)
        self._strips: LRUCache[tuple[Any, ...], Strip] = LRUCache(1000)
        self._version = 0

    # --- what is shown

    def show(
        self, arrangement: Arrangement, *, sorted_by: str = "", descending: bool = False
    ) -> None:
        """Show these lines; the cursor stays with its row, or at its height where the row is gone."""
        name = self._name_at(self._at)
        height = self._at - round(self.scroll_offset.y)
        self._shown = arrangement
        self._sorted_by = (sorted_by, descending)
        self._anchor = None
        lines = len(arrangement.lines)
        self._at = arrangement.places.get(name, min(self._at, max(0, lines - 1)))
        self.virtual_size = Size(self.scrollable_content_region.width, lines + 1)
        self.scroll_to(y=self._top(self._at - height), animate=False, force=True)
        self._redraw()
        if self._name_at(self._at) != name:
            self._tell_moved()

    def _top(self, wanted: int) -> int:
        """The line that stands first: with the heading right above it, which would be missed."""
        above = self._shown.lines[wanted - 1] if wanted > 0 else None
        return max(0, wanted - isinstance(above, Heading))

    @property
    def current(self) -> str:
        """The name under the cursor; empty on a heading and in an empty table."""
        name = self._name_at(self._at)
        return "" if name.startswith("\0") else name

    @property
    def listed(self) -> int:
        """Number of rows that are listed, those of closed groups included."""
        return len(self._shown.rows)

    def go_to(self, name: str) -> None:
        """Set the cursor on a row, where it is listed."""
        place = self._shown.places.get(name)
        if place is not None:
            self._set(place)

    def _name_at(self, place: int) -> str:
        lines = self._shown.lines
        return str(lines[place].name) if 0 <= place < len(lines) else ""

    def _redraw(self) -> None:
        self._version += 1
        self._strips.clear()
        self.refresh()

    # --- moving

    def action_move(self, by: int) -> None:
        """Move the cursor by lines."""
        self._anchor = None
        self._set(self._at + by)

    def action_page(self, by: int) -> None:
        """Move it by screens."""
        self.action_move(by * max(1, self.scrollable_content_region.height - 2))

    def action_edge(self, side: int) -> None:
        """Move it to the first line, or to the last."""
        self.action_move(side * len(self._shown.lines))

    def _set(self, place: int) -> None:
        place = max(0, min(place, len(self._shown.lines) - 1))
        if place == self._at:
            return
        self._at = place
        height = max(1, self.scrollable_content_region.height - 1)
        top = round(self.scroll_offset.y)
        if place < top:
            self.scroll_to(y=place, animate=False, force=True)
        elif place >= top + height:
            self.scroll_to(y=place - height + 1, animate=False, force=True)
        self.refresh()
        self._tell_moved()

    def _tell_moved(self) -> None:
        self.post_message(self.Moved(self, self.current))

    def action_open(self) -> None:
        """Open the row, or close or open the group."""
        if not self._shown.lines:
            return
        line = self._shown.lines[self._at]
        if isinstance(line, Heading):
            self.post_message(self.Folded(self, line.key))
        else:
            self.post_message(self.Opened(self, line.name))

    # --- the mouse

    def on_click(self, event: events.Click) -> None:
        """The header sorts; a line takes the cursor; twice opens it."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            self._sort_at(offset.x)
            return
        place = round(self.scroll_offset.y) + offset.y - 1
        if place >= len(self._shown.lines):
            return
        before = self._at
        self._set(place)
        if event.chain > 1:
            self.action_open()
        else:
            self._clicked(event, before, in_gutter=offset.x < _GUTTER)

    def _clicked(self, event: events.Click, before: int, *, in_gutter: bool) -> None:
        """The cursor was set by a click; it was at `before`."""

    def _sort_at(self, x: int) -> None:
        left = _GUTTER
        for column, width in share(self._columns, self._width - _GUTTER):
            if left <= x < left + width + GAP and column.order is not None:
                self.post_message(self.SortAsked(self, column.key))
            left += width + GAP

    # --- drawing

    @property
    def _width(self) -> int:
        return self.scrollable_content_region.width

    def on_resize(self) -> None:
        """Columns share the new width."""
        self.virtual_size = Size(self._width, len(self._shown.lines) + 1)
        self._redraw()

    @override
    def notify_style_update(self) -> None:
        """Colours changed."""
        super().notify_style_update()
        self._strips.clear()

    @override
    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        width = self._width
        if y == 0:
            return self._header(width)
        place = round(self.scroll_offset.y) + y - 1
        if place >= len(self._shown.lines):
            return Strip.blank(width, self.rich_style)
        line = self._shown.lines[place]
        cursor, marked = place == self._at, line.name in self._marks
        key = (self._version, place, cursor, marked, width, self.has_focus)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._drawn(line, width, cursor=cursor, marked=marked)
            self._strips[key] = strip
        return strip

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"host-table--{name}", partial=True)

    def _header(self, width: int) -> Strip:
        style = self.rich_style + self._style("header")
        text = " " * _GUTTER
        key, descending = self._sorted_by
        for column, cells in share(self._columns, width - _GUTTER):
            sign = ("▼" if descending else "▲") if column.key == key else ""
            text += fit(f"{column.title}{sign}", cells, right=column.right) + " " * GAP
        return Strip([Segment(fit(text.rstrip(), width), style)], width)

    def _drawn(self, line: Any, width: int, *, cursor: bool, marked: bool) -> Strip:
        style = self.rich_style
        if marked:
            style += self._style("marked")
        if cursor:
            style += self._style("cursor")
        signs = ("▸" if cursor else " ") + ("✓" if marked else " ") + " "
        if isinstance(line, Heading):
            text = f"{'▶' if line.closed else '▼'} {line.key or '(none)'}: {line.count}"
            parts = [Segment(signs, style)]
            parts.append(Segment(fit(text, width - _GUTTER), style + self._style("heading")))
            return Strip(parts, width)
        parts = [Segment(signs, style)]
        for column, cells in share(self._columns, width - _GUTTER):
            tone = column.tone(line) if column.tone is not None else ""
            ink = style + self._style(tone) if tone else style
            parts.append(Segment(fit(column.text(line), cells, right=column.right), ink))
            parts.append(Segment(" " * GAP, style))
        return Strip(parts).adjust_cell_length(width, style)


class HostTable(LineTable):
    """A table whose rows can be marked; marks outlive every change of the rows."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(MARK_ACTIONS)

    class Marked(Message):
        """Other rows are marked than before."""

        def __init__(self, names: frozenset[str]) -> None:
            """All of them by name."""
            super().__init__()
            self.names = names

    @property
    def marks(self) -> frozenset[str]:
        """The marked rows by name, also those that are not listed now."""
        return self._marks

    @property
    def chosen(self) -> tuple[str, ...]:
        """What an action is for: the marked rows in order of name, else the one under the cursor."""
        return tuple(sorted(self._marks)) or ((self.current,) if self.current else ())

    def action_mark(self) -> None:
        """Mark or unmark the row and go on to the next; on a heading all rows of an open group."""
        if not self._shown.lines:
            return
        line = self._shown.lines[self._at]
        if isinstance(line, Heading):
            below = self._shown.lines[self._at + 1 : self._at + 1 + line.count]
            names = () if line.closed else tuple(row.name for row in below)
        else:
            names = (line.name,)
        self._turn(names)
        self.action_move(1)

    def action_extend(self, by: int) -> None:
        """Mark from where this began to the next line."""
        self._anchor = self._at if self._anchor is None else self._anchor
        self._set(self._at + by)
        self._mark_between(self._anchor, self._at)

    def _mark_between(self, one: int, other: int) -> None:
        lines = self._shown.lines[min(one, other) : max(one, other) + 1]
        self._set_marks(self._marks | {row.name for row in lines if not isinstance(row, Heading)})

    def action_mark_all(self) -> None:
        """Mark every row of the list, those of closed groups included."""
        self._set_marks(self._marks | self._listed_names())

    def action_invert(self) -> None:
        """Mark the listed rows that are not marked, and those alone."""
        self._set_marks((self._marks - self._listed_names()) | (self._listed_names() - self._marks))

    def action_unmark(self) -> None:
        """Take all marks away."""
        self._set_marks(frozenset())

    def _listed_names(self) -> frozenset[str]:
        return frozenset(row.name for row in self._shown.rows)

    def _turn(self, names: Iterable[str]) -> None:
        found = frozenset(names)
        self._set_marks(self._marks - found if found <= self._marks else self._marks | found)

    def _set_marks(self, names: frozenset[str]) -> None:
        if names != self._marks:
            self._marks = names
            self.refresh()
            self.post_message(self.Marked(names))

    @override
    def _clicked(self, event: events.Click, before: int, *, in_gutter: bool) -> None:
        """With shift all lines in between are marked; with Ctrl, or in the gutter, this one."""
        if event.shift:
            self._mark_between(before, self._at)
        elif (event.ctrl or in_gutter) and self.current:
            self._turn((self.current,))
