"""The scripts over OpenSSH's own server, on machines that restart: read, act, undo, restart, prove."""

# ruff: noqa: ASYNC230 - small files of the test's own

from __future__ import annotations

import asyncio
import os
import select
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from recovery.errors import AuthRefusedError, TransportError
from recovery.model.case import same_boot
from recovery.model.evidence import ArtifactListing, BootIdentity, CrashRecord, RebootMark
from recovery.model.host import Host
from recovery.remote import catalog, replies
from recovery.remote.records import Printed
from recovery.remote.replies import Reply
from recovery.transports.ssh import SshTransport
from tests.needs import need
from tests.unit.remote.shells import BAD_TIME, BEGAN, HEADER, profile
from tests.wire.peers import OneCredential, password, transport
from tests.wire.sshd import PASSWORD, SshdFleet, SshdHost, sshd_fleet, sshd_fleet_sync

pytestmark = [pytest.mark.sshd, pytest.mark.xdist_group("sshd")]

INCIDENT = profile("/CrowdStrike", "/var/lib/fleet-recovery/quarantine")


@pytest.fixture(params=["dash", "busybox"])
async def machine(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[SshdHost, SshTransport]]:
    shell = need("busybox") if request.param == "busybox" else ""
    async with sshd_fleet(tmp_path, 1, shell=shell) as fleet, _way(fleet) as ssh:
        yield fleet[0], ssh


def _way(fleet: SshdFleet, **settings: Any) -> AbstractAsyncContextManager[SshTransport]:
    credentials = OneCredential(user="root", key_file=str(fleet.key_file))
    return transport(
        credentials, known_hosts=(str(fleet.known_hosts),), accept_new=False, **settings
    )


async def ask(ssh: SshTransport, host: Host, action: str, token: str, **settings: str) -> Reply:
    """One command in a session of its own."""
    sent = {"CONTROLLER_CLOCK": f"{time.time():.0f}", **settings}
    command = catalog.command(action, host, INCIDENT, token=token, timeout=20, settings=sent)
    session = await ssh.open(host, 20)
    try:
        return replies.read(await session.run(command), token)
    finally:
        await session.aclose()


def _plant(machine: SshdHost, name: str = "C-00000291-00000000-00000032.sys") -> Path:
    path = machine.folder / name
    path.write_bytes(HEADER + b"payload")
    os.utime(path, (BAD_TIME, BAD_TIME))
    return path


async def _comes_back(ssh: SshTransport, host: Host, before: BootIdentity) -> BootIdentity:
    """The next boot, as evidence."""
    async with asyncio.timeout(30):
        while True:
            try:
                now = _boot(await ask(ssh, host, "prove", "p1"))
            except TransportError:
                now = before
            if same_boot(before, now) == "other":
                return now
            await asyncio.sleep(0.05)


def _boot(reply: Reply) -> BootIdentity:
    return next(item for item in _evidence(reply) if isinstance(item, BootIdentity))


def _evidence(reply: Reply) -> tuple[object, ...]:
    return replies.evidence(reply, at=BEGAN, source="ssh")


async def test_a_host_is_fixed_and_the_fix_is_undone(
    machine: tuple[SshdHost, SshTransport],
) -> None:
    there, ssh = machine
    path = _plant(there)
    host = there.host(credential="c")
    assert (await ssh.look(host)).answers
    listing = next(
        item
        for item in _evidence(await ask(ssh, host, "triage", "t1"))
        if isinstance(item, ArtifactListing)
    )
    assert listing.bad
    acted = (await ask(ssh, host, "race", "i1")).acted("quarantine")
    assert acted is not None
    assert acted.files == 1
    assert not path.exists()
    assert len(list(there.quarantine.glob("i1/*.file"))) == 1
    undone = (await ask(ssh, host, "undo", "u1")).acted("undo")
    assert undone is not None
    assert undone.files == 1
    assert path.read_bytes() == HEADER + b"payload"
    assert path.stat().st_mtime == BAD_TIME


async def test_a_restart_happens_once_and_is_proven_by_another_boot(
    machine: tuple[SshdHost, SshTransport],
) -> None:
    there, ssh = machine
    host = there.host(credential="c")
    before = _boot(await ask(ssh, host, "prove", "p0"))
    session = await ssh.open(host, 20)
    reply = Reply(())
    for token, expected in (("r1", (1, 0)), ("r1", (0, 1)), ("r2", (0, 1))):
        command = catalog.command(
            "reboot",
            host,
            INCIDENT,
            token=token,
            timeout=20,
            settings={"EXPECT_BOOT": before.boot_id},
        )
        reply = replies.read(await session.run(command), token)
        acted = reply.acted("reboot")
        assert acted is not None
        assert (acted.files, acted.already) == expected
    mark = next(item for item in _evidence(reply) if isinstance(item, RebootMark))
    assert mark.intent == "r1"
    await session.aclose()
    after = await _comes_back(ssh, host, before)
    assert there.boot_id == after.boot_id
    assert there.ledger == [
        f"boot {before.boot_id}",
        f"reboot {before.boot_id}",
        f"boot {after.boot_id}",
    ]
    assert not any(
        isinstance(item, RebootMark) for item in _evidence(await ask(ssh, host, "prove", "p2"))
    )


async def test_a_boot_that_nobody_judged_is_not_restarted(
    machine: tuple[SshdHost, SshTransport],
) -> None:
    there, ssh = machine
    reply = await ask(ssh, there.host(credential="c"), "reboot", "r1", EXPECT_BOOT="another-boot")
    assert [refused.reason for refused in reply.refused] == ["changed"]
    assert reply.acted("reboot") is None
    assert len(there.ledger) == 1
    assert not (there.root / "run/fleet-recovery").exists()


async def test_crashes_that_the_kernel_kept_are_told(
    machine: tuple[SshdHost, SshTransport],
) -> None:
    there, ssh = machine
    record = there.root / "sys/fs/pstore/dmesg-efi-1"
    record.write_bytes(
        b"<6>[ 1.0] noise\n<0>[ 9.1] Kernel panic - not syncing: \x1b[31mcsagent\0\xff\n<6>more\n"
    )
    os.utime(record, (BAD_TIME + 60, BAD_TIME + 60))
    evidence = _evidence(await ask(ssh, there.host(credential="c"), "triage", "t1"))
    crash = next(item for item in evidence if isinstance(item, CrashRecord))
    assert crash.record == "pstore"
    assert crash.crashed_at == BAD_TIME + 60
    assert crash.text == r"<0>[ 9.1] Kernel panic - not syncing: \x1b[31mcsagent \xff"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["echo", "a b", "$(id)", "'q'", "", "-n", "ü\n"], 0, b"a b $(id) 'q'  -n \xc3\xbc\n\n"),
        (["sh", "-c", "echo out; echo err >&2; exit 3"], 3, b"out\n"),
        (["/no/such/program"], 127, b""),
        (["cat"], 0, b""),
    ],
)
async def test_an_operators_own_command(
    machine: tuple[SshdHost, SshTransport], words: list[str], code: int, said: bytes
) -> None:
    there, ssh = machine
    argv = " ".join(word.encode().hex() for word in words)
    reply = await ask(ssh, there.host(credential="c"), "run", "c1", ARGV=argv)
    printed = next(record for record in reply.records if isinstance(record, Printed))
    assert bytes.fromhex(printed.stdout_hex) == said
    assert printed.exit == code


async def test_a_commands_output_is_cut_and_the_command_is_not(
    machine: tuple[SshdHost, SshTransport],
) -> None:
    there, ssh = machine
    line = "0123456789" * 4
    script = f"i=0; while [ $i -lt 3000 ]; do echo {line}; i=$((i+1)); done; sleep 0.3; exit 4"
    argv = " ".join(word.encode().hex() for word in ("sh", "-c", script))
    reply = await ask(ssh, there.host(credential="c"), "run", "c1", ARGV=argv)
    printed = next(record for record in reply.records if isinstance(record, Printed))
    assert (printed.exit, len(printed.stdout_hex)) == (4, 2 * 65536)


async def test_a_restart_that_was_lost_may_be_asked_for_again(tmp_path: Path) -> None:
    async with sshd_fleet(tmp_path, 1, uptime=700) as fleet, _way(fleet) as ssh:
        there, host = fleet[0], fleet[0].host(credential="c")
        if _boot(await ask(ssh, host, "prove", "p")).uptime < 600:  # type: ignore[operator]
            pytest.skip("the kernel has no time namespaces")
        marks = there.root / "run/fleet-recovery"
        marks.mkdir(mode=0o700)
        before = there.boot_id
        (marks / f"reboot-{before}").write_text(f"r1 {before} 5\n")
        again = (await ask(ssh, host, "reboot", "r1")).acted("reboot")
        assert again is not None
        assert again.already == 1
        other = (await ask(ssh, host, "reboot", "r2")).acted("reboot")
        assert other is not None
        assert other.files == 1
        await _comes_back(ssh, host, BootIdentity(at=BEGAN, source="t", boot_id=before))
        assert there.ledger.count(f"reboot {before}") == 1


async def test_a_mark_cannot_be_planted_by_a_link(tmp_path: Path) -> None:
    async with sshd_fleet(tmp_path, 1) as fleet, _way(fleet) as ssh:
        (fleet[0].root / "run/fleet-recovery").symlink_to("/tmp")
        reply = await ask(ssh, fleet[0].host(credential="c"), "reboot", "r1")
        assert [refused.reason for refused in reply.refused] == ["permission"]


async def test_machines_behind_a_jump_host(tmp_path: Path) -> None:
    async with sshd_fleet(tmp_path, 3) as fleet, _way(fleet, gateway_rate=1000.0) as ssh:
        front, middle, last = fleet
        one = f"root@{front.address}:{front.port}"
        both = f"{one},root@{middle.address}:{middle.port}"
        hosts = [last.host(credential="c", gateway=gateway) for gateway in (one, one, both)]
        assert all([(await ssh.look(host)).answers for host in hosts])
        await asyncio.gather(*(ask(ssh, host, "triage", "t1") for host in hosts))
        assert front.log().count("Accepted publickey") == 1
        assert middle.log().count("Accepted publickey") == 1
        dark = Host(name="d", address="127.0.0.1", port=1, os="linux", credential="c", gateway=one)
        look = await ssh.look(dark)
        assert (look.answers, look.reason) == (False, f"no answer through {one}")
        with pytest.raises(TransportError, match="ended before a session was open"):
            await ssh.open(dark, 10)


async def test_a_jump_host_can_have_a_credential_of_its_own(tmp_path: Path) -> None:
    async with sshd_fleet(tmp_path, 2) as fleet:
        front, last = fleet
        credentials = OneCredential(user="root", key_file=str(fleet.key_file))
        known = (str(fleet.known_hosts),)
        async with transport(credentials, known_hosts=known, gateway_credential="jump") as ssh:
            gateway = f"root@{front.address}:{front.port}"
            await ask(ssh, last.host(credential="c", gateway=gateway), "triage", "t1")
        assert credentials.asked == ["jump", "c"]


async def test_a_jump_host_that_is_down_is_asked_once_for_all(tmp_path: Path) -> None:
    async with sshd_fleet(tmp_path, 1) as fleet, _way(fleet) as ssh:
        hosts = [fleet[0].host(credential="c", gateway="root@127.0.0.1:1") for _ in range(5)]
        looks = await asyncio.gather(*(ssh.look(host) for host in hosts))
        assert {look.answers for look in looks} == {False}
        assert {look.reason for look in looks} == {"root@127.0.0.1:1: connection refused"}
        with pytest.raises(TransportError):
            await ssh.open(hosts[0], 5)


async def test_the_clients_configuration_is_heeded(tmp_path: Path) -> None:
    async with sshd_fleet(tmp_path, 2) as fleet:
        front, last = fleet
        config = tmp_path / "config"
        config.write_text(
            f"Host jump\n HostName {front.address}\n Port {front.port}\n User root\n IdentityFile {fleet.key_file}\n"
            f"Host alias\n HostName {last.address}\n Port {last.port}\n User root\n IdentityFile {fleet.key_file}\n"
            " ProxyJump jump\n"
            f"Host direct\n HostName {last.address}\n Port {last.port}\n User root\n IdentityFile {fleet.key_file}\n"
            f" HostKeyAlias known\nHost piped\n ProxyCommand nc {last.address} {last.port}\n"
        )
        with Path(fleet.known_hosts).open("a") as file:
            file.write(f"[known]:{last.port} {last.host_key}\n")
        settings: dict[str, Any] = {
            "known_hosts": (str(tmp_path / "known_hosts"),),
            "accept_new": False,
            "config": str(config),
        }
        async with transport(**settings) as ssh:
            for name in ("alias", "direct", "jump"):
                host = Host(name=name, os="linux")
                assert (await ssh.look(host)).answers
                assert (await ask(ssh, host, "triage", "t1")).records
            assert (await ssh.look(Host(name="piped", os="linux"))).answers
        assert front.log().count("Accepted publickey") == 2


async def test_a_password_on_a_real_server(tmp_path: Path) -> None:
    async with sshd_fleet(tmp_path, 1) as fleet:
        host = fleet[0].host(credential="c")
        good = password(PASSWORD)
        async with transport(good) as ssh:
            await (await ssh.open(host, 20)).aclose()
        bad = password("planted-secret")
        async with transport(bad) as ssh:
            with pytest.raises(AuthRefusedError):
                await ssh.open(host, 20)
        assert (good.acceptances, bad.refusals) == (1, 1)
        assert fleet[0].log().count("Failed password") == 1


async def test_a_boot_loop_is_won_inside_its_window(tmp_path: Path) -> None:
    async with sshd_fleet(tmp_path, 1, window=1.0) as fleet, _way(fleet) as ssh:
        there, host = fleet[0], fleet[0].host(credential="c")
        path = _plant(there)
        async with asyncio.timeout(30):
            while path.exists():
                try:
                    await ask(ssh, host, "race", "i1")
                except TransportError:
                    await asyncio.sleep(0.02)
        await ask(ssh, host, "race", "i1")
        assert len(list(there.quarantine.glob("i1/*.file"))) == 1


def test_a_machine_cannot_restart_this_computer(tmp_path: Path) -> None:
    with sshd_fleet_sync(tmp_path, 1) as fleet:
        process = fleet[0].process
        assert process is not None
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        first = int(children[0])
        ended = os.pidfd_open(first)
        status = Path(f"/proc/{first}/status").read_text()
        bounding = int(
            next(line for line in status.splitlines() if line.startswith("CapBnd")).split()[1], 16
        )
        assert not bounding & 1 << 22
        for name in ("pid", "mnt"):
            theirs, ours = Path(f"/proc/{first}/ns/{name}"), Path(f"/proc/self/ns/{name}")
            assert theirs.readlink() != ours.readlink()
    assert process.poll() is not None
    assert select.select([ended], [], [], 10.0)[0]
    os.close(ended)
