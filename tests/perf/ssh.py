"""One command on 200 real sshd hosts: the program beside its peers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.perf.measure import PYTHON, Row, Spent, recovery, spend
from tests.wire.sshd import SshdFleet, sshd_fleet_sync

HOSTS = 200
ROUNDS = 2
BARE = "a bare asyncssh loop"
PSSH = "parallel-ssh (checks no host keys)"

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
    """All of them in turn, and again: what else the computer does hits them alike, and the best of each counts."""
    peer = [PYTHON, "-m", "tests.perf.peer"]
    contenders: dict[str, Callable[[], Spent]] = {
        BARE: lambda: spend([*peer, "bare", str(folder)], folder),
        PSSH: lambda: spend([*peer, "pssh", str(folder)], folder),
        **{f"ansible, forks {forks}": partial(ansible, folder, forks) for forks in (10, 50)},
        "this program's SshTransport": lambda: spend([*peer, "transport", str(folder)], folder),
        "recovery run, one step": lambda: spend(run(folder), folder),
    }
    rounds = [{name: work() for name, work in contenders.items()} for _ in range(ROUNDS)]
    found = {name: _best([spents[name] for spents in rounds]) for name in contenders}
    for name, spent in found.items():
        yield _row(name, spent)
    forked = min(spent.seconds for name, spent in found.items() if name.startswith("ansible"))
    for name in list(found)[-2:]:
        spent = found[name]
        yield Row(
            f"  {name} beside its peers",
            f"{found[PSSH].seconds / spent.seconds:.1f} x parallel-ssh, {forked / spent.seconds:.1f} x ansible; "
            f"{spent.cpu / found[BARE].cpu:.2f} x the bare loop's CPU",
            ">= 1.5 x, >= 4 x; <= 1.2 x",
        )


def _best(spents: list[Spent]) -> Spent:
    """The least of everything."""
    return replace(
        spents[0],
        seconds=min(spent.seconds for spent in spents),
        cpu=min(spent.cpu for spent in spents),
        megabytes=min(spent.megabytes for spent in spents),
    )


def run(folder: Path) -> list[str]:
    """The program on the fleet in `folder`, with a new journal."""
    journal = folder / f"{len(list(folder.glob('*.db')))}.db"
    return recovery(
        *("--config", str(folder / "settings.json"), "run", str(folder / "one.yaml"), "--yes"),
        *("-i", str(folder / "fleet.json"), "--journal", str(journal), "-o", "json"),
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
        f"{HOSTS} sshd hosts, best of {ROUNDS}: {name}",
        f"{HOSTS / spent.seconds:.0f} hosts/s ({spent.seconds:.1f} s), "
        f"{1000 * spent.cpu / HOSTS:.1f} ms CPU a host, {spent.megabytes:.0f} MB",
    )
