"""Reading playbooks, and replacing their values from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from recovery.errors import InputError, UsageError
from recovery.model.playbook import STEPS, Guard, Limits, RaceArguments, Retry, Share, StepSpec
from recovery.playbook.parser import override, parse_playbook
from recovery.playbook.shares import parse_share, show_share

FOLDER = Path(__file__).parents[2] / "cases/playbooks"
CASES = yaml.safe_load((FOLDER / "reading.yaml").read_text("utf-8"))
OVERRIDES = yaml.safe_load((FOLDER / "overriding.yaml").read_text("utf-8"))

FULL = """\
playbook: full
summary: Everything that can be said.
targets: verdict = exposed
strategy:
  order: dependency
  waves: [1, 5, "1%", 10%, 100%]
  soak: 5m
  limits: {total: 200, per_site: 20, per_gateway: 10}
  guard: {failed: "2%", unreachable: 20% of site, new_crashes: 1}
  keep_trying: 8h
  approve: waves
steps:
  - triage
  - quarantine:
  - race: {for: 1h30m, timeout: 30, retry: {attempts: 3, first: 500ms, longest: 1m}}
  - reboot: {attempts: 3, wait: 10m}
  - settle
  - settle: {for: 90}
  - run: {command: [echo, "a b"], changes: false}
on_failure:
  - hand_over: {runbook: safe_mode}
"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_is_wrong_is_said_with_its_line(case: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        parse_playbook(case["text"], "playbook.yaml")
    assert str(caught.value) == case["error"]


def test_everything_that_can_be_said_is_read() -> None:
    playbook = parse_playbook(FULL, "f")
    strategy = playbook.strategy
    assert (playbook.name, playbook.targets, strategy.order, strategy.approve) == (
        "full",
        "verdict = exposed",
        "dependency",
        "waves",
    )
    assert strategy.waves == (
        Share(1, of="run"),
        Share(5, of="run"),
        *(Share(n, percent=True, of="run") for n in (1, 10, 100)),
    )
    assert strategy.guard == Guard(
        failed=Share(2, percent=True),
        unreachable=Share(20, percent=True, of="site"),
        new_crashes=Share(1),
    )
    assert strategy.limits == Limits(total=200, per_site=20, per_gateway=10)
    assert (strategy.soak, strategy.keep_trying) == (300.0, 28800.0)
    assert [(step.name, step.line) for step in playbook.steps] == [
        ("triage", 13), ("quarantine", 14), ("race", 15), ("reboot", 16), ("settle", 17), ("settle", 18), ("run", 19),
    ]  # fmt: skip
    triage, _, race, reboot, settle, settled, run = playbook.steps
    assert (triage.timeout, triage.retry) == (STEPS["triage"].timeout, Retry())
    assert race.arguments == RaceArguments(duration=5400.0)
    assert (race.timeout, race.retry) == (30.0, Retry(attempts=3, first=0.5, longest=60.0))
    assert (reboot.arguments.attempts, reboot.arguments.wait) == (3, 600.0)
    assert (settle.arguments.duration, settled.arguments.duration) == (None, 90.0)
    assert (run.arguments.command, run.changes) == (("echo", "a b"), False)
    assert (playbook.on_failure[0].arguments.runbook, playbook.on_failure[0].line) == (
        "safe_mode",
        21,
    )
    assert (
        playbook.lines["targets"],
        playbook.lines["strategy.soak"],
        playbook.lines["strategy.guard.failed"],
    ) == (3, 7, 9)


def test_what_is_not_said_has_the_models_defaults() -> None:
    playbook = parse_playbook("playbook: x\nsteps: [triage]\n", "f")
    assert msgspec.structs.replace(playbook, lines={}).strategy == type(playbook.strategy)()
    assert (playbook.targets, playbook.on_failure) == ("", ())


class FlashArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    image: str
    pause: float = 1.0


def test_steps_of_plug_ins_are_read_like_the_others() -> None:
    specs = {**STEPS, "flash": StepSpec(name="flash", arguments=FlashArguments, changes=True)}
    text = "playbook: x\nsteps:\n  - flash: {image: a.bin, pause: 2m}\n"
    assert parse_playbook(text, "f", specs).steps[0].arguments == FlashArguments(
        image="a.bin", pause=120.0
    )
    with pytest.raises(InputError, match=r"^f:3: there is no step 'flash'"):
        parse_playbook(text, "f")
    assert "pause: 5" in override(text, {"flash.pause": "5"}, "f", specs)


def overridden(assignments: dict[str, str]) -> Any:
    return parse_playbook(override(FULL, assignments, "f"), "f")


def test_values_are_replaced() -> None:
    playbook = overridden({
        "strategy.soak": "0s",
        "strategy.waves": "1, 10%",
        "strategy.guard.failed": "5",
        "strategy.limits.total": "7",
        "targets": "verdict in (exposed, crash_loop)",
        "settle.for": "10s",
        "triage.retry.attempts": "4",
        "hand_over.runbook": "winpe",
    })  # fmt: skip
    assert playbook.strategy.soak == 0
    assert playbook.strategy.waves == (Share(1, of="run"), Share(10, percent=True, of="run"))
    assert playbook.strategy.guard.failed == Share(5)
    assert playbook.strategy.guard.new_crashes == Share(1)
    assert (playbook.strategy.limits.total, playbook.strategy.limits.per_site) == (7, 20)
    assert playbook.targets == "verdict in (exposed, crash_loop)"
    assert [step.arguments.duration for step in playbook.steps if step.name == "settle"] == [
        10.0,
        10.0,
    ]
    assert playbook.steps[0].retry.attempts == 4
    assert playbook.on_failure[0].arguments.runbook == "winpe"


def test_a_strategy_that_is_not_there_is_made() -> None:
    text = override("playbook: x\nsteps: [triage]\n", {"strategy.limits.total": "9"}, "f")
    assert parse_playbook(text, "f").strategy.limits.total == 9


def test_waves_may_be_a_list() -> None:
    assert overridden({"strategy.waves": "[2, 50%]"}).strategy.waves[0] == Share(2, of="run")


def test_without_assignments_the_text_is_left_as_it_is() -> None:
    assert override(FULL + "# a comment\n", {}, "f") == FULL + "# a comment\n"


@pytest.mark.parametrize("case", OVERRIDES, ids=lambda case: f"{case['name']}={case['value']}")
def test_an_assignment_that_does_not_fit_is_named(case: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        override(FULL, {case["name"]: case["value"]}, "f")
    assert str(caught.value) == f"--set {case['name']}={case['value']}:{case['error']}"


def test_a_text_that_is_wrong_by_itself_is_said_with_its_line() -> None:
    with pytest.raises(InputError, match=r"^f:2: there is no step 'look'"):
        override("playbook: x\nsteps: [look]\n", {"strategy.soak": "1s"}, "f")


@pytest.mark.parametrize(
    ("text", "share"),
    [("5", Share(5)), (5, Share(5)), ("2%", Share(2, percent=True)), (" 0.5 % ", Share(0.5, percent=True)),
     ("2% of site", Share(2, percent=True, of="site")), ("2% of run", Share(2, percent=True, of="run"))],
)  # fmt: skip
def test_shares(text: str | int, share: Share) -> None:
    assert parse_share(text) == share
    assert parse_share(show_share(share)) == share


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "5 of site", "2% of moon", "2%%", "0", "0%", "101%", "1.5", True, "٣"]
)
def test_what_is_no_share_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match=r"^a (share|percentage|number of hosts) is "):
        parse_share(text)
