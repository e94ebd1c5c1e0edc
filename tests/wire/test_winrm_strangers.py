"""What answers where a WinRM service should be, over real sockets: each ends in one clear error in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from recovery.errors import (
    DeadlineError,
    ReplyError,
    TransportError,
    UnreachableError,
)
from recovery.model.host import Host
from tests.wire import fakes
from tests.wire.peers import HOST, Talk, reset, talker, unaccepting

START = 4.0
"""Seconds in which a worker process is there for certain."""


@pytest.fixture(autouse=True)
async def _failsafe() -> AsyncIterator[None]:
    """Nothing here may hang: every deadline is far below this."""
    async with asyncio.timeout(60):
        yield


def _answering(response: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response)
        await writer.drain()
        await reader.read()

    return talk


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.3)


async def _resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    reset(writer.transport)


async def _floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 500 Oops\r\nContent-Length: 1000000000\r\n\r\n")
    for _ in range(1000):
        writer.write(b"y" * 1_000_000)
        await writer.drain()


_MOVED = b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.9.77:9/wsman\r\nContent-Length: 0\r\n\r\n"
_ASKS = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("talk", "answers", "errors"),
    [
        (_silent, False, (DeadlineError, UnreachableError)),
        (_slowly, False, (DeadlineError,)),
        (_resets, False, (UnreachableError,)),
        (_floods, False, (ReplyError,)),
        (_answering(b"SSH-2.0-OpenSSH_9.2\r\n"), False, (UnreachableError, DeadlineError)),
        (_answering(b"\x00\xff" * 5000), False, (UnreachableError, DeadlineError)),
        (_answering(_MOVED), False, (TransportError,)),
        (_answering(_ASKS), True, (UnreachableError, TransportError)),
        (
            _answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
            False,
            (ReplyError, TransportError),
        ),
    ],
)
async def test_before_there_is_a_session(
    talk: Talk, answers: bool, errors: tuple[type[TransportError], ...], tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").touch()
    async with talker(talk) as port, fakes.winrm(tmp_path) as way:
        host = Host(
            name="peer", address=HOST, port=port, credential="c", vars={"winrm_scheme": "http"}
        )
        look = await way.look(host)
        assert look.answers is answers
        assert bool(look.reason) is not answers
        with pytest.raises(errors) as caught:
            await way.open(host, START)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 400


@pytest.mark.parametrize("address", ["a..b", "x" * 70 + ".example"])
async def test_a_name_that_no_resolver_takes_is_a_host_that_does_not_answer(
    address: str, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").touch()
    async with fakes.winrm(tmp_path) as way:
        look = await way.look(
            Host(name="peer", address=address, credential="c", vars={"winrm_scheme": "http"})
        )
    assert (look.answers, look.reason) == (False, "its name cannot be resolved")


@pytest.mark.parametrize(
    "odd",
    [
        Host(name="peer", address="good.example@evil.example"),
        Host(name="peer", address="evil.example/x?y#z"),
        Host(name="peer", address="evil\0.example"),
        Host(name="peer", address="x\r\nHost: y"),
        Host(name="peer", address=HOST, vars={"winrm_port": 99999}),
    ],
)
async def test_what_is_no_address_fails_its_host_alone(odd: Host, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    async with fakes.winrm(tmp_path) as way:
        assert (await way.look(odd)).answers, "so that opening a session can say what is wrong"
        with pytest.raises(
            TransportError, match=r"cannot be that of a host|is not from 1 to 65535"
        ):
            await way.open(odd, START)


@pytest.mark.parametrize("talk", [_silent, _resets, _answering(b"HTTP/1.1 400 Bad\r\n\r\n")])
async def test_a_tls_handshake_that_leads_nowhere(talk: Talk, tmp_path: Path) -> None:
    async with fakes.fakes(tmp_path), talker(talk) as port, fakes.winrm(tmp_path) as way:
        host = Host(name="peer", address=HOST, port=port, credential="c")
        assert not (await way.look(host)).answers
        with pytest.raises(TransportError):
            await way.open(host, START)


async def test_a_host_that_never_answers(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    with unaccepting() as port:
        async with fakes.winrm(tmp_path) as way:
            host = Host(name="peer", address=HOST, port=port, vars={"winrm_scheme": "http"})
            look = await way.look(host)
            assert (look.answers, look.reason) == (False, "no answer to a TCP connection")


async def test_redirects_are_not_followed(tmp_path: Path) -> None:
    reached = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(await reader.read(100))

    async with talker(elsewhere) as other:
        moved = b"HTTP/1.1 307 X\r\nLocation: http://%s:%d/wsman\r\nContent-Length: 0\r\n\r\n"
        talk = _answering(moved % (HOST.encode(), other))
        async with talker(talk) as port, fakes.winrm(tmp_path) as way:
            host = Host(
                name="p", address=HOST, port=port, credential="c", vars={"winrm_scheme": "http"}
            )
            assert "redirects" in (await way.look(host)).reason
            with pytest.raises(TransportError, match="redirects elsewhere") as caught:
                await way.open(host, 10)
            assert not caught.value.retryable
    assert reached == []
