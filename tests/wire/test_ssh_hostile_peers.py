"""Peers that misbehave, over real sockets: each ends in one clear error within its deadline, and hurts nobody else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import asyncssh
import pytest

from recovery.errors import (
    AuthRefusedError,
    DeadlineError,
    ReplyError,
    SessionLostError,
    TransportError,
    UnreachableError,
)
from recovery.remote import replies
from recovery.transports.ssh import SshTransport
from tests.wire.peers import (
    HOST,
    Process,
    Server,
    command,
    host,
    obey,
    reset,
    ssh_server,
    talker,
    transport,
    unaccepting,
)

SHORT = 0.5
END = b'\n{"record":"end","token":"t1","exit":0}\n'


@pytest.fixture(autouse=True)
async def _failsafe() -> AsyncIterator[None]:
    """Nothing here may hang: every deadline is far below this."""
    async with asyncio.timeout(60):
        yield


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _greets_only(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    await reader.read()


async def _speaks_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\x1b[2J\r\n\r\n")
    writer.close()


async def _garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-x\r\n" + b"\xff" * 4096)
    await reader.read()


async def _endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"motd " * 10_000)
        await writer.drain()


async def _resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    reset(writer.transport)


async def _hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize(
    ("talk", "answers", "error"),
    [
        (_silent, False, DeadlineError),
        (_greets_only, True, DeadlineError),
        (_speaks_http, False, TransportError),
        (_garbage, True, ReplyError),
        (_endless, False, TransportError),
        (_resets, False, UnreachableError),
        (_hangs_up, False, UnreachableError),
    ],
)
async def test_before_there_is_a_session(
    talk: object, answers: bool, error: type[TransportError]
) -> None:
    async with talker(talk) as port, transport() as ssh:  # type: ignore[arg-type]
        look = await ssh.look(host(port))
        assert look.answers is answers
        assert bool(look.reason) is not answers
        with pytest.raises(error) as caught:
            await ssh.open(host(port), SHORT)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 400


async def test_a_host_that_never_answers() -> None:
    with unaccepting() as port:
        async with transport() as ssh:
            look = await ssh.look(host(port))
            assert (look.answers, look.reason) == (False, "no answer to a TCP connection")
            with pytest.raises(UnreachableError):
                await ssh.open(host(port), SHORT)


async def test_a_port_that_nobody_has() -> None:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
        async with transport() as ssh:
            assert (await ssh.look(host(port))).reason == "connection refused"
            with pytest.raises(UnreachableError, match="refused"):
                await ssh.open(host(port), SHORT)


@pytest.mark.parametrize("part", [30, 400, 1100, 1300])
async def test_a_handshake_that_stops_in_the_middle(part: int) -> None:
    async with ssh_server() as real:

        async def stop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            back, forth = await asyncio.open_connection(HOST, real)
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass_on(reader, forth, 1 << 20))
                group.create_task(_pass_on(back, writer, part))

        async with talker(stop) as port, transport() as ssh:
            with pytest.raises(DeadlineError):
                await ssh.open(host(port), SHORT)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int) -> None:
    try:
        while most > 0 and (data := await reader.read(most)):
            writer.write(data)
            most -= len(data)
        await reader.read()
    finally:
        writer.transport.abort()


async def _hangs(process: Process) -> None:
    process.stdout.write(b'{"record":"boot","boot_id":"b"}\n')
    await asyncio.Event().wait()


async def _byte_by_byte(process: Process) -> None:
    while True:
        process.stdout.write(b"x")
        await asyncio.sleep(0.05)


async def _loses_the_line(process: Process) -> None:
    process.stdout.write(b"half an ans")
    reset(process.channel.get_connection()._transport)


@pytest.mark.parametrize(
    ("handle", "error"),
    [(_hangs, DeadlineError), (_byte_by_byte, DeadlineError), (_loses_the_line, SessionLostError)],
)
async def test_during_an_answer(
    handle: Callable[[Process], object], error: type[TransportError]
) -> None:
    async with ssh_server(handle) as port, transport() as ssh:  # type: ignore[arg-type]
        session = await ssh.open(host(port), 10)
        with pytest.raises(error):
            await session.run(command(timeout=SHORT))
        await session.aclose()


async def test_a_whole_answer_counts_even_if_the_host_never_closes() -> None:
    async def handle(process: Process) -> None:
        for part in (b'{"record":"boot","boot_id":"b"}', END[:20], END[20:]):
            process.stdout.write(part)
            await asyncio.sleep(0)
        await asyncio.Event().wait()

    async with ssh_server(handle) as port, transport() as ssh:
        session = await ssh.open(host(port), 10)
        for _ in range(2):
            completed = await session.run(command())
            assert replies.read(completed, "t1").records[0].boot_id == "b"  # type: ignore[union-attr]
        await session.aclose()


async def test_an_answer_without_end_is_read_up_to_its_bound() -> None:
    sent = 0

    async def flood(process: Process) -> None:
        nonlocal sent
        block = b"y" * 65536
        while sent < 1 << 30:
            process.stdout.write(block)
            process.stderr.write(block)
            sent += 2 * len(block)
            await process.stdout.drain()
            await process.stderr.drain()

    async with ssh_server(flood) as port, transport() as ssh:
        session = await ssh.open(host(port), 10)
        completed = await session.run(command(output_limit=300_000))
        await session.aclose()
    assert completed.truncated
    assert len(completed.stdout) == 300_000
    assert len(completed.stderr) <= 64_000
    assert sent < 1 << 25
    with pytest.raises(ReplyError, match="longer than is read"):
        replies.read(completed, "t1")


async def test_a_close_without_exit_status_is_no_answer() -> None:
    async def handle(process: Process) -> None:
        await process.stdin.read()
        process.stderr.write(b"\x1b[31mdying\r\n")
        process.close()

    async with ssh_server(handle) as port, transport() as ssh:
        session = await ssh.open(host(port), 10)
        completed = await session.run(command())
        await session.aclose()
    assert completed.exit_status is None
    with pytest.raises(ReplyError, match=r"without an exit status .*: \\x1b\[31mdying"):
        replies.read(completed, "t1")


async def test_a_session_that_has_ended_says_so() -> None:
    async with ssh_server() as port, transport() as ssh:
        session = await ssh.open(host(port), 10)
        await session.aclose()
        await session.aclose()
        with pytest.raises(SessionLostError):
            await session.run(command())


async def test_a_command_that_the_server_will_not_run() -> None:
    async with ssh_server(allow_pty=False) as port, transport() as ssh:
        session = await ssh.open(host(port), 10)
        completed = await session.run(command(b"echo hello; echo oops >&2; exit 7\n"))
        assert (completed.stdout, completed.stderr) == (b"hello\n", b"oops\n")
        assert completed.exit_status in (7, 127)
        await session.aclose()

    async with ssh_server(None) as port, transport() as ssh:
        session = await ssh.open(host(port), 10)
        with pytest.raises(SessionLostError):
            await session.run(command(timeout=SHORT))
        await session.aclose()


async def test_words_of_a_peer_are_inert_in_errors() -> None:
    class Rude(Server):
        banner = "\x1b]0;owned\x07" * 100

        def begin_auth(self, username: str) -> bool:
            super().begin_auth(username)
            reason = "\x1b[2J\u202egoodbye " + "x" * 5000
            raise asyncssh.DisconnectError(asyncssh.DISC_BY_APPLICATION, reason)

    async with ssh_server(server=Rude) as port, transport() as ssh:
        with pytest.raises(UnreachableError) as caught:
            await ssh.open(host(port), 10)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


async def test_too_many_keys_are_a_refused_sign_in() -> None:
    class Strict(Server):
        def begin_auth(self, username: str) -> bool:
            reason = "Too many authentication failures"
            raise asyncssh.DisconnectError(asyncssh.DISC_PROTOCOL_ERROR, reason)

    async with ssh_server(server=Strict) as port, transport() as ssh:
        with pytest.raises(AuthRefusedError, match="too many keys"):
            await ssh.open(host(port), 10)


async def test_no_common_algorithm_is_not_tried_again() -> None:
    async with ssh_server(kex_algs=["diffie-hellman-group1-sha1"]) as port, transport() as ssh:
        with pytest.raises(TransportError) as caught:
            await ssh.open(host(port), 10)
    assert not caught.value.retryable


async def test_bad_hosts_do_not_slow_the_others() -> None:
    peers: list[AbstractAsyncContextManager[int]] = [
        talker(talk) for talk in (_silent, _greets_only, _endless)
    ]
    async with ssh_server(obey) as good, transport() as ssh, asyncio.TaskGroup() as group:
        ports = [await peer.__aenter__() for peer in peers]
        bad = [
            group.create_task(_fails(ssh.open(host(port), 40), TransportError))
            for port in ports * 5
        ]
        healthy = [group.create_task(_answers(ssh, good)) for _ in range(5)]
        done, waiting = await asyncio.wait(healthy)
        assert not waiting
        assert [task.result() for task in done] == [b"fine\n"] * 5
        assert sum(not task.done() for task in bad) >= 10
        for task in bad:
            task.cancel()
        await asyncio.wait(bad)
        for peer in peers:
            await peer.__aexit__(None, None, None)


async def _answers(ssh: SshTransport, port: int) -> bytes:
    session = await ssh.open(host(port), 30)
    try:
        return (await session.run(command(b"echo fine\n"))).stdout
    finally:
        await session.aclose()


async def _fails(work: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        await work  # type: ignore[misc]
