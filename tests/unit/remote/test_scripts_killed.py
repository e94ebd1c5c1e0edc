"""Acts that are killed: at every program that they start, the state left behind can be completed and undone."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from recovery.errors import ReplyError
from recovery.remote import catalog, replies
from tests.needs import need
from tests.unit.remote.shells import BAD_TIME, Machine, Shell

MOMENTS = ["KILL_BEFORE", pytest.param("KILL_AFTER", marks=pytest.mark.slow)]
_PROGRAMS = ("chmod", "cp", "ln", "mkdir", "mv", "rm", "rmdir", "sha256sum", "stat", "sync")

_STAND_IN = """#!/bin/sh
IFS= read -r count 2>/dev/null <"$KILL_COUNT"
count=$((${{count:-0}} + 1))
echo "$count" >"$KILL_COUNT"
if [ "$count" = "$KILL_BEFORE" ]; then kill -9 0; fi
{program} "$@"
status=$?
if [ "$count" = "$KILL_AFTER" ]; then kill -9 0; fi
exit "$status"
"""
"""Counts the programs that a script starts, and kills the script with all of them before or after one."""


class Killer:
    """Runs acts of a machine so that they die."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self.machine = machine
        self.count = folder / "count"
        tools = folder / "killers"
        tools.mkdir()
        for name in _PROGRAMS:
            stand_in = tools / name
            stand_in.write_text(_STAND_IN.format(program=shutil.which(name)))
            stand_in.chmod(0o755)
        self.path = f"{tools}:{machine.shell.environ['PATH']}"

    def run(self, action: str, token: str, **kill: str) -> bool:
        """Whether the act lived to its end."""
        self.count.unlink(missing_ok=True)
        script = catalog.render(self.machine.command(action, token))
        done = self.machine.shell.run(script, PATH=self.path, KILL_COUNT=str(self.count), **kill)
        try:
            replies.read(done, token)
        except ReplyError:
            return False
        return True

    def programs(self) -> int:
        """How many were started by the last act."""
        return int(self.count.read_text())


@pytest.fixture(params=["same file system", "other file system"])
def machine(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Machine]:
    need("linux")
    shell = Shell("dash", tmp_path / "tools")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        away = Path(other) / "quarantine" if request.param == "other file system" else None
        yield Machine(shell, tmp_path, away)


def _fill(machine: Machine) -> dict[bytes, tuple[bytes, int, int, int, int]]:
    machine.file("C-00000291-1.sys", content=b"one").chmod(0o640)
    machine.file("C-00000291-\n2.sys", content=b"two", at=BAD_TIME + 9)
    return machine.shape()


def _reset(machine: Machine) -> None:
    shutil.rmtree(machine.quarantine, ignore_errors=True)
    for name in machine.names():
        os.unlink(os.path.join(os.fsencode(machine.folder), name))  # noqa: PTH108, PTH118 - names are bytes


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_quarantine_can_be_completed_or_undone(
    machine: Machine, tmp_path: Path, moment: str
) -> None:
    killer = Killer(machine, tmp_path)
    _fill(machine)
    assert killer.run("quarantine", "i1")
    steps = killer.programs()
    assert steps > 15
    died = 0
    for step in range(1, steps + 1):
        _reset(machine)
        before = _fill(machine)
        lived = killer.run("quarantine", "i1", **{moment: str(step)})
        died += not lived
        if (step % 2) == (moment == "KILL_AFTER"):
            acted = machine.ask("quarantine", "i1").acted("quarantine")
            assert acted is not None
            assert machine.names() == set()
            assert acted.files + acted.already == 2, f"killed at {step}"
        undone = machine.ask("undo", "u1")
        assert undone.refused == (), f"killed at {step}"
        assert machine.shape() == before, f"killed at {step}"
    assert died > steps // 2


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_undo_can_be_completed(machine: Machine, tmp_path: Path, moment: str) -> None:
    killer = Killer(machine, tmp_path)
    _fill(machine)
    machine.ask("quarantine", "i1")
    assert killer.run("undo", "u1")
    steps = killer.programs()
    assert steps > 8
    for step in range(1, steps + 1):
        _reset(machine)
        before = _fill(machine)
        machine.ask("quarantine", "i1")
        killer.run("undo", "u1", **{moment: str(step)})
        again = machine.ask("undo", "u1")
        acted = again.acted("undo")
        assert acted is not None
        assert again.refused == (), f"killed at {step}"
        assert machine.shape() == before, f"killed at {step}"
        assert machine.held() == []
        assert acted.files + acted.already == 2, f"killed at {step}"
        assert machine.listing().intents == ()
