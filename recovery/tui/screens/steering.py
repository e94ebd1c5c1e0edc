"""What people may say to the run that goes on: approve, pause, go on, abort, cancel, take up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from recovery.errors import RecoveryError
from recovery.journal.views import RunView
from recovery.tui.actions import Action
from recovery.tui.draw.figures import some
from recovery.tui.gateway import Verb
from recovery.tui.inert import plain
from recovery.tui.plan_words import world_line
from recovery.tui.screens.question import Question
from recovery.tui.snapshot import RunLine, Snapshot

if TYPE_CHECKING:
    from recovery.tui.screens.page import Page as Host
else:
    Host = object

_NO_RUN = "no run goes on"


def _live(snapshot: Snapshot) -> str:
    line = snapshot.steered
    if line is None:
        return _NO_RUN
    if not line.is_open:
        return f"run {line.run} has finished"
    return "" if line.carried_by else f"nobody carries run {line.run} out: take it up first"


def _asked(snapshot: Snapshot) -> str:
    line = snapshot.steered
    return _live(snapshot) or ("" if line and line.view.asked else "the run asks nothing")


def _orphaned(snapshot: Snapshot) -> str:
    line = snapshot.steered
    if line is None or not line.is_open:
        return _live(snapshot)
    return f"{line.carried_by} carries run {line.run} out" if line.carried_by else ""


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

    _paused: RunView | None = None
    """The run as it stood when it was told to pause: while nothing is newer, that is under way."""

    @property
    def steered(self) -> RunLine | None:
        """The run that is meant."""
        return self.aimed(self.snapshot).steered

    @work(exit_on_error=False)
    async def action_approve(self) -> None:
        """Ask whether to let the run pass its gate."""
        line = self.steered
        if line is None or not line.view.asked:
            return
        asked = line.view.asked[0]
        words = f"{plain(asked.question, 600)}\n\ngate {plain(asked.gate, 40)}"
        if await self._yes(line, "Approve?", words, "y approves"):
            await self._say(line.run, "approve", asked.gate)

    @work(exit_on_error=False)
    async def action_pause(self) -> None:
        """Pause at once; go on after a question, also where the pause is only just under way."""
        line = self.steered
        if line is None:
            return
        if line.view.paused or line.view is self._paused:
            words = "It is paused. It begins new steps and waves again."
            if await self._yes(line, "Go on with this run?", words, "y: go on"):
                await self._say(line.run, "resume")
            return
        self._paused = line.view
        await self._say(line.run, "pause")

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

    @work(exit_on_error=False)
    async def action_take_up(self) -> None:
        """Go on with a run that nobody carries out, after a question."""
        line = self.steered
        if line is None:
            return
        what = "It changes machines" if line.changes else "It changes nothing"
        words = f"{what}, and goes on where it stopped, in a process of its own."
        if await self._yes(line, "Take this run up?", words, "y takes it up"):
            self.ask(self.gateway.take_up(line.run), lambda run: self.tell(f"run {run} goes on"))

    async def _confirmed(self, verb: Verb, title: str, words: str) -> None:
        line = self.steered
        if line is not None and await self._yes(line, title, words, f"y: {verb}"):
            await self._say(line.run, verb)

    async def _yes(self, line: RunLine, title: str, words: str, yes: str) -> bool:
        """Whether it is wanted for this run."""
        started = line.view.started
        what = f": {started.playbook} on {some(started.total, 'host')}" if started else ""
        named = plain(f"{line.run}{what}", 200)
        question = Question(title, f"{named}\n\n{words}", yes, world_line(mock=line.mock))
        return await self.app.push_screen_wait(question)

    async def _say(self, run: str, verb: Verb, gate: str = "") -> None:
        try:
            carrier = await self.gateway.command(run, verb, gate)
        except RecoveryError as error:
            self.tell(str(error), severe=True)
            return
        if carrier:
            self.tell(f"told the run: {verb} {gate}".strip())
        else:
            words = f"{verb} {gate}".strip()
            self.tell(
                f"{words} is noted, but nobody carries run {run} out: take it up", severe=True
            )
