"""Laws of the rules and of folding records: they hold for any evidence, in any order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Literal

import hypothesis.strategies as st
from hypothesis import given

from recovery.detect.crashes import fold
from recovery.detect.event_record import EventKind, EventRecord
from recovery.detect.rules import judge
from recovery.model.case import CaseFile, add_evidence
from recovery.model.evidence import (
    AnyEvidence,
    ArtifactFile,
    ArtifactListing,
    BootIdentity,
    CrashRecord,
    FixApplied,
    MachineFacts,
    Reachability,
    RestartRecord,
    Verdict,
)
from recovery.model.incident import Artifact, Crash, Incident, Platform, Proof, Remedy

ZERO = datetime(2024, 7, 19, 8, 0, tzinfo=UTC)
SETTLE = 600.0
OTHER = 0x124
INCIDENT = Incident(
    name="x",
    title="x",
    began=ZERO - timedelta(hours=4),
    crash=Crash(stop_codes=(0x50, 0x7E), modules=("csagent.sys",)),
    platforms={
        "windows": Platform(
            artifact=Artifact(directory="d", pattern="*.sys", margin=300.0, bad_from=ZERO),
            proof=Proof(settle=SETTLE),
            remedies={"full_system": Remedy()},
        )
    },
)
SICKNESS = {
    Verdict.HEALTHY: 0,
    Verdict.RECOVERED: 0,
    Verdict.DEGRADED: 1,
    Verdict.UNKNOWN: 1,
    Verdict.DARK: 2,
    Verdict.EXPOSED: 2,
    Verdict.CRASH_LOOP: 3,
}

MINUTES = st.integers(0, 240)
NAMES = st.sampled_from("abcd")
HOST_TIMES = st.integers(-600, 240).map(lambda minute: ZERO.timestamp() + 60.0 * minute)


@st.composite
def boots(draw: st.DrawFn, at: datetime) -> BootIdentity:
    up = draw(st.sampled_from([10.0, 60.0, 599.0, 601.0, 9000.0]))
    now = at.timestamp()
    return BootIdentity(
        at=at, source="t", boot_id=draw(NAMES), uptime=up, boot_time=now - up, clock=now
    )


def folders(at: datetime) -> st.SearchStrategy[AnyEvidence]:
    def listing(*, bad: bool) -> AnyEvidence:
        files = (ArtifactFile(path="/f", state="bad" if bad else "good"),)
        return ArtifactListing(at=at, source="t", directory="d", exists=True, bad=bad, files=files)

    return st.booleans().map(lambda bad: listing(bad=bad))


def evidence_at(at: datetime) -> st.SearchStrategy[AnyEvidence]:
    seen: dict[str, Any] = {"at": st.just(at), "source": st.just("t")}
    causes = st.sampled_from(["planned", "power_button", "power_loss", "unexpected"])
    return st.one_of(
        boots(at),
        folders(at),
        crash(st.sampled_from([0x50, OTHER]), at),
        st.builds(Reachability, **seen, answers=st.booleans()),
        st.builds(FixApplied, **seen, intent=st.just("i"), files=st.just(1), boot_id=NAMES),
        st.builds(
            RestartRecord, **seen, cause=causes, restarted_at=HOST_TIMES, logged_at=HOST_TIMES
        ),
        st.builds(MachineFacts, **seen, safe_mode=st.sampled_from(["", "minimal", "network"])),
    )


def crash(codes: st.SearchStrategy[int], at: datetime = ZERO) -> st.SearchStrategy[CrashRecord]:
    return st.builds(
        CrashRecord,
        at=st.just(at),
        source=st.just("test"),
        stop_code=codes,
        crashed_at=st.none() | HOST_TIMES,
        logged_at=st.none() | HOST_TIMES,
        record=st.just("test"),
    )


def case_of(items: list[AnyEvidence]) -> CaseFile:
    case = CaseFile()
    for item in items:
        case = add_evidence(case, item)
    return case


EVIDENCE = MINUTES.flatmap(lambda minute: evidence_at(ZERO + timedelta(minutes=minute)))
HISTORIES = st.lists(EVIDENCE, max_size=14).map(lambda items: sorted(items, key=lambda e: e.at))


@given(HISTORIES, crash(st.just(OTHER)), MINUTES)
def test_a_crash_of_something_else_makes_no_host_sicker(
    history: list[AnyEvidence], other: CrashRecord, minute: int
) -> None:
    case, now = case_of(history), ZERO + timedelta(minutes=240 + minute)
    before = judge(case, INCIDENT, "windows", now)
    after = judge(add_evidence(case, other), INCIDENT, "windows", now)
    assert SICKNESS[after.verdict] <= SICKNESS[before.verdict]


@given(HISTORIES, MINUTES)
def test_recovered_needs_a_fix_another_boot_and_the_settle_time(
    history: list[AnyEvidence], minute: int
) -> None:
    case = case_of(history)
    judged = judge(case, INCIDENT, "windows", ZERO + timedelta(minutes=240 + minute))
    assert judged.because
    if judged.verdict is Verdict.RECOVERED:
        assert case.fix is not None
        assert case.boots[-1].identity.boot_id != case.fix.boot_id
        assert case.boots[-1].up_for >= SETTLE
        assert case.silent_since is None
        assert case.listing is not None
        assert not case.listing.bad


@given(HISTORIES, st.sampled_from(["minimal", "network", "dsrepair"]))
def test_safe_mode_is_never_healthy(
    history: list[AnyEvidence], mode: Literal["minimal", "network", "dsrepair"]
) -> None:
    last = ZERO + timedelta(minutes=240)
    facts = MachineFacts(at=last, source="t", safe_mode=mode)
    case = add_evidence(case_of(history), facts)
    judged = judge(case, INCIDENT, "windows", ZERO + timedelta(minutes=241))
    assert judged.verdict not in (Verdict.HEALTHY, Verdict.RECOVERED)


KINDS: tuple[tuple[EventKind, int], ...] = (
    ("bugcheck", 1001),
    ("dirty_restart", 41),
    ("unexpected_shutdown", 6008),
    ("planned_restart", 1074),
    ("boot", 12),
    ("dump_failed", 161),
)


@st.composite
def events(draw: st.DrawFn) -> EventRecord:
    kind, number = draw(st.sampled_from(KINDS))
    at = ZERO + timedelta(seconds=draw(st.integers(0, 2000)))
    coded = kind in ("bugcheck", "dirty_restart")
    return EventRecord(
        event_id=number,
        provider="p",
        kind=kind,
        at=at,
        record_id=draw(st.integers(1, 10**6)),
        stop_code=draw(st.sampled_from([0x50, OTHER, None])) if coded else None,
        started=at if kind == "boot" else None,
        meaning=kind,
    )


def folded(items: list[EventRecord]) -> tuple[CrashRecord | RestartRecord, ...]:
    return fold(items, (), at=ZERO, source="test")


DISTINCT = st.lists(events(), max_size=12, unique_by=(lambda e: e.at, lambda e: e.record_id))


@given(DISTINCT, st.randoms(use_true_random=False))
def test_the_order_in_which_records_are_handed_in_does_not_matter(
    items: list[EventRecord], random: Random
) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)
    assert folded(shuffled) == folded(items)


@given(DISTINCT)
def test_records_that_are_handed_in_twice_count_once(items: list[EventRecord]) -> None:
    assert folded(items + items) == folded(items)


@given(DISTINCT)
def test_no_crash_is_made_up_and_none_is_lost(items: list[EventRecord]) -> None:
    found = folded(items)
    crashes = [record for record in found if isinstance(record, CrashRecord)]
    told = [e for e in items if e.kind == "bugcheck" or e.stop_code is not None]
    assert len(crashes) <= len(told)
    assert {c.stop_code for c in crashes if c.stop_code} == {e.stop_code for e in told} - {None}
    planned = [r for r in found if isinstance(r, RestartRecord) and r.cause == "planned"]
    assert len(planned) == sum(e.kind == "planned_restart" for e in items)


@given(DISTINCT)
def test_a_crash_lies_before_the_record_of_it(items: list[EventRecord]) -> None:
    for record in folded(items):
        if isinstance(record, CrashRecord) and record.logged_at is not None:
            assert record.crashed_at is not None
            assert record.crashed_at <= record.logged_at + 5.0
