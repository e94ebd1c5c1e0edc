"""A fleet of simulated machines on loopback, and what a client needs to meet them: keys, certificates, credentials."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import os
import re
import resource
import secrets
import time
from collections.abc import AsyncIterator, Coroutine, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from recovery.errors import InputError
from recovery.model.host import Fleet, Host
from recovery.model.incident import Incident
from recovery.model.secret import Secret
from recovery.sim.faults import DEFAULT_MIX, Mix
from recovery.sim.wire.machine import WireMachine
from recovery.sim.wire.papers import Authority, server_context
from recovery.sim.wire.scripts import Scripts
from recovery.sim.wire.shells import Quotas
from recovery.sim.wire.signing import Account
from recovery.sim.world import World

_NTLM_FILE = "NTLM_USER_FILE"
_USER = "fleet"
_FIRST = ipaddress.IPv4Address("127.77.0.1")
_AUTH = ("winrm_auth", "ansible_winrm_transport")
_SERVED_AUTH = ("ntlm", "negotiate", "basic", "plaintext", "ssl")
_ELSEWHERE = re.compile(
    "(ansible_)?winrm_(port|proxy|ca_file|ca_trust_path|verify|server_cert_validation|encryption"
    "|message_encryption|delegation|kerberos_.*)"
)
_PORTS = {"ssh": 2222, "http": 5985, "https": 5986}


class PacedClock:
    """The system's clock, running faster from now on. Implements `recovery.ports.Clock`."""

    def __init__(self, speed: float) -> None:
        """Let `speed` seconds pass in each of the system's."""
        self._speed = speed
        self._began = time.time()
        self._origin = time.monotonic()

    def now(self) -> datetime:
        """UTC."""
        return datetime.fromtimestamp(self._began + self._speed * self._passed(), UTC)

    def monotonic(self) -> float:
        """Seconds of its own."""
        return self._speed * self._passed()

    def _passed(self) -> float:
        return time.monotonic() - self._origin


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What the machines have seen."""

    hosts: int
    connections: int
    refusals: int
    """Sign-ins over WinRM that were refused."""
    shells: int
    """Remote shells that are open now."""
    shells_opened: int


class WireFleet:
    """The machines of a fleet behind sockets. Made by `serve`."""

    def __init__(  # noqa: PLR0913 - what a served fleet is made of
        self,
        fleet: Fleet,
        incident: Incident,
        folder: Path,
        group: asyncio.TaskGroup,
        *,
        mix: Mix,
        seed: int,
        speed: float,
        quotas: Quotas,
        account: Account,
    ) -> None:
        """Nothing listens before `start`. Keys, certificates and settings are written into `folder`."""
        self.speed = speed
        self.account = account
        self.scripts = Scripts(incident)
        self.fleet = _placed(fleet)
        self.world = World(self.fleet, incident, mix, seed, clock=PacedClock(speed))
        self.machines: dict[str, WireMachine] = {}
        self._folder = folder
        self._group = group
        self._talks: set[asyncio.Task[None]] = set()
        self._quotas = quotas
        self._keys: dict[str, str] = {}
        self._user_key: Any = None

    @property
    def counts(self) -> Counts:
        """What the machines have seen so far."""
        machines = self.machines.values()
        return Counts(
            hosts=len(machines),
            connections=sum(machine.connections for machine in machines),
            refusals=sum(machine.refusals for machine in machines),
            shells=sum(machine.shells.open for machine in machines),
            shells_opened=sum(machine.shells.opened for machine in machines),
        )

    @property
    def settings(self) -> Path:
        """The settings by which a client meets them."""
        return self._folder / "settings.json"

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Carry a connection out beside the others."""
        task = self._group.create_task(work)
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)

    def start(self) -> None:
        """Listen. Raises `InputError` when an address cannot be had."""
        _raise_file_limit()
        authority = Authority(self._folder, self.world_started())
        for host in self.fleet.hosts:
            self.machines[host.name] = self._made(host, authority)
        self._write_papers(authority)
        for machine in self.machines.values():
            machine.refresh()

    def close(self) -> None:
        """Close every port and connection."""
        for machine in self.machines.values():
            machine.close()
        for talk in self._talks:
            talk.cancel()

    def world_started(self) -> datetime:
        """The world's time as a time."""
        return datetime.fromtimestamp(self.world.now, UTC)

    def _made(self, host: Host, authority: Authority) -> WireMachine:
        try:
            machine = WireMachine(host, self, host.port or 0, self._quotas)
        except OSError as error:
            message = f"{host.name} cannot stand at {host.target}:{host.port}: {error.strerror}"
            raise InputError(message) from None
        if host.transport == "ssh":
            self._add_ssh(machine)
        elif scheme_of(host) == "https":
            certificate = authority.issue(host.target)
            machine.tls = certificate, server_context(certificate)
        return machine

    def _add_ssh(self, machine: WireMachine) -> None:
        import asyncssh

        from recovery.sim.wire.ssh import SshDoor

        if not self._keys:
            self._user_key = asyncssh.generate_private_key("ssh-ed25519")
        key = asyncssh.generate_private_key("ssh-ed25519")
        self._keys[machine.host.name] = key.export_public_key().decode().strip()
        machine.ssh = SshDoor(machine, self.account, key=key, user_key=self._user_key)

    def _write_papers(self, authority: Authority) -> None:
        """The files of a client: whom to believe, and what to sign in with."""
        password = _private(self._folder / "password", self.account.password.reveal())
        _private(self._folder / "ntlm", f":{self.account.user}:{self.account.password.reveal()}")
        # pyspnego takes the accounts of an NTLM server from nowhere else.
        os.environ[_NTLM_FILE] = str(self._folder / "ntlm")
        names = dict.fromkeys(host.credential for host in self.fleet.hosts if host.credential)
        source = {"provider": "file", "user": self.account.user, "path": str(password)}
        known = self._folder / "known_hosts"
        known.write_text(
            "".join(
                f"[{machine.host.target}]:{machine.port} {self._keys[name]}\n"
                for name, machine in self.machines.items()
                if name in self._keys
            )
        )
        settings = {
            "ssh": {"known_hosts": [str(known)], "config": ""},
            "winrm": {"ca_file": str(authority.file)},
            "credentials": dict.fromkeys(names, source),
        }
        _private(self.settings, json.dumps(settings, indent=2) + "\n")


@contextlib.asynccontextmanager
async def serve(  # noqa: PLR0913 - what a served fleet is made of
    fleet: Fleet,
    incident: Incident,
    folder: Path,
    *,
    mix: Mix = DEFAULT_MIX,
    seed: int = 0,
    speed: float = 1.0,
    quotas: Quotas | None = None,
    password: str = "",
) -> AsyncIterator[WireFleet]:
    """Serve the fleet while the block runs. Raises `InputError` when an address cannot be had."""
    failure: Exception | None = None
    account = Account(_USER, Secret(password or secrets.token_urlsafe(18)))
    async with asyncio.TaskGroup() as group:
        served = WireFleet(
            fleet,
            incident,
            folder,
            group,
            mix=mix,
            seed=seed,
            speed=speed,
            quotas=quotas or Quotas(),
            account=account,
        )
        try:
            served.start()
            yield served
        except Exception as error:  # noqa: BLE001 - it goes on below, without the group around it
            failure = error
        finally:
            served.close()
            os.environ.pop(_NTLM_FILE, None)
    if failure is not None:
        raise failure


def scheme_of(host: Host) -> str:
    """`http` or `https`, as the host's variables or its port say."""
    named = host.vars.get("winrm_scheme") or host.vars.get("ansible_winrm_scheme")
    if isinstance(named, str) and named.lower() in ("http", "https"):
        return named.lower()
    return "http" if host.port == _PORTS["http"] else "https"


def _placed(fleet: Fleet) -> Fleet:
    """The fleet with every host on a loopback address of its own, unless it names one already."""
    taken = {host.address for host in fleet.hosts}
    following = _FIRST
    hosts = []
    for host in fleet.hosts:
        address = host.address
        if not _is_loopback(address):
            while str(following) in taken:
                following += 1
            address = str(following)
            taken.add(address)
        kind = "winrm" if host.transport == "winrm" else "ssh"
        port = _PORTS["ssh"] if kind == "ssh" else _PORTS[scheme_of(host)]
        hosts.append(
            msgspec.structs.replace(
                host,
                address=address,
                port=host.port if _is_loopback(host.address) and host.port else port,
                transport=kind,
                gateway="",
                console=None,  # it leads to the machine that the host is in earnest
                user="",
                vars=_served(host.vars),
                credential=host.credential or "simulation",
            )
        )
    sites = {name: msgspec.structs.replace(site, gateway="") for name, site in fleet.sites.items()}
    return msgspec.structs.replace(fleet, hosts=tuple(hosts), sites=sites)


def _served(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables without those that would lead a client elsewhere, or have it sign in as nobody can here."""
    return {
        name: value
        for name, value in variables.items()
        if not _ELSEWHERE.fullmatch(name)
        and (name not in _AUTH or str(value).lower() in _SERVED_AUTH)
    }


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.IPv4Address(address).is_loopback
    except ValueError:
        return False


def _private(path: Path, text: str) -> Path:
    """A file that only its owner may read."""
    path.touch(0o600)
    path.chmod(0o600)
    path.write_text(text)
    return path


def _raise_file_limit() -> None:
    """Every machine needs a few open files."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
