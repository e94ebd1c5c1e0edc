"""Real machines that nobody reaches by their network: QEMU's monitor shows what they are in, and has them recovered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.conftest import OpenLab
from tests.lab.fleet import Lab
from tests.lab.guest import GuestSpec
from tests.lab.test_rollback import BAD, recovery
from tests.needs import missing

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(900)]

NOBODY = {"address": "127.88.0.1", "port": 9}


def inventory(lab: Lab, path: Path, **changes: Any) -> Path:
    """The lab's inventory with each guest's monitor as its console."""
    document = yaml.safe_load(lab.inventory.read_text())
    for name, host in document["hosts"].items():
        host |= {"console": {"kind": "qmp", "address": str(lab[name].qmp)}, **changes}
    path.write_text(yaml.safe_dump(document))
    return path


def explained(lab: Lab, tmp_path: Path, name: str) -> dict[str, Any]:
    code, output = recovery(lab, tmp_path, "explain", name, "-o", "json")
    assert code == 0, output
    found: dict[str, Any] = json.loads(output)
    return found


def test_triage_by_picture_and_panic_events_alone(open_lab: OpenLab, tmp_path: Path) -> None:
    with open_lab(GuestSpec("loop", 3), GuestSpec("slow", 8), GuestSpec("well", None)) as lab:
        dark = inventory(lab, tmp_path / "dark.yaml", **NOBODY)
        lab["well"].wait("up")
        recovery(lab, tmp_path, "triage", "-i", str(dark))
        found = {name: explained(lab, tmp_path, name) for name in lab.guests}
        for name in ("loop", "slow"):
            assert found[name]["verdict"] in ("crash_loop", "blue_screen")
            because = "; ".join(found[name]["because"])
            assert "told of" in because
            assert "stop code 0x50, what failed: csagent.sys" in because
            crash = next(path for path in found[name]["pictures"] if "crash-" in path)
            assert Path(crash).read_bytes().startswith(b"\x89PNG")
        assert found["well"]["verdict"] == "unknown"
        assert "a text console: a system runs there" in "; ".join(found["well"]["because"])
        assert lab["well"].panics == 0


def test_a_guest_without_network_is_recovered_by_power_and_its_disk(
    open_lab: OpenLab, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        missing("root, to mount an image")
    with open_lab(GuestSpec("deaf", 4, deaf=True)) as lab:
        guest = lab["deaf"]
        known = str(inventory(lab, tmp_path / "lab.yaml"))
        guest.wait("panic", 2)

        def command(*words: str) -> str:
            code, output = recovery(lab, tmp_path, *words)
            assert code == 0, output
            return output

        assert "deaf: off; seen off" in command("power", "deaf", "off", "-i", known, "--yes")
        code, output = recovery(lab, tmp_path, "fix-disk", str(guest.disk))
        assert (code, "is open in a virtual machine" in output) == (2, True)
        fixed = command("fix-disk", str(guest.disk), "--held-off", "-o", "json")
        assert [item["outcome"] for item in json.loads(fixed)] == ["fixed"]
        panics, boots = guest.panics, len(guest.boots)
        command("power", "deaf", "on", "-i", known, "--yes")
        guest.wait("up", boots + 1)
        proven = command("run", "prove", "-i", known, "--yes", "-o", "jsonl")
        assert json.loads(proven.splitlines()[-1])["exit_code"] == 0
        assert explained(lab, tmp_path, "deaf")["verdict"] in ("healthy", "recovered")
        assert guest.panics == panics
        assert not [path for path in guest.files("/CrowdStrike") if path.startswith(BAD)]


@pytest.mark.parametrize("window", [2, 4])
def test_the_race_with_events_catches_the_window_of_the_next_boot(
    open_lab: OpenLab, tmp_path: Path, window: int
) -> None:
    with open_lab(GuestSpec("loop", window)) as lab:
        guest = lab["loop"]
        known = inventory(lab, tmp_path / "lab.yaml")
        guest.wait("panic")
        boots = len(guest.boots)
        code, output = recovery(
            lab, tmp_path, "run", "quarantine", "-i", str(known), "--yes", "-o", "jsonl"
        )
        assert code == 0, output
        # The one whose window the command's own start may have missed, and the next.
        assert len(guest.boots) - boots <= 2
        assert not [path for path in guest.files("/CrowdStrike") if path.startswith(BAD)]


def test_the_race_without_a_console_gets_in_once_it_has_learnt_the_period(
    open_lab: OpenLab, tmp_path: Path
) -> None:
    with open_lab(GuestSpec("loop", 3)) as lab:
        guest = lab["loop"]
        guest.wait("panic")
        boots = len(guest.boots)
        code, output = recovery(
            lab, tmp_path, "run", "quarantine", "-i", str(lab.inventory), "--yes", "-o", "jsonl"
        )
        assert code == 0, output
        # Two from which the period is learnt, and two more.
        assert len(guest.boots) - boots <= 4
        assert not [path for path in guest.files("/CrowdStrike") if path.startswith(BAD)]


def test_a_monitor_that_another_program_holds_is_named(open_lab: OpenLab, tmp_path: Path) -> None:
    with open_lab(GuestSpec("well", None)) as lab:
        known = str(inventory(lab, tmp_path / "lab.yaml", **NOBODY))
        holder = (
            "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
            "print(flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", holder, str(lab["well"].qmp)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as other:
            assert other.stdin
            assert other.stdout
            other.stdout.readline()
            code, output = recovery(lab, tmp_path, "power", "well", "-i", known)
            other.stdin.close()
        assert code == 5
        assert "another program may hold it" in output
