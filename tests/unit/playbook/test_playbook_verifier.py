"""The verifier: what is refused, what is warned of, and how long a playbook can take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from recovery.errors import QueryError
from recovery.model.incident import Incident
from recovery.model.playbook import (
    STEPS,
    Guard,
    NoArguments,
    Playbook,
    Share,
    Step,
    StepSpec,
    Strategy,
)
from recovery.playbook.incidents import parse_incident
from recovery.playbook.library import read_incident
from recovery.playbook.parser import parse_playbook
from recovery.playbook.verifier import verify

CASES = yaml.safe_load(
    (Path(__file__).parents[2] / "cases/playbooks/verifying.yaml").read_text("utf-8")
)


@pytest.fixture(scope="module")
def incident() -> Incident:
    return parse_incident(*read_incident("crowdstrike-291"))


def check_query(text: str) -> None:
    if "===" in text:
        raise QueryError("expected a value", text=text, column=11)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_the_verifier_finds(case: dict[str, Any], incident: Incident) -> None:
    playbook = parse_playbook(case["text"], "playbook.yaml")
    report = verify(playbook, incident=incident, check_query=check_query)
    assert [problem.shown("playbook.yaml") for problem in report.problems] == case.get(
        "problems", []
    )
    assert [warning.shown("playbook.yaml") for warning in report.warnings] == case.get(
        "warnings", []
    )
    assert list(report.irreversible) == case.get("irreversible", [])
    assert report.worst_case == case["worst_case"]
    assert report.ok == (not case.get("problems"))


def test_the_worst_case_counts_attempts_waits_and_pauses(incident: Incident) -> None:
    text = """\
playbook: x
steps:
  - triage: {timeout: 10s, retry: {attempts: 5, first: 1s, longest: 3s}}
  - reboot: {attempts: 2, wait: 100s, timeout: 5s}
  - settle: {timeout: 1s}
  - prove: {timeout: 7s}
"""
    report = verify(parse_playbook(text, "f"), incident=incident)
    pauses, between_restarts, longest_settle = 1 + 2 + 3 + 3, 1, 600
    assert (
        report.worst_case
        == 5 * 10 + pauses + 2 * (5 + 100) + between_restarts + 1 + longest_settle + 7
    )


def test_privileges_are_named_once(incident: Incident) -> None:
    text = "playbook: x\nsteps:\n  - triage\n  - prove\n  - reboot\n  - notify: {message: hello}\n"
    assert verify(parse_playbook(text, "f"), incident=incident).privileges == (
        "read the artifact's folder",
        "restart the host",
    )


def test_without_an_incident_it_says_what_was_not_looked_up() -> None:
    text = "playbook: x\nsteps:\n  - triage\non_failure:\n  - hand_over: {runbook: nowhere}\n"
    report = verify(parse_playbook(text, "f"), incident=None)
    assert report.ok
    assert [warning.message for warning in report.warnings] == [
        "checked without an incident: runbooks and remedies were not looked up"
    ]


def test_a_remedy_that_a_platform_does_not_give_is_named(incident: Incident) -> None:
    windows = msgspec.structs.replace(incident.platforms["windows"], remedies={})
    bare = msgspec.structs.replace(incident, platforms={"windows": windows})
    text = "playbook: x\nstrategy: {guard: {failed: 1}}\nsteps:\n  - race\n"
    report = verify(parse_playbook(text, "f"), incident=bare)
    assert [problem.shown("f") for problem in report.problems] == [
        "f:4: race needs a remedy for boot_window or full_system, which crowdstrike-291 does not give for windows"
    ]


def test_steps_made_by_hand_are_checked_too() -> None:
    strategy = Strategy(waves=(Share(0, percent=True, of="run"),), guard=Guard(failed=Share(0)))
    step = Step(name="triage", arguments=NoArguments(), timeout=1.0)
    report = verify(Playbook(name="x", strategy=strategy, steps=(step,)), incident=None)
    assert [problem.message for problem in report.problems] == [
        "strategy.waves is above 0% and at most 100%, not 0",
        "guard.failed is at least 1 host, not 0",
    ]


def test_an_unknown_step_is_all_that_is_said() -> None:
    step = Step(name="triag", arguments=NoArguments(), timeout=-1.0)
    report = verify(Playbook(name="x", steps=(step,)), incident=None)
    assert [problem.message for problem in report.problems] == [
        "there is no step 'triag'; did you mean 'triage'?"
    ]


def test_a_negative_pause_is_refused() -> None:
    playbook = parse_playbook("playbook: x\nsteps: [triage]\n", "f")
    step = msgspec.structs.replace(
        playbook.steps[0], retry=msgspec.structs.replace(playbook.steps[0].retry, first=-1.0)
    )
    report = verify(msgspec.structs.replace(playbook, steps=(step,)), incident=None)
    assert [problem.shown("f") for problem in report.problems] == [
        "f:2: triage.retry.first is at least 0, not -1 s"
    ]


def test_steps_of_plug_ins_keep_the_same_rules() -> None:
    flash = StepSpec(
        name="flash", arguments=NoArguments, changes=True, reboots=True, undo="unflash"
    )
    text = (
        "playbook: x\ntargets: verdict = exposed\nstrategy: {waves: [1, 100%]}\nsteps:\n  - flash\n"
    )
    specs = {**STEPS, "flash": flash}
    report = verify(parse_playbook(text, "f", specs), incident=None, specs=specs)
    assert [problem.message.partition(":")[0] for problem in report.problems] == [
        "flash changes machines, but the playbook has no guard",
        "flash changes machines before there is evidence",
        "flash is not followed by a proof",
        "flash is said to be undone by 'unflash', which is no step",
    ]


def test_a_problem_without_a_line_or_file_is_shown_plainly() -> None:
    problem = verify(Playbook(name="x"), incident=None).problems[0]
    assert problem.shown() == "the playbook has no steps: it would do nothing"
    assert problem.shown("f") == "f: the playbook has no steps: it would do nothing"
