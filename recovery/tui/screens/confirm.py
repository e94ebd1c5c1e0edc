"""The question before something that cannot be taken lightly: the answer is typed, never just a key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from typing_extensions import override

from recovery.tui.inert import content
from recovery.tui.plan_words import Line

_OTHER_LINES = 7
"""The frame, the world, the question on two lines, the field, and what was wrong."""


class Confirm(ModalScreen[bool]):
    """True once the word was typed. What is longer than the terminal is scrolled while the field has the keys."""

    DEFAULT_CSS = """
    Confirm #words { height: auto; scrollbar-size-vertical: 1; }
    Confirm #world, Confirm #ask, Confirm Input, Confirm #wrong { height: auto; }
    Confirm #ask { text-style: bold; }
    Confirm #wrong { color: $text-error; min-height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "dismiss(False)", "Do nothing"),
        ("up", "scroll_words(-1)", "Up"),
        ("down", "scroll_words(1)", "Down"),
        ("pageup", "page_words(-1)", "Page up"),
        ("pagedown", "page_words(1)", "Page down"),
    ]

    def __init__(self, title: str, lines: Iterable[Line], answer: str, what: str) -> None:
        """Ask for `answer`, which is `what`: `the number of hosts`. The first of the lines is always in sight."""
        super().__init__()
        self._title, self._answer, self._what = title, answer, what
        self._lines = tuple(lines)

    @override
    def compose(self) -> ComposeResult:
        """The words, the question, the field."""
        (style, first), *rest = self._lines
        with Vertical(classes="dialog wide") as box:
            box.border_title = content(self._title)
            box.border_subtitle = "Esc does nothing"
            yield Static(content(first, style), id="world")
            with VerticalScroll(id="words", can_focus=False):
                yield Static(Content("\n").join(content(text, look) for look, text in rest))
            yield Static(content(f"Type {self._what}, {self._answer}, and press Enter:"), id="ask")
            yield Input(id="answer", compact=True)
            yield Static("", id="wrong", markup=False)

    def on_mount(self) -> None:
        """The field has the keys."""
        self.query_one(Input).focus()

    def on_resize(self) -> None:
        """Leave room for the question, and say which keys bring the rest, where there is a rest."""
        self._words.styles.max_height = max(1, self.size.height - _OTHER_LINES)
        self.call_after_refresh(self._say_keys)

    def _say_keys(self) -> None:
        more = "↑↓ PgUp PgDn show the rest   " if self._words.max_scroll_y else ""
        self.query_one(".dialog").border_subtitle = f"{more}Esc does nothing"

    @property
    def _words(self) -> VerticalScroll:
        return self.query_one("#words", VerticalScroll)

    def action_scroll_words(self, lines: int) -> None:
        """Up and down."""
        self._words.scroll_relative(y=lines, animate=False)

    def action_page_words(self, pages: int) -> None:
        """A screen up or down."""
        self._words.scroll_relative(y=pages * max(1, self._words.size.height - 1), animate=False)

    @on(Input.Submitted)
    async def _answered(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip() == self._answer:
            _ = self.dismiss(result=True)
            return
        wrong = f"✗ That is not {self._what}, {self._answer}"
        self.query_one("#wrong", Static).update(content(wrong))
