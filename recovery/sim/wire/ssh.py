"""The SSH service of one simulated machine, by asyncssh."""

# ruff: noqa: TID253 - loaded only when machines are served
from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import socket
from typing import Protocol

import asyncssh

from recovery.sim.wire.shells import ConnectionCutError, Outcome, Work
from recovery.sim.wire.signing import Account

_MOST_INPUT = 4_000_000
_READ = 65_536


class Machine(Protocol):
    """What answers behind the service."""

    @property
    def denies(self) -> bool:
        """Whether it lets nobody in."""

    def plan_ssh(self, line: str, stdin: bytes) -> Work:
        """What comes of a command line with its complete standard input."""


class _Server(asyncssh.SSHServer):
    """Lets the account in, by its password or its key."""

    def __init__(self, machine: Machine, account: Account, key: asyncssh.SSHKey) -> None:
        self._machine = machine
        self._account = account
        self._key = key.export_public_key()

    def password_auth_supported(self) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        wanted = f"{self._account.user}\n{self._account.password.reveal()}"
        return not self._machine.denies and hmac.compare_digest(
            f"{username}\n{password}".encode(), wanted.encode()
        )

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        mine = username == self._account.user and key.export_public_key() == self._key
        return mine and not self._machine.denies


class SshDoor:
    """Serves connections to one machine."""

    def __init__(
        self, machine: Machine, account: Account, *, key: asyncssh.SSHKey, user_key: asyncssh.SSHKey
    ) -> None:
        """Prove to be the machine by `key`; let `account` in by its password or `user_key`."""
        self._machine = machine
        self._options = asyncssh.SSHServerConnectionOptions(
            server_factory=lambda: _Server(machine, account, user_key),
            server_host_keys=[key],
            process_factory=self._obey,
            encoding=None,
            allow_pty=False,
            login_timeout=60,
        )
        # Connections that end at any moment are what this is for.
        logging.getLogger("asyncssh").setLevel(logging.CRITICAL)

    async def serve(self, connected: socket.socket) -> None:
        """Go on until the connection ends."""
        with contextlib.suppress(OSError, asyncssh.Error):
            connection = await asyncssh.run_server(connected, options=self._options)
            await connection.wait_closed()

    async def _obey(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        with contextlib.suppress(OSError, asyncssh.Error):
            stdin = await _all_of(process.stdin)
            work = self._machine.plan_ssh(process.command or "", stdin)
            if work.after:
                await asyncio.sleep(work.after)
            outcome = work.carry_out()
            try:
                _tell(process, outcome)
            except ConnectionCutError:
                process.channel.get_connection().abort()


def _tell(process: asyncssh.SSHServerProcess[bytes], outcome: Outcome) -> None:
    if outcome.fate in ("reset", "gone"):
        raise ConnectionCutError
    process.stdout.write(outcome.stdout)
    process.stderr.write(outcome.stderr)
    if outcome.fate == "cut":
        process.close()
    else:
        process.exit(outcome.exit_code)


async def _all_of(reader: asyncssh.SSHReader[bytes]) -> bytes:
    found = bytearray()
    while len(found) <= _MOST_INPUT and (part := await reader.read(_READ)):
        found += part
    return bytes(found)
