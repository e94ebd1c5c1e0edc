"""A titled piece of a screen that draws itself from the snapshot, in the room that it has."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget
from typing_extensions import override

from recovery.tui.snapshot import EMPTY, Snapshot

Draw = Callable[[Snapshot, int, int], Content]
"""From a snapshot, width and height to what is shown. Pure."""


class Panel(Widget):
    """Draws again only when what it shows has changed."""

    DEFAULT_CSS = """
    Panel {
        height: auto;
        border-top: solid $border;
        border-title-color: $primary;
        border-title-style: bold;
    }
    """

    snapshot: reactive[Snapshot] = reactive(EMPTY, init=False, repaint=False)

    def __init__(self, title: str, draw: Draw, *, id: str, rows: int = 0) -> None:  # noqa: A002 - Textual's name
        """`rows` is what it draws for where its height depends on what it says; it counts from the next drawing on."""
        super().__init__(id=id)
        self._draw = draw
        self.rows = rows
        self._drawn = Content("")
        if title:
            self.border_title = title

    def watch_snapshot(self) -> None:
        """Draw what is new."""
        self._redraw()

    def on_resize(self) -> None:
        """Use the room there is."""
        self._redraw()

    @override
    def render(self) -> Content:
        """What was drawn."""
        return self._drawn

    def _redraw(self) -> None:
        width, height = self.size
        if width:
            drawn = self._draw(self.snapshot, width, self.rows or height)
            if not drawn.is_same(self._drawn):
                taller = drawn.plain.count("\n") != self._drawn.plain.count("\n")
                self._drawn = drawn
                self.refresh(layout=taller and self.styles.auto_dimensions)
