"""A few fields for something that is to happen at the desk; what is refused is said beside them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static
from typing_extensions import override

from recovery.errors import RecoveryError
from recovery.tui.inert import content

_LONGEST = 500


class Field(NamedTuple):
    """One thing to be said."""

    name: str
    title: str
    value: str = ""
    needed: bool = True


class Asked(NamedTuple):
    """What the form is about."""

    title: str
    words: str
    fields: Sequence[Field]
    lead: str = ""
    """Who may act against a holder; empty where that makes no difference."""


Act = Callable[[Mapping[str, str], bool], Awaitable[str]]
"""What is done with the values, and whether as a lead; returns what came of it, or raises `RecoveryError`."""


class DeskForm(ModalScreen[str]):
    """Dismissed with what came of it, or with nothing."""

    DEFAULT_CSS = """
    DeskForm Horizontal { height: 1; }
    DeskForm Label { width: 18; }
    DeskForm Input { width: 1fr; }
    DeskForm #words { margin-bottom: 1; }
    DeskForm #lead { color: $warning; height: auto; }
    DeskForm #wrong { color: $text-error; height: auto; }
    DeskForm #wrong.busy { color: $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "leave", "Do nothing"),
        ("ctrl+l", "lead", "As lead"),
    ]

    def __init__(self, asked: Asked, act: Act) -> None:
        """Ask for the fields, and act."""
        super().__init__()
        self._asked = asked
        self._act = act
        self._as_lead = False
        self._busy = False

    @override
    def compose(self) -> ComposeResult:
        """Words, fields, and room for what is wrong."""
        asked = self._asked
        with Vertical(classes="dialog wide") as box:
            box.border_title = content(asked.title)
            lead = "   Ctrl+L as lead" if asked.lead else ""
            box.border_subtitle = f"Enter does it   Tab next field{lead}   Esc does nothing"
            yield Static(content(asked.words), id="words")
            for field in asked.fields:
                with Horizontal():
                    yield Label(field.title, markup=False)
                    yield Input(field.value, id=field.name, compact=True, max_length=_LONGEST)
            yield Static("", id="lead", markup=False)
            yield Static("", id="wrong", markup=False)

    def on_mount(self) -> None:
        """The first field that is empty has the keys."""
        self._empty().focus()

    def _empty(self, *, needed: bool = False) -> Input:
        fields = [field for field in self._asked.fields if field.needed or not needed]
        found = [self.query_one(f"#{field.name}", Input) for field in fields]
        return next((field for field in found if not field.value.strip()), found[0])

    def action_lead(self) -> None:
        """Act as lead, or do not."""
        if self._asked.lead and not self._busy:
            self._as_lead = not self._as_lead
            words = f"As lead {self._asked.lead}: also against whoever holds it."
            self.query_one("#lead", Static).update(content(words if self._as_lead else ""))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        empty = self._empty(needed=True)
        if not empty.value.strip():
            empty.focus()
            self._wrong("say this too")
            return
        if not self._busy:
            self._say_busy(busy=True)
            self.carry_out()

    def action_leave(self) -> None:
        """Do nothing; what is being done is told first."""
        if not self._busy:
            _ = self.dismiss("")

    @work
    async def carry_out(self) -> None:
        """Do it, and close if it was done."""
        values = {
            field.name: self.query_one(f"#{field.name}", Input).value.strip()
            for field in self._asked.fields
        }
        try:
            said = await self._act(values, self._as_lead)
        except RecoveryError as error:
            self._say_busy(busy=False)
            self._wrong(str(error))
            return
        _ = self.dismiss(said)

    def _say_busy(self, *, busy: bool) -> None:
        """Say it; until it is over, nothing is done again and nobody leaves."""
        self._busy = busy
        line = self.query_one("#wrong", Static)
        line.set_class(busy, "busy")
        line.update(content("▸ writes…" if busy else ""))

    def _wrong(self, words: str) -> None:
        self.query_one("#wrong", Static).update(content(f"✗ {words}"))
