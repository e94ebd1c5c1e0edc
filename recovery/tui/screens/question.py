"""A question that is answered with yes or no."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static
from typing_extensions import override

from recovery.tui.inert import content
from recovery.tui.plan_words import Line


class Question(ModalScreen[bool]):
    """Dismissed with whether the answer is yes. Enter is no answer: it is pressed too easily."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("y", "dismiss(True)", "Yes"),
        ("n,escape,q", "dismiss(False)", "No"),
    ]

    def __init__(self, title: str, words: str, yes: str, world: Line) -> None:
        """`words` are shown as they are, below which machines are meant; `yes` says what y does."""
        super().__init__()
        self._title = title
        self._words = words
        self._yes = yes
        self._world = world

    @override
    def compose(self) -> ComposeResult:
        """A few lines."""
        with Vertical(classes="dialog") as box:
            box.border_title = self._title
            box.border_subtitle = f"{self._yes}   Esc: no"
            style, world = self._world
            yield Static(content(world, style))
            yield Static(self._words, markup=False)
