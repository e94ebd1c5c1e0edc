"""The start screen: how things stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import work
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.timer import Timer
from textual.widget import Widget
from typing_extensions import override

from recovery.errors import RecoveryError
from recovery.tui.actions import Action, bindings
from recovery.tui.draw.counts import headline, progress, services, sites, verdicts
from recovery.tui.draw.course import burn_down
from recovery.tui.draw.happenings import newest
from recovery.tui.draw.people import people
from recovery.tui.draw.run import run
from recovery.tui.screens.page import Page
from recovery.tui.screens.steering import Steering, steering
from recovery.tui.snapshot import Snapshot
from recovery.tui.widgets.panel import Draw, Panel

_ROWS = 8
"""Lines of a panel that is as high as what it says."""
_TALL, _ROWS_IF_TALL = 60, 14
"""Lines of a screen with room to spare, and of its sites and services."""
_UNTIL_SEEN = 15.0
"""Seconds after which a run that has begun is no longer waited for on the screen."""


def _may_triage(snapshot: Snapshot) -> str:
    if not snapshot.standing.total:
        return "no hosts are known"
    live = snapshot.focus
    if live is not None and live.is_live and live.view.started is not None:
        return f"{live.view.started.playbook} goes on"
    return ""


class SituationScreen(Steering, Page):
    """Counts, course, run, people, sites, services, events."""

    NAME = "situation"
    LETS_GO = True
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action(
            "situation.triage",
            "t",
            "Triage",
            "Find out what state every host is in; changes nothing",
            "Run",
            shown=True,
            ready=_may_triage,
        ),
        *steering("situation"),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS)

    def __init__(self) -> None:
        """Nothing begins yet."""
        super().__init__()
        self._busy = ""
        self._begun = ""
        self._until: Timer | None = None

    @override
    def body(self) -> Iterable[Widget]:
        """Panels that find their places by the style sheet."""
        yield self._panel("", headline, "headline", 3)
        with VerticalScroll(id="panels"):
            with Horizontal(id="now"):
                yield self._panel("Verdicts", verdicts, "verdicts")
                yield self._panel("Progress", progress, "progress")
                yield self._panel("Burn-down", burn_down, "course")
            with Horizontal(id="work"):
                yield self._panel("Run", run, "run", _ROWS)
                yield self._panel("Waits for a person", people, "people", _ROWS)
            with Horizontal(id="places"):
                yield self._panel("Sites: hosts to do", sites, "sites", _ROWS)
                yield self._panel(
                    "Services: hosts to do, loss an hour", services, "services", _ROWS
                )
            yield self._panel("Newest events", newest, "events")

    def _panel(self, title: str, draw: Draw, name: str, rows: int = 0) -> Panel:
        return Panel(title, draw, id=name, rows=rows).data_bind(Page.snapshot)

    def on_resize(self) -> None:
        """A large screen shows a higher burn-down, and more sites and services."""
        is_tall = self.size.height >= _TALL
        self.set_class(is_tall, "tall")
        for name in ("sites", "services"):
            self.query_one(f"#{name}", Panel).rows = _ROWS_IF_TALL if is_tall else _ROWS

    def watch_snapshot(self, snapshot: Snapshot) -> None:
        """Once the triage is seen that was begun here, it speaks for itself."""
        line = snapshot.run(self._begun) if self._begun else None
        if line is not None and (line.is_live or not line.is_open):
            self._say_busy("")

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing begins twice."""
        begins = action == "triage" and bool(self._busy)
        return None if begins else super().check_action(action, parameters)

    def action_triage(self) -> None:
        """Look at every host."""
        if not self._busy:
            self._say_busy("triage begins…")
            self.triage()

    @work(exit_on_error=False)
    async def triage(self) -> None:
        """Begin it, and tell what came of it."""
        try:
            run = await self.gateway.start(self.gateway.request("triage"))
        except RecoveryError as error:
            self._say_busy("")
            self.tell(str(error), severe=True)
            return
        self.tell(f"run {run} looks at the hosts")
        self._begun = run
        self._until = self.set_timer(_UNTIL_SEEN, lambda: self._say_busy(""))
        self.watch_snapshot(self.snapshot)

    def _say_busy(self, what: str) -> None:
        self._busy, self._begun = what, ""
        if self._until is not None:
            self._until.stop()
            self._until = None
        self.query_one("#run", Panel).border_title = f"Run: {what}" if what else "Run"
        self.refresh_bindings()
