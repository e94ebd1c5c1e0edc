"""One command on 200 real sshd hosts: the program beside its peers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.perf.measure import PYTHON, Row, Spent, recovery, spend
from tests.wire.sshd import SshdFleet, sshd_fleet_sync

HOSTS = 200

PLAYBOOK = """playbook: one-command
summary: One command on every host. Changes nothing.
strategy: {order: inventory, limits: {total: 100}}
steps:
  - run: {command: ["true"], changes: false}
"""
_OPTIONS = "-F /dev/null -o ControlMaster=no -o BatchMode=yes -o UserKnownHostsFile={known}"


def ssh(folder: Path) -> Iterator[Row]:
    """Hosts a second, and what the client spends on each."""
    try:
        machines = folder / "machines"
        machines.mkdir()
        with sshd_fleet_sync(machines, HOSTS) as fleet:
            _describe(fleet, folder)
            yield from _compare(folder)
    except pytest.skip.Exception as reason:
        yield Row(f"one command on {HOSTS} sshd hosts", f"skipped: {reason}")


def _describe(fleet: SshdFleet, folder: Path) -> None:
    shutil.copy(fleet.key_file, folder / "key")
    shutil.copy(fleet.known_hosts, folder / "known_hosts")
    (folder / "hosts").write_text("".join(f"{host.address} {host.port}\n" for host in fleet))
    common = {"os": "linux", "transport": "ssh", "credential": "c"}
    listed = {host.name: {"address": host.address, "port": host.port} for host in fleet}
    (folder / "fleet.json").write_text(json.dumps({"defaults": common, "hosts": listed}))
    (folder / "inventory.ini").write_text(
        "".join(f"{h.name} ansible_host={h.address} ansible_port={h.port}\n" for h in fleet)
    )
    (folder / "settings.json").write_text(
        json.dumps(
            {
                "ssh": {"known_hosts": [str(folder / "known_hosts")], "config": ""},
                "credentials": {
                    "c": {"provider": "key_file", "user": "root", "path": str(folder / "key")}
                },
            }
        )
    )
    (folder / "one.yaml").write_text(PLAYBOOK)


def _compare(folder: Path) -> Iterator[Row]:
    peer = [PYTHON, "-m", "tests.perf.peer"]
    bare = spend([*peer, "bare", str(folder)], folder)
    yield _row("a bare asyncssh loop", bare)
    quickest = spend([*peer, "pssh", str(folder)], folder)
    yield _row("parallel-ssh (checks no host keys)", quickest)
    forked = {forks: ansible(folder, forks) for forks in (10, 50)}
    for forks, spent in forked.items():
        yield _row(f"ansible, forks {forks}", spent)
    best = min(spent.seconds for spent in forked.values())
    for name, argv in (
        ("this program's SshTransport", [*peer, "transport", str(folder)]),
        ("recovery run, one step", run(folder)),
    ):
        spent = spend(argv, folder)
        yield _row(name, spent)
        yield Row(
            f"  {name} beside its peers",
            f"{quickest.seconds / spent.seconds:.1f} x parallel-ssh, {best / spent.seconds:.1f} x ansible; "
            f"{spent.cpu / bare.cpu:.2f} x the bare loop's CPU",
            ">= 1.5 x, >= 4 x; <= 1.2 x",
        )


def run(folder: Path) -> list[str]:
    """The program on the fleet in `folder`."""
    return recovery(
        *("--config", str(folder / "settings.json"), "run", str(folder / "one.yaml"), "--yes"),
        *("-i", str(folder / "fleet.json"), "--journal", str(folder / "ssh.db"), "-o", "json"),
    )


def ansible(folder: Path, forks: int, *, expect: tuple[int, ...] = (0,), **variables: str) -> Spent:
    """Ansible on the fleet in `folder`."""
    (folder / "ansible.cfg").touch()
    # It asks for nothing that its modules would need Python for on the host.
    return spend(
        [
            *(PYTHON, "-m", "ansible", "adhoc", "all", "-i", str(folder / "inventory.ini")),
            *("-m", "raw", "-a", "true", "-f", str(forks), "-u", "root"),
            *("--private-key", str(folder / "key")),
        ],
        folder,
        expect=expect,
        ANSIBLE_SSH_ARGS=_OPTIONS.format(known=folder / "known_hosts"),
        ANSIBLE_SSH_USETTY="0",  # the machines have no terminals
        ANSIBLE_CONFIG=str(folder / "ansible.cfg"),
        LC_ALL="C.UTF-8",
        **variables,
    )


def _row(name: str, spent: Spent) -> Row:
    answered = spent.stdout.decode(errors="replace").strip()
    if answered.isdigit() and int(answered) != HOSTS:
        name += f" (only {answered} answered)"
    return Row(
        f"{HOSTS} sshd hosts: {name}",
        f"{HOSTS / spent.seconds:.0f} hosts/s ({spent.seconds:.1f} s), "
        f"{1000 * spent.cpu / HOSTS:.1f} ms CPU a host, {spent.megabytes:.0f} MB",
    )
