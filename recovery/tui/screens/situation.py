"""The start screen: how things stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from typing_extensions import override

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

    def action_triage(self) -> None:
        """Look at every host."""
        self.ask(self._triage(), lambda run: self.tell(f"run {run} looks at the hosts"))

    async def _triage(self) -> str:
        return await self.gateway.start(self.gateway.request("triage"))
