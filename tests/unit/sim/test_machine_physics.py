"""What simulated machines do: the cases in tests/cases/physics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from recovery.model.host import Fleet
from recovery.sim.faults import Mix
from recovery.sim.world import World
from tests.unit.sim.twin_factory import STEADY, HandClock, ask, faults, host, incident

FILE = Path(__file__).parents[2] / "cases" / "physics" / "machines.yaml"
CASES = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SENT = ("triage", "quarantine", "undo", "reboot")


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_machine(case: Any, seed: Any) -> None:
    clock, machine_host = HandClock(), host(**case["host"])
    mix = Mix(
        latency=0.0,
        feed_frozen=case.get("feed_frozen", True),
        default=faults(**{**STEADY, **case["faults"]}),
    )
    world = World(Fleet(hosts=(machine_host,)), incident(), mix, seed, clock=clock)
    for number, step in enumerate(case["steps"]):
        match step:
            case {"wait": seconds}:
                clock.elapsed += seconds
            case {"until": phase}:
                _wait_for(world, clock, phase, step.get("within", 600))
            case {"do": act} if act in SENT:
                ask(world, machine_host, act, token=f"{act}-{number}")
            case {"do": act}:
                getattr(world, act)("h1")
            case {"expect": wanted}:
                machine = world.machine("h1")
                found = {name: _plain(getattr(machine, name)) for name in wanted}
                assert found == wanted, f"step {number + 1}"
            case _:
                pytest.fail(f"no step: {step}")


def _wait_for(world: World, clock: HandClock, phase: str, within: float) -> None:
    end = clock.elapsed + within
    while world.machine("h1").phase != phase:
        machine = world.machine("h1")
        assert machine.until < float("inf"), f"{machine.phase} for ever, {phase} is not reached"
        clock.elapsed += machine.until - world.now
        assert clock.elapsed <= end, f"{phase} was not reached within {within} s"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def test_a_long_loop_stops_at_the_lucky_boot() -> None:
    clock, one = HandClock(), host(kind="server")
    looping = faults(**STEADY, crash_loop=1.0, lucky=0.0001)
    mix = Mix(latency=0.0, default=looping)
    world = World(Fleet(hosts=(one,)), incident(), mix, 1, clock=clock)
    lucky_boot = world.machine("h1").lucky_boot
    assert lucky_boot > 100
    clock.elapsed = lucky_boot * 35.0 + 3600
    machine = world.machine("h1")
    assert (machine.phase, machine.boot, machine.good) == ("running", lucky_boot, True)
    assert machine.crashed_at < machine.boot_at < machine.since < world.now
