"""Windows hosts behind Microsoft's OpenSSH server, whose default shell is cmd or PowerShell."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import TYPE_CHECKING

from recovery.errors import ReplyError
from recovery.ports import Command, Completed
from recovery.remote import catalog
from recovery.remote.launch import Outer
from recovery.transports.ssh.border import spoken, translated
from recovery.transports.ssh.session import Answer, SshSession

if TYPE_CHECKING:
    import asyncssh

_PROBE = "echo fleet-recovery=%COMSPEC%=$PSHOME"
"""cmd fills in the first name and PowerShell the second; a POSIX shell leaves the first and drops the second."""
_MOST_PROBED = 4096
_MARK = "fleet-recovery="


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
        said = await self.carry_out(_PROBE, b"", Answer("", _MOST_PROBED))
        outer = shell_of(said.stdout)
        if outer is None:
            shown = spoken(said.stdout.decode("utf-8", "backslashreplace"))
            message = f"the shell of {self._host} is neither cmd nor PowerShell: it said {shown!r}"
            raise ReplyError(message)
        self._shells[self._host] = outer
        return outer


def shell_of(said: bytes) -> Outer | None:
    """Which shell the answer to the probe is from; None for any other."""
    text = said.replace(b"\0", b"").decode("utf-8", "replace")
    _, mark, rest = text.partition(_MARK)
    comspec, _, home = rest.strip().partition("=")
    if not mark:
        return None
    if comspec.lower().endswith("cmd.exe"):
        return "cmd"
    return "powershell" if comspec == "%COMSPEC%" and home else None
