"""The rules: what the evidence on a host adds up to, and why. Pure; the time is an argument.

The first rule that applies decides. Each names its reasons in sentences that an operator can check against the
evidence. What the evidence does not tell is `unknown` or `dark`, never a hopeful guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from recovery.detect.bugchecks import effective
from recovery.detect.items import items_text
from recovery.detect.restarts import SLACK, crash_behind, restart_behind
from recovery.detect.screen_rules import console_notes, has_console_evidence, judge_console
from recovery.model.case import CaseFile, SeenBoot
from recovery.model.evidence import (
    ArtifactListing,
    BootIdentity,
    CrashRecord,
    FixApplied,
    Judgement,
    RestartCause,
    Verdict,
)
from recovery.model.host import Os
from recovery.model.incident import Artifact, Incident, Platform
from recovery.model.remedy import REMEDIES

_CLOCK_SLACK = 3600.0
"""Seconds by which a record may lie in the future before its time is not believed."""
_CAUSES: Mapping[RestartCause, str] = {
    "planned": "somebody asked for a restart",
    "power_button": "somebody held the power button",
    "power_loss": "the power went, or nothing could be written",
    "unexpected": "it went without a word",
}


def judge(case: CaseFile, incident: Incident, os: Os, now: datetime) -> Judgement:
    """The verdict on a host with this evidence, at the time `now` (UTC)."""
    platform = incident.platforms.get(os)
    if platform is None:
        return _say(Verdict.HEALTHY, f"{incident.name} does not concern {os}")
    if case.answered_at is None and case.silent_since is None and not has_console_evidence(case):
        return _say(Verdict.UNKNOWN, "nothing has been observed yet")
    if case.silent_since is not None or case.answered_at is None:
        return judge_console(case, incident, now) or _judge_silent(case, incident, now)
    return _judge_answering(case, incident, platform)


def this_incidents(crash: CrashRecord, incident: Incident, clock_offset: float = 0.0) -> bool:
    """Whether a crash record is one of this incident: after it began, with its stop code, module or text.

    The record's time is by the host's clock; `clock_offset` (seconds ahead) is taken off first. A time that had not
    yet come when the record was seen is of a clock that was wrong then, and tells nothing.
    """
    when = None if crash.crashed_at is None else crash.crashed_at - clock_offset
    wrong = when is not None and when > crash.at.timestamp() + _CLOCK_SLACK
    if when is not None and not wrong and when < incident.began.timestamp():
        return False
    rule = incident.crash
    if crash.module and rule.modules:
        return crash.module.lower() in {name.lower() for name in rule.modules}
    if crash.stop_code is not None:
        return effective(crash.stop_code) in map(effective, rule.stop_codes)
    return any(text.lower() in crash.text.lower() for text in rule.texts)


def returns(case: CaseFile, incident: Incident) -> int:
    """How often the host came back in a boot that nobody asked for, within the profile's span before the last look.

    A boot that a person caused by the host's own records, by a request or by the power button, is no return. After a
    fix only what follows the first boot counts: up to that one the bad thing may still have been loaded.
    """
    return len(_returned(case, incident))


def _returned(case: CaseFile, incident: Incident) -> list[int]:
    """The places of the boots that are returns."""
    if not case.boots:
        return []
    earliest = case.boots[-1].identity.at - timedelta(seconds=incident.crash.within)
    first = 1 if case.fix is None else len(case.boots) - len(case.boots_since_fix) + 1
    return [
        place
        for place, boot in enumerate(case.boots)
        if place >= first
        and not boot.asked_for
        and boot.first_seen >= earliest
        and not _by_a_person(case, incident, place)
    ]


def own_crashes(case: CaseFile, incident: Incident) -> list[CrashRecord]:
    """The crashes of this incident on record, oldest first."""
    return [crash for crash in case.crashes if this_incidents(crash, incident, case.clock_offset)]


def interrupted_by_hand(case: CaseFile, incident: Incident) -> bool:
    """Whether the latest boot followed a restart or a hard power-off by a person, and no crash of this incident.

    A power-off that left no word counts as one: whoever repairs machines pulls the plug. If it was a crash that could
    not be written down, it will come again, and then it is a loop.
    """
    restart = restart_behind(case) if case.boots else None
    if restart is None or restart.cause == "unexpected":
        return False
    return not any(crash_behind(case, crash) for crash in own_crashes(case, incident))


def clock_is_off(case: CaseFile, artifact: Artifact) -> bool:
    """Whether the host's clock is too wrong for its file times to be believed."""
    has_times = artifact.good_from is not None or artifact.bad_from is not None
    return has_times and abs(case.clock_offset) > max(artifact.margin, 1.0)


def _judge_silent(case: CaseFile, incident: Incident, now: datetime) -> Judgement:
    since = case.silent_since or now
    notes = console_notes(case, incident, now)
    silent = f"silent for {_span((now - since).total_seconds())}" + (
        f": {case.silence}" if case.silence else ""
    )
    if case.answered_at is None:
        return _say(Verdict.DARK, f"never answered, {silent}", *notes)
    own = own_crashes(case, incident)
    if now - since >= timedelta(seconds=incident.crash.within):
        return _say(Verdict.DARK, silent, *_before_silence(case, incident, own), *notes)
    if returns(case, incident) >= incident.crash.returns:
        return _say(Verdict.CRASH_LOOP, _loop_text(case, incident), silent)
    if case.listing is not None and case.listing.bad:
        verdict = Verdict.CRASH_LOOP if own else Verdict.EXPOSED
        return _say(verdict, listing_text(case.listing), *map(crash_text, own[-1:]), silent)
    if case.fix is not None:
        return _say(
            Verdict.DEGRADED,
            f"{_fixed_text(case.fix)}; waits for the host to come back",
            silent,
            *notes,
        )
    return _say(Verdict.DARK, silent, *notes)


def _before_silence(
    case: CaseFile, incident: Incident, own: Sequence[CrashRecord]
) -> tuple[str, ...]:
    """Silence after returns or crashes is no sign of health: Windows gives up after two starts that failed."""
    flapping = returns(case, incident)
    if flapping:
        times = f"{flapping} time{'s' if flapping > 1 else ''}"
        return (
            f"came back {times} before it fell silent for good: it may stand at a recovery screen",
        )
    if own and case.fix is None:
        return (f"{crash_text(own[-1])} before it fell silent: it may stand at a recovery screen",)
    return ()


def _judge_answering(  # noqa: PLR0911 - one answer for each rule
    case: CaseFile, incident: Incident, platform: Platform
) -> Judgement:
    listing = case.listing
    if listing is None or not case.boots:
        return _say(
            Verdict.UNKNOWN, "it answers, but its artifact folder and boot have not been read yet"
        )
    if listing.files and clock_is_off(case, platform.artifact):
        return _say(
            Verdict.UNKNOWN,
            f"its clock is off by {_span(abs(case.clock_offset))}, so its file times prove nothing",
        )
    if listing.bad:
        return _judge_bad(case, incident, platform, listing)
    if returns(case, incident) >= incident.crash.returns:
        return _say(Verdict.CRASH_LOOP, _loop_text(case, incident), listing_text(listing))
    if case.fix is not None:
        return _judge_fixed(case, incident, platform, _fixed_text(case.fix))
    short = _safe_mode(case, platform) or _missing_services(case, platform)
    if short:
        return _say(Verdict.DEGRADED, listing_text(listing), short)
    own = own_crashes(case, incident)
    past = [f"crashed before: {crash_text(crash)}" for crash in own[-1:]]
    up_for = f"up for {_span(case.boots[-1].up_for)}"
    settle = platform.proof.settle
    if case.boots[-1].up_for < settle and any(crash_behind(case, crash) for crash in own):
        up_for += f" since that crash, and not yet for the {_span(settle)} that would prove it over"
    return _say(Verdict.HEALTHY, listing_text(listing), *past, up_for)


def _judge_bad(
    case: CaseFile, incident: Incident, platform: Platform, listing: ArtifactListing
) -> Judgement:
    safe = [text for text in (_safe_mode(case, platform),) if text]
    if returns(case, incident) >= incident.crash.returns:
        return _say(Verdict.CRASH_LOOP, listing_text(listing), _loop_text(case, incident), *safe)
    own = own_crashes(case, incident)
    if own:
        return _say(Verdict.CRASH_LOOP, listing_text(listing), crash_text(own[-1]), *safe)
    return _say(Verdict.EXPOSED, listing_text(listing), *safe)


def _judge_fixed(case: CaseFile, incident: Incident, platform: Platform, fixed: str) -> Judgement:
    since = case.boots_since_fix
    if not since:
        return _say(
            Verdict.DEGRADED,
            fixed,
            f"the boot identity has not changed since, so the bad {_noun(case.listing)} may still be loaded",
        )
    crash = _crash_since_fix(case, incident, since[0])
    if crash is not None:
        return _say(
            Verdict.CRASH_LOOP, fixed, f"it crashed anew after the fix: {crash_text(crash)}"
        )
    short = (
        _safe_mode(case, platform) or _missing_services(case, platform) or _unread(case, since[-1])
    )
    if short:
        return _say(Verdict.DEGRADED, fixed, short)
    up_for = since[-1].up_for
    changed = f"boot identity changed after the fix ({len(since)} boot{'s' if len(since) > 1 else ''} since)"
    if up_for < platform.proof.settle:
        return _say(
            Verdict.DEGRADED,
            fixed,
            changed,
            f"up for {_span(up_for)} of {_span(platform.proof.settle)}",
            *_interruption(case),
        )
    return _say(
        Verdict.RECOVERED,
        fixed,
        changed,
        f"up for {_span(up_for)} in one boot",
        *_running(platform),
    )


def _unread(case: CaseFile, boot: SeenBoot) -> str:
    """A bad file may have come back with the restart, so what was read in an earlier boot proves nothing."""
    read = case.listing is not None and case.listing.at >= boot.first_seen
    return "" if read else "whether the bad update came back has not been read in this boot"


def _crash_since_fix(case: CaseFile, incident: Incident, first: SeenBoot) -> CrashRecord | None:
    """A crash of this incident that happened after the first boot that followed the fix began."""
    own = own_crashes(case, incident)
    return next((crash for crash in own if _happened_since(crash, first.identity)), None)


def _happened_since(crash: CrashRecord, boot: BootIdentity) -> bool:
    """Whether a crash ended this boot or a later one. What this boot wrote down is of the crash that led to it."""
    if boot.boot_time is None or crash.crashed_at is None:
        return False
    seen_until = boot.clock if boot.clock is not None else boot.boot_time
    if crash.logged_at is not None and crash.logged_at <= seen_until:
        return False
    return crash.crashed_at > boot.boot_time + SLACK


def _by_a_person(case: CaseFile, incident: Incident, place: int) -> bool:
    restart = restart_behind(case, place)
    if restart is None or restart.cause not in ("planned", "power_button"):
        return False
    return not any(crash_behind(case, crash, place) for crash in own_crashes(case, incident))


def _interruption(case: CaseFile) -> tuple[str, ...]:
    """Why the latest boot came about, where the host's records tell of something else than a crash."""
    restart = restart_behind(case)
    if restart is None or case.boots[-1].asked_for:
        return ()
    return (f"before that {_CAUSES[restart.cause]} ({restart.record})",)


def _safe_mode(case: CaseFile, platform: Platform) -> str:
    """Why Safe Mode keeps the latest boot from proving anything; empty where it does not.

    Of a boot in which nobody looked for it, protection that runs tells: in Safe Mode it does not.
    """
    facts = case.facts
    if facts is None or not facts.safe_mode:
        return ""
    if facts.at >= case.boots[-1].first_seen:
        return f"it runs in Safe Mode ({facts.safe_mode}), where a start proves nothing"
    if platform.proof.services or platform.proof.processes:
        return ""
    return f"it was in Safe Mode ({facts.safe_mode}) when that was last read, and nothing tells that it no longer is"


def _missing_services(case: CaseFile, platform: Platform) -> str:
    """What of the protection does not run, or was not seen to run in the latest boot."""
    asked = (*platform.proof.services, *platform.proof.processes)
    began = case.boots[-1].first_seen
    running = {
        service.name.lower(): service.at >= began for service in case.services if service.running
    }
    missing = [name for name in asked if name.lower() not in running]
    if missing:
        return f"protection does not run: {', '.join(missing)}"
    unread = [name for name in asked if not running[name.lower()]]
    return (
        f"whether protection runs was not read in this boot: {', '.join(unread)}" if unread else ""
    )


def _running(platform: Platform) -> tuple[str, ...]:
    asked = (*platform.proof.services, *platform.proof.processes)
    return (f"protection runs: {', '.join(asked)}",) if asked else ()


def _fixed_text(fix: FixApplied) -> str:
    return f"the bad artifact is {REMEDIES[fix.remedy].done}"


def _noun(listing: ArtifactListing | None) -> str:
    return "file" if listing is None or listing.kind == "files" else listing.kind


def listing_text(listing: ArtifactListing) -> str:
    """A listing for an operator."""
    if listing.kind != "files":
        return items_text(listing)
    if not listing.exists:
        return f"no folder {listing.directory}"
    bad = sum(1 for file in listing.files if file.state == "bad")
    good = sum(1 for file in listing.files if file.state == "good")
    if listing.bad:
        return f"{bad} bad and no good file in {listing.directory}"
    if good:
        return f"{good} good file{'s' if good > 1 else ''} in {listing.directory}"
    kept = f", {listing.quarantined} in quarantine" if listing.quarantined else ""
    return f"no bad file in {listing.directory}{kept}"


def _loop_text(case: CaseFile, incident: Incident) -> str:
    found = _returned(case, incident)
    own = own_crashes(case, incident)
    others = [
        crash
        for crash in case.crashes
        if crash not in own and any(crash_behind(case, crash, place) for place in found)
    ]
    told = f"; but something else led to one at least: {crash_text(others[-1])}" if others else ""
    return (
        f"came back {len(found)} times within {_span(incident.crash.within)}, each time in another boot "
        f"that nobody asked for{told}"
    )


def crash_text(crash: CrashRecord) -> str:
    """A crash for an operator."""
    code = (
        f"stop code 0x{crash.stop_code:X}"
        if crash.stop_code is not None
        else crash.text[:120] or "crash"
    )
    module = f" in {crash.module}" if crash.module else ""
    return f"{code}{module} on record ({crash.record})"


def _span(seconds: float) -> str:
    """A span for people: `45 s`, `12 min`, `5 h`, `3 d`."""
    for limit, size, unit in ((120.0, 1.0, "s"), (7200.0, 60.0, "min"), (172800.0, 3600.0, "h")):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86400.0:.0f} d"


def _say(verdict: Verdict, *because: str) -> Judgement:
    return Judgement(verdict, because)
