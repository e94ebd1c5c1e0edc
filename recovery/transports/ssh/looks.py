"""Cheap looks. The connection of a look that found a server is kept for the session that follows.

A server starts a process for every connection, and newer ones hold it against a client when it hangs up without having
signed in (sshd_config: PerSourcePenalties, noauth), so a second connection would cost the host, and in the end us.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from recovery.ports import Look
from recovery.transports.patience import listening_for
from recovery.transports.ssh.limits import max_kept, max_looks
from recovery.transports.ssh.place import Place
from recovery.transports.ssh.reasons import os_reason

ANSWERS = Look(answers=True)
_NO_ANSWER = Look(answers=False, reason="no answer to a TCP connection")
_NO_SERVER = Look(
    answers=False, reason="the port accepts connections, but no SSH server answers behind it"
)
_NO_NAME = Look(answers=False, reason="its name cannot be resolved")
"""A name of too long or empty parts (RFC 1035, 2.3.4) is an error of Python's own."""

_GREETING = b"SSH-"
_MOST_BEFORE = 8192
"""Bytes that a server may say before its identification (RFC 4253, 4.2, sets no bound)."""

_KEPT_SECONDS = 5.0
"""For this long a connection waits for its session: it takes one of the few places that a server has for strangers."""

Key = tuple[str, str, int]


class Kept(msgspec.Struct, frozen=True):
    """A connection on which a server has introduced itself, which nobody has read yet."""

    link: socket.socket
    end: asyncio.TimerHandle


class Looks:
    """The looks at hosts that can be reached directly."""

    def __init__(self, timeout: float) -> None:
        """A server has `timeout` seconds to introduce itself."""
        self._timeout = timeout
        self._in_flight = asyncio.Semaphore(max_looks())
        self._most_kept = max_kept()
        self._kept: dict[Key, Kept] = {}

    async def at(self, place: Place) -> Look:
        """Connect and wait for the server's identification (RFC 4253, 4.2). Never raises."""
        self._drop(place)
        link: socket.socket | None = None
        async with self._in_flight:
            try:
                async with listening_for(self._timeout):
                    link = await _connected(place.address, place.port)
                    if await _introduced(link):
                        self._keep(place, link)
                        link = None
                        return ANSWERS
                    return await greeted(_reading(link))
            except TimeoutError:
                return _NO_ANSWER if link is None else _NO_SERVER
            except OSError as error:
                return Look(answers=False, reason=os_reason(error))
            except ValueError:
                return _NO_NAME
            finally:
                if link is not None:
                    link.close()

    def take(self, place: Place) -> socket.socket | None:
        """The connection of the last look, if the server has not hung up meanwhile."""
        kept = self._kept.pop(_key(place), None)
        if kept is None:
            return None
        kept.end.cancel()
        with contextlib.suppress(OSError):
            if kept.link.recv(1, socket.MSG_PEEK):
                return kept.link
        kept.link.close()
        return None

    def close(self) -> None:
        """Hang up everywhere."""
        for kept in self._kept.values():
            kept.end.cancel()
            kept.link.close()
        self._kept.clear()

    def _keep(self, place: Place, link: socket.socket) -> None:
        if len(self._kept) >= self._most_kept:
            link.close()
            return
        end = asyncio.get_running_loop().call_later(_KEPT_SECONDS, self._drop, place)
        self._kept[_key(place)] = Kept(link, end)

    def _drop(self, place: Place) -> None:
        kept = self._kept.pop(_key(place), None)
        if kept is not None:
            kept.end.cancel()
            kept.link.close()


async def greeted(read: Callable[[int], Awaitable[bytes]]) -> Look:
    """Whether an SSH server introduces itself, perhaps after other lines."""
    heard = b""
    with contextlib.suppress(ConnectionError):
        while len(heard) < _MOST_BEFORE and (part := await read(_MOST_BEFORE)):
            heard += part
            if heard.startswith(_GREETING) or b"\n" + _GREETING in heard:
                return ANSWERS
    return _NO_SERVER


def _key(place: Place) -> Key:
    return place.name, place.address, place.port


def _reading(link: socket.socket) -> Callable[[int], Awaitable[bytes]]:
    loop = asyncio.get_running_loop()
    return lambda most: loop.sock_recv(link, most)


async def _introduced(link: socket.socket) -> bool:
    """Whether the first thing that comes is the identification; it stays unread."""
    loop = asyncio.get_running_loop()
    heard = asyncio.Event()
    loop.add_reader(link, heard.set)
    try:
        await heard.wait()
    finally:
        loop.remove_reader(link)
    with contextlib.suppress(ConnectionError):
        return link.recv(len(_GREETING), socket.MSG_PEEK) == _GREETING
    return False


async def _connected(address: str, port: int) -> socket.socket:
    """A connection to the first of the host's addresses that takes it. Raises `OSError`."""
    failure: OSError | None = None
    for family, kind, protocol, _, end in await _resolved(address, port):
        link = socket.socket(family, kind, protocol)
        link.settimeout(0.0)
        try:
            await asyncio.get_running_loop().sock_connect(link, end)
        except BaseException as error:
            link.close()
            if not isinstance(error, OSError):
                raise
            failure = error
        else:
            return link
    raise failure or socket.gaierror


async def _resolved(address: str, port: int) -> list[tuple[Any, ...]]:
    """As of `socket.getaddrinfo`. What is an IP address already needs no thread that may wait for name servers."""
    how = {"type": socket.SOCK_STREAM, "proto": socket.IPPROTO_TCP}
    try:
        plain = address.encode("ascii")  # spares a look for international names
        return list(socket.getaddrinfo(plain, port, flags=socket.AI_NUMERICHOST, **how))
    except (socket.gaierror, UnicodeError):
        return list(await asyncio.get_running_loop().getaddrinfo(address, port, **how))
