"""`recovery power HOST`: one host's power by its console."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from recovery.consoles.qmp import QmpConsole
from recovery.model.host import Host
from tests.cli.conftest import Cli, Told
from tests.wire.qmp_server import Machine, monitor


@pytest.fixture
def machine(home: Path) -> Machine:
    return Machine()


def fleet(home: Path, address: object) -> Path:
    path = home / "fleet.yaml"
    path.write_text(f"hosts: {{h1: {{console: {{kind: qmp, address: '{address}'}}}}, h2: {{}}}}\n")
    return path


def test_power_is_read_taken_and_given(cli: Cli, home: Path, machine: Machine) -> None:
    with monitor(machine, home / "m") as address:
        known = fleet(home, address)
        assert cli("power", "h1", "-i", known).out == "h1: on; seen on\n"
        refused = cli("power", "h1", "off", "-i", known)
        assert (refused.code, machine.state) == (2, "running")
        assert "it was not confirmed" in refused.err
        off = cli("power", "h1", "off", "-i", known, "--yes", "-o", "json").document
        assert (off["state"], off["done"], machine.state) == ("off", True, "prelaunch")
        assert (
            cli("power", "h1", "cycle", "-i", known, "--yes").out == "h1: on; seen off, then on\n"
        )
    told = [
        (event["kind"], event["act"], event.get("outcome"), event.get("state"))
        for event in cli("events", "-o", "jsonl").lines
        if event["kind"].startswith("power.")
    ]
    assert told == [
        ("power.intended", "off", None, None),
        ("power.finished", "off", "ok", "off"),
        ("power.intended", "cycle", None, None),
        ("power.finished", "cycle", "ok", "on"),
    ]
    shown = cli("events").out
    assert "power: about to cycle it" in shown
    assert "power cycle: done: seen off, then on" in shown


def test_who_has_no_console_or_no_name(cli: Cli, home: Path) -> None:
    known = fleet(home, home / "nothing")
    assert "h2 has no console in the inventory" in cli("power", "h2", "-i", known).err
    assert "no host is named 'h9'" in cli("power", "h9", "-i", known).err
    told = cli("power", "h1", "-i", known)
    assert (told.code, "QEMU's monitor does not answer" in told.out) == (5, True)


def test_a_library_that_is_missing_is_named_with_its_extra(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "qemu.qmp", None)
    told = cli("power", "h1", "-i", fleet(home, home / "m"))
    assert "pip install 'fleet-recovery[qemu]'" in told.out
    assert told.code == 5


def test_what_is_asked_for_and_does_not_happen_is_given_up(
    cli: Cli, home: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recovery.engine.power.PATIENCE", 0.0)
    machine.obeys = False
    with monitor(machine, home / "m") as address:
        told = cli("power", "h1", "off", "-i", fleet(home, address), "--yes")
    assert told.code == 4
    assert "it was asked to go off 3 times, and is on" in told.out
    assert json.dumps(machine.commands).count("system_reset") == 3
    assert threading.active_count() < 50


def test_a_switch_that_is_broken_off_is_said_to_be_so(
    cli: Cli, home: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks afterwards learns that the host may be without power."""

    async def broken(self: QmpConsole, host: Host, *, on: bool, timeout: float) -> None:
        machine.state = "prelaunch"
        raise KeyboardInterrupt

    monkeypatch.setattr(QmpConsole, "switch", broken)
    with monitor(machine, home / "m") as address:
        known = fleet(home, address)
        assert cli("power", "h1", "cycle", "-i", known, "--yes").code == 130
        last = cli("events", "-o", "jsonl").lines[-1]
        assert (last["kind"], last["outcome"]) == ("power.finished", "interrupted")
        assert last["state"] == "unknown"
        assert "may be without power" in last["message"]
        monkeypatch.undo()
        assert cli("power", "h1", "on", "-i", known, "--yes").code == 0


def test_two_do_not_switch_one_host_at_once(cli: Cli, home: Path, machine: Machine) -> None:
    beside: list[Told] = []

    class Beside(Machine):
        def answer(self, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
            if command == "system_reset":
                beside.append(cli("power", "h1", "off", "-i", home / "fleet.yaml", "--yes"))
            return super().answer(command, arguments)

    with monitor(Beside(), home / "m") as address:
        told = cli("power", "h1", "off", "-i", fleet(home, address), "--yes")
    assert told.code == 0
    assert (beside[0].code, "is being switched by process" in beside[0].err) == (2, True)
