"""The Runs screen: plan and begin, watch, approve, pause, go on, stop, try again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

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
from recovery.tui.fleet_rows import limits_for
from recovery.tui.gateway import Verb
from recovery.tui.inert import content
from recovery.tui.run_words import RunRow, columns, run_lines
from recovery.tui.screens.confirm import Confirm
from recovery.tui.screens.page import Page
from recovery.tui.screens.plan import PlanScreen
from recovery.tui.snapshot import RunLine, Snapshot
from recovery.tui.widgets.arrangement import arrange
from recovery.tui.widgets.host_table import TABLE_ACTIONS, HostTable

_AGAIN = (Outcome.FAILED, Outcome.UNREACHABLE, Outcome.CANCELLED)


def _some(snapshot: Snapshot) -> str:
    return "" if snapshot.runs else "there is no run yet"


def _open(snapshot: Snapshot) -> str:
    return "" if any(line.is_open for line in snapshot.runs) else "no run goes on"


def _asking(snapshot: Snapshot) -> str:
    asked = any(line.view.asked for line in snapshot.runs if line.is_open)
    return "" if asked else "no run waits for approval"


_OWN = (
    Action("runs.new", "n", "New run", "Choose a playbook, plan it, begin it", "Runs", shown=True),
    Action("runs.approve", "y", "Approve", "Let the run go on", "Runs", shown=True, ready=_asking),
    Action("runs.pause", "p", "Pause", "Begin nothing new", "Runs", shown=True, ready=_open),
    Action("runs.resume", "c", "Continue", "Go on, or take it up", "Runs", shown=True, ready=_open),
    Action("runs.cancel", "e", "End", "End what was not begun", "Runs", ready=_open),
    Action(
        "runs.abort", "X", "Abort", "Stop now, also in the middle", "Runs", shown=True, ready=_open
    ),
    Action(
        "runs.retry",
        "t",
        "Retry",
        "Plan anew for those not helped",
        "Runs",
        shown=True,
        ready=_some,
    ),
)


class RunsScreen(Page):
    """The runs, newest first, above the one under the cursor."""

    DEFAULT_CSS = """
    RunsScreen HostTable { height: 1fr; min-height: 5; max-height: 33%; }
    RunsScreen #detail { height: 2fr; padding: 0 1; border-top: solid $border; }
    """
    NAME = "runs"
    AUTO_FOCUS = "HostTable"
    ACTIONS: ClassVar[tuple[Action, ...]] = (*_OWN, *TABLE_ACTIONS)
    BINDINGS: ClassVar[list[BindingType]] = bindings(_OWN)

    @override
    def body(self) -> Iterable[Widget]:
        """The list above one run."""
        yield HostTable(columns(), id="runs")
        yield VerticalScroll(
            Static("No run yet: n plans one.", id="run", markup=False), id="detail", can_focus=False
        )

    @property
    def table(self) -> HostTable:
        """The list."""
        return self.query_one("#runs", HostTable)

    def on_screen_resume(self) -> None:
        """The list has the keys when one comes here."""
        super().on_screen_resume()
        self.table.focus()

    def watch_snapshot(self, old: Snapshot, new: Snapshot) -> None:
        """Show the runs."""
        rows = [RunRow(line.run, line) for line in reversed(new.runs)]
        self.table.show(arrange(rows))
        before = old.focus.run if old.focus is not None else ""
        if new.focus is not None and new.focus.run != before:
            self.table.go_to(new.focus.run)
        self._detail()

    @property
    def current(self) -> RunLine | None:
        """The run under the cursor."""
        return self.snapshot.run(self.table.current)

    @on(HostTable.Moved)
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

    def _command(self, verb: Verb, gate: str = "") -> None:
        line = self.current
        if line is None or not line.is_open:
            self.tell("this run has finished", severe=True)
            return
        run = line.run
        self.ask(
            self.gateway.command(run, verb, gate), lambda _: self.tell(f"{run}: {verb} was told")
        )

    def action_approve(self) -> None:
        """Answer the first question of the run."""
        line = self.current
        if line is None or not line.view.asked:
            self.tell("this run waits for no approval", severe=True)
            return
        self._command("approve", line.view.asked[0].gate)

    def action_pause(self) -> None:
        """Begin nothing new."""
        self._command("pause")

    def action_resume(self) -> None:
        """Go on after a pause; take a run up that nobody carries out."""
        line = self.current
        if line is not None and line.is_open and not line.carried_by:
            run = line.run
            self.ask(self.gateway.take_up(run), lambda _: self.tell(f"{run} was taken up"))
        else:
            self._command("resume")

    @work(exclusive=True, group="stop")
    async def action_cancel(self) -> None:
        """End the run: what is under way ends first."""
        await self._stop(
            "cancel", "Hosts that were not begun are left alone; what is under way ends."
        )

    @work(exclusive=True, group="stop")
    async def action_abort(self) -> None:
        """Stop the run now."""
        await self._stop(
            "abort",
            "It stops now. Hosts may be in the middle of a step; c takes the run up again, and looks at them anew.",
        )

    async def _stop(self, verb: Verb, words: str) -> None:
        line = self.current
        if line is None or not line.is_open:
            self.tell("this run has finished", severe=True)
            return
        title = f"{verb.title()} {line.run}?"
        if await self.app.push_screen_wait(Confirm(title, words, verb, "the word")):
            self._command(verb)

    @work(exclusive=True, group="plan")
    async def action_retry(self) -> None:
        """Plan the same playbook for the hosts that this run did not help."""
        line = self.current
        if line is None or line.view.started is None:
            return
        try:
            view = await self.gateway.view(line.run)
            names = _left(view)
            limits = limits_for(names) if names else ()
        except (RecoveryError, ValueError) as error:
            self.tell(str(error), severe=True)
            return
        if not names:
            self.tell(f"every host of {line.run} was helped, or waits for people")
            return
        what = f"{len(names)} hosts that {line.run} did not help"
        await self._plan(PlanScreen(self.gateway, line.view.started.playbook, limits, what))


def _left(view: RunView) -> list[str]:
    return [name for name, state in view.states.items() if state.outcome in _AGAIN]
