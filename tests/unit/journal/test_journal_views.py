"""What operators are shown is folded from events alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from recovery.journal.log import Log
from recovery.journal.views import (
    RunFold,
    RunView,
    WaveView,
    carried_over,
    fold,
    history,
    known_hosts,
    list_runs,
    summaries,
    waiting,
)
from recovery.model.events import (
    AnyEvent,
    ApprovalAsked,
    Command,
    CredentialStopped,
    GuardTripped,
    HostAdmitted,
    HostFinished,
    HostObserved,
    HostReturned,
    Notice,
    Outcome,
    RunFinished,
    RunHeld,
    RunResumed,
    WaveClosed,
    WaveOpened,
)
from recovery.model.evidence import (
    BootIdentity,
    FixApplied,
    Progress,
    Reachability,
    Verdict,
)
from recovery.model.state import HostState
from recovery.ports import Stored
from tests.unit.journal.happenings import (
    RUN,
    at,
    ended,
    finished_step,
    intended,
    notice,
    pause,
    started,
)

GUARD = GuardTripped(
    at=at(9), run=RUN, rule="failed", count=2, limit=1, denominator="wave 1 (5 hosts)"
)
FINISH = RunFinished(
    at=at(99), run=RUN, exit_reason="all recovered", exit_code=0, counts={"recovered": 3}
)


def stored(*events: AnyEvent) -> list[Stored]:
    return [Stored(seq, event) for seq, event in enumerate(events, 1)]


def seen(host: str, seconds: float = 0, run: str = RUN, *, answers: bool = True) -> HostObserved:
    evidence = Reachability(at=at(seconds), source="look", answers=answers, reason="no route")
    return HostObserved(
        at=at(seconds),
        run=run,
        host=host,
        evidence=(evidence,),
        verdict=Verdict.UNKNOWN if answers else Verdict.DARK,
        because=("answers" if answers else "silent",),
    )


def view_of(*events: AnyEvent) -> RunView:
    return fold(RUN, stored(*events))


def test_a_run_that_left_no_trace_has_an_empty_view() -> None:
    view = view_of()
    assert view == RunView(RUN)
    assert view.counts() == {}


def test_hosts_are_counted_by_verdict_progress_and_outcome() -> None:
    view = view_of(
        started(total=4), intended("h1"), finished_step("h1", 1), ended("h1", 2), intended("h2", 3)
    )
    assert dict(view.verdicts) == {"recovered": 1, "unknown": 1}
    assert dict(view.progress) == {"done": 1, "fixing": 1}
    assert dict(view.outcomes) == {"recovered": 1}
    assert view.counts() == {"recovered": 1, "open": 3}
    assert view.last == at(3)


def test_orders_of_people_are_not_of_the_runs_own_time() -> None:
    view = view_of(started(), finished_step("h1", 1), Command(at=at(9e6), run=RUN, verb="pause"))
    assert view.last == at(1)


def test_a_host_that_is_taken_up_again_after_its_end_counts_once() -> None:
    view = view_of(ended("h1", 1, Outcome.FAILED), ended("h1", 2))
    assert view.counts() == {"recovered": 1}


def test_waves_know_their_members() -> None:
    view = view_of(
        WaveOpened(at=at(1), run=RUN, wave=1, size=2),
        HostAdmitted(at=at(1), run=RUN, host="h1", wave=1),
        HostAdmitted(at=at(1), run=RUN, host="h2", wave=1),
        HostReturned(at=at(2), run=RUN, host="h2", wave=1, reason="silent"),
        ended("h1", 3),
        ended("h1", 4),
        ended("h3", 4),
        WaveClosed(at=at(5), run=RUN, wave=1),
        WaveOpened(at=at(6), run=RUN, wave=2, size=7),
    )
    assert view.waves == (WaveView(1, 2, at(1), at(5), admitted=1, ended=1), WaveView(2, 7, at(6)))
    assert (view.wave, view.wave_open) == (2, True)
    assert not view_of(WaveOpened(at=at(6), run=RUN, wave=2, size=7), FINISH).wave_open


def test_a_place_in_a_wave_whose_beginning_was_cut_off_is_counted_all_the_same() -> None:
    view = view_of(HostAdmitted(at=at(1), run=RUN, host="h1", wave=2))
    assert view.waves == (WaveView(2, admitted=1),)


def test_questions_are_open_until_somebody_approves() -> None:
    def ask(gate: str) -> ApprovalAsked:
        return ApprovalAsked(at=at(1), run=RUN, gate=gate, question="go on?")

    def approve(gate: str) -> Command:
        return Command(at=at(2), run=RUN, verb="approve", gate=gate)

    assert view_of(ask("wave:2"), ask("wave:2"), ask("step:1")).asked == (
        ask("wave:2"),
        ask("step:1"),
    )
    answered = view_of(ask("wave:2"), ask("step:1"), approve("wave:2"))
    assert (answered.asked, answered.approved) == ((ask("step:1"),), frozenset({"wave:2"}))
    assert view_of(approve("wave:2"), ask("wave:2")).asked == ()


def test_commands_and_holds_show_why_nothing_begins() -> None:
    held = RunHeld(at=at(6), run=RUN, reason="paused by ada")
    view = view_of(pause(), held)
    assert (view.paused, view.held) == (True, "paused by ada")
    released = RunHeld(at=at(8), run=RUN, reason="paused by ada", released=True)
    view = view_of(pause(), held, Command(at=at(7), run=RUN, verb="resume"), released)
    assert (view.paused, view.held) == (False, "")
    view = view_of(*(Command(at=at(7), run=RUN, verb=verb) for verb in ("abort", "cancel")))
    assert (view.aborted, view.cancelled) == (True, True)


def test_a_run_that_is_taken_up_again_is_held_by_nothing_any_more() -> None:
    before = (started(), pause(), RunHeld(at=at(6), run=RUN, reason="paused"), GUARD, FINISH)
    view = view_of(*before)
    assert (view.guard, view.finished) == (GUARD, FINISH)
    view = view_of(*before, RunResumed(at=at(100), run=RUN))
    assert (view.guard, view.finished, view.held, view.paused) == (None, None, "", False)
    assert view.resumed == 1


def test_notices_and_stopped_credentials_are_kept_and_bounded() -> None:
    stopped = CredentialStopped(at=at(1), run=RUN, credential="ad-admin", refusals=3)
    view = view_of(stopped, *(notice(number) for number in range(60)))
    assert view.credentials == ("ad-admin",)
    assert view.notices == tuple(notice(number) for number in range(10, 60))


def test_a_view_is_made_anew_only_when_something_happened() -> None:
    folding = RunFold(RUN)
    folding.add(started())
    first = folding.view()
    folding.add(notice(1, run="another run"))
    assert folding.view() is first
    folding.add(notice(1))
    assert folding.view() is not first


def test_a_run_begins_with_the_evidence_of_those_before_it() -> None:
    fix = FixApplied(at=at(1), source="ssh", intent="i", files=2, boot_id="b1")
    known = known_hosts(stored(finished_step("h1", 1, evidence=(fix,)), ended("h1", 2)))
    before = {name: carried_over(state) for name, state in known.items()}
    assert before["h1"].case.fix == fix
    assert (before["h1"].outcome, before["h1"].touched) == (None, False)
    view = fold("next", stored(seen("h1", 3, "next"), seen("h2", 3, "next")), before)
    assert view.states["h1"].case.fix == fix
    assert view.states["h2"].case.fix is None


def test_waiting_says_for_which_step_how_many_and_who_longest() -> None:
    events = [finished_step(f"h{number}", number, index=0) for number in range(7)]
    view = view_of(
        started(total=12),
        *events,
        seen("dark", 5, answers=False),
        ended("h0", 9),
        finished_step("late", 20, index=5),
    )
    waits = view.waiting(("triage", "quarantine"), at(100))
    found = {wait.step: wait for wait in waits}
    assert list(found) == ["quarantine", "end", "triage", "begin"]
    assert found["quarantine"].hosts == 6
    assert found["quarantine"].oldest == ("h1", "h2", "h3", "h4", "h5")
    assert found["quarantine"].seconds == 99
    assert (found["triage"].silent, found["quarantine"].silent) == (1, 0)
    assert (found["begin"].hosts, found["begin"].seconds) == (3, 100)


def test_waiting_of_hosts_without_any_time_is_zero_seconds() -> None:
    (wait,) = waiting([HostState("h1")], (), at(0))
    assert (wait.step, wait.seconds) == ("end", 0)


def test_the_latest_run_wins_for_progress_and_evidence_is_carried_over() -> None:
    boot = BootIdentity(at=at(1), source="ssh", boot_id="b1")
    states = known_hosts(
        stored(
            started("old"),
            finished_step("h1", 1, run="old", evidence=(boot,)),
            finished_step("h2", 1, run="old"),
            started("new"),
            seen("h1", 5, "new", answers=False),
        )
    )
    assert states["h1"].progress == Progress.UNTOUCHED
    assert states["h1"].verdict == Verdict.DARK
    assert states["h1"].case.boot == boot
    assert states["h1"].case.silent_since == at(5)
    assert states["h2"].progress == Progress.FIXED


def test_an_older_run_beside_the_latest_adds_evidence_only() -> None:
    boot = BootIdentity(at=at(6), source="ssh", boot_id="b2")
    states = known_hosts(
        stored(
            started("old"),
            started("new"),
            finished_step("h1", 4, run="old", progress=Progress.FIXING),
            finished_step("h1", 5, run="new", progress=Progress.FIXED, verdict=Verdict.RECOVERED),
            finished_step("h1", 6, run="old", progress=Progress.FIXING, evidence=(boot,)),
        )
    )
    state = states["h1"]
    assert (state.progress, state.verdict) == (Progress.FIXED, Verdict.RECOVERED)
    assert (state.case.boot, state.updated) == (boot, at(6))


def test_evidence_that_belongs_to_no_run_is_added_to_the_latest() -> None:
    states = known_hosts(stored(finished_step("h1", 1), seen("h1", 2, "", answers=False)))
    assert states["h1"].progress == Progress.FIXED
    assert states["h1"].verdict == Verdict.DARK


def test_simulated_hosts_are_never_taken_for_real_ones() -> None:
    events = stored(
        started("real"),
        finished_step("h1", 1, run="real"),
        started("twin", mock=True),
        finished_step("h1", 2, run="twin", verdict=Verdict.RECOVERED),
        finished_step("h2", 2, run="twin"),
    )
    real, mock = known_hosts(events, world="real"), known_hosts(events, world="mock")
    assert (set(real), real["h1"].verdict) == ({"h1"}, Verdict.EXPOSED)
    assert (set(mock), mock["h1"].verdict) == ({"h1", "h2"}, Verdict.RECOVERED)
    assert known_hosts(events) == mock
    assert known_hosts(events[:2]) == known_hosts(events, world="real")


def test_runs_are_listed_with_what_became_of_them(tmp_path: Path) -> None:
    with Log.open(tmp_path / "journal.db") as log:
        log.append(
            started(),
            FINISH,
            started("open", mock=True),
            RunResumed(at=at(1), run="open"),
            ended("h1", 2, Outcome.FAILED, run="open"),
            ended("h1", 3, run="open"),
            ended("h2", 3, run="open"),
            started("taken up"),
            RunFinished(
                at=at(4), run="taken up", exit_reason="1 failed", exit_code=4, counts={"failed": 1}
            ),
            RunResumed(at=at(5), run="taken up"),
            RunFinished(at=at(6), run="unknown", exit_reason="", exit_code=0),
        )
        first, second, third = list_runs(log)
        assert summaries(log.run_events())[1].counts == {}
    assert (first.run, first.finished, first.exit_code, first.counts) == (
        RUN,
        at(99),
        0,
        {"recovered": 3},
    )
    assert (second.mock, second.finished, second.resumed, second.counts) == (
        True,
        None,
        1,
        {"recovered": 2},
    )
    assert (third.finished, third.exit_code, third.exit_reason, third.counts) == (
        None,
        None,
        "",
        {},
    )


def test_the_history_of_a_host_has_the_starts_of_its_runs(tmp_path: Path) -> None:
    with Log.open(tmp_path / "journal.db") as log:
        events: list[AnyEvent] = [
            started(),
            seen("h1", 1),
            started("other"),
            seen("h2", 2, "other"),
            ended("h1", 3),
        ]
        log.append(*events)
        assert [stored.event for stored in history(log, "h1")] == [events[0], events[1], events[4]]
        assert history(log, "nobody") == []


@pytest.mark.parametrize(
    "event",
    [
        Notice(at=at(1), run=RUN, host="h1", message="hm"),
        HostFinished(at=at(1), run=RUN, host="h1", outcome=Outcome.CANCELLED),
    ],
)
def test_a_host_that_only_ends_is_a_host_all_the_same(event: AnyEvent) -> None:
    assert list(view_of(event).states) == ["h1"]
