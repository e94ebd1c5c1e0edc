"""Hosts whose answers are not as they should be, on a way that has to be supervised."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from recovery.journal.log import Log
from recovery.model.events import AnyEvent, HostReturned, Notice, StepFinished
from recovery.model.playbook import Playbook
from recovery.playbook.parser import parse_playbook
from tests.engine.stage import Stage, hosts, mix, playbook
from tests.engine.tampering import Change, Tampered


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of `answers_that_are_wrong.yaml`."""

    name: str
    steps: tuple[Any, ...]
    attempts: Mapping[str, tuple[str, ...]]
    ends: str
    says: str = ""
    mix: Mapping[str, Any] | None = None
    """All of them exposed where there is none."""
    targets: str = ""
    before: tuple[Any, ...] = ()
    """Steps of a run before it."""
    change: tuple[Change, ...] = ()


CASES = msgspec.convert(
    yaml.safe_load((Path(__file__).parents[1] / "cases/answers_that_are_wrong.yaml").read_text()),
    tuple[Case, ...],
)


def book_of(steps: tuple[Any, ...], targets: str = "") -> Playbook:
    """A playbook with these steps and a guard that lets all go wrong."""
    text = yaml.safe_dump(
        {
            "playbook": "own",
            "targets": targets,
            "strategy": {"order": "inventory", "guard": {"failed": 1000, "unreachable": 1000}},
            "steps": list(steps),
        }
    )
    return parse_playbook(text, "own.yaml")


def tampered(stage: Stage, *changes: Change) -> Stage:
    """The stage on a way whose answers are changed."""
    stage.way = lambda mock: Tampered(mock, changes)
    return stage


def attempts_of(stage: Stage) -> dict[str, tuple[str, ...]]:
    """How the attempts of each step ended, in their order."""
    found: dict[str, list[str]] = {}
    for event in stage.events:
        if isinstance(event, StepFinished):
            found.setdefault(event.step, []).append(event.outcome)
    return {step: tuple(outcomes) for step, outcomes in found.items()}


def words_of(events: list[AnyEvent]) -> str:
    """Everything that the run has said."""
    return "\n".join(getattr(event, "message", "") for event in events)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_a_run_makes_of_it(case: Case, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    faults = mix(**(case.mix or {"exposed": 1.0}))
    if case.before:
        Stage(hosts(1), book_of(case.before), faults, ledger=ledger).play()
    stage = Stage(hosts(1), book_of(case.steps, case.targets), faults, ledger=ledger)
    tampered(stage, *case.change).play()
    assert attempts_of(stage) == case.attempts
    assert stage.outcomes() == {"h000": case.ends}
    assert case.says.lower() in words_of(stage.events).lower()


def test_a_command_that_may_have_run_before_a_kill_is_not_run_again(tmp_path: Path) -> None:
    def fresh() -> Stage:
        book = book_of(("triage", {"run": {"command": ["true"]}}))
        path, ledger = str(tmp_path / "j.db"), tmp_path / "ledger"
        return Stage(hosts(1), book, mix(exposed=1.0), path=path, ledger=ledger)

    first = tampered(fresh(), Change(action="run", hangs=True))

    def kill(event: AnyEvent, run: Any) -> None:
        if type(event).__struct_config__.tag == "step.intended":
            run.abort()

    assert first.play(kill).code == 130
    second = fresh()
    second.play()
    assert second.outcomes() == {"h000": "failed"}
    assert "it is not known whether the command ran" in words_of(second.events)


def test_an_operation_that_ignores_its_deadline_is_abandoned_and_told_of() -> None:
    stage = Stage(hosts(3), book_of(("triage", "quarantine")), mix(exposed=1.0))
    ways: list[Tampered] = []

    def way(mock: Any) -> Tampered:
        ways.append(Tampered(mock, (Change(action="triage", hangs=True),)))
        return ways[-1]

    stage.way = way

    def free(event: AnyEvent, _run: Any) -> None:
        if type(event).__struct_config__.tag == "run.finished":
            ways[0].freed.set()

    assert set(stage.play(free).counts) == {"failed"}
    notices = [event.message for event in stage.events if isinstance(event, Notice)]
    assert notices == ["3 operations did not react to their deadline and were abandoned"]


class BusyLog(Log):
    """A journal that is always behind."""

    def pressure(self) -> int:
        return 1_000_000


def test_a_run_waits_for_a_journal_that_is_behind() -> None:
    stage = Stage(hosts(5), playbook("rollback"), mix(exposed=1.0))
    stage.log_type = BusyLog
    assert stage.play().counts == {"recovered": 5}


def test_a_place_that_is_not_used_in_time_goes_to_another_host() -> None:
    """Desktops stop at their recovery screen, some of them when they have just been given a place."""
    fleet = hosts(30, kind="desktop")
    book = playbook(
        "rollback", strategy__guard="{failed: 1000, unreachable: 1000}", strategy__keep_trying="2h"
    )
    stage = Stage(fleet, book, mix(crash_loop=0.8, exposed=0.2, window=(15.0, 60.0)))
    stage.play()
    returned = {event.host for event in stage.events if isinstance(event, HostReturned)}
    assert returned
    assert {stage.outcomes()[name] for name in returned} == {"handed_over"}
    assert "recovered" in stage.outcomes().values()
