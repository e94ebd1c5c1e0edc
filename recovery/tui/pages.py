"""The screens that one switches between."""

from __future__ import annotations

from recovery.tui.screens.fleet import FleetScreen
from recovery.tui.screens.hands import HandsScreen
from recovery.tui.screens.journal import JournalScreen
from recovery.tui.screens.page import Page
from recovery.tui.screens.runs import RunsScreen
from recovery.tui.screens.situation import SituationScreen

MODES: dict[str, type[Page]] = {
    "situation": SituationScreen,
    "fleet": FleetScreen,
    "runs": RunsScreen,
    "hands": HandsScreen,
    "journal": JournalScreen,
}
