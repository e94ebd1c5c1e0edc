"""What an operator sees of a run while it goes."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

from recovery.cli.output import Form, bold, data, event_line, inert, say
from recovery.errors import OutputError
from recovery.journal.views import describe
from recovery.model.events import (
    MILESTONES,
    AnyEvent,
    GuardTripped,
    HostFinished,
    Outcome,
)
from recovery.model.playbook import Step

if TYPE_CHECKING:
    from recovery.engine.run import Run

_WORDS_SHOWN = 200
"""Characters of an own command in a plan."""
_NAMED = 20
"""Hosts of one outcome that are named."""
_PAUSE, _LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=10)
"""Of the run's time, between two counts of those that are not."""
_NOTEWORTHY = (Outcome.FAILED, Outcome.UNREACHABLE, Outcome.HANDED_OVER)


def observer(form: Form, verbosity: int) -> Callable[[AnyEvent], None]:
    """Prints each event as a line of JSON, or tells the important ones."""
    return _streaming() if form == "jsonl" else _narrating(verbosity)


def _streaming() -> Callable[[AnyEvent], None]:
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

    return stream


def _narrating(verbosity: int) -> Callable[[AnyEvent], None]:
    folded = _Folded()

    def narrate(event: AnyEvent) -> None:
        if not verbosity and not folded.is_shown(event):
            return
        host = f"{event.host}: " if event.host else ""
        words = inert(host + describe(event))[:400]
        say(f"{event.at:%H:%M:%S}  {bold(words) if isinstance(event, GuardTripped) else words}")

    return narrate


class _Folded:
    """Hosts that ended like many before them: counted from time to time instead of named one by one."""

    def __init__(self) -> None:
        self._shown: Counter[Outcome] = Counter()
        self._more: Counter[Outcome] = Counter()
        self._since: datetime | None = None
        self._pause = _PAUSE

    def is_shown(self, event: AnyEvent) -> bool:
        """Whether the event gets a line of its own. Before one that always does, the others' counts are said."""
        if type(event) in MILESTONES:
            self.tell(event.at)
            return True
        if not isinstance(event, HostFinished) or event.outcome not in _NOTEWORTHY:
            return False
        outcome = event.outcome
        if self._shown[outcome] < _NAMED:
            self._shown[outcome] += 1
            return True
        self._more[outcome] += 1
        self._since = self._since or event.at
        if event.at - self._since >= self._pause:
            self.tell(event.at)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return False

    def tell(self, at: datetime) -> None:
        """Say how many there were since the last time."""
        for outcome, count in self._more.items():
            say(f"{at:%H:%M:%S}  {count} more hosts: {outcome.value} (`recovery hosts` names them)")
        self._more.clear()
        self._since = None


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
    """The step's name, and of what an operator says yes to what it is: an own command, another device to start from."""
    if step.name == "boot_once":
        return inert(f"boot_once from {step.arguments.device} {step.arguments.media}".rstrip())
    if step.name != "run":
        return step.name
    words = inert(shlex.join(step.arguments.command))
    return f"run `{words if len(words) <= _WORDS_SHOWN else words[: _WORDS_SHOWN - 1] + '…'}`"
