"""The rules: what the evidence on a host adds up to, and why. Pure; the time is an argument.

The first rule that applies decides. Each names its reasons in sentences that an operator can check against the
evidence. What the evidence does not tell is `unknown` or `dark`, never a hopeful guess.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from recovery.model.evidence import ArtifactListing, CrashRecord, Judgement, Verdict
from recovery.model.host import Os
from recovery.model.incident import Artifact, Incident, Platform
from recovery.model.state import CaseFile, SeenBoot


def judge(case: CaseFile, incident: Incident, os: Os, now: datetime) -> Judgement:
    """The verdict on a host with this evidence, at the time `now` (UTC)."""
    platform = incident.platforms.get(os)
    if platform is None:
        return _say(Verdict.HEALTHY, f"{incident.name} does not concern {os}")
    if case.answered_at is None and case.silent_since is None:
        return _say(Verdict.UNKNOWN, "nothing has been observed yet")
    if case.silent_since is not None:
        return _judge_silent(case, incident, now)
    return _judge_answering(case, incident, platform)


def this_incidents(crash: CrashRecord, incident: Incident, clock_offset: float = 0.0) -> bool:
    """Whether a crash record is one of this incident: after it began, with its stop code, module or text.

    The record's time is by the host's clock; `clock_offset` (seconds ahead) is taken off first.
    """
    if (
        crash.crashed_at is not None
        and crash.crashed_at - clock_offset < incident.began.timestamp()
    ):
        return False
    rule = incident.crash
    if crash.module and rule.modules:
        return crash.module.lower() in {name.lower() for name in rule.modules}
    if crash.stop_code is not None:
        return crash.stop_code in rule.stop_codes
    return any(text.lower() in crash.text.lower() for text in rule.texts)


def returns(case: CaseFile, incident: Incident) -> int:
    """How often the host came back in another boot that nobody asked for, within the profile's span up to the last."""
    if not case.boots:
        return 0
    earliest = case.boots[-1].first_seen - timedelta(seconds=incident.crash.within)
    return sum(1 for boot in case.boots[1:] if not boot.asked_for and boot.first_seen >= earliest)


def clock_is_off(case: CaseFile, artifact: Artifact) -> bool:
    """Whether the host's clock is too wrong for its file times to be believed."""
    has_times = artifact.good_from is not None or artifact.bad_from is not None
    return has_times and abs(case.clock_offset) > max(artifact.margin, 1.0)


def _judge_silent(case: CaseFile, incident: Incident, now: datetime) -> Judgement:
    since = case.silent_since or now
    silent = f"silent for {_span((now - since).total_seconds())}" + (
        f": {case.silence}" if case.silence else ""
    )
    if case.answered_at is None:
        return _say(Verdict.DARK, f"never answered, {silent}")
    if now - since >= timedelta(seconds=incident.crash.within):
        flapping = returns(case, incident)
        seen = (
            f"came back {flapping} times before it fell silent for good: it may stand at a recovery screen",
        )
        return _say(Verdict.DARK, silent, *(seen if flapping else ()))
    if returns(case, incident) >= incident.crash.returns:
        return _say(Verdict.CRASH_LOOP, _loop_text(case, incident), silent)
    if case.listing is not None and case.listing.bad:
        return _say(Verdict.EXPOSED, listing_text(case.listing), silent)
    if case.fix is not None:
        return _say(
            Verdict.DEGRADED,
            "the bad artifact is in quarantine; waits for the host to come back",
            silent,
        )
    return _say(Verdict.DARK, silent)


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
        return _judge_bad(case, incident, listing)
    if returns(case, incident) >= incident.crash.returns:
        return _say(Verdict.CRASH_LOOP, _loop_text(case, incident), listing_text(listing))
    if case.fix is not None:
        return _judge_fixed(case, incident, platform)
    missing = _missing_services(case, platform)
    if missing:
        return _say(Verdict.DEGRADED, listing_text(listing), missing)
    return _say(Verdict.HEALTHY, listing_text(listing), f"up for {_span(case.boots[-1].up_for)}")


def _judge_bad(case: CaseFile, incident: Incident, listing: ArtifactListing) -> Judgement:
    if returns(case, incident) >= incident.crash.returns:
        return _say(Verdict.CRASH_LOOP, listing_text(listing), _loop_text(case, incident))
    for crash in reversed(case.crashes):
        if this_incidents(crash, incident, case.clock_offset):
            return _say(Verdict.CRASH_LOOP, listing_text(listing), crash_text(crash))
    return _say(Verdict.EXPOSED, listing_text(listing))


def _judge_fixed(case: CaseFile, incident: Incident, platform: Platform) -> Judgement:
    fixed = "the bad artifact is in quarantine"
    since = case.boots_since_fix
    if not since:
        return _say(
            Verdict.DEGRADED,
            fixed,
            "the boot identity has not changed since, so the bad file may still be loaded",
        )
    crash = _crash_since_fix(case, incident, since[0])
    if crash is not None:
        return _say(
            Verdict.CRASH_LOOP, fixed, f"it crashed anew after the fix: {crash_text(crash)}"
        )
    missing = _missing_services(case, platform)
    if missing:
        return _say(Verdict.DEGRADED, fixed, missing)
    up_for = since[-1].up_for
    changed = f"boot identity changed after the fix ({len(since)} boot{'s' if len(since) > 1 else ''} since)"
    if up_for < platform.proof.settle:
        return _say(
            Verdict.DEGRADED,
            fixed,
            changed,
            f"up for {_span(up_for)} of {_span(platform.proof.settle)}",
        )
    return _say(
        Verdict.RECOVERED,
        fixed,
        changed,
        f"up for {_span(up_for)} in one boot",
        *_running(platform),
    )


def _crash_since_fix(case: CaseFile, incident: Incident, first: SeenBoot) -> CrashRecord | None:
    """A crash of this incident that happened after the first boot that followed the fix began."""
    began = first.identity.boot_time
    if began is None:
        return None
    for crash in case.crashes:
        if (
            crash.crashed_at is not None
            and crash.crashed_at > began
            and this_incidents(crash, incident, case.clock_offset)
        ):
            return crash
    return None


def _missing_services(case: CaseFile, platform: Platform) -> str:
    asked = (*platform.proof.services, *platform.proof.processes)
    running = {service.name.lower() for service in case.services if service.running}
    missing = [name for name in asked if name.lower() not in running]
    return f"protection does not run: {', '.join(missing)}" if missing else ""


def _running(platform: Platform) -> tuple[str, ...]:
    asked = (*platform.proof.services, *platform.proof.processes)
    return (f"protection runs: {', '.join(asked)}",) if asked else ()


def listing_text(listing: ArtifactListing) -> str:
    """A listing for an operator."""
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
    return (
        f"came back {returns(case, incident)} times within {_span(incident.crash.within)}, each time in another boot "
        "that nobody asked for"
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
