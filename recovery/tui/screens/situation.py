"""The Situation screen."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from recovery.tui.actions import Action, bindings
from recovery.tui.screens.page import Page


class SituationScreen(Page):
    """Not there yet."""

    NAME = "situation"
    ACTIONS: ClassVar[tuple[Action, ...]] = ()
    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS)
