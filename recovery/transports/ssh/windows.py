"""Windows hosts behind Microsoft's OpenSSH server, whose default shell is cmd or PowerShell."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import TYPE_CHECKING

from recovery.errors import ReplyError
from recovery.ports import Command, Completed
from recovery.remote import catalog
from recovery.remote.launch import PROBE, Outer, shell_of
from recovery.transports.ssh.border import spoken, translated
from recovery.transports.ssh.session import Answer, SshSession

if TYPE_CHECKING:
    import asyncssh

_MOST_PROBED = 4096


class WindowsSession(SshSession):
    """One open way to one Windows host. Implements `recovery.ports.Session`."""

    def __init__(
        self,
        connection: asyncssh.SSHClientConnection,
        name: str,
        shells: MutableMapping[str, Outer],
    ) -> None:
        """Own the open `connection`; `shells` keeps what is known of each host's default shell."""
        super().__init__(connection, name)
        self._host = name
        self._shells = shells

    async def run(self, command: Command) -> Completed:
        """Start the command through the default shell and read its bounded answer. Raises `TransportError`.

        The first session with a host asks for its shell, which costs a round trip. Raises `UnsupportedError` or
        `RefusedError` when the command has no script to send.
        """
        with translated(self._host, opening=False):
            async with asyncio.timeout(command.timeout):
                outer = self._shells.get(self._host) or await self._ask_for_shell()
                start = catalog.launch(command, outer=outer)
                answer = Answer(command.token, command.output_limit)
                return await self.carry_out(start.line, start.stdin, answer)

    async def _ask_for_shell(self) -> Outer:
        said = await self.carry_out(PROBE, b"", Answer("", _MOST_PROBED))
        outer = shell_of(said.stdout)
        if outer is None:
            shown = spoken(said.stdout.decode("utf-8", "backslashreplace"))
            message = f"the shell of {self._host} is neither cmd nor PowerShell: it said {shown!r}"
            raise ReplyError(message)
        self._shells[self._host] = outer
        return outer
