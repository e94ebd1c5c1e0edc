"""A simulated fleet behind sockets: what its ports are like while machines are up, down, and in between."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recovery.cli.main import main
from recovery.errors import InputError
from recovery.model.host import ConsoleRef
from recovery.sim.wire.fleet import WireFleet
from recovery.sim.wire.shells import Quotas
from tests.wire import fakes


@pytest.fixture(autouse=True)
async def _failsafe() -> AsyncIterator[None]:
    async with asyncio.timeout(60):
        yield


async def _meets(served: WireFleet, name: str) -> str:
    """What somebody meets who connects to the machine."""
    machine = served.machines[name]
    try:
        async with asyncio.timeout(0.7):
            _, writer = await asyncio.open_connection(machine.host.address, machine.port)
    except TimeoutError:
        return "silence"
    except ConnectionRefusedError:
        return "refusal"
    writer.transport.abort()
    return "connection"


async def test_ports_are_as_the_machines(tmp_path: Path) -> None:
    hosts = [fakes.winrm_host("up"), fakes.ssh_host("dark"), fakes.winrm_host("shut")]
    faults = fakes.mix(
        dark={"exposed": 0.0, "dark": 1.0}, shut={"refused": 1.0}, up={"boot": [0.5, 1.0]}
    )
    async with fakes.fakes(tmp_path, *hosts, faults=faults) as served:
        assert await _meets(served, "up") == "connection"
        assert await _meets(served, "dark") == "silence"
        assert await _meets(served, "shut") == "refusal"
        for _ in range(2):
            served.world.power_off("up")
            served.machines["up"].refresh()
            assert await _meets(served, "up") == "silence"
            served.world.power_on("up")
            served.machines["up"].refresh()
            async with asyncio.timeout(20):
                while True:
                    if await _meets(served, "up") == "connection":
                        break


async def test_a_crash_resets_the_connections_that_are_open(tmp_path: Path) -> None:
    host = fakes.winrm_host("w")
    async with fakes.fakes(tmp_path, host) as served:
        reader, writer = await asyncio.open_connection(host.address, host.port)
        await asyncio.sleep(0.05)
        served.world.power_off("w")
        served.machines["w"].refresh()
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()


async def test_a_shell_that_nobody_uses_is_closed_by_the_machine(tmp_path: Path) -> None:
    host = fakes.winrm_host("w")
    async with (
        fakes.fakes(tmp_path, host, quotas=Quotas(idle=0.5)) as served,
        fakes.winrm(tmp_path) as way,
    ):
        session = await way.open(host, 10)
        assert served.counts.shells == 1
        async with asyncio.timeout(20):
            while True:
                if served.counts.shells == 0:
                    break
                await asyncio.sleep(0.05)
        await session.aclose()


async def test_an_address_that_is_taken_is_said(tmp_path: Path) -> None:
    host = fakes.winrm_host("w")
    with socket.socket() as other:
        other.bind((host.address, host.port or 0))
        other.listen()
        with pytest.raises(InputError, match=f"w cannot stand at {host.address}:5986"):
            async with fakes.fakes(tmp_path, host):
                pass


async def test_hosts_without_a_loopback_address_get_one(tmp_path: Path) -> None:
    named = fakes.winrm_host("named")
    far = msgspec.structs.replace(named, name="far", address="192.0.2.7", port=8443)
    async with fakes.fakes(tmp_path, named, far) as served:
        placed = {host.name: host for host in served.fleet.hosts}
        assert placed["named"].address == named.address
        assert placed["far"].address.startswith("127.")
        assert placed["far"].port == 5986
        settings = json.loads(served.settings.read_text())
        assert settings["credentials"]["c"]["provider"] == "file"
        assert fakes.PASSWORD not in served.settings.read_text()
        assert (tmp_path / "password").stat().st_mode & 0o077 == 0


async def test_a_fleet_that_is_met_elsewhere_in_earnest_is_met_here(tmp_path: Path) -> None:
    """Users, proxies, consoles and more of the inventory belong to the machines that it was written for."""
    variables: dict[str, Any] = {
        "ansible_winrm_transport": "kerberos",
        "winrm_proxy": "http://192.0.2.1:3128",
        "winrm_ca_file": "/corporate.pem",
        "winrm_verify": False,
        "rack": "R7",
    }
    far = msgspec.structs.replace(
        fakes.winrm_host("far", **variables),
        address="192.0.2.7",
        user="CORP\\rescue",
        console=ConsoleRef(
            kind="libvirt", address="qemu:///system", options={"domain": "production"}
        ),
    )
    async with fakes.fakes(tmp_path, far) as served, fakes.winrm(tmp_path) as way:
        (host,) = served.fleet.hosts
        assert host.vars == {"rack": "R7"}
        assert host.console is None, "a rehearsal would switch the real machine's power"
        session = await way.open(host, 20)
        await session.aclose()
        assert served.counts.refusals == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--write", "/proc/nowhere/folder"), "not a folder"),
        (("--speed", "max"), "real sockets take real time"),
        (("--speed", "fast"), "how many times faster"),
        (("--write", "/dev/null"), "not a folder"),
        (("--incident", "nobody-knows"), "nobody-knows"),
    ],
)
def test_what_cannot_be_served_is_refused(
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    home: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text("hosts: {h1: {transport: winrm}}\n")
    assert main(["sim", "serve", "-i", str(fleet), *arguments]) == 2
    assert said in capsys.readouterr().err
