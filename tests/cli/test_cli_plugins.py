"""Plug-ins of other distributions take part in runs; broken ones are warned of and harm nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, write_fleet

PLUGIN = """
from recovery.engine.context import GO
from recovery.errors import UnreachableError
from recovery.model.playbook import NoArguments, StepSpec
from recovery.model.secret import Secret
from recovery.ports import Look
from recovery.redact import register

class Greet:
    spec = StepSpec(name="greet", arguments=NoArguments)

    async def carry_out(self, pursuit, step):
        pursuit.emit_finished(step, "ok", "hello " + register(Secret("open-sesame")).reveal())
        return GO

class Mirror:
    name = "mirror"

    def __init__(self, credentials):
        assert credentials.get

    async def power(self, host, timeout):
        return "off"

    async def aclose(self):
        pass

class Pigeon:
    name = "pigeon"

    def __init__(self, credentials):
        assert credentials.get

    async def look(self, host):
        return Look(False, "the pigeon came back")

    async def open(self, host, timeout):
        raise UnreachableError

    async def aclose(self):
        pass
"""


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    folder = site / "aviary-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: aviary\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "[recovery.steps]\ngreet = aviary_plugin:Greet\nlost = aviary_plugin:Lost\n"
        "[recovery.transports]\npigeon = aviary_plugin:Pigeon\n"
        "[recovery.consoles]\nmirror = aviary_plugin:Mirror\n"
    )
    (site / "aviary_plugin.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "aviary_plugin", raising=False)


def test_a_step_of_a_plugin_is_carried_out(cli: Cli, home: Path) -> None:
    guard = "strategy: {guard: {failed: 50%, unreachable: 50%, new_crashes: 1}}"
    (home / "greet.yaml").write_text(f"playbook: greet\n{guard}\nsteps:\n  - triage\n  - greet\n")
    fleet = write_fleet(home, "h1: {kind: server}", "lucky: 0.0")
    told = cli("run", "greet.yaml", "--mock", "-i", fleet, "-o", "jsonl")
    assert told.code == 0, told.err
    assert "warning: the plug-in 'lost' of aviary 1.0" in told.err
    [greeting] = [line for line in told.lines if line.get("step") == "greet"]
    assert (greeting["outcome"], greeting["message"]) == ("ok", "hello ***")
    assert "open-sesame" not in cli("runs", "export", "last").out
    assert cli("doctor").out.count("'lost'") == 1


def test_a_transport_of_a_plugin_is_the_way_to_its_hosts(cli: Cli, home: Path) -> None:
    (home / "birds.yaml").write_text("hosts: {h1: {transport: pigeon}}\n")
    told = cli("triage", "-i", "birds.yaml")
    assert told.code == 5, told.err
    assert "the pigeon came back" in told.out


def test_a_plugins_step_changes_machines_only_if_its_spec_says_so(cli: Cli, home: Path) -> None:
    (home / "birds.yaml").write_text("hosts: {h1: {transport: pigeon, os: linux}}\n")
    (home / "greet.yaml").write_text("playbook: greet\nsteps:\n  - triage\n  - greet\n")
    told = cli("run", "greet.yaml", "-i", "birds.yaml", "-o", "json")
    assert told.code == 5, told.err
    assert told.document["counts"] == {"unreachable": 1}


def test_a_console_of_a_plugin_is_asked(cli: Cli, home: Path) -> None:
    fleet = home / "fleet.yaml"
    fleet.write_text("hosts: {h1: {console: {kind: mirror}}}\n")
    told = cli("power", "h1", "-i", fleet)
    assert (told.code, told.out) == (0, "h1: off; seen off\n")


def test_a_kind_of_console_that_is_not_there_is_refused(cli: Cli, home: Path) -> None:
    fleet = home / "fleet.yaml"
    fleet.write_text("hosts: {h1: {console: {kind: redfsh, address: 'https://127.0.0.1'}}}\n")
    told = cli("power", "h1", "-i", fleet)
    assert (told.code, "did you mean 'redfish'?" in told.err) == (2, True)
    told = cli("triage", "-i", fleet)
    assert (told.code, "no kind of console is named 'redfsh'" in told.err) == (2, True)
