"""A question that is answered with yes or no."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static
from typing_extensions import override


class Question(ModalScreen[bool]):
    """Dismissed with whether the answer is yes. Enter is no answer: it is pressed too easily."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("y", "dismiss(True)", "Yes"),
        ("n,escape,q", "dismiss(False)", "No"),
    ]

    def __init__(self, title: str, words: str, yes: str) -> None:
        """`words` are shown as they are; `yes` says what y does."""
        super().__init__()
        self._title = title
        self._words = words
        self._yes = yes

    @override
    def compose(self) -> ComposeResult:
        """A few lines."""
        with Vertical(classes="dialog") as box:
            box.border_title = self._title
            box.border_subtitle = f"{self._yes}   Esc: no"
            yield Static(self._words, markup=False)
