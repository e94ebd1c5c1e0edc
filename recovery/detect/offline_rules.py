"""What a disk that does not run can prove. It cannot prove that a machine is well: nobody saw it start."""

from __future__ import annotations

from collections.abc import Sequence

from recovery.detect.rules import crash_text, listing_text, this_incidents
from recovery.model.evidence import ArtifactListing, CrashRecord, Judgement, Verdict
from recovery.model.host import Os
from recovery.model.incident import Incident


def judge_disk(
    listing: ArtifactListing | None, crashes: Sequence[CrashRecord], incident: Incident, os: Os
) -> Judgement:
    """`exposed` or `crash_loop` where the disk proves it, else `unknown` with what it shows."""
    if os not in incident.platforms:
        return Judgement(Verdict.UNKNOWN, (f"{incident.name} does not concern {os}",))
    own = [crash for crash in crashes if this_incidents(crash, incident)]
    told = tuple(crash_text(crash) for crash in own[-1:])
    if listing is not None and listing.bad:
        verdict = Verdict.CRASH_LOOP if own else Verdict.EXPOSED
        return Judgement(verdict, (listing_text(listing), *told, *_others(crashes, own)))
    shown = listing_text(listing) if listing is not None else "the artifact could not be looked at"
    if listing is None and _is_loop(own, incident):
        return Judgement(
            Verdict.CRASH_LOOP, (shown, f"{len(own)} crashes of this incident on record", *told)
        )
    unproven = (
        "a disk that does not run cannot prove more: whether the machine starts has to be seen"
    )
    return Judgement(Verdict.UNKNOWN, (shown, *told, *_others(crashes, own), unproven))


def _is_loop(own: Sequence[CrashRecord], incident: Incident) -> bool:
    """Whether so many crashes as make a loop lie within the profile's span."""
    times = sorted(crash.crashed_at for crash in own if crash.crashed_at is not None)
    wanted = max(incident.crash.returns, 2)
    return any(
        last - first <= incident.crash.within
        for first, last in zip(times, times[wanted - 1 :], strict=False)
    )


def _others(crashes: Sequence[CrashRecord], own: Sequence[CrashRecord]) -> tuple[str, ...]:
    count = len(crashes) - len(own)
    if not count:
        return ()
    return (f"{count} other crash{'es' if count > 1 else ''} on record, not of this incident",)
