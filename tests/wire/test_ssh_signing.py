"""Signing in: keys, agent, passwords, and that no account is ever locked out by us."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncssh
import msgspec
import pytest

from recovery.credentials.store import CredentialStore
from recovery.errors import (
    AuthRefusedError,
    CredentialStoppedError,
    RefusedError,
    SessionLostError,
    TransportError,
)
from recovery.model.credential import FromEnvironment
from recovery.model.secret import Secret
from recovery.transports.ssh import SshTransport, max_sessions
from recovery.transports.ssh.limits import max_kept, max_looks, open_files
from tests.needs import need
from tests.wire.peers import OneCredential, Server, command, host, password, ssh_server, transport


@pytest.fixture
def key(tmp_path: Path) -> asyncssh.SSHKey:
    made = asyncssh.generate_private_key("ssh-ed25519")
    made.write_private_key(tmp_path / "id")
    (tmp_path / "id").chmod(0o600)
    return made


def _lets_in(key: asyncssh.SSHKey) -> dict[str, Any]:
    return {
        "authorized_client_keys": asyncssh.import_authorized_keys(key.export_public_key().decode())
    }


async def _opens(ssh: SshTransport, port: int) -> None:
    await (await ssh.open(host(port), 20)).aclose()


async def test_a_key_file_signs_in(tmp_path: Path, key: asyncssh.SSHKey) -> None:
    credentials = OneCredential(user="op", key_file=str(tmp_path / "id"))
    async with ssh_server(**_lets_in(key)) as port, transport(credentials) as ssh:
        await _opens(ssh, port)
        (tmp_path / "id").unlink()
        await _opens(ssh, port)
    assert (credentials.acceptances, credentials.refusals) == (2, 0)


async def test_a_key_file_with_a_passphrase(tmp_path: Path, key: asyncssh.SSHKey) -> None:
    path = tmp_path / "locked"
    key.write_private_key(path, "pkcs8-pem", passphrase="open sesame")
    async with ssh_server(**_lets_in(key)) as port:
        async with transport(
            OneCredential(user="op", key_file=str(path), passphrase=Secret("open sesame"))
        ) as ssh:
            await _opens(ssh, port)
        for phrase in (None, Secret("planted-secret")):
            async with transport(
                OneCredential(user="op", key_file=str(path), passphrase=phrase)
            ) as ssh:
                with pytest.raises(AuthRefusedError, match="passphrase") as caught:
                    await _opens(ssh, port)
                assert "planted" not in str(caught.value)


async def test_a_key_file_that_is_not_there(tmp_path: Path) -> None:
    async with (
        ssh_server() as port,
        transport(OneCredential(key_file=str(tmp_path / "none"))) as ssh,
    ):
        with pytest.raises(AuthRefusedError, match="no such file"):
            await _opens(ssh, port)


async def test_a_certificate_beside_the_key_is_shown(tmp_path: Path, key: asyncssh.SSHKey) -> None:
    authority = asyncssh.generate_private_key("ssh-ed25519")
    authority.generate_user_certificate(key, "op", principals=["op"]).write_certificate(
        tmp_path / "id-cert.pub"
    )
    line = "cert-authority " + authority.export_public_key().decode()
    known: dict[str, Any] = {"authorized_client_keys": asyncssh.import_authorized_keys(line)}
    credentials = OneCredential(user="op", key_file=str(tmp_path / "id"))
    async with ssh_server(**known) as port, transport(credentials) as ssh:
        await _opens(ssh, port)


@pytest.fixture
def agent(tmp_path: Path, key: asyncssh.SSHKey, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    path = tmp_path / "agent"
    with subprocess.Popen(
        [need("ssh-agent"), "-D", "-a", str(path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
        subprocess.run(["ssh-add", "-q", str(tmp_path / "id")], check=True, capture_output=True)
        (tmp_path / "id").unlink()
        yield
        process.kill()


@pytest.mark.usefixtures("agent")
async def test_the_agent_signs_in(key: asyncssh.SSHKey) -> None:
    async with ssh_server(**_lets_in(key)) as port:
        async with transport(OneCredential(user="op", agent=True)) as ssh:
            await _opens(ssh, port)
        async with transport(OneCredential(user="op", password=Secret("wrong"))) as ssh:
            with pytest.raises(AuthRefusedError):
                await _opens(ssh, port)
        async with transport() as ssh:
            nameless = host(port, user="op")
            session = await ssh.open(
                type(nameless)(name="n", address=nameless.address, port=port, user="op"), 20
            )
            await session.aclose()


async def test_the_inventorys_user_comes_first() -> None:
    names: list[str] = []

    class Named(Server):
        def validate_password(self, username: str, password: str) -> bool:
            names.append(username)
            return True

    async with ssh_server(server=Named) as port, transport() as ssh:
        await (await ssh.open(host(port, user="other"), 20)).aclose()
        await (await ssh.open(host(port), 20)).aclose()
    assert names == ["other", "op"]


async def test_a_wrong_password_is_tried_once_a_connection() -> None:
    class Counted(Server):
        tries = 0

        def kbdint_auth_supported(self) -> bool:
            return True

        def get_kbdint_challenge(self, *_: str) -> tuple[str, str, str, list[tuple[str, bool]]]:
            return "", "", "", [("Password: ", False)]

        def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool:
            type(self).tries += 1
            return False

    credentials = password("wrong")
    async with ssh_server(server=Counted) as port, transport(credentials) as ssh:
        with pytest.raises(AuthRefusedError) as caught:
            await _opens(ssh, port)
    assert Counted.tries == 1
    assert credentials.refusals == 1
    assert "wrong" not in str(caught.value)


async def test_a_password_is_given_where_only_questions_are_asked() -> None:
    class Asks(Server):
        def password_auth_supported(self) -> bool:
            return False

        def kbdint_auth_supported(self) -> bool:
            return True

        def get_kbdint_challenge(self, *_: str) -> tuple[str, str, str, list[tuple[str, bool]]]:
            return "", "", "", [("Password: ", False)]

        def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool:
            return list(responses) == ["right"]

    async with ssh_server(server=Asks) as port, transport() as ssh:
        await _opens(ssh, port)


async def test_the_third_refusal_stops_the_credential_however_many_hosts_wait() -> None:
    class Counted(Server):
        tries = 0

    store = CredentialStore(
        {"c": FromEnvironment(user="op", variable="PW")},
        environ={"PW": "wrong-planted"},
    )
    async with ssh_server(server=Counted) as port, transport(store) as ssh:  # type: ignore[arg-type]
        results = await asyncio.gather(
            *(ssh.open(host(port, f"h{number}"), 20) for number in range(12)),
            return_exceptions=True,
        )
        with pytest.raises(CredentialStoppedError):
            await ssh.open(host(port), 20)
    assert Counted.tries == 3
    assert sum(isinstance(result, AuthRefusedError) for result in results) == 3
    assert sum(isinstance(result, CredentialStoppedError) for result in results) == 9
    assert not any("planted" in str(result) for result in results)


async def test_a_good_password_is_not_held_back() -> None:
    store = CredentialStore(
        {"c": FromEnvironment(user="op", variable="PW")},
        environ={"PW": "right"},
    )
    async with ssh_server() as port, transport(store) as ssh:  # type: ignore[arg-type]
        await asyncio.gather(*(_opens(ssh, port) for _ in range(12)))


async def test_the_library_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with ssh_server() as port, transport(password("planted-secret")) as ssh:
            with pytest.raises(TransportError):
                await _opens(ssh, port)
    assert caplog.records == [] or all(record.name == "asyncio" for record in caplog.records)


async def test_no_free_file_handles_are_not_blamed_on_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOGNAME", "op")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with ssh_server() as port, transport() as ssh:
        await _opens(ssh, port)
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        try:
            with pytest.raises(SessionLostError, match="file handles"):
                await ssh.open(host(port), 20)
            assert (await ssh.look(host(port))).answers is False
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_limits_follow_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    for soft, sessions, looks, kept in (
        (1024, 720, 192, 48),
        (256, 144, 38, 9),
        (64, 4, 2, 1),
        (resource.RLIM_INFINITY, 749_952, 1000, 250),
    ):
        monkeypatch.setattr(resource, "getrlimit", lambda _kind, soft=soft: (soft, soft))
        assert (max_sessions(), max_looks(), max_kept()) == (sessions, looks, kept)
        assert open_files() == (1_000_000 if soft == resource.RLIM_INFINITY else soft)


async def test_a_command_for_windows_is_refused_before_anything_is_sent() -> None:
    async with ssh_server() as port, transport() as ssh:
        session = await ssh.open(host(port), 20)
        with pytest.raises(RefusedError, match="asked through sh"):
            await session.run(msgspec.structs.replace(command(), shell="powershell"))  # noqa: S604
        await session.aclose()
