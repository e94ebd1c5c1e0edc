"""Laws of the folds: they are bounded, go forward, and give the same however the events are cut up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce

import hypothesis.strategies as st
from hypothesis import given

from recovery.model.case import CaseFile, add_evidence, same_boot
from recovery.model.events import (
    AnyEvent,
    HostAdmitted,
    HostFinished,
    HostObserved,
    Notice,
    Outcome,
    StepFinished,
    StepIntended,
)
from recovery.model.evidence import (
    AnyEvidence,
    BootIdentity,
    CrashRecord,
    FixApplied,
    Reachability,
    ServiceState,
    UndoApplied,
    Verdict,
)
from recovery.model.state import HostState, apply

BEGAN = datetime(2024, 7, 19, 6, 0, tzinfo=UTC)
MOST = 16

times = st.integers(0, 100_000).map(lambda seconds: BEGAN + timedelta(seconds=seconds))
identities = st.builds(
    BootIdentity,
    at=times,
    source=st.just("ssh"),
    boot_id=st.sampled_from(["", "a", "b", "c", "d"]),
    boot_time=st.none() | st.floats(0, 1e6),
    uptime=st.none() | st.floats(0, 1e6),
)
fixes = st.builds(
    FixApplied, at=times, source=st.just("endpoint"), boot_id=st.sampled_from(["", "a", "b", "z"])
)
evidences: st.SearchStrategy[AnyEvidence] = st.one_of(
    identities,
    fixes,
    st.builds(Reachability, at=times, source=st.just("look"), answers=st.booleans()),
    st.builds(
        CrashRecord,
        at=times,
        source=st.just("ssh"),
        record=st.sampled_from("xyz"),
        text=st.text(max_size=3),
    ),
    st.builds(
        ServiceState,
        at=times,
        source=st.just("ssh"),
        name=st.text(max_size=2),
        running=st.booleans(),
    ),
    st.builds(UndoApplied, at=times, source=st.just("endpoint")),
)
verdicts = st.sampled_from(Verdict)
outcomes = st.sampled_from(["ok", "already", "failed", "unreachable", "interrupted", "new_crash"])


def event(kind: type, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[AnyEvent]:
    """Events about one host."""
    return st.builds(kind, at=times, run=st.just("r"), host=st.just("h"), **fields)


step = {"step": st.sampled_from(["rollback", "reboot", "prove"]), "attempt": st.integers(1, 4)}
events = st.one_of(
    event(HostObserved, evidence=st.lists(evidences, max_size=3).map(tuple), verdict=verdicts),
    event(HostAdmitted, wave=st.integers(1, 5)),
    event(StepIntended, index=st.integers(0, 6), intent=st.sampled_from("pqr"), **step),
    event(
        StepFinished,
        index=st.integers(0, 6),
        outcome=outcomes,
        intent=st.sampled_from(["", "p", "q"]),
        evidence=st.lists(evidences, max_size=3).map(tuple),
        verdict=verdicts,
        **step,
    ),
    event(HostFinished, outcome=st.sampled_from(Outcome), verdict=verdicts),
    event(Notice, message=st.just("hello")),
)


def fold(happened: list[AnyEvent], begun: HostState | None = None) -> HostState:
    return reduce(apply, happened, begun or HostState("h"))


def case_of(seen: list[AnyEvidence]) -> CaseFile:
    return reduce(add_evidence, seen, CaseFile())


@given(st.lists(events, max_size=60), st.integers(0, 60))
def test_the_state_is_the_same_however_the_events_are_cut_up(
    happened: list[AnyEvent], cut: int
) -> None:
    assert fold(happened[cut:], fold(happened[:cut])) == fold(happened)


@given(st.lists(evidences, max_size=80))
def test_a_case_file_is_bounded(seen: list[AnyEvidence]) -> None:
    case = case_of(seen)
    for kept in (case.boots, case.crashes, case.services, case.reports):
        assert len(kept) <= MOST
    assert len({service.name for service in case.services}) == len(case.services)


@given(st.lists(events, max_size=60))
def test_what_has_happened_stays_happened(happened: list[AnyEvent]) -> None:
    state = HostState("h")
    for one in happened:
        after = apply(state, one)
        assert not state.touched or after.touched
        assert not state.changed or after.changed
        assert not state.new_crash or after.new_crash
        assert after.reboots >= state.reboots
        assert state.outcome is None or after.outcome is not None
        state = after


@given(st.lists(events, max_size=60))
def test_only_a_finished_step_moves_the_host_to_another_one(happened: list[AnyEvent]) -> None:
    state = HostState("h")
    for one in happened:
        after = apply(state, one)
        if not isinstance(one, StepFinished):
            assert (after.index, after.failures) == (state.index, state.failures)
        elif one.outcome in ("ok", "already"):
            assert (after.index, after.failures, after.attempts) == (one.index + 1, 0, 0)
        else:
            assert after.index == one.index
            assert after.index <= state.index or one.index > state.index
        state = after


@given(st.lists(events, max_size=60))
def test_an_intent_stays_open_until_its_own_end(happened: list[AnyEvent]) -> None:
    state = HostState("h")
    for one in happened:
        after = apply(state, one)
        if state.intent is not None and after.intent is None:
            closes = isinstance(one, StepFinished) and one.intent == state.intent.intent
            assert closes or isinstance(one, HostFinished)
        state = after


@given(identities, identities)
def test_whether_two_boots_are_one_does_not_depend_on_who_asks(
    one: BootIdentity, two: BootIdentity
) -> None:
    assert same_boot(one, two) == same_boot(two, one)
    assert same_boot(one, one) != "other"


@given(st.lists(evidences, max_size=40))
def test_boots_since_the_fix_are_the_newest_ones_and_never_the_fixs_own(
    seen: list[AnyEvidence],
) -> None:
    case = case_of(seen)
    since = case.boots_since_fix
    if case.fix is None:
        assert since == ()
        return
    if case.fix.boot_id and any(b.identity.boot_id == case.fix.boot_id for b in case.boots):
        assert since == case.boots[len(case.boots) - len(since) :]
    assert all(boot.identity.boot_id != case.fix.boot_id for boot in since if case.fix.boot_id)


@given(st.lists(evidences, max_size=40))
def test_a_host_that_has_just_answered_is_not_silent(seen: list[AnyEvidence]) -> None:
    answered = Reachability(at=BEGAN, source="look", answers=True)
    case = add_evidence(case_of(seen), answered)
    assert case.silent_since is None
    assert case.answered_at == BEGAN
