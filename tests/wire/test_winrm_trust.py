"""Whom WinRM believes, what it signs in with, and where a secret never shows."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recovery.credentials import CredentialStore
from recovery.errors import (
    AuthRefusedError,
    CredentialStoppedError,
    HostKeyError,
    TransportError,
)
from recovery.model.credential import FromFile
from recovery.model.host import Host
from recovery.model.secret import Secret
from recovery.remote import replies
from recovery.sim.wire import winrm as service
from recovery.sim.wire.papers import Authority, server_context
from recovery.sim.wire.signing import SignIn
from recovery.sim.wire.soap import Asked, FaultError
from recovery.transports.winrm import WinrmSettings, WinrmTransport
from tests.wire import fakes
from tests.wire.peers import HOST, OneCredential, talker

NOW = datetime.now(UTC)  # noqa: TID251 - certificates are judged by the system's clock


@pytest.fixture(autouse=True)
async def _failsafe() -> AsyncIterator[None]:
    async with asyncio.timeout(60):
        yield


@contextlib.asynccontextmanager
async def _with_certificate(
    folder: Path, issued_for: str, **flaws: bool
) -> AsyncIterator[tuple[Host, list[bytes]]]:
    """A TLS server with a certificate that has a flaw, and what is said to it."""
    said: list[bytes] = []
    certificate = Authority(folder, NOW).issue(issued_for, **flaws)

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            said.append(await reader.read(1000))

    server = await asyncio.start_server(listen, HOST, 0, ssl=server_context(certificate))
    port = server.sockets[0].getsockname()[1]
    yield Host(name="peer", address=HOST, port=port, credential="c"), said
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("issued_for", "flaws", "why"),
    [
        (HOST, {"expired": True}, "expired"),
        ("127.0.9.99", {}, "IP address mismatch"),
        ("some.other.name", {}, "IP address mismatch"),
        (HOST, {"self_signed": True}, "self-signed"),
    ],
)
@pytest.mark.parametrize("auth", ["basic", "ntlm"])
async def test_a_certificate_that_is_not_believed(
    issued_for: str, flaws: dict[str, bool], why: str, auth: Any, tmp_path: Path
) -> None:
    async with (
        _with_certificate(tmp_path, issued_for, **flaws) as (host, said),
        fakes.winrm(tmp_path, auth=auth) as way,
    ):
        assert (await way.look(host)).answers, "so that opening a session can say what is wrong"
        with pytest.raises(HostKeyError, match=f"is not believed: .*{why}.*ca_file") as caught:
            await way.open(host, 10)
        assert not caught.value.retryable
    assert not any(said)


async def test_an_authority_that_nobody_named(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", NOW)
    host = fakes.winrm_host("w")
    async with (
        fakes.fakes(tmp_path, host),
        fakes.winrm(tmp_path, ca_file=str(other.file)) as way,
    ):
        with pytest.raises(HostKeyError, match="not believed"):
            await way.open(host, 10)


async def test_plain_http_where_tls_is_expected(tmp_path: Path) -> None:
    host = fakes.winrm_host("w", https=False)
    async with fakes.fakes(tmp_path, host) as served, fakes.winrm(tmp_path) as way:
        wrong = msgspec.structs.replace(host, vars={"winrm_scheme": "https"})
        look = await way.look(wrong)
        assert not look.answers
        assert "no TLS" in look.reason
        with pytest.raises(TransportError, match="speaks no TLS"):
            await way.open(wrong, 10)
        assert served.counts.shells_opened == 0


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"winrm_auth": "basic", "winrm_scheme": "http"}, "https only"),
        ({"ansible_winrm_transport": "plaintext", "winrm_scheme": "http"}, "https only"),
        ({"winrm_auth": "certificate", "winrm_scheme": "http"}, "https only"),
        ({"winrm_auth": "basic", "winrm_verify": False}, "without having proven"),
        ({"ansible_winrm_server_cert_validation": "ignore"}, "could relay the ntlm sign-in"),
        ({"winrm_scheme": "http", "ansible_winrm_message_encryption": "never"}, "never done"),
        ({"winrm_auth": "credssp"}, r"pip install 'fleet-recovery\[credssp\]'"),
        ({"winrm_auth": "kerberos"}, r"pip install 'fleet-recovery\[kerberos\]'"),
        ({"winrm_auth": "ntlmv1"}, "one of ntlm"),
        ({"winrm_read_timeout": "soon"}, "a number was expected"),
        ({"winrm_auth": "certificate"}, "no `key_file`"),
    ],
)
async def test_means_that_are_refused_before_anything_is_sent(
    variables: dict[str, Any], why: str, tmp_path: Path
) -> None:
    met: list[object] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(reader)

    async with talker(listen) as port, fakes.winrm(tmp_path, ca_file="") as way:
        host = Host(name="w", address=HOST, port=port, credential="c", vars=variables)
        with pytest.raises(TransportError, match=why) as caught:
            await way.open(host, 10)
        assert not caught.value.retryable
    assert met == []


async def test_answers_in_the_clear_are_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = fakes.winrm_host("w", https=False)
    monkeypatch.setattr(service, "_SEALED", "application/soap+xml")
    monkeypatch.setattr(SignIn, "seal", lambda _self, message: message)
    async with fakes.fakes(tmp_path, host), fakes.winrm(tmp_path) as way:
        with pytest.raises(TransportError, match="in the clear") as caught:
            await way.open(host, 10)
        assert not caught.value.retryable


async def test_proxies_of_the_environment_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[object] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(await reader.read(100))

    hosts = fakes.winrm_host("w"), fakes.winrm_host("h", https=False)
    async with talker(proxy) as port, fakes.fakes(tmp_path, *hosts):
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{HOST}:{port}")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
        async with fakes.winrm(tmp_path) as way:
            for host in hosts:
                assert (await way.look(host)).answers
                session = await way.open(host, 10)
                assert replies.read(await session.run(fakes.ask(host)), "t1").records
                await session.aclose()
    assert met == []


async def test_a_proxy_that_is_named_is_used(tmp_path: Path) -> None:
    host = fakes.winrm_host("w")
    met = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0])
        back, forth = await asyncio.open_connection(host.address, host.port)
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        async with asyncio.TaskGroup() as group:
            group.create_task(_pass_on(reader, forth))
            group.create_task(_pass_on(back, writer))

    async with (
        talker(proxy) as port,
        fakes.fakes(tmp_path, host),
        fakes.winrm(tmp_path, proxy=f"http://{HOST}:{port}") as way,
    ):
        assert (await way.look(host)).answers
        session = await way.open(host, 10)
        assert replies.read(await session.run(fakes.ask(host)), "t1").records
        await session.aclose()
    (request,) = met
    assert request.startswith(f"CONNECT {host.address}:{host.port} HTTP/1.".encode())


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


@pytest.mark.parametrize(("https", "auth"), [(False, "ntlm"), (True, "ntlm"), (True, "basic")])
async def test_a_wrong_password_reaches_three_hosts_at_most(
    https: bool, auth: str, tmp_path: Path
) -> None:
    """A domain locks an account out after a few bad passwords, whichever hosts they were tried on."""
    hosts = [fakes.winrm_host(f"w{number}", https=https, winrm_auth=auth) for number in range(8)]
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text("wrong")
    store = CredentialStore({"c": FromFile(user=fakes.USER, path=str(secret))})
    settings = WinrmSettings(ca_file=str(tmp_path / "ca.pem"))
    async with fakes.fakes(tmp_path, *hosts) as served:
        way = WinrmTransport(settings, store)
        results = await asyncio.gather(
            *(way.open(host, 20) for host in hosts), return_exceptions=True
        )
        await way.aclose()
        assert served.counts.refusals == 3
    kinds = [type(result) for result in results]
    assert kinds.count(AuthRefusedError) == 3
    assert kinds.count(CredentialStoppedError) == 5


async def test_a_secret_is_in_no_argument_and_no_environment(tmp_path: Path) -> None:
    host = fakes.winrm_host("w")
    async with fakes.fakes(tmp_path, host), fakes.winrm(tmp_path) as way:
        session = await way.open(host, 10)
        (pid,) = way.crew.pids
        for file in ("cmdline", "environ"):
            assert fakes.PASSWORD.encode() not in Path(f"/proc/{pid}/{file}").read_bytes()  # noqa: ASYNC240
        await session.aclose()


async def test_a_host_that_repeats_the_password_gives_nothing_away(tmp_path: Path) -> None:
    host = fakes.winrm_host("w", https=False)
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text(fakes.PASSWORD)
    store = CredentialStore({"c": FromFile(user=fakes.USER, path=str(secret))})

    async def repeat(_asked: Asked) -> bytes:
        raise FaultError(1, "w:InternalError", f"what is {fakes.PASSWORD}?")

    async with fakes.fakes(tmp_path, host) as served:
        served.machines["w"].shells.handle = repeat  # type: ignore[method-assign, assignment]
        way = WinrmTransport(WinrmSettings(), store)
        with pytest.raises(TransportError, match=r"what is \*\*\*\?"):
            await way.open(host, 20)
        await way.aclose()


async def test_the_user_of_the_inventory_comes_first(tmp_path: Path) -> None:
    host = msgspec.structs.replace(fakes.winrm_host("w"), user=fakes.USER)
    other = OneCredential(user="somebody", password=Secret(fakes.PASSWORD))
    async with fakes.fakes(tmp_path, host), fakes.winrm(tmp_path, other) as way:
        await (await way.open(host, 10)).aclose()
    assert other.acceptances == 1


async def test_a_name_that_nobody_has(tmp_path: Path) -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("no-such-host.invalid", 5986)
    host = Host(name="w", address="no-such-host.invalid", credential="c")
    async with fakes.winrm(tmp_path, ca_file="") as way:
        assert (await way.look(host)).reason == "its name cannot be resolved"
        with pytest.raises(TransportError, match="cannot be resolved"):
            await way.open(host, 10)
