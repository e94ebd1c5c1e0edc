"""What an operator sees of a run while it goes."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

from recovery.cli.output import Form, bold, data, event_line, inert, say
from recovery.errors import OutputError
from recovery.journal.views import describe
from recovery.model.events import (
    AnyEvent,
    ApprovalAsked,
    CredentialStopped,
    GuardTripped,
    HostFinished,
    Notice,
    Outcome,
    RunFinished,
    RunHeld,
    RunResumed,
    RunStarted,
    WaveClosed,
    WaveOpened,
)
from recovery.model.playbook import Step

if TYPE_CHECKING:
    from recovery.engine.run import Run

_WORDS_SHOWN = 200
"""Characters of an own command in a plan."""
_ALWAYS = frozenset(
    (
        RunStarted,
        RunResumed,
        RunFinished,
        RunHeld,
        WaveOpened,
        WaveClosed,
        GuardTripped,
        ApprovalAsked,
        CredentialStopped,
        Notice,
    )
)
_NOTEWORTHY = (Outcome.FAILED, Outcome.UNREACHABLE, Outcome.HANDED_OVER)


def observer(form: Form, verbosity: int) -> Callable[[AnyEvent], None]:
    """Prints each event as a line of JSON, or tells the important ones."""
    broken = False

    def stream(event: AnyEvent) -> None:
        nonlocal broken
        if broken:
            return
        try:
            data(event_line(event))
        except OutputError as error:
            # Hosts are in the middle of their steps: the run goes on, and the journal has all of it.
            broken = True
            reason = "nobody reads the output any more" if error.pipe else str(error)
            say(f"warning: {reason}; the run goes on, see the journal")

    def narrate(event: AnyEvent) -> None:
        important = type(event) in _ALWAYS or (
            isinstance(event, HostFinished) and event.outcome in _NOTEWORTHY
        )
        if important or verbosity:
            host = f"{event.host}: " if event.host else ""
            words = inert(host + describe(event))[:400]
            say(f"{event.at:%H:%M:%S}  {bold(words) if isinstance(event, GuardTripped) else words}")

    return stream if form == "jsonl" else narrate


class Interrupts:
    """Ctrl-C once: end what is under way, write a checkpoint. Twice: stop now. SIGUSR1: say what is waited for."""

    def __init__(self) -> None:
        """No run is known yet."""
        self._run: Run | None = None
        self._count = 0
        self._before: dict[int, Any] = {}

    def watch(self, run: Run) -> None:
        """This is the run to stop."""
        self._run = run

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number, handler in (
                (signal.SIGINT, self._interrupt),
                (signal.SIGTERM, self._interrupt),
                (signal.SIGHUP, self._interrupt),
                (signal.SIGUSR1, self._tell),
            ):
                self._before[number] = signal.signal(number, handler)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self._count += 1
        if self._run is None:
            raise KeyboardInterrupt
        if self._count == 1:
            say("interrupted: nothing new is begun, steps under way end first (again: stop now)")
            self._run.stop()
            return
        middle = self._run.abort()
        say(f"stopped now; in the middle of a step may be: {', '.join(middle) or 'no host'}")

    def _tell(self, _number: int, _frame: FrameType | None) -> None:
        for wait in self._run.waiting() if self._run else ():
            say(
                f"{wait.count} hosts: {wait.why}, the longest for {wait.seconds:.0f} s ({', '.join(wait.oldest)})"
            )


def confirm(words: str, hosts: int, *, yes: bool) -> bool:
    """Whether the operator wants it: by --yes, or by typing the number of hosts at a terminal."""
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    say(words)
    sys.stderr.write(f"Type the number of hosts ({hosts}) to go on: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == str(hosts)


def step_shown(step: Step) -> str:
    """The step's name, and of an own command what it is: that is what the operator says yes to."""
    if step.name != "run":
        return step.name
    words = inert(shlex.join(step.arguments.command))
    return f"run `{words if len(words) <= _WORDS_SHOWN else words[: _WORDS_SHOWN - 1] + '…'}`"
