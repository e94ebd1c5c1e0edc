"""Why the picture is not up to date, in whole sentences below the banner; nothing while it is."""

from __future__ import annotations

from textual.reactive import reactive
from textual.widgets import Static

from recovery.tui.inert import content
from recovery.tui.snapshot import EMPTY, Snapshot

_MOST = 600
"""Characters."""


class ProblemLine(Static):
    """As high as what it says."""

    DEFAULT_CSS = """
    ProblemLine {
        height: auto;
        max-height: 6;
        padding: 0 1;
        background: $error;
        color: $background;
        text-style: bold;
        display: none;
    }
    """

    snapshot: reactive[Snapshot] = reactive(EMPTY, init=False, repaint=False)

    def __init__(self) -> None:
        """There is none yet."""
        super().__init__(markup=False)
        self._told = ""

    def watch_snapshot(self) -> None:
        """Say what is new."""
        problem = self.snapshot.problem
        if problem != self._told:
            self._told = problem
            self.display = bool(problem)
            self.update(content(problem, longest=_MOST))
