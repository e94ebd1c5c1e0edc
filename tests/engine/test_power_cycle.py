"""Hosts whose power is cycled because somebody asks for it: looked at before, believed when another boot answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recovery.errors import UnsupportedError
from recovery.journal.reader import Reader
from recovery.model.events import (
    HostObserved,
    PowerFinished,
    PowerIntended,
    StepFinished,
    StepIntended,
)
from recovery.model.host import Host
from recovery.model.reading import Reading
from recovery.playbook.library import bundled
from recovery.playbook.parser import parse_playbook
from recovery.sim.world import World
from tests.engine.killing import killed_and_resumed
from tests.engine.stage import Stage, hosts, mix
from tests.engine.stage import playbook as library_playbook
from tests.engine.test_consoles_on_the_twin import consoled, read

TEXT = (bundled("playbooks") / "common" / "power_cycle.yaml").read_text()


def stage(fleet: tuple[Host, ...], **faults: Any) -> Stage:
    made = Stage(fleet, parse_playbook(TEXT, "power_cycle.yaml"), mix(**faults))
    made.reader = read
    return made


def said(run: Stage) -> list[str]:
    return [
        event.message
        for event in run.events
        if isinstance(event, StepFinished) and event.step == "power_cycle"
    ]


def test_hosts_come_back_in_another_boot() -> None:
    run = stage(consoled(2))
    run.play()
    assert set(run.outcomes().values()) == {"done"}
    whys = [event.why for event in run.events if isinstance(event, PowerIntended)]
    assert whys == ["the playbook says so"] * 2
    assert {e.outcome for e in run.events if isinstance(e, PowerFinished)} == {"ok"}


def test_a_machine_that_hangs_behind_a_port_that_answers_is_cycled() -> None:
    run = stage(consoled(1), open_port=1.0, blue_screen=1.0)
    run.play()
    assert [e.outcome for e in run.events if isinstance(e, PowerFinished)] == ["ok"]
    refused = stage(consoled(1), wrong_credential=1.0)
    refused.play()
    assert "refused the credential" in said(refused)[0]
    assert not refused.kinds("power.intended")


def test_a_machine_that_is_off_is_switched_on() -> None:
    run = stage(consoled(1), dark=1.0)
    run.play()
    assert [e.state for e in run.events if isinstance(e, PowerFinished)] == ["on"]
    assert said(run)[-1] == ""


def test_the_look_comes_before_the_act() -> None:
    run = stage(consoled(1))
    run.play()
    kinds = [type(event) for event in run.events]
    assert kinds.index(HostObserved) < kinds.index(StepIntended) < kinds.index(PowerIntended)


def test_a_machine_that_dies_again_is_not_believed() -> None:
    run = stage(consoled(1), blue_screen=1.0)
    run.play()
    assert run.outcomes() == {"h000": "unreachable"}


def test_without_a_console_it_is_refused() -> None:
    run = stage(hosts(1))
    run.play()
    assert said(run) == ["it has no console that could cycle its power"]
    assert not [event for event in run.events if isinstance(event, PowerIntended)]


def test_a_console_that_cannot_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: World, host: Host, *, on: bool) -> None:
        raise UnsupportedError("this console shows pictures and no more")

    monkeypatch.setattr(World, "switch", refuse)
    run = stage(consoled(1))
    run.play()
    assert "its power could not be cycled: this console shows" in said(run)[0]
    assert run.outcomes() == {"h000": "failed"}


def at_work(_picture: bytes) -> Reading:
    return Reading(label="unknown", confidence=0.9, meaning="updates", percent=30, busy=True)


def test_a_machine_that_puts_in_updates_is_left_its_power() -> None:
    run = stage(consoled(1))
    run.reader = at_work
    run.play()
    assert run.outcomes() == {"h000": "failed"}
    assert "it is left its power" in said(run)[0]
    assert "updates, 30 %" in said(run)[0]
    assert not run.kinds("power.intended")


def test_a_restart_that_takes_long_for_its_updates_is_not_cut_short() -> None:
    """It was asked to restart, and does not come back within the step's time."""
    run = Stage(consoled(1), library_playbook("rollback"), mix(exposed=1.0, key_at_reboot=1.0))
    run.reader = at_work
    run.play()
    assert run.outcomes() == {"h000": "handed_over"}
    assert not run.kinds("power.intended")


@pytest.mark.parametrize("at", range(1, 8))
def test_a_controller_that_is_killed_anywhere_in_it_leaves_nobody_off(
    tmp_path: Path, at: int
) -> None:
    path, ledger = str(tmp_path / "j.db"), tmp_path / "j.twin"

    def begin() -> Stage:
        made = Stage(
            consoled(1),
            parse_playbook(TEXT.replace("{wait: 15m}", "{wait: 15m, attempts: 2}"), "p.yaml"),
            mix(),
            path=path,
            ledger=ledger,
        )
        made.reader = read
        return made

    second = killed_and_resumed(begin, at)
    assert second.outcomes() == {"h000": "done"}
    told = [
        stored.event
        for stored in Reader.open(path).read(kinds=("power.intended", "power.finished"))
    ]
    assert [isinstance(event, PowerFinished) for event in told] == [False, True] * (len(told) // 2)
    assert sum('"power_off"' in line for line in ledger.read_text().splitlines()) == 1
