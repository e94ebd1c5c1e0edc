"""Simulated machines behind real sockets, for tests: addresses of a test's own, and the ways to them."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from recovery.model.host import Fleet, Host
from recovery.model.incident import Incident
from recovery.model.secret import Secret
from recovery.playbook.incidents import parse_incident
from recovery.playbook.library import read_incident
from recovery.ports import Command
from recovery.remote import catalog
from recovery.sim.faults import Faults, Mix, Rule, Selector
from recovery.sim.wire.fleet import WireFleet, serve
from recovery.sim.wire.shells import Quotas
from recovery.transports.ssh import SshSettings, SshTransport
from recovery.transports.winrm import WinrmSettings, WinrmTransport
from tests.wire.peers import OneCredential

PASSWORD = "correct horse 9"
USER = "fleet"
_numbers = itertools.count()


def incident() -> Incident:
    """The one that simulated machines are in."""
    return parse_incident(*read_incident("crowdstrike-291"))


def address() -> str:
    """A loopback address that no other test has."""
    number = next(_numbers)
    process, block = os.getpid(), number // 250
    return f"127.{100 + process % 100}.{(process // 100 + block) % 250}.{1 + number % 250}"


def winrm_host(name: str, *, https: bool = True, **variables: Any) -> Host:
    """A Windows machine."""
    return Host(
        name=name,
        address=address(),
        port=5986 if https else 5985,
        transport="winrm",
        kind="server",
        credential="c",
        vars=variables,
    )


def ssh_host(name: str) -> Host:
    """A Linux machine."""
    return Host(name=name, address=address(), port=2222, os="linux", kind="server", credential="c")


def mix(latency: float = 0.01, **by_name: Mapping[str, Any]) -> Mix:
    """Every machine is exposed, but for what `by_name` says."""
    rules = tuple(
        Rule(when=Selector(host=f"{name}*"), faults=dict(faults))
        for name, faults in by_name.items()
    )
    return Mix(latency=latency, default=Faults(exposed=1.0), rules=rules)


@contextlib.asynccontextmanager
async def fakes(
    folder: Path, *hosts: Host, faults: Mix | None = None, quotas: Quotas | None = None
) -> AsyncIterator[WireFleet]:
    """The machines, served in this process."""
    async with serve(
        Fleet(hosts=hosts),
        incident(),
        folder,
        mix=faults or mix(),
        quotas=quotas,
        password=PASSWORD,
    ) as served:
        yield served


def right() -> OneCredential:
    """What signs in."""
    return OneCredential(user=USER, password=Secret(PASSWORD))


@contextlib.asynccontextmanager
async def winrm(
    folder: Path, credentials: OneCredential | None = None, **settings: Any
) -> AsyncIterator[WinrmTransport]:
    """The way over WinRM, believing the authority whose certificate is in `folder`."""
    wanted = {"ca_file": str(folder / "ca.pem"), "look_timeout": 1.0, "workers": 1, **settings}
    made = WinrmTransport(WinrmSettings(**wanted), credentials or right())
    try:
        yield made
    finally:
        await made.aclose()


@contextlib.asynccontextmanager
async def ssh(
    folder: Path, credentials: OneCredential | None = None
) -> AsyncIterator[SshTransport]:
    """The way over SSH, believing the keys in `folder`."""
    made = SshTransport(
        SshSettings(known_hosts=(str(folder / "known_hosts"),), config="", look_timeout=1.0),
        credentials or right(),
        lambda _host: "",
    )
    try:
        yield made
    finally:
        await made.aclose()


def ask(
    host: Host, action: str = "triage", token: str = "t1", *, timeout: float = 20.0, **more: Any
) -> Command:
    """A command of the catalog."""
    return catalog.command(action, host, incident(), token=token, timeout=timeout, settings=more)
