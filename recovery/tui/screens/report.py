"""The status report for management."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static
from typing_extensions import override

from recovery.tui.snapshot import Snapshot


class ReportScreen(ModalScreen[None]):
    """One page."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,s,q", "dismiss", "Close")]

    def __init__(self, snapshot: Snapshot) -> None:
        """Of this moment."""
        super().__init__()
        self._snapshot = snapshot

    @override
    def compose(self) -> ComposeResult:
        """The report, and what can be done with it."""
        with VerticalScroll(classes="dialog wide") as box:
            box.border_title = "Status report"
            yield Static("", markup=False)
