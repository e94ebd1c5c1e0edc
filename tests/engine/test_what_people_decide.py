"""Gates, commands through the journal, freezes, notices: what people say to a run, and what it does then."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from recovery.engine.context import Options
from recovery.engine.run import Run
from recovery.journal.log import Log
from recovery.model.events import (
    AnyEvent,
    ApprovalAsked,
    Command,
    HostAdmitted,
    RunHeld,
    StepFinished,
    WaveOpened,
)
from recovery.model.host import Fleet, Host, Site
from recovery.model.playbook import Playbook
from recovery.playbook.parser import parse_playbook
from recovery.sim.faults import Faults, Mix
from tests.engine.stage import EPOCH, Stage, hosts, mix, playbook

Verb = Literal["pause", "resume", "abort", "cancel", "approve"]

_STEPS = """
playbook: own
targets: verdict in (exposed)
strategy: {{waves: ["100%"], guard: {{failed: 100}}}}
steps:
  - triage
{steps}
"""


def own(*steps: str) -> Playbook:
    """A playbook of an operator's own."""
    return parse_playbook(
        _STEPS.format(steps="\n".join(f"  - {step}" for step in steps)), "own.yaml"
    )


def people(
    stage: Stage, says: Callable[[AnyEvent], tuple[Verb, str] | None], path: Path
) -> Callable[[AnyEvent, Run], None]:
    """Somebody at another terminal, who looks at the events and writes commands into the journal."""
    stage.options = Options(seed=1, mock=True, poll_commands=1.0)

    def watch(event: AnyEvent, run: Run) -> None:
        said = says(event)
        if said is not None:
            with Log.open(path, create=False) as log:
                log.append(Command(at=event.at, run="r1", verb=said[0], gate=said[1], by="pat"))

    return watch


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_each_wave_waits_for_its_approval(path: Path) -> None:
    stage = Stage(
        hosts(7), playbook("rollback", strategy__approve="waves"), mix(exposed=1.0), path=str(path)
    )

    def approve(event: AnyEvent) -> tuple[Verb, str] | None:
        return ("approve", event.gate) if isinstance(event, ApprovalAsked) else None

    assert stage.play(people(stage, approve, path)).counts == {"recovered": 7}
    asked = [event for event in stage.events if isinstance(event, ApprovalAsked)]
    opened = [event for event in stage.events if isinstance(event, WaveOpened)]
    assert [event.gate for event in asked] == [f"wave:{w.wave}" for w in opened[1:]]
    assert "wave 2 of up to 5 hosts" in asked[0].question


def test_a_wave_that_nobody_approves_can_be_cancelled(path: Path) -> None:
    stage = Stage(
        hosts(7), playbook("rollback", strategy__approve="waves"), mix(exposed=1.0), path=str(path)
    )

    def refuse(event: AnyEvent) -> tuple[Verb, str] | None:
        return ("cancel", "") if isinstance(event, ApprovalAsked) else None

    ending = stage.play(people(stage, refuse, path))
    assert ending.counts == {"recovered": 1, "cancelled": 6}
    assert ending.code == 7


def test_a_cancel_reaches_hosts_that_are_being_looked_at(path: Path) -> None:
    slow = Mix(default=Faults(exposed=1.0), latency=1.0)
    stage = Stage(hosts(20), playbook("rollback"), slow, path=str(path))

    def cancel(event: AnyEvent) -> tuple[Verb, str] | None:
        first = isinstance(event, StepFinished) and len(stage.kinds("step.finished")) == 1
        return ("cancel", "") if first else None

    ending = stage.play(people(stage, cancel, path))
    begun = {event.host for event in stage.kinds("step.intended")}
    assert ending.counts == {"recovered": len(begun), "cancelled": 20 - len(begun)}
    assert len(begun) <= 1


def test_one_word_opens_a_step_for_all_hosts(path: Path) -> None:
    book = own("approve: {question: 'Is the change accepted?'}", "quarantine")
    stage = Stage(hosts(5), book, mix(exposed=1.0), path=str(path))

    def approve(event: AnyEvent) -> tuple[Verb, str] | None:
        return ("approve", event.gate) if isinstance(event, ApprovalAsked) else None

    assert stage.play(people(stage, approve, path)).counts == {"done": 5}
    asked = [event for event in stage.events if isinstance(event, ApprovalAsked)]
    assert [(event.gate, event.question) for event in asked] == [
        ("step:1", "Is the change accepted?")
    ]


@pytest.mark.parametrize(
    "step", ["approve: {question: 'Shall it?', timeout: 5m}", "freeze: {timeout: 5m}"]
)
def test_a_gate_that_nobody_opens_ends_the_hosts_unchanged(step: str) -> None:
    stage = Stage(hosts(3), own(step, "quarantine"), mix(exposed=1.0))
    ending = stage.play()
    assert ending.counts == {"cancelled": 3}
    assert not stage.kinds("step.intended")
    assert stage.events[-1].at - EPOCH >= timedelta(minutes=5)
    assert all(state.message == "nobody approved in time" for state in stage.states.values())


def test_a_wave_that_nobody_approves_waits_a_day_and_ends() -> None:
    stage = Stage(hosts(7), playbook("rollback", strategy__approve="waves"), mix(exposed=1.0))
    ending = stage.play()
    assert (ending.code, ending.counts) == (7, {"recovered": 1, "cancelled": 6})
    asked = stage.kinds("approval.asked")[0].at
    assert stage.events[-1].at - asked == timedelta(days=1)


def stopped_at(kind: str) -> Callable[[AnyEvent, Run], None]:
    """Somebody who stops the run as soon as such an event happens."""

    def watch(event: AnyEvent, run: Run) -> None:
        if type(event).__struct_config__.tag == kind:
            run.stop()

    return watch


@pytest.mark.parametrize("gate", ["step", "wave"])
def test_the_time_for_an_answer_goes_on_while_no_process_carries_the_run(
    gate: str, path: Path, tmp_path: Path
) -> None:
    own_gate = own("approve: {question: 'Shall it?', timeout: 24h}", "quarantine")
    book = own_gate if gate == "step" else playbook("rollback", strategy__approve="waves")

    def fresh() -> Stage:
        return Stage(hosts(3), book, mix(exposed=1.0), path=str(path), ledger=tmp_path / "l")

    assert fresh().play(stopped_at("approval.asked")).code == 130
    again = fresh()
    again.pause = timedelta(hours=23)
    assert again.play(stopped_at("approval.asked")).code == 130
    last = fresh()
    last.pause = timedelta(minutes=59)
    assert last.play().counts["cancelled"] == 3 - (gate == "wave")
    asked = EPOCH + timedelta(days=1)
    assert asked <= last.events[-1].at < asked + timedelta(minutes=30)


def test_a_wave_soaks_to_its_end_although_the_run_was_taken_up_again(
    path: Path, tmp_path: Path
) -> None:
    def fresh() -> Stage:
        book = playbook("rollback", strategy__soak="1h")
        return Stage(hosts(3), book, mix(exposed=1.0), path=str(path), ledger=tmp_path / "l")

    first = fresh()
    assert first.play(stopped_at("wave.closed")).code == 130
    again = fresh()
    again.pause = timedelta(minutes=20)
    assert again.play().counts == {"recovered": 3}
    opened = again.kinds("wave.opened")[0].at
    assert opened - first.kinds("wave.closed")[0].at == timedelta(hours=1)


def test_a_paused_run_whose_time_jumps_rests_until_somebody_speaks(path: Path) -> None:
    stage = Stage(hosts(9), playbook("rollback"), mix(exposed=1.0), path=str(path))
    rested: list[float] = []

    async def rest() -> None:
        assert stage.run is not None
        rested.append(stage.run.context.clock.monotonic())
        if len(rested) == 3:
            with Log.open(path, create=False) as log:
                log.append(Command(at=EPOCH, run="r1", verb="resume"))

    def pause(event: AnyEvent, run: Run) -> None:
        if isinstance(event, WaveOpened) and event.wave == 2:
            run.pause("paused")

    stage.options = Options(seed=1, mock=True, poll_commands=0.0, rest=rest)
    assert stage.play(pause).counts == {"recovered": 9}
    assert len(rested) == 3
    assert len(set(rested)) == 1


def test_no_act_is_begun_once_the_run_was_told_to_stop() -> None:
    slow = Mix(default=Faults(exposed=1.0), latency=2.0)
    stage = Stage(hosts(3), playbook("rollback"), slow)

    def watch(event: AnyEvent, run: Run) -> None:
        if isinstance(event, HostAdmitted):  # its session is opened next
            asyncio.get_running_loop().call_later(0.2, run.stop)

    assert stage.play(watch).code == 130
    assert stage.kinds("host.admitted")
    assert not stage.kinds("step.intended")


def test_a_freeze_asks_in_the_profiles_words(path: Path) -> None:
    stage = Stage(hosts(2), own("freeze", "quarantine"), mix(exposed=1.0), path=str(path))

    def approve(event: AnyEvent) -> tuple[Verb, str] | None:
        return ("approve", event.gate) if isinstance(event, ApprovalAsked) else None

    assert stage.play(people(stage, approve, path)).counts == {"done": 2}
    asked = [event for event in stage.events if isinstance(event, ApprovalAsked)]
    assert "1. " in asked[0].question or "approve" in asked[0].question


def test_a_paused_run_begins_nothing_until_it_is_resumed(path: Path) -> None:
    stage = Stage(hosts(9), playbook("rollback"), mix(exposed=1.0), path=str(path))

    def speak(event: AnyEvent) -> tuple[Verb, str] | None:
        return ("pause", "") if isinstance(event, WaveOpened) and event.wave == 2 else None

    watch = people(stage, speak, path)

    def watch_and_resume(event: AnyEvent, run: Run) -> None:
        watch(event, run)
        if isinstance(event, RunHeld) and not event.released:
            with Log.open(path, create=False) as log:
                log.append(Command(at=event.at, run="r1", verb="resume"))

    assert stage.play(watch_and_resume).counts == {"recovered": 9}
    held = [event for event in stage.events if isinstance(event, RunHeld)]
    assert [(event.reason, event.released) for event in held] == [
        ("paused by pat", False),
        ("paused by pat", True),
    ]


def test_abort_leaves_a_run_that_can_be_resumed(path: Path, tmp_path: Path) -> None:
    def fresh() -> Stage:
        return Stage(
            hosts(9), playbook("rollback"), mix(exposed=1.0), path=str(path), ledger=tmp_path / "l"
        )

    stage = fresh()

    def speak(event: AnyEvent) -> tuple[Verb, str] | None:
        return ("abort", "") if isinstance(event, WaveOpened) and event.wave == 2 else None

    assert stage.play(people(stage, speak, path)).code == 130
    assert fresh().play().counts == {"recovered": 9}


def test_a_notice_and_a_command_of_ones_own_are_carried_out_once_a_host() -> None:
    book = own("notify: {message: 'begins'}", "run: {command: [echo, hello], changes: true}")
    stage = Stage(hosts(3), book, mix(exposed=1.0))
    assert stage.play().counts == {"done": 3}
    assert Counter(event.host for event in stage.kinds("notice")) == {
        f"h00{n}": 1 for n in range(3)
    }
    assert len(stage.kinds("step.intended")) == 3


@pytest.mark.parametrize(
    "faults", [{"command_fails": 1.0}, {"resets": 0.0, "cut": 0.0, "command_fails": 1.0}]
)
def test_a_command_that_fails_fails_the_host(faults: dict[str, float]) -> None:
    stage = Stage(hosts(2), own("run: {command: ['false']}"), mix(exposed=1.0, **faults))
    assert stage.play().counts == {"failed": 2}
    assert all("exit status 1" in state.message for state in stage.states.values())


def test_nothing_is_changed_at_a_site_in_its_freeze_window() -> None:
    fleet = hosts(2)
    stage = Stage(fleet, playbook("rollback"), mix(exposed=1.0))
    stage.fleet = Fleet(hosts=fleet, sites={"ATL": Site(name="ATL", freeze=("05:00-07:30",))})
    assert stage.play().counts == {"recovered": 2}
    first = stage.kinds("step.intended")[0]
    assert first.at - EPOCH >= timedelta(minutes=90)


def test_a_site_holds_no_more_hosts_at_once_than_it_may() -> None:
    fleet = (
        *hosts(6),
        *(Host(name=f"x{n}", os="windows", kind="server", site="LHR") for n in range(3)),
    )
    book = playbook(
        "rollback", strategy__waves="[3, 100%]", strategy__limits="{per_site: 2, total: 4}"
    )
    stage = Stage(fleet, book, mix(exposed=1.0))
    working: Counter[str] = Counter()
    most: Counter[str] = Counter()
    site = {host.name: host.site for host in fleet}

    def watch(event: AnyEvent, _run: Run) -> None:
        kind = type(event).__struct_config__.tag
        if kind in ("host.admitted", "host.finished"):
            working[site[event.host]] += 1 if kind == "host.admitted" else -1
            for name, count in working.items():
                most[name] = max(most[name], count)

    assert stage.play(watch).counts == {"recovered": 9}
    assert most["ATL"] == 2
    assert most["LHR"] <= 2
