"""Opening connections: who signs in, and whose key is believed."""

# ruff: noqa: TID253 - loaded only when the first session is opened
from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import Any

import asyncssh

from recovery.errors import DeadlineError, HostKeyError, TransportError, UnreachableError
from recovery.ports import Credentials
from recovery.transports.ssh.border import spoken, translated
from recovery.transports.ssh.keys import KnownKeys
from recovery.transports.ssh.place import Place
from recovery.transports.ssh.settings import SshSettings
from recovery.transports.ssh.signing import Attempt, Signings

Way = asyncssh.SSHClientConnection | socket.socket | None
"""A tunnel, a connected socket, or nothing: then a connection is made."""

_KEEPALIVES = 3
_SLACK = 5.0
"""Seconds by which the library's own time limits lie behind ours."""

_QUICK: dict[str, Any] = {
    # Measured the quickest of what both sides know; everything else that is on by default is offered behind them.
    "kex_algs": "^curve25519-sha256,curve25519-sha256@libssh.org",
    "encryption_algs": "^aes128-gcm@openssh.com",
    "compression_algs": ["none"],
    "x509_trusted_certs": None,
    "gss_host": None,
    "gss_kex": False,
    "gss_auth": False,
    "host_based_auth": False,
    "agent_forwarding": False,
}


class Client(asyncssh.SSHClient):
    """One connection's answers to what the library asks while it is opened."""

    def __init__(self, keys: KnownKeys, place: Place, attempt: Attempt, address: str = "") -> None:
        """Go to `place`, which has the IP `address` if that is known already, believing `keys`."""
        self.place = place
        self.attempt = attempt
        self.connected = False
        self._keys = keys
        self._address = address
        self._trust = keys.trust(place, address)
        self._offered: asyncssh.SSHKey | None = None

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Something accepted the connection."""
        del conn
        self.connected = True

    def believed(
        self, _host: str, address: str, _port: int | None
    ) -> tuple[Sequence[asyncssh.SSHKey], Sequence[asyncssh.SSHKey], Sequence[asyncssh.SSHKey]]:
        """The keys that are trusted there, now that its IP address is known. Behind a jump host none is."""
        if address and address != self._address and not self.place.gateway:
            self._trust = self._keys.trust(self.place, address)
        return list(self._trust.keys), list(self._trust.authorities), list(self._trust.revoked)

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        """Is asked for a key that is not among the trusted ones."""
        del host, addr, port
        self._offered = key
        return self._keys.accepts(self.place, key, self._trust)

    def algorithms(self) -> list[str]:
        """The kinds of host keys to ask for, the best one first."""
        return self._trust.algorithms()

    def refusal(self) -> str:
        """Why its key is not believed."""
        return self._keys.refusal(self.place, self._offered, self._trust)


class Dialer:
    """Opens connections. One for all hosts of a run."""

    def __init__(self, settings: SshSettings, credentials: Credentials) -> None:
        """Sign in with `credentials`."""
        self._keepalive = settings.keepalive
        self._keys = KnownKeys(settings.known_hosts, settings.pins, accept_new=settings.accept_new)
        self._signings = Signings(credentials)
        # What the library tells has names, addresses and peers' words in it; the errors say what operators need.
        logging.getLogger("asyncssh").setLevel(logging.CRITICAL)

    async def connect(
        self,
        place: Place,
        credential: str,
        timeout: float,
        way: Way = None,
    ) -> asyncssh.SSHClientConnection:
        """A connection whose two ends have proven who they are, within `timeout` seconds. Raises `TransportError`.

        It goes through the tunnel or over the connected socket, if `way` is one; the socket is taken over.
        """
        until = asyncio.get_running_loop().time() + timeout
        client: Client | None = None
        try:
            with translated(place.name, opening=True):
                async with asyncio.timeout_at(until):
                    await self._keys.load()
                    attempt = await self._signings.attempt(credential)
                    client = Client(self._keys, place, attempt, _address(way))
                    return await self._connect(client, timeout, way)
        except DeadlineError:
            if client is None or client.connected:
                raise
            message = f"{place.name} did not take the connection in time"
            raise UnreachableError(message) from None
        finally:
            if isinstance(way, socket.socket) and (client is None or not client.connected):
                way.close()

    async def _connect(
        self, client: Client, timeout: float, way: Way
    ) -> asyncssh.SSHClientConnection:
        place = client.place
        try:
            connection = await asyncssh.connect(
                place.target if place.known is not None else place.address,
                place.port,
                **({"sock": way} if isinstance(way, socket.socket) else {"tunnel": way}),
                **self._options(client, timeout),
            )
        except asyncssh.HostKeyNotVerifiable:
            raise HostKeyError(client.refusal()) from None
        except asyncssh.PermissionDenied:
            client.attempt.refused()
            raise
        except ValueError as error:
            message = f"the means to reach {place.name} cannot be used: {spoken(str(error))}"
            raise TransportError(message) from None
        client.attempt.accepted()
        return connection

    def _options(self, client: Client, timeout: float) -> dict[str, Any]:
        place, signing = client.place, client.attempt.signing
        options = {
            **_QUICK,
            **signing.options(),
            "client_factory": lambda: client,
            "known_hosts": client.believed,
            "server_host_key_algs": client.algorithms(),
            "connect_timeout": timeout + _SLACK,
            "login_timeout": timeout + _SLACK,
            "keepalive_interval": self._keepalive,
            "keepalive_count_max": _KEEPALIVES,
            # What the configuration file says was read once; without one, none is looked for.
            **({"options": place.known} if place.known is not None else {"config": None}),
        }
        user = place.user or signing.credential.user
        if user:
            options["username"] = user
        if signing.credential.password:
            options["password"] = client.attempt.password
        return options


def _address(way: Way) -> str:
    """The IP address at the other end, once there is one."""
    return str(way.getpeername()[0]) if isinstance(way, socket.socket) else ""
