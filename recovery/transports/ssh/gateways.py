"""Jump hosts: one connection to each, shared by all hosts behind it, and a bounded rate of new ones through it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from recovery.errors import TransportError
from recovery.transports.ssh.dial import Dialer
from recovery.transports.ssh.place import Places
from recovery.transports.ssh.session import close

if TYPE_CHECKING:
    import asyncssh

_BURST_SECONDS = 1.0
"""After a pause, as many connections as this time allows begin at once."""

_REMEMBERED = 2.0
"""Seconds for which a jump host that failed is not tried again: a thousand hosts behind it would each wait for it."""


class Gateway:
    """One jump host, or a chain of them, as one credential sees it."""

    def __init__(self) -> None:
        """Nothing is open."""
        self.lock = asyncio.Lock()
        self.connection: asyncssh.SSHClientConnection | None = None
        self.failure: TransportError | None = None
        self.failed_at = 0.0


class Gateways:
    """The jump hosts of a run."""

    def __init__(self, dialer: Dialer, places: Places, rate: float) -> None:
        """Let `rate` new connections a second through each."""
        self._dialer = dialer
        self._places = places
        self._rate = rate
        self._gateways: dict[tuple[str, str], Gateway] = {}
        self._next: dict[str, float] = {}

    async def tunnel(
        self, chain: str, credential: str, timeout: float
    ) -> asyncssh.SSHClientConnection:
        """The shared connection to the last of the jump hosts in `chain`. Raises `TransportError`."""
        gateway = self._gateways.setdefault((chain, credential), Gateway())
        async with gateway.lock:
            if gateway.connection is not None and not gateway.connection.is_closed():
                return gateway.connection
            clock = asyncio.get_running_loop().time
            if gateway.failure is not None and clock() < gateway.failed_at + _REMEMBERED:
                raise gateway.failure
            try:
                gateway.connection = await self._open(chain, credential, timeout)
            except TransportError as error:
                gateway.failure, gateway.failed_at = error, clock()
                raise
            return gateway.connection

    async def pace(self, chain: str) -> None:
        """Return when one more connection may begin behind `chain`."""
        now = asyncio.get_running_loop().time()
        start = max(now - _BURST_SECONDS, self._next.get(chain, 0.0))
        self._next[chain] = start + 1.0 / self._rate
        if start > now:
            await asyncio.sleep(start - now)

    async def aclose(self) -> None:
        """Close them, the far ends of chains first."""
        for gateway in reversed(self._gateways.values()):
            if gateway.connection is not None:
                await close(gateway.connection)
        self._gateways.clear()

    async def _open(
        self, chain: str, credential: str, timeout: float
    ) -> asyncssh.SSHClientConnection:
        front, _, last = chain.rpartition(",")
        place = self._places.jump(last, front)
        tunnel = await self.tunnel(front, credential, timeout) if front else None
        return await self._dialer.connect(place, credential, timeout, tunnel)
