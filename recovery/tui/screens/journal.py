"""The Journal screen."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from recovery.tui.actions import Action, bindings
from recovery.tui.screens.page import Page


class JournalScreen(Page):
    """Not there yet."""

    NAME = "journal"
    ACTIONS: ClassVar[tuple[Action, ...]] = ()
    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS)
