"""The question before leaving while runs go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static
from typing_extensions import override


class QuitScreen(ModalScreen[bool]):
    """Tells which runs go on; dismissed with whether to leave."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("q,y,enter", "dismiss(True)", "Leave"),
        ("escape,n", "dismiss(False)", "Stay"),
    ]

    def __init__(self, runs: Sequence[str]) -> None:
        """These runs go on."""
        super().__init__()
        self._runs = runs

    @override
    def compose(self) -> ComposeResult:
        """A few lines."""
        with Vertical(classes="dialog") as box:
            box.border_title = "Leave the dashboard?"
            box.border_subtitle = "q leaves   Esc stays"
            names = ", ".join(self._runs)
            yield Static(
                f"{names}\n\ngo on without this screen, as a process of their own. "
                "Nothing is stopped by leaving.",
                markup=False,
            )
