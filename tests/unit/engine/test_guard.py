"""The guard counts what went wrong with hosts that were admitted, and halts at its figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.engine.guard import GuardWatch
from recovery.model.events import Outcome
from recovery.model.playbook import Guard, Share
from recovery.model.state import HostState


def host(name: str, **fields: object) -> HostState:
    return HostState(name, **{"wave": 1, "changed": True, **fields})  # type: ignore[arg-type]


def watch(guard: Guard, total: int = 100, **sites: int) -> GuardWatch:
    return GuardWatch(guard, total, sites)


def test_a_percentage_of_a_small_wave_halts_at_the_first_failure() -> None:
    guard = watch(Guard(failed=Share(2, percent=True)))
    assert guard.tripped(1, 5) is None
    guard.see(host("a", outcome=Outcome.FAILED), "ATL")
    trip = guard.tripped(1, 5)
    assert trip is not None
    assert (trip.rule, trip.count, trip.limit, trip.denominator) == (
        "failed",
        1,
        1,
        "wave 1 (5 hosts)",
    )


def test_one_host_is_one_host() -> None:
    guard = watch(Guard(failed=Share(1, percent=True)))
    guard.see(host("a", outcome=Outcome.FAILED), "ATL")
    trip = guard.tripped(1, 1)
    assert trip is not None
    assert trip.denominator == "wave 1 (1 host)"


@pytest.mark.parametrize(
    ("state", "rule"),
    [
        (host("a", outcome=Outcome.FAILED), "failed"),
        (host("a", outcome=Outcome.HANDED_OVER, last="failed"), "failed"),
        (host("a", outcome=Outcome.UNREACHABLE), "unreachable"),
        (host("a", outcome=Outcome.HANDED_OVER, last="unreachable"), "unreachable"),
        (host("a", new_crash=True), "new_crashes"),
        (host("a", outcome=Outcome.RECOVERED), None),
        (host("a", outcome=Outcome.FAILED, wave=0), None),
        (host("a", outcome=Outcome.UNREACHABLE, changed=False), None),
        (host("a", outcome=Outcome.UNREACHABLE, changed=False, reboots=1), "unreachable"),
    ],
)
def test_what_counts_for_which_rule(state: HostState, rule: str | None) -> None:
    guard = watch(Guard(failed=Share(1), unreachable=Share(1), new_crashes=Share(1)))
    guard.see(state, "ATL")
    trip = guard.tripped(1, 10)
    assert (trip.rule if trip else None) == rule


def test_each_host_counts_once() -> None:
    guard = watch(Guard(failed=Share(2)))
    for _ in range(3):
        guard.see(host("a", outcome=Outcome.FAILED), "ATL")
    assert guard.tripped(1, 10) is None


def test_a_share_of_a_site_names_the_site() -> None:
    guard = watch(Guard(failed=Share(50, percent=True, of="site")), ATL=2, MSP=4)
    guard.see(host("a", outcome=Outcome.FAILED), "MSP")
    assert guard.tripped(1, 10) is None
    guard.see(host("b", outcome=Outcome.FAILED), "MSP")
    trip = guard.tripped(1, 10)
    assert trip is not None
    assert trip.denominator == "site MSP (4 hosts)"


def test_the_run_is_the_denominator_where_it_is_named() -> None:
    guard = watch(Guard(failed=Share(10, percent=True, of="run")), total=20)
    guard.see(host("a", outcome=Outcome.FAILED), "ATL")
    assert guard.tripped(1, 1) is None
    guard.see(host("b", outcome=Outcome.FAILED), "ATL")
    assert guard.tripped(1, 1) is not None


def test_without_a_guard_nothing_halts() -> None:
    guard = GuardWatch(None, 1, {})
    guard.see(host("a", outcome=Outcome.FAILED, new_crash=True), "")
    assert guard.tripped(1, 1) is None


@given(
    st.lists(st.sampled_from(["recovered", "failed", "unreachable"]), max_size=40),
    st.integers(1, 20),
)
def test_the_guard_never_lets_go_again(outcomes: list[str], limit: int) -> None:
    guard = watch(Guard(failed=Share(limit), unreachable=Share(limit)))
    halted = False
    for number, outcome in enumerate(outcomes):
        guard.see(host(f"h{number}", outcome=Outcome(outcome)), "")
        now = guard.tripped(1, 100) is not None
        assert now or not halted
        halted = now
    worst = max(outcomes.count("failed"), outcomes.count("unreachable"))
    assert halted == (worst >= limit)


def test_it_says_how_near_each_rule_is_to_its_figure() -> None:
    half = Share(50, percent=True, of="site")
    guard = watch(Guard(failed=half, unreachable=Share(3), new_crashes=Share(1)), ATL=4, MSP=2)
    guard.see(host("a", outcome=Outcome.FAILED), "ATL")
    guard.see(host("b", outcome=Outcome.UNREACHABLE), "MSP")
    levels = [(level.rule, level.count, level.limit) for level in guard.levels(1, 5)]
    assert levels == [("failed", 1, 2), ("unreachable", 1, 3), ("new_crashes", 0, 1)]
    assert watch(Guard()).levels(1, 5) == ()
    assert watch(Guard(failed=half)).levels(1, 5) == ()
