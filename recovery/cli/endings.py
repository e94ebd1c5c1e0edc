"""What an operator is told when a run has ended, was interrupted, or lost its journal."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from recovery.cli.output import Form, data, documents, event_line, say, table
from recovery.engine.outcome import Ending, ExitCode
from recovery.engine.run import Run
from recovery.errors import JournalError
from recovery.inventory.ranges import fold
from recovery.model.events import RunFinished
from recovery.model.state import HostState
from recovery.worlds import SystemClock


def tell_end(
    journal: str, run: str, ending: Ending, shape: Form, states: Mapping[str, HostState]
) -> None:
    """Tell how a run ended, for people or for programs. Raises `OutputError`."""
    if ending.code == ExitCode.INTERRUPTED:
        _interrupted(journal, run, ending, shape)
    if shape == "json":
        documents(
            {
                "schema": 1,
                "run": run,
                "exit_reason": ending.reason,
                "exit_code": ending.code,
                "counts": ending.counts,
            },
            "json",
        )
    elif shape == "text" and ending.code != ExitCode.INTERRUPTED:
        _summary(states, run, ending)


def journal_lost(journal: str, run: str, begun: Run, error: JournalError) -> int:
    """The journal takes nothing more, so the run was broken off: no act without its intent on the disk."""
    middle = [name for name, state in begun.context.states.items() if state.intent is not None]
    say(f"error: {error}")
    say(
        f"the run was broken off; in the middle of a step may be: {fold(sorted(middle), 8) or 'no host'}. "
        f"When the journal can be written again, go on with: {command(journal, 'resume', run)}"
    )
    return ExitCode.INTERNAL


def command(journal: str, verb: str, run: str) -> str:
    """The command about this run that an operator may type."""
    return f"recovery --journal {shlex.quote(journal)} runs {verb} {run}"


def _interrupted(journal: str, run: str, ending: Ending, shape: Form) -> None:
    """Say how to go on. The run has not finished, so its last line is only told and not in the journal."""
    say(f"a checkpoint was written; go on with: {command(journal, 'resume', run)}")
    if shape == "jsonl":
        now, code = SystemClock().now(), int(ExitCode.INTERRUPTED)
        last = RunFinished(
            at=now, run=run, exit_reason=ending.reason, exit_code=code, counts=ending.counts
        )
        data(event_line(last))


def _summary(states: Mapping[str, HostState], run: str, ending: Ending) -> None:
    groups: dict[tuple[str, str, str], list[str]] = {}
    for name, state in states.items():
        message = (
            state.message
            if state.outcome and state.outcome.value not in ("recovered", "healthy")
            else ""
        )
        groups.setdefault(
            (state.outcome.value if state.outcome else "open", state.verdict.value, message[:100]),
            [],
        ).append(name)
    rows = [
        (outcome, verdict, len(names), fold(sorted(names), 4), message)
        for (outcome, verdict, message), names in sorted(
            groups.items(), key=lambda item: -len(item[1])
        )
    ]
    table(("outcome", "verdict", "hosts", "which", "message"), rows)
    data(f"{run}: {ending.reason}; exit code {ending.code}")
