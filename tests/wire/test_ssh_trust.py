"""Whose host key is believed: known_hosts, pins, first sight, and what is said when a key is another one."""

# ruff: noqa: ASYNC240 - small files of the test's own

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import asyncssh
import pytest

from recovery.errors import HostKeyError
from recovery.transports.ssh import SshTransport
from recovery.transports.ssh.keys import PinStore
from tests.wire.peers import HOST, Server, command, host, known_hosts, ssh_server, transport

ONE = asyncssh.generate_private_key("ssh-ed25519")
TWO = asyncssh.generate_private_key("ssh-ed25519")
RSA = asyncssh.generate_private_key("ssh-rsa", key_size=2048)


async def _works(ssh: SshTransport, port: int) -> None:
    session = await ssh.open(host(port), 20)
    assert (await session.run(command(b"echo in\n"))).stdout == b"in\n"
    await session.aclose()


async def _is_refused(ssh: SshTransport, port: int) -> str:
    with pytest.raises(HostKeyError) as caught:
        await ssh.open(host(port), 20)
    return str(caught.value)


async def test_a_known_key_is_believed(tmp_path: Path) -> None:
    async with ssh_server(key=ONE) as port:
        files = ("/nowhere/known_hosts", known_hosts(tmp_path, port, ONE))
        async with transport(known_hosts=files, accept_new=False) as ssh:
            await _works(ssh, port)


async def test_an_unknown_key_is_refused_before_any_sign_in(tmp_path: Path) -> None:
    class Counted(Server):
        pass

    async with ssh_server(key=ONE, server=Counted) as port, transport(accept_new=False) as ssh:
        said = await _is_refused(ssh, port)
    assert ONE.get_fingerprint() in said
    assert "is not known" in said
    assert "accept_new" in said
    assert Counted.tries == 0


@pytest.mark.parametrize("accept_new", [True, False])
@pytest.mark.parametrize("shown", [TWO, RSA], ids=["same kind", "other kind"])
async def test_a_changed_key_is_refused_with_both_fingerprints(
    tmp_path: Path, accept_new: bool, shown: asyncssh.SSHKey
) -> None:
    async with ssh_server(key=shown) as port:
        files = (known_hosts(tmp_path, port, ONE),)
        async with transport(known_hosts=files, accept_new=accept_new) as ssh:
            said = await _is_refused(ssh, port)
    assert "HAS CHANGED" in said
    assert ONE.get_fingerprint() in said
    assert shown.get_fingerprint() in said
    assert files[0] in said


async def test_a_host_with_several_keys_shows_the_known_one(tmp_path: Path) -> None:
    async with ssh_server(key=ONE) as port:
        pass
    server = await asyncssh.create_server(
        type("Own", (Server,), {}),
        HOST,
        port,
        server_host_keys=[ONE, RSA],
        process_factory=lambda process: process.exit(0),
    )
    async with transport(known_hosts=(known_hosts(tmp_path, port, RSA),), accept_new=False) as ssh:
        await (await ssh.open(host(port), 20)).aclose()
    server.close()
    await server.wait_closed()


async def test_a_revoked_key_is_refused(tmp_path: Path) -> None:
    async with ssh_server(key=ONE) as port:
        path = Path(known_hosts(tmp_path, port, ONE))
        path.write_text("@revoked " + path.read_text())
        async with transport(known_hosts=(str(path),)) as ssh:
            assert "revoked" in await _is_refused(ssh, port)


async def test_an_authority_vouches_for_a_host(tmp_path: Path) -> None:
    certificate = TWO.generate_host_certificate(ONE, "peer", principals=[HOST])
    async with ssh_server(key=(ONE, certificate)) as port:  # type: ignore[arg-type]
        path = Path(known_hosts(tmp_path, port, TWO))
        path.write_text("@cert-authority " + path.read_text())
        async with transport(known_hosts=(str(path),), accept_new=False) as ssh:
            await _works(ssh, port)


async def test_a_key_is_pinned_at_first_sight_and_held_to(tmp_path: Path) -> None:
    pins = tmp_path / "state" / "pins"
    async with ssh_server(key=ONE) as port:
        async with transport(pins=str(pins)) as ssh:
            await _works(ssh, port)
            await _works(ssh, port)
        kind, text = ONE.export_public_key().decode().split()[:2]
        assert pins.read_text() == f"[{HOST}]:{port} {kind} {text}\n"
        assert pins.stat().st_mode & 0o777 == 0o600
        async with transport(pins=str(pins), accept_new=False) as ssh:
            await _works(ssh, port)
    async with ssh_server(key=TWO) as other:
        pins.write_text(pins.read_text().replace(f":{port} ", f":{other} "))
        async with transport(pins=str(pins)) as ssh:
            said = await _is_refused(ssh, other)
    assert "HAS CHANGED" in said
    assert str(pins) in said


async def test_a_pin_lasts_for_the_run_without_a_file() -> None:
    async with transport() as ssh:
        async with ssh_server(key=ONE) as port:
            await _works(ssh, port)
        server = await asyncssh.create_server(Server, HOST, port, server_host_keys=[TWO])
        assert "HAS CHANGED" in await _is_refused(ssh, port)
        server.close()
        await server.wait_closed()


async def test_a_key_that_cannot_be_pinned_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with ssh_server(key=ONE) as port, transport(pins=str(tmp_path / "file" / "pins")) as ssh:
        assert "cannot be pinned" in await _is_refused(ssh, port)


async def test_a_pin_that_is_no_key_is_refused(tmp_path: Path) -> None:
    pins = tmp_path / "pins"
    async with ssh_server(key=ONE) as port, transport(pins=str(pins)) as ssh:
        pins.write_text(f"# pins\n[{HOST}]:{port} ssh-ed25519 broken\n")
        assert "is not that of a key" in await _is_refused(ssh, port)


async def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    async with ssh_server(key=ONE) as port, transport(known_hosts=(str(path),)) as ssh:
        path.write_text(
            f"# sound\n{Path(known_hosts(tmp_path, port, ONE)).read_text()}@revokd * x\n"
        )
        assert f"{path}:3: not a line of a known_hosts file" in await _is_refused(ssh, port)


async def test_a_file_is_read_once_for_all_hosts(tmp_path: Path) -> None:
    async with ssh_server(key=ONE) as port:
        path = Path(known_hosts(tmp_path, port, ONE))
        async with transport(known_hosts=(str(path),), accept_new=False) as ssh:
            await asyncio.gather(*(_works(ssh, port) for _ in range(4)))
            path.unlink()
            await _works(ssh, port)


def test_of_two_processes_the_first_pin_wins(tmp_path: Path) -> None:
    path = tmp_path / "pins"
    one, two = PinStore(path), PinStore(path)
    one.read()
    two.read()
    assert one.add("h", "ssh-ed25519 AAAA")
    assert not two.add("h", "ssh-ed25519 BBBB")
    assert two.add("h", "ssh-ed25519 AAAA")
    assert two.add("g", "ssh-ed25519 CCCC")
    assert path.read_text().splitlines() == ["h ssh-ed25519 AAAA", "g ssh-ed25519 CCCC"]
    assert os.stat(path).st_mode & 0o777 == 0o600  # noqa: PTH116
