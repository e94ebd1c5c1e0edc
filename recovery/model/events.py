"""The one vocabulary of what happens. The engine emits events, the journal stores them, every view folds them."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from recovery.model.console import ConsoleAct, Power
from recovery.model.desk_events import AnyDeskEvent
from recovery.model.event import Event
from recovery.model.evidence import AnyEvidence, Progress, Verdict
from recovery.model.field_events import AnyFieldEvent


class Outcome(StrEnum):
    """How the pursuit of a host ended."""

    RECOVERED = "recovered"
    """Fixed by this run and proven."""
    HEALTHY = "healthy"
    """Not a target: the evidence says there is nothing to do."""
    DONE = "done"
    """Every step was carried out; the playbook has nothing to prove (triage, undo, quarantine alone)."""
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    HANDED_OVER = "handed_over"
    CANCELLED = "cancelled"
    """The run ended first."""


StepOutcome = Literal[
    "ok",
    "already",
    "failed",
    "refused",
    "nothing_matched",
    "unreachable",
    "new_crash",
    "interrupted",
]
"""`already`: the evidence shows that it had been carried out. `interrupted`: an intent whose outcome nobody saw,
closed by evidence on resume."""

PowerOutcome = Literal["ok", "failed", "interrupted"]
"""As of steps."""

RescuePhase = Literal["lend", "fix", "back"]
"""Its root volume goes to the helper, is mended there, and comes back."""

DiskAct = Literal["fix", "undo"]
DiskOutcome = Literal["ok", "already", "nothing_matched", "failed", "refused", "interrupted"]
"""As of steps."""


class RunStarted(Event, frozen=True, kw_only=True, tag="run.started"):
    """A run began."""

    playbook: str
    incident: str
    total: int
    documents: dict[str, str] = msgspec.field(default_factory=dict)
    """Name (`plan`, `playbook`, `incident`, `fleet`) to the SHA-256 of the document in the journal."""
    mock: bool = False
    by: str = ""
    check: bool = False
    """It only reads: hosts that end as done are those that a run would change."""


class RunResumed(Event, frozen=True, kw_only=True, tag="run.resumed"):
    """Another process took the run up."""

    by: str = ""


class RunFinished(Event, frozen=True, kw_only=True, tag="run.finished"):
    """A run ended."""

    exit_reason: str
    exit_code: int
    counts: dict[str, int] = msgspec.field(default_factory=dict)
    """Outcome to number of hosts."""


class WaveOpened(Event, frozen=True, kw_only=True, tag="wave.opened"):
    """A wave began: from now on up to `size` hosts may be changed in it."""

    wave: int
    size: int


class WaveClosed(Event, frozen=True, kw_only=True, tag="wave.closed"):
    """Every host of a wave has ended."""

    wave: int
    counts: dict[str, int] = msgspec.field(default_factory=dict)


class ApprovalAsked(Event, frozen=True, kw_only=True, tag="approval.asked"):
    """The run waits for a person."""

    gate: str
    """`wave:N`, `step:N`."""
    question: str


class Command(Event, frozen=True, kw_only=True, tag="command"):
    """A person's command to a run, from any process."""

    verb: Literal["pause", "resume", "abort", "cancel", "approve"]
    gate: str = ""
    """For `approve`."""
    by: str = ""


class RunHeld(Event, frozen=True, kw_only=True, tag="run.held"):
    """Nothing new is begun until the reason is gone; `released` ends it."""

    reason: str
    released: bool = False


class GuardTripped(Event, frozen=True, kw_only=True, tag="guard.tripped"):
    """The guard halted the run."""

    rule: Literal["failed", "unreachable", "new_crashes"]
    count: int
    limit: int
    denominator: str
    """In words: `wave 2 (5 hosts)`."""


class HostObserved(Event, frozen=True, kw_only=True, tag="host.observed"):
    """Evidence that came outside a step, such as a host that fell silent."""

    evidence: tuple[AnyEvidence, ...]
    verdict: Verdict
    because: tuple[str, ...] = ()


class HostAdmitted(Event, frozen=True, kw_only=True, tag="host.admitted"):
    """The host may be changed, as a member of a wave."""

    wave: int


class HostReturned(Event, frozen=True, kw_only=True, tag="host.returned"):
    """An admitted host was not changed in time and gave its place in the wave back."""

    wave: int
    reason: str


class StepIntended(Event, frozen=True, kw_only=True, tag="step.intended"):
    """An act on the host is about to be sent. Durable before the act."""

    index: int
    step: str
    attempt: int
    intent: str
    boot_id: str = ""
    """The boot that is going to be acted on, as far as known."""


class StepFinished(Event, frozen=True, kw_only=True, tag="step.finished"):
    """An attempt of a step ended, with everything that was learnt from it."""

    index: int
    step: str
    attempt: int
    outcome: StepOutcome
    intent: str = ""
    """The intent that this closes; empty for steps that change nothing."""
    message: str = ""
    evidence: tuple[AnyEvidence, ...] = ()
    verdict: Verdict = Verdict.UNKNOWN
    because: tuple[str, ...] = ()
    progress: Progress = Progress.UNTOUCHED
    seconds: float = 0.0


class PowerIntended(Event, frozen=True, kw_only=True, tag="power.intended"):
    """The host's console is about to be asked for something that changes it. Durable before the act."""

    act: ConsoleAct
    why: str = ""


class PowerFinished(Event, frozen=True, kw_only=True, tag="power.finished"):
    """How what the host's console was asked for ended, as far as it was seen."""

    act: ConsoleAct
    outcome: PowerOutcome
    state: Power
    """As it was read last."""
    message: str = ""


class OffHost(Event, frozen=True, kw_only=True):
    """Of an act on the disk of a host that is off."""


class DiskIntended(OffHost, frozen=True, kw_only=True, tag="disk.intended"):
    """The disk of a machine that is off is about to be changed. Durable before the act; `host` where it was named."""

    act: DiskAct
    disk: str
    """The folder at which it is mounted, or its image, by its absolute path."""
    incident: str
    intent: str
    """Name of its folder in the machine's quarantine."""
    by: str = ""


class DiskFinished(OffHost, frozen=True, kw_only=True, tag="disk.finished"):
    """How an act on a disk ended."""

    act: DiskAct
    disk: str
    intent: str
    """The one that this closes."""
    outcome: DiskOutcome
    files: int = 0
    """Files that were moved, or put back."""
    message: str = ""


class RescueIntended(OffHost, frozen=True, kw_only=True, tag="rescue.intended"):
    """A phase of the rescue of a host by its root volume is about to begin. Durable before the act."""

    phase: RescuePhase
    volume: str
    owner: str
    """The host's own instance."""
    device: str
    """The volume's name there, to which it goes back."""
    helper: str
    """The instance at which it is mended."""
    helper_device: str
    by: str = ""


class RescueFinished(OffHost, frozen=True, kw_only=True, tag="rescue.finished"):
    """How a phase ended, as far as it was seen."""

    phase: RescuePhase
    volume: str
    outcome: PowerOutcome
    message: str = ""


class HandedOver(Event, frozen=True, kw_only=True, tag="host.handed_over"):
    """The host needs hands."""

    runbook: str
    reason: str


class HostFinished(Event, frozen=True, kw_only=True, tag="host.finished"):
    """The pursuit of a host ended."""

    outcome: Outcome
    message: str = ""
    verdict: Verdict = Verdict.UNKNOWN
    progress: Progress = Progress.UNTOUCHED


class CredentialStopped(Event, frozen=True, kw_only=True, tag="credential.stopped"):
    """A credential was refused too often and is not used again in this run."""

    credential: str
    refusals: int


class ReportGiven(Event, frozen=True, kw_only=True, tag="report.given"):
    """A report on the fleet was given to somebody; the next one says what has changed since."""

    total: int
    counts: dict[str, int] = msgspec.field(default_factory=dict)
    """Group of hosts (`recovery.report.tally.Group`) to their number."""
    mock: bool = False
    """It was on simulated hosts."""
    by: str = ""


class Notice(Event, frozen=True, kw_only=True, tag="notice"):
    """Something an operator should read."""

    message: str


AnyEvent = (
    RunStarted
    | RunResumed
    | RunFinished
    | WaveOpened
    | WaveClosed
    | ApprovalAsked
    | Command
    | RunHeld
    | GuardTripped
    | HostObserved
    | HostAdmitted
    | HostReturned
    | StepIntended
    | StepFinished
    | PowerIntended
    | PowerFinished
    | DiskIntended
    | DiskFinished
    | RescueIntended
    | RescueFinished
    | HandedOver
    | HostFinished
    | CredentialStopped
    | Notice
    | AnyDeskEvent
    | AnyFieldEvent
    | ReportGiven
)

MILESTONES = frozenset(
    (
        *(RunStarted, RunResumed, RunFinished, RunHeld, WaveOpened, WaveClosed, GuardTripped),
        *(
            ApprovalAsked,
            CredentialStopped,
            Notice,
            PowerIntended,
            PowerFinished,
            DiskIntended,
            DiskFinished,
        ),
    )
)
"""Kinds of events that everybody who follows a run is told of."""
