"""What an operator is told when a run has ended, was interrupted, or lost its journal."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

import msgspec

from recovery.cli.output import Form, data, documents, event_line, flush, inert, say, table
from recovery.engine.outcome import Ending, ExitCode
from recovery.engine.run import Run
from recovery.errors import JournalError, OutputError
from recovery.inventory.ranges import fold
from recovery.model.events import Outcome, RunFinished
from recovery.model.state import HostState
from recovery.report.changes import Change, Changes
from recovery.worlds import SystemClock


class Told(msgspec.Struct, frozen=True):
    """What is told of a run's end, and how."""

    journal: str
    run: str
    ending: Ending
    shape: Form
    head: str = ""
    """Hash of the journal's last event."""


def tell_end(told: Told, states: Mapping[str, HostState], changes: Changes | None = None) -> None:
    """Tell how a run ended, for people or for programs. What nobody takes any more is in the journal."""
    try:
        _tell_end(told, states, changes)
        flush()
    except OutputError as error:
        if not error.pipe:
            say(f"warning: {error}; `{command(told.journal, 'show', told.run)}` tells the end")


def _tell_end(told: Told, states: Mapping[str, HostState], changes: Changes | None) -> None:
    ending, found = told.ending, changes.found() if changes is not None else ()
    if ending.code == ExitCode.INTERRUPTED:
        _interrupted(told)
    if told.shape == "json":
        document = {
            "schema": 1,
            "run": told.run,
            "exit_reason": ending.reason,
            "exit_code": ending.code,
            "counts": ending.counts,
            "journal_head": told.head,
        }
        more = {"changes": msgspec.to_builtins(found)} if changes is not None else {}
        documents({**document, **more}, "json")
    elif told.shape == "text":
        if changes is not None:
            _tell_changes(found, states)
        if ending.code != ExitCode.INTERRUPTED:
            _summary(states, told.run, ending)
            if told.head:
                say(
                    f"the journal ends with {told.head} (kept elsewhere, it shows with "
                    "`events --verify --head` whether anything was cut off or rewritten later)"
                )


def _tell_changes(changes: Sequence[Change], states: Mapping[str, HostState]) -> None:
    for change in changes:
        data(f"{len(change.hosts)} hosts: {fold(change.hosts, 8)}")
        for line in change.lines:
            data(f"  {inert(line)}")
    changed = {host for change in changes for host in change.hosts}
    rest = [state for name, state in states.items() if name not in changed]
    dark = sum(1 for state in rest if state.outcome == Outcome.UNREACHABLE)
    if dark:
        data(f"{dark} hosts: not known, they could not be reached")
    if len(rest) > dark or not states:
        data(f"{len(rest) - dark} hosts: no change")


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


def _interrupted(told: Told) -> None:
    """Say how to go on. The run has not finished, so its last line is only told and not in the journal."""
    say(f"a checkpoint was written; go on with: {command(told.journal, 'resume', told.run)}")
    if told.shape == "jsonl":
        last = RunFinished(
            at=SystemClock().now(),
            run=told.run,
            exit_reason=told.ending.reason,
            exit_code=int(ExitCode.INTERRUPTED),
            counts=told.ending.counts,
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
