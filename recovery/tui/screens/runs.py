"""The Runs screen: plan and begin, watch, approve, pause, go on, stop, try again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import msgspec
from textual import on, work
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static
from typing_extensions import override

from recovery.errors import RecoveryError
from recovery.journal.views import RunView
from recovery.model.events import Outcome
from recovery.tui.actions import Action, bindings
from recovery.tui.draw.figures import some
from recovery.tui.fleet_rows import limits_for
from recovery.tui.inert import content
from recovery.tui.run_words import RunRow, columns, run_lines
from recovery.tui.screens.page import Page
from recovery.tui.screens.plan import PlanScreen
from recovery.tui.screens.steering import Steering, steering
from recovery.tui.snapshot import RunLine, Snapshot
from recovery.tui.widgets.arrangement import arrange
from recovery.tui.widgets.host_table import TABLE_ACTIONS, LineTable

_AGAIN = (Outcome.FAILED, Outcome.UNREACHABLE, Outcome.CANCELLED)


def _some(snapshot: Snapshot) -> str:
    return "" if snapshot.runs else "there is no run yet"


_OWN = (
    Action("runs.new", "n", "New run", "Choose a playbook, plan it, begin it", "Runs", shown=True),
    Action(
        "runs.retry",
        "t",
        "Retry",
        "Plan anew for those not helped",
        "Runs",
        shown=True,
        ready=_some,
    ),
    Action(
        "runs.detail",
        "tab",
        "Text",
        "To the run's text, which arrows scroll, and back",
        "Runs",
        call="app.focus_next",
    ),
    *steering("runs"),
)


class RunsScreen(Steering, Page):
    """The runs, newest first, above the one under the cursor."""

    DEFAULT_CSS = """
    RunsScreen LineTable { height: 1fr; min-height: 5; max-height: 33%; }
    RunsScreen #run { width: 100%; }
    RunsScreen #detail { height: 2fr; padding: 0 1; border-top: solid $border; }
    RunsScreen #detail:focus { border-top: solid $accent; }
    """
    NAME = "runs"
    AUTO_FOCUS = "LineTable"
    ACTIONS: ClassVar[tuple[Action, ...]] = (*_OWN, *TABLE_ACTIONS)
    BINDINGS: ClassVar[list[BindingType]] = bindings(_OWN)

    @override
    def body(self) -> Iterable[Widget]:
        """The list above one run."""
        yield LineTable(columns(), id="runs")
        yield VerticalScroll(
            Static("No run yet: n plans one.", id="run", markup=False), id="detail"
        )

    @property
    def table(self) -> LineTable:
        """The list."""
        return self.query_one("#runs", LineTable)

    def on_screen_resume(self) -> None:
        """The list has the keys when one comes here."""
        super().on_screen_resume()
        self.table.focus()

    def watch_snapshot(self, old: Snapshot, new: Snapshot) -> None:
        """Show the runs."""
        rows = [RunRow(line.run, line) for line in reversed(new.runs)]
        before, stood = old.focus.run if old.focus is not None else "", self.table.current
        self.table.show(arrange(rows))
        if new.focus is not None and new.focus.run != before and stood in ("", before):
            self.table.go_to(new.focus.run)  # nobody had set the cursor on another run
        self._detail()

    @property
    def current(self) -> RunLine | None:
        """The run under the cursor."""
        return self.snapshot.run(self.table.current)

    @override
    def aimed(self, snapshot: Snapshot) -> Snapshot:
        """With the run under the cursor."""
        return msgspec.structs.replace(snapshot, chosen=self.table.current)

    @on(LineTable.Moved)
    def _moved(self) -> None:
        self.query_one("#detail").scroll_home(animate=False)
        if self.snapshot.chosen != self.table.current:
            self.take(self.snapshot)

    def _detail(self) -> None:
        line = self.current
        if line is not None:
            lines = (content(words, style) for style, words in run_lines(line))
            self.query_one("#run", Static).update(Content("\n").join(lines))

    # --- acting

    @work(exclusive=True, group="plan")
    async def action_new(self) -> None:
        """Plan a run."""
        await self._plan(PlanScreen(self.gateway))

    async def _plan(self, screen: PlanScreen) -> None:
        run = await self.app.push_screen_wait(screen)
        if run:
            self.tell(f"run {run} has begun")

    @work(exclusive=True, group="plan")
    async def action_retry(self) -> None:
        """Plan the same playbook for the hosts that this run did not help."""
        line = self.current
        if line is None:
            return
        try:
            view = await self.gateway.view(line.run)
            names = _left(view)
            asked = await self.gateway.again(line.run, limits_for(names)) if names else None
        except (RecoveryError, ValueError) as error:
            self.tell(str(error), severe=True)
            return
        if asked is None:
            self.tell(f"every host of {line.run} was helped, or waits for people")
            return
        what = f"{some(len(names), 'host')} that {line.run} did not help"
        await self._plan(PlanScreen(self.gateway, what=what, given=asked))


def _left(view: RunView) -> list[str]:
    return [name for name, state in view.states.items() if state.outcome in _AGAIN]
