"""Connections before they are requests: whoever connects and says nothing keeps nobody else out.

The library that serves has a limit for connections and none for how long one may be silent, so that a few hundred
sockets that say nothing would hold the page up.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
import socket
import weakref
from collections import Counter
from typing import Any

from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

MOST = 256
"""Connections."""
BACKLOG = 128
"""Of those that are not accepted yet. The loop accepts so many in one turn, before any of them can make room."""
_MOST_INSIDE = 2 * MOST
"""Sockets of one neighbourhood, with those in the midst of a handshake."""
HEAD_SECONDS = 10.0
"""In which a request has come whole, body excepted, or its connection ends."""
_UNSENT_SECONDS = 30.0
"""More, for the end of an answer that nobody takes."""
_HANDSHAKE_SECONDS = 10.0
_PREFIX = 64
"""Bits of an IPv6 address that tell whose it is: the others are for their owner to choose."""


def neighbourhood(address: str) -> str:
    """Whose address it is: itself, or for IPv6 the network whose addresses one machine can take as it likes."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, _PREFIX), strict=False))


class Door(socket.socket):
    """A listening socket that lets only so many in from one neighbourhood, those in the midst of a handshake too."""

    def __init__(self, family: socket.AddressFamily) -> None:
        """Of TCP."""
        super().__init__(family, socket.SOCK_STREAM)
        self._inside: dict[str, weakref.WeakSet[socket.socket]] = {}

    @override
    def accept(self) -> tuple[socket.socket, Any]:
        """As the socket's own. Raises `ConnectionAbortedError` for one too many."""
        line, address = super().accept()
        self._inside = {name: found for name, found in self._inside.items() if _open(found)}
        inside = self._inside.setdefault(neighbourhood(address[0]), weakref.WeakSet())
        if _open(inside) >= _MOST_INSIDE:
            line.close()
            raise ConnectionAbortedError
        inside.add(line)
        return line, address


def _open(lines: weakref.WeakSet[socket.socket]) -> int:
    return sum(line.fileno() >= 0 for line in lines)


class Line(H11Protocol):
    """One connection. Without a request it ends in time, and sooner where others need its place."""

    silent_since: float = math.inf
    """By the loop's clock; infinite while a request is being answered."""
    _ends: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it
        self._make_room()
        super().connection_made(transport)
        self._wait()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_answering:
            self._stop_waiting()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_answering:
            self._wait()

    @property
    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _wait(self) -> None:
        self._stop_waiting()
        self.silent_since = self.loop.time()
        self._ends = self.loop.call_later(HEAD_SECONDS, self._end)

    def _stop_waiting(self) -> None:
        self.silent_since = math.inf
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None

    def _end(self) -> None:
        self._ends = self.loop.call_later(_UNSENT_SECONDS, self.transport.abort)
        self.transport.close()

    def _make_room(self) -> None:
        """End who has been silent for the longest, of those of whose neighbours there are the most."""
        if len(self.connections) < MOST - 1:
            return
        lines = [line for line in self.connections if isinstance(line, Line)]
        crowds = Counter(line.neighbours for line in lines)
        silent = [line for line in lines if line.silent_since < math.inf]
        if silent:
            last = min(silent, key=lambda line: (-crowds[line.neighbours], line.silent_since))
            self.connections.discard(last)
            last.transport.abort()

    @property
    def neighbours(self) -> str:
        """Whose connection it is."""
        return neighbourhood(self.client[0]) if self.client else ""


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose servers wait for a handshake as long as for a request, and not for a minute."""

    @override
    async def create_server(self, *words: Any, **more: Any) -> asyncio.Server:
        """As the loop's own."""
        if more.get("ssl") is not None:
            more["ssl_handshake_timeout"] = _HANDSHAKE_SECONDS
        return await super().create_server(*words, **more)
