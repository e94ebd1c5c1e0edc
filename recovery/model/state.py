"""The folds: from events to the state of a host, and of a run. Everything that is shown or resumed is folded here.

A fold never asks a clock and never guesses: the same events give the same state, in the engine that emits them,
in a process that resumes the run, and in one that only looks.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from recovery.model.case import CaseFile, add_all, add_evidence
from recovery.model.desk_events import TicketOpened, TicketSaidDone, TicketTried
from recovery.model.events import (
    AnyEvent,
    HandedOver,
    HostAdmitted,
    HostFinished,
    HostObserved,
    HostReturned,
    OffHost,
    Outcome,
    PowerFinished,
    PowerIntended,
    StepFinished,
    StepIntended,
    StepOutcome,
)
from recovery.model.evidence import (
    PersonReport,
    Progress,
    Verdict,
)


class HostState(msgspec.Struct, frozen=True, gc=False):
    """Where the pursuit of one host stands."""

    name: str
    verdict: Verdict = Verdict.UNKNOWN
    because: tuple[str, ...] = ()
    progress: Progress = Progress.UNTOUCHED
    case: CaseFile = CaseFile()
    wave: int = 0
    """0 until it is admitted to one."""
    index: int = 0
    """The step that is to be carried out next; steps of the failure path follow the playbook's own."""
    failures: int = 0
    """Failed attempts of that step."""
    attempts: int = 0
    """Attempts of that step, failed or interrupted."""
    since: datetime | None = None
    """When that step became the next one."""
    intent: StepIntended | None = None
    """An act whose outcome is not known."""
    power: PowerIntended | PowerFinished | None = None
    """The latest switching of its power; an intent is one whose outcome is not known."""
    touched: bool = False
    """An act on it was intended in this run."""
    changed: bool = False
    """A change was carried out on it in this run."""
    new_crash: bool = False
    """It crashed anew after this run had fixed it."""
    reboots: int = 0
    """Restarts asked for in this run."""
    runbook: str = ""
    """Set when it was handed over."""
    last: StepOutcome | None = None
    """How the latest attempt of a step ended."""
    outcome: Outcome | None = None
    message: str = ""
    updated: datetime | None = None


def apply(  # noqa: C901, PLR0911, PLR0912 - a case for each kind
    state: HostState, event: AnyEvent, case_file: CaseFile | None = None
) -> HostState:
    """The host's state after `event`, which must be about this host.

    `case_file` is the state's with the event's evidence added, where somebody has it already.
    """
    match event:
        case HostObserved():
            return _observed(state, event, case_file or add_all(state.case, event.evidence))
        case HostAdmitted():
            return replace(state, wave=event.wave, updated=event.at)
        case HostReturned():
            return replace(state, wave=0, updated=event.at)
        case StepIntended():
            return _intended(state, event)
        case StepFinished():
            return _finished(state, event, case_file or add_all(state.case, event.evidence))
        case PowerIntended() | PowerFinished():
            return replace(state, power=event, updated=event.at)
        case OffHost():
            return replace(state, updated=event.at)
        case HandedOver() | TicketOpened():
            return replace(
                state,
                runbook=event.runbook,
                message=event.reason,
                updated=event.at,
                progress=Progress.WITH_TECHNICIAN,
            )
        case HostFinished():
            return _ended(state, event)
        case TicketTried() | TicketSaidDone():
            return replace(state, case=add_evidence(state.case, _report(event)), updated=event.at)
        case _:
            return state


def _observed(state: HostState, event: HostObserved, case_file: CaseFile) -> HostState:
    return msgspec.structs.replace(
        state, case=case_file, verdict=event.verdict, because=event.because, updated=event.at
    )


def _report(event: TicketTried | TicketSaidDone) -> PersonReport:
    says = event.reason if isinstance(event, TicketTried) else "done"
    return PersonReport(at=event.at, source="desk", person=event.tech, says=says)


def _ended(state: HostState, event: HostFinished) -> HostState:
    return msgspec.structs.replace(
        state,
        outcome=event.outcome,
        message=event.message,
        verdict=event.verdict,
        progress=event.progress,
        intent=None,
        updated=event.at,
    )


def _intended(state: HostState, event: StepIntended) -> HostState:
    case_file = state.case
    progress = Progress.FIXING
    reboots = state.reboots
    if event.step == "reboot":
        case_file = msgspec.structs.replace(case_file, reboot_asked=event.boot_id)
        progress = Progress.REBOOTING
        reboots += 1
    return msgspec.structs.replace(
        state,
        case=case_file,
        intent=event,
        touched=True,
        progress=progress,
        reboots=reboots,
        updated=event.at,
        attempts=event.attempt,
    )


def _finished(state: HostState, event: StepFinished, case_file: CaseFile) -> HostState:
    forward = event.outcome in ("ok", "already")
    advanced = forward and event.index >= state.index
    closed = state.intent is not None and event.intent == state.intent.intent
    return msgspec.structs.replace(
        state,
        case=case_file,
        verdict=event.verdict,
        because=event.because,
        progress=event.progress,
        index=event.index + 1 if forward else event.index,
        failures=0 if forward else _failures(state, event),
        attempts=0 if forward else event.attempt,
        since=event.at if advanced or event.index != state.index else state.since,
        intent=None if closed else state.intent,
        changed=state.changed or (forward and bool(event.intent)),
        new_crash=state.new_crash or event.outcome == "new_crash",
        last=event.outcome,
        message=event.message,
        updated=event.at,
    )


def _failures(state: HostState, event: StepFinished) -> int:
    before = state.failures if event.index == state.index else 0
    return before if event.outcome == "interrupted" else before + 1
