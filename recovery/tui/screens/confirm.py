"""The question before something that cannot be taken lightly: the answer is typed, never just a key."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from typing_extensions import override

from recovery.tui.inert import content


class Confirm(ModalScreen[bool]):
    """True once the word was typed."""

    DEFAULT_CSS = """
    Confirm > .dialog { border: heavy $warning; padding: 0 1; }
    Confirm VerticalScroll { height: auto; max-height: 10; }
    Confirm #ask { text-style: bold; margin-top: 1; }
    Confirm #wrong { color: $text-error; height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss(False)", "Do nothing")]

    def __init__(self, title: str, words: str, answer: str, what: str) -> None:
        """Ask for `answer`, which is `what`: `the number of hosts`."""
        super().__init__()
        self._title, self._words, self._answer, self._what = title, words, answer, what

    @override
    def compose(self) -> ComposeResult:
        """The words, the question, the field."""
        with Vertical(classes="dialog wide") as box:
            box.border_title = content(self._title)
            box.border_subtitle = "Esc does nothing"
            with VerticalScroll(can_focus=False):
                for line in self._words.splitlines():
                    yield Static(content(line))
            yield Static(content(f"Type {self._what}, {self._answer}, and press Enter:"), id="ask")
            yield Input(id="answer", compact=True)
            yield Static("", id="wrong", markup=False)

    def on_mount(self) -> None:
        """The field has the keys."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    async def _answered(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip() == self._answer:
            _ = self.dismiss(result=True)
            return
        wrong = f"✗ That is not {self._what}, {self._answer}"
        self.query_one("#wrong", Static).update(content(wrong))
