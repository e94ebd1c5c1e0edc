"""What every transport promises, on every kind of peer: one suite, so that none of them is a special case."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
import pytest

from recovery.errors import (
    AuthRefusedError,
    DeadlineError,
    ReplyError,
    SessionLostError,
    TransportError,
)
from recovery.model.evidence import ArtifactListing, BootIdentity
from recovery.model.host import Fleet, Host
from recovery.model.secret import Secret
from recovery.ports import Command, Session, Transport
from recovery.remote import catalog, replies, windows_scripts
from recovery.remote.launch import PROBE
from recovery.sim.wire.fleet import PacedClock
from recovery.sim.world import World
from recovery.transports.mock import MockTransport
from tests.unit.remote.shells import BEGAN, profile
from tests.windows.wine import Wine, windows
from tests.wire import fakes
from tests.wire.peers import OneCredential, Process, password, ssh_server, transport
from tests.wire.peers import host as server
from tests.wire.sshd import sshd_fleet

_SLOW = {"slow": 1.0, "slow_by": 200.0}
_FAULTS = {
    "denied": {"wrong_credential": 1.0},
    "dark": {"exposed": 0.0, "dark": 1.0},
    "slow": _SLOW,
}
_MIX = fakes.mix(0.05, **_FAULTS)


@dataclass
class Peer:
    """A kind of machine, and the way to it."""

    way: Transport
    wrong: Transport
    """The same way with a password that is wrong, or to a machine that lets nobody in."""
    credentials: OneCredential
    """Those of `wrong`."""
    hosts: Mapping[str, Host]
    """`good`, `denied`, `dark`, `slow`."""
    command: Callable[[str, str, str, float], Command]
    """From a host's name, an action, a token and a timeout."""
    boots: int = 1
    """Of how many boots the answers to one triage after another tell; cmd knows of none."""
    leftovers: Callable[[], int] = lambda: 0
    """What is still open on the machines."""


def _fake_command(hosts: Mapping[str, Host]) -> Callable[[str, str, str, float], Command]:
    return lambda name, action, token, timeout: fakes.ask(
        hosts[name], action, token, timeout=timeout
    )


@contextlib.asynccontextmanager
async def _mock(folder: Path) -> AsyncIterator[Peer]:
    hosts = {name: fakes.ssh_host(name) for name in ("good", "denied", "dark", "slow")}
    fleet = Fleet(hosts=tuple(hosts.values()))
    way = MockTransport(World(fleet, fakes.incident(), _MIX, clock=PacedClock(1.0)))
    yield Peer(way, way, fakes.right(), hosts, _fake_command(hosts))


@contextlib.asynccontextmanager
async def _fake_ssh(folder: Path) -> AsyncIterator[Peer]:
    hosts = {name: fakes.ssh_host(name) for name in ("good", "denied", "dark", "slow")}
    refused = fakes.right()
    async with (
        fakes.fakes(folder, *hosts.values(), faults=_MIX),
        fakes.ssh(folder) as way,
        fakes.ssh(folder, refused) as wrong,
    ):
        yield Peer(way, wrong, refused, hosts, _fake_command(hosts))


def _fake_winrm(*, https: bool, auth: str) -> Callable[[Path], AbstractAsyncContextManager[Peer]]:
    @contextlib.asynccontextmanager
    async def peer(folder: Path) -> AsyncIterator[Peer]:
        names = ("good", "denied", "dark", "slow")
        hosts = {name: fakes.winrm_host(name, https=https, winrm_auth=auth) for name in names}
        refused = fakes.right()
        async with fakes.fakes(folder, *hosts.values(), faults=_MIX) as served:
            async with fakes.winrm(folder) as way, fakes.winrm(folder, refused) as wrong:
                yield Peer(
                    way,
                    wrong,
                    refused,
                    hosts,
                    _fake_command(hosts),
                    leftovers=lambda: served.counts.shells,
                )
            assert served.counts.shells == 0

    return peer


@contextlib.asynccontextmanager
async def _sshd(folder: Path) -> AsyncIterator[Peer]:
    async with sshd_fleet(folder, 1) as fleet:
        known = {"known_hosts": (str(fleet.known_hosts),), "accept_new": False}
        keys = OneCredential(user="root", key_file=str(fleet.key_file))
        bad = OneCredential(user="root", password=Secret("wrong"))
        good = fleet[0].host(credential="c")
        dark = msgspec.structs.replace(good, name="dark", port=1)
        hosts = {"good": good, "denied": good, "slow": good, "dark": dark}
        async with transport(keys, **known) as way, transport(bad, **known) as wrong:
            yield Peer(way, wrong, bad, hosts, _real_command(good))


def _real_command(host: Host) -> Callable[[str, str, str, float], Command]:
    told = profile("/CrowdStrike", "/var/lib/fleet-recovery/quarantine")
    sleep = " ".join(word.encode().hex() for word in ("sleep", "5"))

    def command(name: str, action: str, token: str, timeout: float) -> Command:
        if name == "slow":
            return catalog.command(
                "run", host, told, token=token, timeout=timeout, settings={"ARGV": sleep}
            )
        return catalog.command(action, host, told, token=token, timeout=timeout)

    return command


@contextlib.asynccontextmanager
async def _wine(wine: Wine, folder: Path) -> AsyncIterator[Peer]:
    """Windows over SSH: the server's default shell is a cmd that is real."""
    folder_of_artifact = windows(wine.drive("c"))
    (folder_of_artifact / "C-00000291-00000000-00000032.sys").write_bytes(b"bad")

    def obey(delay: float) -> Callable[[Process], Awaitable[None]]:
        async def handle(process: Process) -> None:
            line = process.command or ""
            if line != PROBE:
                await asyncio.sleep(delay)
            done = await wine.run(line)
            process.stdout.write(done.stdout)
            process.stderr.write(done.stderr)
            process.exit(done.exit_status or 0)

        return handle

    bad = password("wrong")
    async with (
        ssh_server(obey(0.0)) as quick,
        ssh_server(obey(60.0)) as slow,
        transport() as way,
        transport(bad) as wrong,
    ):
        good = msgspec.structs.replace(server(quick), name="good", os="windows")
        hosts = {
            "good": good,
            "denied": good,
            "slow": msgspec.structs.replace(good, name="slow", port=slow),
            "dark": msgspec.structs.replace(good, name="dark", port=1),
        }
        yield Peer(way, wrong, bad, hosts, _cmd_command(hosts), boots=0)


_BY_CMD = {"triage": "strike", "race": "strike", "strike": "strike"}
"""What stands for an action where there is no PowerShell: the strike lists the folder and tells what it did."""
_ONLY_BY_POWERSHELL = {
    "prove": "which boot it is, and whether services run",
    "quarantine": "first bytes, times and hashes of the files",
    "undo": "hashes and access lists of what is put back",
    "reboot": "which boot it is, and a mark that outlives no boot",
    "run": "words in which no shell looks for anything",
    "exposure": "the system's own lists of drivers",
}
"""What is not tried on Wine, and what PowerShell is needed for there: Wine has none."""


def _cmd_command(hosts: Mapping[str, Host]) -> Callable[[str, str, str, float], Command]:
    return lambda name, action, token, timeout: fakes.ask(
        hosts[name], _BY_CMD[action], token, timeout=timeout
    )


def test_what_is_not_tried_by_cmd_is_what_has_to_be_powershell() -> None:
    assert {*_BY_CMD, *_ONLY_BY_POWERSHELL} == set(windows_scripts.ACTIONS)
    host = Host(name="w", os="windows")
    for action in _ONLY_BY_POWERSHELL:
        words = "78" if action == "run" else ""
        assert fakes.ask(host, action, ARGV=words).shell == "powershell"


_KINDS: Mapping[str, Callable[[Path], AbstractAsyncContextManager[Peer]]] = {
    "mock": _mock,
    "ssh": _fake_ssh,
    "winrm, http and ntlm": _fake_winrm(https=False, auth="ntlm"),
    "winrm, https and ntlm": _fake_winrm(https=True, auth="ntlm"),
    "winrm, https and basic": _fake_winrm(https=True, auth="basic"),
    "sshd": _sshd,
}
_WINE = "wine's cmd over ssh"
_MARKS: Mapping[str, list[pytest.MarkDecorator]] = {
    "sshd": [pytest.mark.sshd, pytest.mark.xdist_group("sshd")],
    _WINE: [pytest.mark.slow, pytest.mark.xdist_group("wine")],
}


@pytest.fixture(
    params=[pytest.param(name, marks=_MARKS.get(name, [])) for name in (*_KINDS, _WINE)]
)
async def peer(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Peer]:
    kinds = dict(_KINDS)
    if request.param == _WINE:
        kinds[_WINE] = partial(_wine, request.getfixturevalue("wine"))
    async with asyncio.timeout(90), kinds[request.param](tmp_path) as made:
        yield made


async def _session(peer: Peer, name: str = "good") -> Session:
    return await peer.way.open(peer.hosts[name], 20)


async def test_a_machine_that_is_up_is_seen_and_answers_one_command_after_another(
    peer: Peer,
) -> None:
    look = await peer.way.look(peer.hosts["good"])
    assert (look.answers, look.reason) == (True, "")
    session = await _session(peer)
    boots = set()
    for token in ("t1", "t2", "t3"):
        completed = await session.run(peer.command("good", "triage", token, 20))
        reply = replies.read(completed, token)
        found = replies.evidence(reply, at=BEGAN, source=peer.way.name)
        boots |= {item.boot_id for item in found if isinstance(item, BootIdentity)}
        assert any(isinstance(item, ArtifactListing) for item in found)
        assert not completed.truncated
    assert len(boots) == peer.boots
    await session.aclose()
    assert peer.leftovers() == 0


async def test_what_one_session_changes_the_next_one_sees(peer: Peer) -> None:
    session = await _session(peer)
    acted = replies.read(await session.run(peer.command("good", "race", "i1", 20)), "i1")
    summary = acted.acted("quarantine")
    assert summary is not None
    await session.aclose()
    session = await _session(peer)
    again = replies.read(await session.run(peer.command("good", "race", "i1", 20)), "i1")
    await session.aclose()
    found = again.acted("quarantine")
    assert found is not None
    assert (found.files, found.already) == (0, summary.files)


async def test_an_answer_is_read_up_to_its_bound(peer: Peer) -> None:
    session = await _session(peer)
    command = peer.command("good", "triage", "t1", 20)
    completed = await session.run(msgspec.structs.replace(command, output_limit=100))
    assert completed.truncated
    assert len(completed.stdout) == 100
    with pytest.raises(ReplyError):
        replies.read(completed, "t1")
    await session.aclose()


async def test_a_command_that_takes_too_long_ends_in_time_and_leaves_nothing(peer: Peer) -> None:
    session = await _session(peer, "slow")
    with pytest.raises(DeadlineError):
        await session.run(peer.command("slow", "triage", "t1", 0.6))
    await session.aclose()
    await _nothing_is_left(peer)


async def test_a_command_that_is_cancelled_leaves_nothing(peer: Peer) -> None:
    session = await _session(peer, "slow")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.6):
            await session.run(peer.command("slow", "triage", "t1", 20))
    await session.aclose()
    await _nothing_is_left(peer)
    again = await _session(peer)
    assert replies.read(await again.run(peer.command("good", "triage", "t2", 20)), "t2").records
    await again.aclose()


async def _nothing_is_left(peer: Peer) -> None:
    async with asyncio.timeout(20):
        while True:
            if not peer.leftovers():
                return
            await asyncio.sleep(0.05)


async def test_a_session_that_is_closed_says_so(peer: Peer) -> None:
    session = await _session(peer)
    await session.aclose()
    await session.aclose()
    with pytest.raises(SessionLostError):
        await session.run(peer.command("good", "triage", "t1", 20))


async def test_a_machine_that_lets_nobody_in_is_asked_once(peer: Peer) -> None:
    assert (await peer.way.look(peer.hosts["denied"])).answers
    with pytest.raises(AuthRefusedError) as caught:
        await peer.wrong.open(peer.hosts["denied"], 20)
    assert not caught.value.retryable
    assert "fleet" not in str(caught.value)
    assert fakes.PASSWORD not in str(caught.value)
    assert peer.credentials.refusals == (peer.way.name != "mock")


async def test_a_machine_that_is_down_can_be_tried_again(peer: Peer) -> None:
    look = await peer.way.look(peer.hosts["dark"])
    assert not look.answers
    assert look.reason
    with pytest.raises(TransportError) as caught:
        await peer.way.open(peer.hosts["dark"], 1.0)
    assert caught.value.retryable
    assert not isinstance(caught.value, SessionLostError)


async def test_sessions_do_not_wait_for_each_other(peer: Peer) -> None:
    slow = await _session(peer, "slow")
    async with asyncio.TaskGroup() as group:
        waits = group.create_task(slow.run(peer.command("slow", "triage", "t1", 60)))
        await asyncio.sleep(0)
        sessions = [await _session(peer) for _ in range(6)]
        runs = [
            group.create_task(session.run(peer.command("good", "triage", f"t{number}", 20)))
            for number, session in enumerate(sessions)
        ]
        await asyncio.wait(runs)
        assert not waits.done()
        waits.cancel()
    for number, run in enumerate(runs):
        assert replies.read(run.result(), f"t{number}").records
    for session in (slow, *sessions):
        await session.aclose()
    await _nothing_is_left(peer)
