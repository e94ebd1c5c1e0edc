"""One connection to one host, and the answers that come over it."""

# ruff: noqa: TID253 - loaded only when the first session is opened
from __future__ import annotations

import asyncio

import asyncssh

from recovery.errors import SessionLostError
from recovery.ports import Command, Completed
from recovery.remote.catalog import render
from recovery.transports.ssh.border import translated

_SHELL = "exec /bin/sh -s"
_CLOSE_SECONDS = 1.0
_STDERR_LIMIT = 64_000
_END_LENGTH = 256
"""Bytes in which the last record of an answer certainly is."""


class SshSession:
    """One open way to one host. Implements `recovery.ports.Session`."""

    def __init__(self, connection: asyncssh.SSHClientConnection, name: str) -> None:
        """Own the open `connection` to the host `name`."""
        self._connection = connection
        self._name = name

    async def run(self, command: Command) -> Completed:
        """Send the script to the host's `sh` and read its bounded answer. Raises `TransportError`.

        The answer is complete when its last record has come, even if the host then never closes. Raises
        `UnsupportedError` or `RefusedError` when the command has no script to send.
        """
        script = render(command)
        with translated(self._name, opening=False):
            async with asyncio.timeout(command.timeout):
                return await self.carry_out(
                    _SHELL, script, Answer(command.token, command.output_limit)
                )

    async def aclose(self) -> None:
        """Close the connection, by force if it does not end. Never raises, never hangs."""
        await close(self._connection)

    async def carry_out(self, line: str, stdin: bytes, answer: Answer) -> Completed:
        """What comes of `line` with `stdin`. Raises what the library and the system raise, and `SessionLostError`."""
        if self._connection.is_closed():
            message = f"the session with {self._name} has ended"
            raise SessionLostError(message)
        channel, _ = await self._connection.create_session(
            lambda: answer, line, encoding=None, env=None, send_env=None, request_pty=False
        )
        try:
            channel.write(stdin)
            channel.write_eof()
            return await answer.completed
        finally:
            channel.abort()


class Answer(asyncssh.SSHClientSession[bytes]):
    """Collects what a command says, and knows when that is enough."""

    def __init__(self, token: str, limit: int) -> None:
        """Wait for the end record with `token`; read at most `limit` bytes."""
        self.completed: asyncio.Future[Completed] = asyncio.get_running_loop().create_future()
        # A connection may be lost before anybody waits for it; nobody is to be told of that but who asked.
        self.completed.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._limit = limit
        self._end = b'\n{"record":"end","token":"%s"' % token.encode()
        self._stdout: list[bytes] = []
        self._stderr: list[bytes] = []
        self._sizes = [0, 0]
        self._tail = b""
        self._status: int | None = None

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Keep it, within bounds."""
        if self.completed.done():
            return
        if datatype is not None:
            self._sizes[1] += len(data)
            if self._sizes[1] <= _STDERR_LIMIT:
                self._stderr.append(data)
            return
        self._sizes[0] += len(data)
        self._stdout.append(data)
        if self._sizes[0] > self._limit:
            self._finish(truncated=True)
            return
        self._tail = (self._tail + data[-_END_LENGTH:])[-_END_LENGTH:]
        if self._tail.endswith(b"}\n") and self._end in self._tail:
            self._finish()

    def exit_status_received(self, status: int) -> None:
        """Comes before the channel closes, if at all."""
        self._status = status

    def eof_received(self) -> bool:
        """The exit status is still to come."""
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel closed: cleanly, or with the whole connection."""
        if self.completed.done():
            return
        if exc is None:
            self._finish()
        else:
            self.completed.set_exception(exc)

    def _finish(self, *, truncated: bool = False) -> None:
        completed = Completed(
            stdout=b"".join(self._stdout)[: self._limit],
            stderr=b"".join(self._stderr),
            exit_status=self._status,
            truncated=truncated,
        )
        self._stdout.clear()
        self.completed.set_result(completed)


async def close(connection: asyncssh.SSHClientConnection) -> None:
    """Close; abort what does not close in time. Never raises, never hangs."""
    connection.close()
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await connection.wait_closed()
    except (TimeoutError, OSError, asyncssh.Error):
        connection.abort()
