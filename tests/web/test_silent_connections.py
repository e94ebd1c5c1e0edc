"""Connections that say nothing, or never all of it: they end, and until then they keep nobody out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from recovery.web import door, tls
from recovery.web.door import Door, Line, Loop, neighbourhood
from tests.unit.journal.happenings import BEGAN
from tests.web.served import Served

ASKED = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x" * scope["path"].count("a") * 100_000})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = Config(hello, lifespan="off", log_config=None, limit_concurrency=door.MOST)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: Line(config, state, {}), "127.0.0.1", 0
    )
    yield server.sockets[0].getsockname()[1]
    server.close()
    for line in list(state.connections):
        assert isinstance(line, Line)
        line.transport.abort()


class Callers:
    """Connections to a page; none outlives its test."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []

    async def silent(self, address: str = "127.0.0.1") -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self._port, local_addr=(address, 0)
        )
        self._writers.append(writer)
        return reader

    async def is_answered(self) -> bool:
        reader = await self.silent()
        self._writers[-1].write(ASKED)
        return b" 200 " in await reader.readline()

    async def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@pytest.fixture
async def callers(port: int) -> AsyncIterator[Callers]:
    made = Callers(port)
    yield made
    await made.hang_up()


def test_hundreds_of_them_keep_nobody_out(serve: Callable[..., Served]) -> None:
    served = serve()
    place = urlsplit(served.url)
    lines = [
        socket.create_connection((str(place.hostname), int(place.port or 0)), 30)
        for _ in range(door.MOST + 60)
    ]
    try:
        assert [served.ask("GET", "/enter")[0] for _ in range(3)] == [200] * 3
    finally:
        for line in lines:
            line.close()


@pytest.mark.parametrize("head", [b"", b"GET /", ASKED, ASKED + b"GET / HTTP/1.1\r\nHo"])
async def test_each_ends_by_itself(port: int, head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "HEAD_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    said = await asyncio.wait_for(reader.read(), 30)
    assert said.count(b"HTTP/1.1 200") == head.count(b"\r\n\r\n")
    writer.close()


async def test_one_that_takes_no_answer_ends_too(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "HEAD_SECONDS", 0.05)
    monkeypatch.setattr(door, "_UNSENT_SECONDS", 0.05)
    with socket.create_connection(("127.0.0.1", port)) as wire:
        wire.sendall(b"GET /" + b"a" * 200 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0.5)
        parts = iter(lambda: wire.recv(1 << 20), b"")
        assert await asyncio.to_thread(lambda: sum(map(len, parts))) < 200 * 100_000


async def test_the_oldest_of_the_greatest_crowd_makes_room(
    callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "MOST", 5)
    alone = await callers.silent("127.0.0.2")
    first, second = await callers.silent(), await callers.silent()
    assert await callers.is_answered()
    assert await callers.is_answered()
    assert await asyncio.wait_for(first.read(), 30) == b""
    assert not second.at_eof()
    assert await callers.is_answered()
    assert await asyncio.wait_for(second.read(), 30) == b""
    assert not alone.at_eof()


def test_one_neighbourhood_gets_no_more_than_its_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_MOST_INSIDE", 2)
    with Door(socket.AF_INET) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        came = [socket.create_connection(listener.getsockname()) for _ in range(4)]
        inside = [listener.accept()[0] for _ in range(2)]
        with pytest.raises(ConnectionAbortedError):
            listener.accept()
        other = socket.create_connection(listener.getsockname(), source_address=("127.0.0.2", 0))
        inside.pop().close()
        inside += [listener.accept()[0] for _ in range(2)]
        for line in (*came, *inside, other):
            line.close()


def test_a_handshake_that_never_comes_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "_HANDSHAKE_SECONDS", 0.05)
    made = tls.self_signed(tmp_path / "tls.pem", ["127.0.0.1"], BEGAN)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.chain, made.key)

    async def go() -> bytes:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=context)
        callers = Callers(server.sockets[0].getsockname()[1])
        said = await asyncio.wait_for((await callers.silent()).read(), 30)
        await callers.hang_up()
        server.close()
        return said

    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(go()) == b""


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_whose_an_address_is(address: str, whose: str) -> None:
    assert neighbourhood(address) == whose
