"""Whole runs on the mock twin: what becomes of hosts, waves, guard, commands."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from recovery import redact
from recovery.engine.context import Options
from recovery.engine.run import Run
from recovery.journal.reader import Reader
from recovery.model.events import (
    AnyEvent,
    HostAdmitted,
    HostFinished,
    RunHeld,
    StepFinished,
    StepIntended,
    WaveOpened,
)
from recovery.model.evidence import Progress, Verdict
from recovery.model.secret import Secret
from recovery.playbook.parser import parse_playbook
from tests.engine.stage import EPOCH, Stage, hosts, mix, playbook


def test_a_mixed_fleet_ends_proven_healthy_or_with_people() -> None:
    stage = Stage(hosts(40), playbook("rollback"), mix(crash_loop=0.5, exposed=0.2, dark=0.1))
    ending = stage.play()
    counts = Counter(stage.outcomes().values())
    assert counts == ending.counts
    assert set(counts) == {"recovered", "healthy", "handed_over"}
    assert sum(counts.values()) == 40
    assert ending.code == 7
    for state in stage.states.values():
        if state.outcome == "recovered":
            assert (state.verdict, state.progress) == (Verdict.RECOVERED, Progress.DONE)


def test_healthy_hosts_are_never_touched() -> None:
    stage = Stage(hosts(20), playbook("rollback"), mix())
    ending = stage.play()
    assert (ending.code, ending.counts) == (0, {"healthy": 20})
    assert not stage.kinds("step.intended")
    assert not stage.kinds("wave.opened")


def test_every_act_was_intended_first_and_every_recovery_has_its_proof() -> None:
    stage = Stage(hosts(30), playbook("rollback"), mix(crash_loop=0.6, exposed=0.4))
    stage.play()
    intended: set[str] = set()
    for event in stage.events:
        if isinstance(event, StepIntended):
            intended.add(event.intent)
        elif isinstance(event, StepFinished) and event.intent:
            assert event.intent in intended
        elif isinstance(event, HostFinished) and event.outcome == "recovered":
            mine = [e for e in stage.events if isinstance(e, StepFinished) and e.host == event.host]
            assert mine[-1].step == "prove"
            assert mine[-1].verdict == Verdict.RECOVERED


def test_no_more_hosts_are_changed_than_the_waves_allow() -> None:
    stage = Stage(hosts(30), playbook("rollback"), mix(exposed=1.0))
    stage.play()
    sizes = [event.size for event in stage.kinds("wave.opened") if isinstance(event, WaveOpened)]
    assert sizes == [1, 5, 1, 3, 20]
    admitted = Counter(event.wave for event in stage.events if isinstance(event, HostAdmitted))
    assert admitted == {1: 1, 2: 5, 3: 1, 4: 3, 5: 20}
    assert len(stage.kinds("wave.closed")) == 5


def test_a_wave_begins_only_after_the_one_before_and_its_soak() -> None:
    stage = Stage(hosts(7), playbook("rollback", strategy__soak="5m"), mix(exposed=1.0))
    stage.play()
    closed = [event.at for event in stage.kinds("wave.closed")]
    opened = [event.at for event in stage.kinds("wave.opened")]
    for end, begin in zip(closed, opened[1:], strict=False):
        assert begin - end >= timedelta(minutes=5)


def test_new_crashes_halt_the_run_in_the_first_waves() -> None:
    stage = Stage(hosts(200), playbook("rollback"), mix(exposed=1.0, crash_anew=0.1))
    ending = stage.play()
    assert ending.code == 6
    assert "new_crashes" in ending.reason
    touched = sum(state.touched for state in stage.states.values())
    assert touched < 60
    assert ending.counts["cancelled"] == 200 - touched


def test_what_was_begun_is_brought_to_its_end_after_a_halt() -> None:
    stage = Stage(
        hosts(60), playbook("rollback", strategy__waves="[100%]"), mix(exposed=1.0, crash_anew=0.2)
    )
    stage.play()
    for state in stage.states.values():
        assert state.outcome is not None
        assert (state.outcome == "cancelled") == (not state.touched)


def test_failures_halt_the_run() -> None:
    stage = Stage(hosts(50), playbook("rollback"), mix(exposed=1.0, quarantine_fails=1.0))
    ending = stage.play()
    assert ending.code == 6
    assert "failed: 1 of wave 1" in ending.reason
    assert ending.counts == {"handed_over": 1, "cancelled": 49}


def test_hosts_that_wake_up_join() -> None:
    stage = Stage(hosts(10), playbook("rollback"), mix(exposed=1.0, asleep=1.0))
    ending = stage.play()
    assert ending.counts == {"recovered": 10}


def test_dark_hosts_are_looked_at_once_where_nothing_is_kept_trying() -> None:
    stage = Stage(hosts(10), playbook("triage"), mix(dark=1.0))
    ending = stage.play()
    assert (ending.code, ending.counts) == (5, {"unreachable": 10})
    assert stage.events[-1].at - EPOCH < timedelta(minutes=1)


def test_triage_changes_nothing_and_says_what_it_found() -> None:
    stage = Stage(hosts(40), playbook("triage"), mix(crash_loop=0.3, exposed=0.3))
    stage.play()
    assert not stage.kinds("step.intended")
    verdicts = Counter(state.verdict for state in stage.states.values() if state.outcome == "done")
    assert verdicts[Verdict.EXPOSED] > 5


@pytest.mark.parametrize(
    ("fault", "words"), [("wrong_credential", "refused"), ("clock_off", "clock")]
)
def test_hosts_that_cannot_be_worked_on_say_why(fault: str, words: str) -> None:
    stage = Stage(hosts(5), playbook("triage"), mix(exposed=1.0, **{fault: 1.0}))
    stage.play()
    for state in stage.states.values():
        assert words in f"{state.message} {state.because}"


def test_protected_hosts_are_changed_only_by_name() -> None:
    fleet = hosts(2, protected=True)
    refused = Stage(fleet, playbook("rollback"), mix(exposed=1.0))
    assert refused.play().code == 4
    assert not refused.kinds("step.intended")
    named = Stage(fleet, playbook("rollback"), mix(exposed=1.0), named=frozenset({"h000"}))
    named.play()
    assert named.outcomes() == {"h000": "recovered", "h001": "failed"}


def test_a_lossy_network_delays_but_does_not_double_acts(tmp_path: Path) -> None:
    ledger = tmp_path / "acts"
    stage = Stage(
        hosts(20),
        playbook("rollback", strategy__guard="{failed: 100}"),
        mix(exposed=1.0, resets=0.2, cut=0.1, drops=0.1),
        ledger=ledger,
    )
    ending = stage.play()
    assert ending.counts == {"recovered": 20}
    acts = [line for line in ledger.read_text().splitlines() if '"quarantine"' in line]
    assert len(acts) == 20


def test_the_race_catches_loops() -> None:
    stage = Stage(hosts(30), playbook("race"), mix(crash_loop=1.0, window=(3.0, 12.0)))
    ending = stage.play()
    assert ending.counts == {"recovered": 30}


def test_undo_puts_back_what_a_run_moved(tmp_path: Path) -> None:
    fleet, path, ledger = hosts(6), str(tmp_path / "j.db"), tmp_path / "acts"
    fixed = Stage(
        fleet,
        playbook("quarantine", strategy__waves="[100%]"),
        mix(exposed=1.0),
        path=path,
        ledger=ledger,
    )
    assert fixed.play().counts == {"done": 6}
    undone = Stage(fleet, playbook("undo"), mix(exposed=1.0), ledger=ledger)
    assert undone.play().counts == {"done": 6}
    assert all(state.verdict == Verdict.EXPOSED for state in undone.states.values())


def test_undo_says_loudly_when_there_is_nothing_to_undo() -> None:
    stage = Stage(hosts(2), playbook("undo"), mix())
    assert stage.play().code == 0
    assert all("NOTHING TO UNDO" in state.message for state in stage.states.values())


def test_reboot_is_believed_only_with_another_boot() -> None:
    stage = Stage(hosts(4), playbook("reboot"), mix())
    ending = stage.play()
    assert ending.counts == {"done": 4}
    assert all(state.reboots == 1 for state in stage.states.values())


def test_the_same_seed_gives_the_same_run_event_for_event() -> None:
    faults = {"crash_loop": 0.5, "exposed": 0.3, "dark": 0.1, "resets": 0.05, "crash_anew": 0.02}
    first, second, other = (
        Stage(hosts(60), playbook("rollback"), mix(**faults), seed=seed) for seed in (5, 5, 6)
    )
    for stage in (first, second, other):
        stage.play()
    assert first.events == second.events
    assert first.events != other.events


def test_a_run_can_be_stopped_and_keeps_what_it_knows(tmp_path: Path) -> None:
    path, ledger = str(tmp_path / "j.db"), tmp_path / "acts"

    def stop_at_wave_two(event: AnyEvent, run: Run) -> None:
        if isinstance(event, WaveOpened) and event.wave == 2:
            run.stop()

    arguments = (hosts(12), playbook("rollback"), mix(exposed=1.0))
    stopped = Stage(*arguments, path=path, ledger=ledger)
    assert stopped.play(stop_at_wave_two).code == 130
    assert not stopped.kinds("run.finished")
    resumed = Stage(*arguments, path=path, ledger=ledger)
    assert resumed.play().counts == {"recovered": 12}
    opened = [event.wave for event in resumed.kinds("wave.opened") if isinstance(event, WaveOpened)]
    assert opened[0] == 3


def test_a_held_run_begins_nothing_new() -> None:
    held: list[AnyEvent] = []

    def hold(event: AnyEvent, run: Run) -> None:
        if isinstance(event, WaveOpened) and event.wave == 1:
            run.pause("paused")
        if isinstance(event, RunHeld) and not event.released:
            held.append(event)
            run.context.approved.add("x")
            run.stop()

    stage = Stage(hosts(3), playbook("rollback"), mix(exposed=1.0))
    assert stage.play(hold).code == 130
    assert len(held) == 1


def test_a_blocker_that_says_not_now_holds_admissions() -> None:
    answers = iter(["change freeze"] * 3)
    stage = Stage(hosts(2), playbook("rollback", strategy__waves="[100%]"), mix(exposed=1.0))

    async def blocker() -> str:
        return next(answers, "")

    stage.options = Options(seed=1, mock=True, poll_commands=1.0, blocker=blocker)
    assert stage.play().counts == {"recovered": 2}
    assert next(answers, None) is None
    held = [event for event in stage.events if isinstance(event, RunHeld)]
    assert [(event.reason, event.released) for event in held] == [
        ("not now, says the blocker: change freeze", False),
        ("not now, says the blocker: change freeze", True),
    ]
    first = stage.kinds("step.finished")[0]
    assert first.at - EPOCH >= timedelta(seconds=90)


def test_a_blocker_that_says_not_now_in_the_middle_lets_what_was_begun_end() -> None:
    stage = Stage(hosts(9), playbook("rollback"), mix(exposed=1.0))
    asked = 0

    async def blocker() -> str:
        nonlocal asked
        asked += 1
        return "an alert fires" if 2 <= asked <= 100 else ""

    stage.options = Options(seed=1, mock=True, poll_commands=1.0, blocker=blocker)
    assert stage.play().counts == {"recovered": 9}
    held, released = (event.at for event in stage.events if isinstance(event, RunHeld))
    during = [event for event in stage.kinds("host.admitted") if held <= event.at < released]
    assert not during
    assert released - held >= timedelta(minutes=45)


def test_a_run_that_changes_nothing_asks_no_blocker() -> None:
    stage = Stage(hosts(2), playbook("triage"), mix(exposed=1.0))

    async def blocker() -> str:
        return "not now"

    stage.options = Options(seed=1, mock=True, blocker=blocker)
    assert stage.play().counts == {"done": 2}
    assert not stage.kinds("run.held")


def test_what_a_host_says_takes_no_secret_into_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redact, "_live", redact.Redactor())
    redact.register(Secret("were there"))  # as if a host had said so
    path = tmp_path / "j.db"
    stage = Stage(hosts(3), playbook("rollback"), mix(exposed=1.0), path=str(path))
    assert stage.play().counts == {"recovered": 3}
    with closing(Reader.open(path)) as log:
        told = [msgspec.json.encode(stored.event) for stored in log.read()]
    assert any(b"moved to quarantine, 0 ***" in event for event in told)
    assert not [event for event in told if b"were there" in event]


@pytest.mark.parametrize("steps", [("settle", "prove"), ("prove",), ("triage",)])
def test_a_host_of_a_platform_that_the_incident_does_not_know_is_left_alone(
    steps: tuple[str, ...],
) -> None:
    lines = "".join(f"  - {step}\n" for step in steps)
    book = parse_playbook(f"playbook: own\nsteps:\n{lines}", "own.yaml")
    stage = Stage(hosts(1, os="macos"), book, mix())
    assert stage.play().counts == {"healthy": 1}
    state = stage.states["h000"]
    assert "does not concern macos" in state.message
    assert (state.verdict, state.because) == (
        "healthy",
        ("crowdstrike-291 does not concern macos",),
    )
