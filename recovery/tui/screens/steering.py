"""What people may say to the run that goes on: approve, pause, go on, abort, cancel, take up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from recovery.errors import RecoveryError
from recovery.tui.actions import Action
from recovery.tui.gateway import Verb
from recovery.tui.inert import plain
from recovery.tui.screens.question import Question
from recovery.tui.snapshot import RunLine, Snapshot

if TYPE_CHECKING:
    from recovery.tui.screens.page import Page as Host
else:
    Host = object

_NO_RUN = "no run goes on"


def _live(snapshot: Snapshot) -> str:
    line = snapshot.focus
    return "" if line is not None and line.is_live else _NO_RUN


def _asked(snapshot: Snapshot) -> str:
    line = snapshot.focus
    if line is None or not line.is_live:
        return _NO_RUN
    return "" if line.view.asked else "no run asks anything"


def _orphaned(snapshot: Snapshot) -> str:
    line = snapshot.focus
    if line is None or not line.is_open:
        return "no run is open"
    return "a process carries it out" if line.carried_by else ""


def steering(screen: str) -> tuple[Action, ...]:
    """The actions, for one screen."""
    return (
        Action(f"{screen}.approve", "a", "Approve", "Answer what the run asks", "Run", ready=_asked, shown=True),
        Action(f"{screen}.pause", "p", "Pause/go on", "Begin nothing new, or go on", "Run", ready=_live, shown=True),
        Action(f"{screen}.take_up", "u", "Take up", "Go on with a run that nobody carries out", "Run", ready=_orphaned),
        Action(f"{screen}.abort", "x", "Abort", "Stop now, to go on later", "Run", ready=_live),
        Action(f"{screen}.cancel", "X", "Cancel", "End the run: hosts not begun are left alone", "Run", ready=_live),
    )  # fmt: skip


class Steering(Host):
    """Mixed into a page whose run people steer."""

    def steered(self) -> RunLine | None:
        """The run that is meant."""
        return self.snapshot.focus

    @work(exit_on_error=False)
    async def action_approve(self) -> None:
        """Ask whether to let the run pass its gate."""
        line = self.steered()
        if line is None or not line.view.asked:
            return
        asked = line.view.asked[0]
        words = f"{plain(asked.question, 600)}\n\nrun {line.run}, gate {plain(asked.gate, 40)}"
        if await self.app.push_screen_wait(Question("Approve?", words, "y approves")):
            await self._say(line.run, "approve", asked.gate)

    @work(exit_on_error=False)
    async def action_pause(self) -> None:
        """Pause, or go on."""
        line = self.steered()
        if line is not None:
            await self._say(line.run, "resume" if line.view.paused else "pause")

    @work(exit_on_error=False)
    async def action_abort(self) -> None:
        """Stop the run as Ctrl-C does."""
        await self._confirmed(
            "abort",
            "Abort this run?",
            "Steps under way end first, nothing new is begun, and a checkpoint is written. "
            "Take it up later where it stopped.",
        )

    @work(exit_on_error=False)
    async def action_cancel(self) -> None:
        """End the run for good."""
        await self._confirmed(
            "cancel",
            "Cancel this run?",
            "Hosts that were begun are brought to their end; all others are left alone. "
            "It cannot be taken up again.",
        )

    def action_take_up(self) -> None:
        """Go on with a run that nobody carries out."""
        line = self.steered()
        if line is not None:
            self.ask(self.gateway.take_up(line.run), lambda run: self.tell(f"run {run} goes on"))

    async def _confirmed(self, verb: Verb, title: str, words: str) -> None:
        line = self.steered()
        if line is None:
            return
        if await self.app.push_screen_wait(Question(title, f"{line.run}\n\n{words}", f"y: {verb}")):
            await self._say(line.run, verb)

    async def _say(self, run: str, verb: Verb, gate: str = "") -> None:
        try:
            await self.gateway.command(run, verb, gate)
        except RecoveryError as error:
            self.tell(str(error), severe=True)
            return
        self.tell(f"told the run: {verb} {gate}".strip())
