"""The forecast counts how hosts end, and when the parts of a fleet are well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from recovery.journal.views import RunView
from recovery.model.events import ApprovalAsked, GuardTripped, Outcome, RunStarted
from recovery.model.state import HostState
from recovery.report.forecast import forecast

AT = datetime(2024, 7, 19, 6, tzinfo=UTC)


def _state(name: str, outcome: Outcome | None, minutes: int) -> HostState:
    return HostState(name, outcome=outcome, updated=AT + timedelta(minutes=minutes))


def _view(*states: HostState, total: int) -> RunView:
    return RunView(
        "r",
        started=RunStarted(at=AT, run="r", playbook="rollback", incident="c", total=total),
        states={state.name: state for state in states},
    )


def test_parts_of_the_fleet_have_their_times() -> None:
    hosts = [_state(f"h{n}", Outcome.RECOVERED, n) for n in range(1, 11)]
    found = forecast(_view(*hosts, total=10))
    assert (found.half, found.most, found.all, found.ended) == (300.0, 540.0, 600.0, 600.0)
    assert (found.well, found.counts) == (10, {"recovered": 10})


def test_what_never_gets_well_has_no_time() -> None:
    hosts = [_state("a", Outcome.HEALTHY, 1), _state("b", Outcome.HANDED_OVER, 9)]
    found = forecast(_view(*hosts, _state("c", None, 3), total=4))
    assert (found.half, found.all, found.ended) == (None, None, 540.0)
    assert found.counts == {"open": 2, "handed_over": 1, "healthy": 1}


def test_nothing_has_happened_yet() -> None:
    assert forecast(RunView("r")).counts == {}


def test_a_halt_and_open_questions_are_told() -> None:
    view = RunView(
        "r",
        guard=GuardTripped(at=AT, rule="failed", count=3, limit=2, denominator="wave 2 (5 hosts)"),
        asked=(ApprovalAsked(at=AT, gate="wave:2", question="go on?"),),
    )
    found = forecast(view)
    assert found.stopped == "failed 3 of wave 2 (5 hosts), limit 2"
    assert found.gates == ("wave:2",)
