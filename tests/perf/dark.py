"""One command on a fleet of which half never answers: the program beside Ansible."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.perf.measure import Row, Spent, spend
from tests.perf.ssh import PLAYBOOK, ansible, run
from tests.wire.sshd import PORT, sshd_fleet_sync

HOSTS = 1000
"""Every second one is dark. Those that answer share `MACHINES` machines, the dark ones as many addresses."""

MACHINES = 100
FORKS = 50
TIMEOUT = 10
"""Seconds in which a connection has to come about, for both; Ansible's default."""

_FILLERS = 4


def dark(folder: Path) -> Iterator[Row]:
    """How long the fleet takes."""
    name = f"{HOSTS:,} hosts, half of them dark, ConnectTimeout {TIMEOUT} s for both"
    try:
        machines = folder / "machines"
        machines.mkdir()
        with sshd_fleet_sync(machines, MACHINES) as fleet, _silence() as silent:
            shutil.copy(fleet.key_file, folder / "key")
            shutil.copy(fleet.known_hosts, folder / "known_hosts")
            answering = [machine.address for machine in fleet]
            _describe(folder, [answering, silent])
            yield from _compare(folder, name)
    except pytest.skip.Exception as reason:
        yield Row(name, f"skipped: {reason}")


@contextlib.contextmanager
def _silence() -> Iterator[list[str]]:
    """Addresses that drop whoever wants to connect: the queues of their ports are full, and nobody accepts."""
    with contextlib.ExitStack() as stack:
        addresses = [f"127.{200 + os.getpid() % 50}.7.{1 + number}" for number in range(MACHINES)]
        for address in addresses:
            listener = stack.enter_context(socket.socket())
            listener.bind((address, PORT))
            listener.listen(0)
            for _ in range(_FILLERS):
                filler = stack.enter_context(socket.socket())
                filler.settimeout(0.0)
                filler.connect_ex((address, PORT))
        yield addresses


def _describe(folder: Path, kinds: list[list[str]]) -> None:
    places = {f"h{number:04}": kinds[number % 2][number // 2 % MACHINES] for number in range(HOSTS)}
    common = {"os": "linux", "transport": "ssh", "credential": "c"}
    hosts = {name: {"address": address, "port": PORT} for name, address in places.items()}
    (folder / "fleet.json").write_text(json.dumps({"defaults": common, "hosts": hosts}))
    (folder / "inventory.ini").write_text(
        "".join(
            f"{name} ansible_host={address} ansible_port={PORT}\n"
            for name, address in places.items()
        )
    )
    known = [str(folder / "known_hosts")]
    credential = {"provider": "key_file", "user": "root", "path": str(folder / "key")}
    settings = {
        "ssh": {"known_hosts": known, "config": "", "look_timeout": TIMEOUT},
        "credentials": {"c": credential},
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "one.yaml").write_text(PLAYBOOK)


def _compare(folder: Path, name: str) -> Iterator[Row]:
    # Both say by their exit codes that some hosts were unreachable.
    ours = spend(run(folder), folder, expect=(5,))
    done = json.loads(ours.stdout)["counts"]
    yield _row(f"{name}: recovery run, one step", ours, done.get("done", 0))
    theirs = ansible(folder, FORKS, expect=(4,), ANSIBLE_TIMEOUT=str(TIMEOUT))
    yield _row(f"{name}: ansible, forks {FORKS}", theirs, theirs.stdout.count(b"| CHANGED"))
    yield Row("  beside it", f"{theirs.seconds / ours.seconds:.1f} x ansible", ">= 10 x")


def _row(name: str, spent: Spent, answered: int) -> Row:
    return Row(
        name,
        f"{spent.seconds:.1f} s, {answered} of {HOSTS // 2} done, {spent.cpu:.1f} s CPU, {spent.megabytes:.0f} MB",
    )
