"""A look's connection goes on to be the session's, and is given up when no session comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from recovery.errors import UnreachableError
from recovery.transports.ssh import looks
from tests.wire.peers import HOST, command, host, ssh_server, talker, transport


@pytest.fixture(autouse=True)
async def _failsafe() -> AsyncIterator[None]:
    async with asyncio.timeout(60):
        yield


class Door:
    """Stands in front of an SSH server, and counts who comes and who has left."""

    def __init__(self, server: int, *, before: bytes = b"", hangs_up: int = 0) -> None:
        """Say `before` first; hang up on the first `hangs_up` connections once they were greeted."""
        self.came = 0
        self.left = asyncio.Semaphore(0)
        self._server = server
        self._before = before
        self._hangs_up = hangs_up

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came += 1
        hangs_up = self.came <= self._hangs_up
        writer.write(self._before)
        back, forth = await asyncio.open_connection(HOST, self._server)
        if hangs_up:
            writer.write(await back.readline())
            writer.close()
            forth.close()
            self.left.release()
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(_pass_on(back, writer))
            await _pass_on(reader, forth)
            self.left.release()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.transport.abort()


async def test_a_look_and_its_session_are_one_connection() -> None:
    async with ssh_server() as server:
        door = Door(server)
        async with talker(door) as port, transport() as ssh:
            for connections in (1, 2):
                assert (await ssh.look(host(port))).answers
                session = await ssh.open(host(port), 10)
                assert (await session.run(command(b"echo in\n"))).stdout == b"in\n"
                await session.aclose()
                assert door.came == connections
            session = await ssh.open(host(port), 10)
            await session.aclose()
            assert door.came == 3


async def test_hosts_of_one_address_have_looks_of_their_own() -> None:
    async with ssh_server() as server:
        door = Door(server)
        async with talker(door) as port, transport() as ssh:
            for name in ("a", "b"):
                assert (await ssh.look(host(port, name))).answers
            for name in ("b", "a"):
                await (await ssh.open(host(port, name), 10)).aclose()
            assert door.came == 2


async def test_a_server_that_hung_up_after_the_look_is_called_again() -> None:
    async with ssh_server() as server:
        door = Door(server, hangs_up=1)
        async with talker(door) as port, transport() as ssh:
            assert (await ssh.look(host(port))).answers
            await door.left.acquire()
            session = await ssh.open(host(port), 10)
            await session.aclose()
            assert door.came == 2


async def test_a_server_that_hangs_up_on_the_session_is_unreachable() -> None:
    async with ssh_server() as server, talker(Door(server, hangs_up=9)) as port, transport() as ssh:
        assert (await ssh.look(host(port))).answers
        with pytest.raises(UnreachableError):
            await ssh.open(host(port), 10)


async def test_a_server_that_says_more_before_its_name_is_called_twice() -> None:
    async with ssh_server() as server:
        door = Door(server, before=b"Authorized use only.\r\n")
        async with talker(door) as port, transport() as ssh:
            assert (await ssh.look(host(port))).answers
            session = await ssh.open(host(port), 10)
            await session.aclose()
            assert door.came == 2


async def test_a_connection_without_a_session_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "_KEPT_SECONDS", 0.05)
    async with ssh_server() as server:
        door = Door(server)
        async with talker(door) as port, transport() as ssh:
            assert (await ssh.look(host(port))).answers
            await door.left.acquire()
            session = await ssh.open(host(port), 10)
            await session.aclose()
            assert door.came == 2


async def test_a_new_look_gives_the_connection_of_the_last_one_up() -> None:
    async with ssh_server() as server:
        door = Door(server)
        async with talker(door) as port, transport() as ssh:
            for _ in range(3):
                assert (await ssh.look(host(port))).answers
            for _ in range(2):
                await door.left.acquire()
            await (await ssh.open(host(port), 10)).aclose()
            assert door.came == 3


async def test_few_connections_wait_and_none_outlives_the_transport(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(looks, "max_kept", lambda: 2)
    async with ssh_server() as server:
        door = Door(server)
        async with talker(door) as port:
            async with transport() as ssh:
                for number in range(5):
                    assert (await ssh.look(host(port, f"h{number}"))).answers
                for _ in range(3):
                    await door.left.acquire()
                assert door.left.locked()
            for _ in range(2):
                await door.left.acquire()
