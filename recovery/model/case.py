"""The case file: what is known of a host by evidence, folded one observation at a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from recovery.model.console import CRASHED
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
    Readiness,
    RebootMark,
    RestartRecord,
    ScreenSeen,
    ServiceState,
    UndoApplied,
    UpdateHistory,
)

_KEPT = 16
"""Boots, crashes and services kept for each host; older ones stay in the journal."""

_BOOT_TIME_PRECISION = 2.0
"""Seconds by which two readings of one boot's time may differ (clocks are slewed, Linux rounds btime)."""

_UNSURE = timedelta(seconds=120)
"""By which a boot may seem to have begun too late: its uptime is read before the answer has come."""

SameBoot = Literal["same", "other", "unknown"]


def same_boot(one: BootIdentity, two: BootIdentity) -> SameBoot:
    """Whether two observations are of one boot. What neither id nor boot time can tell is `unknown`, never a guess."""
    if one.boot_id and two.boot_id:
        return "same" if one.boot_id == two.boot_id else "other"
    if one.boot_time is None or two.boot_time is None:
        return "unknown"
    return "same" if abs(one.boot_time - two.boot_time) <= _BOOT_TIME_PRECISION else "other"


class SeenBoot(msgspec.Struct, frozen=True, gc=False):
    """One boot of a host, as often as it was seen."""

    identity: BootIdentity
    """The latest observation of it."""
    first_seen: datetime
    asked_for: bool = False
    """The restart that led to it was asked for by this product."""

    @property
    def up_for(self) -> float:
        """Seconds for which this boot is known to have lasted: its uptime, else the time between observations."""
        if self.identity.uptime is not None:
            return self.identity.uptime
        return (self.identity.at - self.first_seen).total_seconds()


class CaseFile(msgspec.Struct, frozen=True, gc=False):
    """The evidence on one host as far as the rules need it; bounded."""

    boots: tuple[SeenBoot, ...] = ()
    """Oldest first."""
    answered_at: datetime | None = None
    silent_since: datetime | None = None
    """Set while the host does not answer."""
    silence: str = ""
    listing: ArtifactListing | None = None
    crashes: tuple[CrashRecord, ...] = ()
    restarts: tuple[RestartRecord, ...] = ()
    """Restarts that the host reports and that are not known to be crashes."""
    services: tuple[ServiceState, ...] = ()
    facts: MachineFacts | None = None
    fix: FixApplied | None = None
    undone: bool = False
    """The fix was taken back."""
    mark: RebootMark | None = None
    reboot_asked: str = ""
    """Boot id in which the latest restart was asked for."""
    reports: tuple[PersonReport, ...] = ()
    screen: ScreenSeen | None = None
    """What the console showed last."""
    crash_screen: ScreenSeen | None = None
    """The latest picture of a crash."""
    power: PowerSeen | None = None
    resets: tuple[MachineReset, ...] = ()
    """Restarts that the console told of."""

    @property
    def boot(self) -> BootIdentity | None:
        """The boot that answered last."""
        return self.boots[-1].identity if self.boots else None

    @property
    def clock_offset(self) -> float:
        """Seconds by which the host's clock is ahead of the controller's."""
        boot = self.boot
        return 0.0 if boot is None or boot.clock is None else boot.clock - boot.at.timestamp()

    @property
    def boots_since_fix(self) -> tuple[SeenBoot, ...]:
        """The boots that began after the one in which the fix was carried out, oldest first."""
        if self.fix is None:
            return ()
        if not self.fix.boot_id:
            return _boots_after(self.boots, self.fix.at)
        for place in range(len(self.boots) - 1, -1, -1):
            if self.boots[place].identity.boot_id == self.fix.boot_id:
                return self.boots[place + 1 :]
        return tuple(boot for boot in self.boots if boot.first_seen > self.fix.at)


def _boots_after(boots: tuple[SeenBoot, ...], at: datetime) -> tuple[SeenBoot, ...]:
    """The boots that began after an act at `at` that could not say in which boot it was carried out.

    The first one that was seen since may be that boot, unless it shows that it began well after.
    """
    since = tuple(boot for boot in boots if boot.first_seen >= at)
    if since and since[0].identity.at - timedelta(seconds=since[0].up_for) > at + _UNSURE:
        return since
    return since[1:]


def add_evidence(case: CaseFile, evidence: AnyEvidence) -> CaseFile:  # noqa: C901, PLR0911, PLR0912 - a case for each kind
    """The case file with one more observation."""
    replace = msgspec.structs.replace
    match evidence:
        case Reachability():
            return _add_reachability(case, evidence)
        case BootIdentity():
            return _add_answer(case, evidence)
        case ArtifactListing():
            return replace(case, listing=evidence)
        case CrashRecord():
            return replace(case, crashes=_add_crash(case.crashes, evidence))
        case RestartRecord():
            others = tuple(r for r in case.restarts if not _same_restart(r, evidence))
            return replace(case, restarts=(*others, evidence)[-_KEPT:])
        case ServiceState():
            rest = tuple(s for s in case.services if s.name != evidence.name)
            return replace(case, services=(*rest, evidence)[-_KEPT:])
        case FixApplied():
            return replace(case, fix=evidence, undone=False)
        case UndoApplied():
            return replace(case, fix=None, undone=True)
        case RebootMark():
            return replace(case, mark=evidence)
        case MachineFacts():
            return replace(case, facts=evidence)
        case KernelModules() | UpdateHistory() | Readiness():
            return case
        case PersonReport():
            return replace(case, reports=(*case.reports, evidence)[-_KEPT:])
        case ScreenSeen():
            return _add_screen(case, evidence)
        case PowerSeen():
            return replace(case, power=evidence)
        case MachineReset():
            return replace(case, resets=(*case.resets, evidence)[-_KEPT:])


def _add_answer(case: CaseFile, boot: BootIdentity) -> CaseFile:
    return msgspec.structs.replace(
        case,
        boots=_add_boot(case, boot),
        answered_at=boot.at,
        silent_since=None,
        silence="",
        mark=None,
    )


def _add_reachability(case: CaseFile, evidence: Reachability) -> CaseFile:
    if evidence.answers:
        return msgspec.structs.replace(case, answered_at=evidence.at, silent_since=None, silence="")
    since = case.silent_since or evidence.at
    return msgspec.structs.replace(case, silent_since=since, silence=evidence.reason)


def _add_screen(case: CaseFile, seen: ScreenSeen) -> CaseFile:
    crash = seen if seen.reading.label in CRASHED else case.crash_screen
    now = case.screen if seen.last_crash else seen
    return msgspec.structs.replace(case, screen=now, crash_screen=crash)


def _add_crash(known: tuple[CrashRecord, ...], new: CrashRecord) -> tuple[CrashRecord, ...]:
    """With one crash more, or with what more is known of one that was there."""
    for place, crash in enumerate(known):
        same_report = bool(new.report) and crash.report == new.report
        dated = not (new.report and new.crashed_at is None)  # else only its report tells it apart
        if dated and (crash.record, crash.crashed_at, crash.text) == (
            new.record,
            new.crashed_at,
            new.text,
        ):
            return known
        if same_report or (new.logged_at is not None and crash.logged_at == new.logged_at):
            return (*known[:place], new, *known[place + 1 :])
    return (*known, new)[-_KEPT:]


def _same_restart(one: RestartRecord, two: RestartRecord) -> bool:
    return (one.cause, one.restarted_at, one.logged_at) == (
        two.cause,
        two.restarted_at,
        two.logged_at,
    )


def _add_boot(case: CaseFile, seen: BootIdentity) -> tuple[SeenBoot, ...]:
    if case.boots:
        last = case.boots[-1]
        if same_boot(last.identity, seen) != "other":
            return (*case.boots[:-1], SeenBoot(seen, last.first_seen, last.asked_for))
        asked = bool(case.reboot_asked) and case.reboot_asked == last.identity.boot_id
        return (*case.boots, SeenBoot(seen, seen.at, asked))[-_KEPT:]
    return (SeenBoot(seen, seen.at),)


def add_all(case: CaseFile, evidence: tuple[AnyEvidence, ...]) -> CaseFile:
    """The case file with more observations, in their order."""
    for item in evidence:
        case = add_evidence(case, item)
    return case
