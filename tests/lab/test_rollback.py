"""The main job on real machines: a boot loop is found, fixed and proven, and undone again."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lab.fleet import CREDENTIAL, Lab

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(900)]

BAD = "/CrowdStrike/C-00000291"
VAULT = "/var/lib/fleet-recovery/quarantine/"


def recovery(lab: Lab, tmp_path: Path, *arguments: str) -> tuple[int, str]:
    """The program as an operator starts it, in a process of its own."""
    settings = tmp_path / "settings.yaml"
    settings.write_text(
        f'ssh: {{known_hosts: ["{lab.known_hosts}"], config: ""}}\n'
        f'credentials: {{{CREDENTIAL}: {{provider: key_file, path: "{lab.private_key}"}}}}\n'
    )
    command = [sys.executable, "-m", "recovery", "--config", str(settings)]
    command += ["--journal", str(tmp_path / "journal.db"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")


def quarantined(lab: Lab, name: str) -> list[str]:
    """The bad file as the guest's disk has it, read from outside."""
    return [
        file.sha256
        for file in lab[name].files("/").values()
        if file.path.startswith(VAULT) and file.path.endswith(".file")
    ]


def in_place(lab: Lab, name: str) -> list[Any]:
    """The 291 files in their folder: mode, owner, time, content."""
    return [
        (file.path, file.mode, file.uid, file.gid, file.mtime_ns // 10**9, file.sha256)
        for file in lab[name].files("/CrowdStrike").values()
        if file.path.startswith(BAD)
    ]


async def test_boot_loops_are_found_fixed_proven_and_undone(lab_fleet: Lab, tmp_path: Path) -> None:
    lab = lab_fleet
    looping = ("lab-3s", "lab-6s", "lab-12s")
    before = {name: in_place(lab, name) for name in (*looping, "lab-healthy")}
    for name in looping:
        await asyncio.to_thread(lab[name].wait, "panic")
    await asyncio.to_thread(lab["lab-healthy"].wait, "up")
    boots = {name: len(lab[name].boots) for name in looping}

    code, output = await asyncio.to_thread(
        recovery, lab, tmp_path, "run", "rollback", "-i", str(lab.inventory), "--yes", "-o", "jsonl"
    )
    assert code == 0, output
    events = [json.loads(line) for line in output.splitlines()]
    assert events[-1]["kind"] == "run.finished"
    assert events[-1]["counts"] == {"healthy": 1, "recovered": 3}
    assert not [
        e for e in events if e.get("host") == "lab-healthy" and e["kind"] == "step.intended"
    ]

    for name in looping:
        assert_fixed_and_proven(lab, name, before[name], events)
    assert in_place(lab, "lab-healthy") == before["lab-healthy"]
    assert len(lab["lab-healthy"].boots) == 1
    assert len(lab["lab-3s"].boots) > boots["lab-3s"]

    code, output = await asyncio.to_thread(
        recovery, lab, tmp_path, "run", "undo", "-i", str(lab.inventory), "--yes", "-o", "json"
    )
    assert code == 0, output
    panics = {name: lab[name].panics for name in looping}
    for name in looping:
        assert await asyncio.to_thread(lab[name].wait, "panic", panics[name] + 1)
        assert in_place(lab, name) == before[name]


def assert_fixed_and_proven(
    lab: Lab, name: str, before: list[Any], events: list[dict[str, Any]]
) -> None:
    """The file is in quarantine, on the disk as the events say, and another boot was proven."""
    assert in_place(lab, name) == []
    assert quarantined(lab, name) == [file[-1] for file in before]
    fixed = next(
        e
        for e in events
        if e.get("host") == name and e.get("step") == "rollback" and e.get("outcome") == "ok"
    )
    proven = [e for e in events if e.get("host") == name and e.get("step") == "prove"][-1]
    assert boot_of(fixed) != boot_of(proven)
    assert proven["verdict"] == "recovered"


def boot_of(event: dict[str, Any]) -> str:
    """The boot that an event's evidence is of."""
    return str(next(i["boot_id"] for i in event["evidence"] if i["evidence"] == "boot"))


async def test_a_window_of_three_seconds_is_caught_within_two_boots(
    lab_fleet: Lab, tmp_path: Path
) -> None:
    guest = lab_fleet["lab-3s"]
    await asyncio.to_thread(guest.wait, "panic")
    first = len(guest.boots)
    code, output = await asyncio.to_thread(
        recovery,
        lab_fleet,
        tmp_path,
        "run",
        "quarantine",
        "-i",
        str(lab_fleet.inventory),
        "-l",
        "lab-3s",
        "--yes",
        "-o",
        "json",
    )
    assert code == 0, output
    assert len(guest.boots) - first <= 2
    assert quarantined(lab_fleet, "lab-3s")
