"""One event, whole."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static
from typing_extensions import override

from recovery.journal.views import describe
from recovery.ports import Stored
from recovery.tui.draw.figures import lines
from recovery.tui.inert import content

_MOST_LINES = 2000


class EventScreen(ModalScreen[None]):
    """In words, and as the journal has it."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,enter,q", "dismiss", "Close")]

    def __init__(self, stored: Stored) -> None:
        """Of this event."""
        super().__init__()
        self._stored = stored

    @override
    def compose(self) -> ComposeResult:
        """It scrolls."""
        event = self._stored.event
        document = msgspec.json.format(msgspec.json.encode(event), indent=1).decode()
        with VerticalScroll(classes="dialog wide") as box:
            box.border_title = f"Event {self._stored.seq}"
            box.border_subtitle = "Esc closes"
            head = Content.assemble(content(event.host, "bold"), "  ", content(describe(event)))
            body = [content(text, "$muted") for text in document.splitlines()[:_MOST_LINES]]
            yield Static(lines([head, Content(""), *body]), markup=False)
