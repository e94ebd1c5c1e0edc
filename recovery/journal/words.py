"""Events and evidence in words for an operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from recovery.detect.screen_rules import screen_text
from recovery.journal.desk_words import DESK
from recovery.journal.field_words import FIELD
from recovery.model.events import (
    AnyEvent,
    ApprovalAsked,
    Command,
    CredentialStopped,
    DiskFinished,
    DiskIntended,
    GuardTripped,
    HandedOver,
    HostAdmitted,
    HostFinished,
    HostObserved,
    HostReturned,
    Notice,
    PowerFinished,
    PowerIntended,
    ReportGiven,
    RescueFinished,
    RescueIntended,
    RunFinished,
    RunHeld,
    RunResumed,
    RunStarted,
    StepFinished,
    StepIntended,
    WaveClosed,
    WaveOpened,
)
from recovery.model.evidence import (
    AnyEvidence,
    ArtifactListing,
    BootIdentity,
    CrashRecord,
    FixApplied,
    KernelModules,
    MachineFacts,
    MachineReset,
    PersonReport,
    PowerSeen,
    Reachability,
    RebootMark,
    RestartRecord,
    ScreenSeen,
    ServiceState,
    UndoApplied,
    UpdateHistory,
)
from recovery.model.remedy import REMEDIES

_OUTCOMES = {
    "ok": "done",
    "already": "had been done before",
    "failed": "failed",
    "refused": "refused",
    "nothing_matched": "NOTHING MATCHED, nothing was changed",
    "unreachable": "the host could not be reached",
    "new_crash": "the host crashed anew",
    "interrupted": "was interrupted, nobody saw its outcome",
}

_POWERS = {
    "on": "switch it on",
    "off": "switch it off",
    "cycle": "cycle it",
    "boot_once": "choose its next start",
}


_PHASES = {
    "lend": "lend its root volume to the helper",
    "fix": "mend the volume at the helper",
    "back": "give the volume back",
}
_DISKS = {"fix": "fix", "undo": "take back the fix of"}


def describe(event: AnyEvent) -> str:
    """An event in words, with the verdict that it led to and what that rests on."""
    said = happening(event)
    if not isinstance(event, StepFinished | HostObserved):
        return said
    reasons = f" ({'; '.join(event.because)})" if event.because else ""
    return f"{said} -> {event.verdict}{reasons}"


def happening(event: AnyEvent) -> str:
    """An event in words, without verdict."""
    return _HAPPENINGS[type(event)](event)


def seen(evidence: AnyEvidence) -> str:
    """An observation in words."""
    return _SIGHTS[type(evidence)](evidence)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "no host"


def _hosts(count: int) -> str:
    return f"{count} host{'' if count == 1 else 's'}"


def _tail(text: str, before: str = ": ") -> str:
    return f"{before}{text}" if text else ""


def _started(event: RunStarted) -> str:
    mock = (", only a look" if event.check else "") + (", MOCK" if event.mock else "")
    hosts = _hosts(event.total)
    return f"run of {event.playbook} on {hosts}, incident {event.incident}{_tail(event.by, ', by ')}{mock}"


def _run_finished(event: RunFinished) -> str:
    return (
        f"run finished: {event.exit_reason} (exit code {event.exit_code}); {_counts(event.counts)}"
    )


def _guard(event: GuardTripped) -> str:
    return f"GUARD HALTS THE RUN: {event.rule} {event.count} of {event.denominator}, limit {event.limit}"


def _held(event: RunHeld) -> str:
    return f"{'goes on, no longer' if event.released else 'held'}: {event.reason}"


def _observed(event: HostObserved) -> str:
    return "; ".join(map(seen, event.evidence)) or "looked at anew"


def _intended(event: StepIntended) -> str:
    return f"{event.step}: about to act (attempt {event.attempt}, intent {event.intent})"


def _step_finished(event: StepFinished) -> str:
    again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
    return f"{event.step}{again}: {_OUTCOMES[event.outcome]}{_tail(event.message)}"


def _stopped(event: CredentialStopped) -> str:
    return f"credential {event.credential} was refused {event.refusals} times and is not used again"


def _rescue(event: RescueIntended) -> str:
    where = f"root volume {event.volume} ({event.device}), helper {event.helper} as {event.helper_device}"
    return f"rescue: about to {_PHASES[event.phase]}: {where}{_tail(event.by, ', by ')}"


_HAPPENINGS: Mapping[type, Callable[[Any], str]] = {
    RunStarted: _started,
    RunResumed: lambda event: f"run resumed{_tail(event.by, ' by ')}",
    RunFinished: _run_finished,
    WaveOpened: lambda event: f"wave {event.wave} begins: up to {_hosts(event.size)}",
    WaveClosed: lambda event: f"wave {event.wave} ended: {_counts(event.counts)}",
    ApprovalAsked: lambda event: f"waits for approval of {event.gate}: {event.question}",
    Command: lambda event: (
        f"command: {event.verb}{_tail(event.gate, ' ')}{_tail(event.by, ' by ')}"
    ),
    RunHeld: _held,
    GuardTripped: _guard,
    HostObserved: _observed,
    HostAdmitted: lambda event: f"admitted to wave {event.wave}",
    HostReturned: lambda event: f"gives its place in wave {event.wave} back: {event.reason}",
    StepIntended: _intended,
    StepFinished: _step_finished,
    PowerIntended: lambda event: f"power: about to {_POWERS[event.act]}{_tail(event.why)}",
    PowerFinished: lambda event: (
        f"power {event.act.replace('_', ' ')}: {_OUTCOMES[event.outcome]}{_tail(event.message)}"
    ),
    DiskIntended: lambda event: (
        f"disk: about to {_DISKS[event.act]} {event.disk}, incident {event.incident}{_tail(event.by, ', by ')}"
    ),
    DiskFinished: lambda event: (
        f"disk {event.act} of {event.disk}: {_OUTCOMES[event.outcome]}{_tail(event.message)}"
    ),
    RescueIntended: _rescue,
    RescueFinished: lambda event: (
        f"rescue, {_PHASES[event.phase]}: {_OUTCOMES[event.outcome]}{_tail(event.message)}"
    ),
    HandedOver: lambda event: (
        f"handed over to people, runbook {event.runbook}{_tail(event.reason)}"
    ),
    HostFinished: lambda event: f"ended: {event.outcome}{_tail(event.message)}",
    CredentialStopped: _stopped,
    Notice: lambda event: event.message,
    **DESK,
    **FIELD,
    ReportGiven: lambda event: (
        f"report given{_tail(event.by, ' by ')}: {_counts(event.counts)} of {event.total}"
    ),
}


def _boot(evidence: BootIdentity) -> str:
    name = f" {evidence.boot_id[:8]}" if evidence.boot_id else ""
    up = "" if evidence.uptime is None else f", up for {evidence.uptime:.0f} s"
    return f"boot{name} answers{up}"


def _listing(evidence: ArtifactListing) -> str:
    if evidence.kind != "files":
        items = ", ".join(
            f"{item.name}{_tail(item.version, ' ')} {item.state}" for item in evidence.items
        )
        verdict = "bad" if evidence.bad else "not bad"
        return f"{evidence.kind} {evidence.name} is {verdict}{_tail(items)}"
    if not evidence.exists:
        return f"{evidence.directory} is not there"
    bad = sum(1 for file in evidence.files if file.state == "bad")
    held = f", {evidence.quarantined} in quarantine" if evidence.quarantined else ""
    verdict = "bad" if evidence.bad else "not bad"
    return f"{evidence.directory} is {verdict}: {bad} bad of {len(evidence.files)} files{held}"


def _crash(evidence: CrashRecord) -> str:
    code = "" if evidence.stop_code is None else f" {evidence.stop_code:#x}"
    return f"crash{code}{_tail(evidence.module, ' in ')}{_tail(evidence.record, ', told by ')}"


def _restart(evidence: RestartRecord) -> str:
    cause = evidence.cause.replace("_", " ")
    return f"restart: {cause}{_tail(evidence.who, ' by ')}{_tail(evidence.record, ', told by ')}"


def _service(evidence: ServiceState) -> str:
    return (
        f"{evidence.name} {'runs' if evidence.running else 'does not run'}{_tail(evidence.detail)}"
    )


def _facts(evidence: MachineFacts) -> str:
    mode = f"in Safe Mode ({evidence.safe_mode})" if evidence.safe_mode else "not in Safe Mode"
    waits = ", waits for a restart" if evidence.pending_reboot else ""
    return f"{mode}{waits}, {len(evidence.volumes)} volumes known to BitLocker"


def _fix(evidence: FixApplied) -> str:
    before = _tail(str(evidence.already or ""), ", before: ")
    if evidence.remedy == "quarantine":
        return f"{evidence.files} files moved to quarantine{before}"
    return f"{evidence.remedy} carried out, the bad artifact is {REMEDIES[evidence.remedy].done}"


def _power(evidence: PowerSeen) -> str:
    if evidence.state == "unknown":
        return f"its console does not say whether it has power{_tail(evidence.reason)}"
    return f"its console says: {evidence.state}{_tail(evidence.checks, '; checks: ')}"


_SIGHTS: Mapping[type, Callable[[Any], str]] = {
    Reachability: lambda evidence: (
        "answers" if evidence.answers else f"does not answer{_tail(evidence.reason)}"
    ),
    BootIdentity: _boot,
    ArtifactListing: _listing,
    CrashRecord: _crash,
    RestartRecord: _restart,
    ServiceState: _service,
    RebootMark: lambda _evidence: "a restart was asked for and has not come yet",
    FixApplied: _fix,
    MachineFacts: _facts,
    KernelModules: lambda evidence: f"{len(evidence.modules)} modules of other vendors",
    UpdateHistory: lambda evidence: f"{len(evidence.updates)} updates on record",
    UndoApplied: lambda evidence: f"{evidence.files} files put back",
    ScreenSeen: lambda evidence: screen_text(evidence.reading),
    PowerSeen: _power,
    MachineReset: lambda evidence: (
        "restarted from its console" if evidence.asked_for else "restarted, as its console tells"
    ),
    PersonReport: lambda evidence: f"{evidence.person} says: {evidence.says}",
}
