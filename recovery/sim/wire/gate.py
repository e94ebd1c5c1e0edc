"""The TCP port of one simulated machine: it listens, refuses, or is silent as a machine that is down."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Literal

State = Literal["open", "closed", "silent"]

_QUEUE = 128
_FILLERS = 3
"""Connections that fill the queue of a listener whose backlog is 0, so that the system answers no further one."""


class Gate:
    """A port of this machine's own, on a loopback address."""

    def __init__(self, address: str, port: int, arrive: Callable[[socket.socket], None]) -> None:
        """Hand each connection to `arrive`. Closed at first; raises `OSError` when the address is taken."""
        self._arrive = arrive
        self._fillers: list[socket.socket] = []
        self._state: State = "closed"
        self._listener = _bound(address, port)
        self.address = address
        self.port: int = self._listener.getsockname()[1]

    def become(self, state: State) -> None:
        """Change what somebody meets who connects."""
        if state == self._state:
            return
        if self._state == "open":
            asyncio.get_running_loop().remove_reader(self._listener)
        self._state = state
        if state == "closed":
            # A port that is taken, but not listened on, refuses.
            self.close()
            self._listener = _bound(self.address, self.port)
            return
        self._listener.listen(_QUEUE if state == "open" else 0)
        self._empty_queue()
        if state == "open":
            asyncio.get_running_loop().add_reader(self._listener, self._accept)
        else:
            self._fill_queue()

    def close(self) -> None:
        """Let go of the port."""
        with contextlib.suppress(RuntimeError, ValueError):
            asyncio.get_running_loop().remove_reader(self._listener)
        self._listener.close()
        self._drop_fillers()

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while True:
                connected, _ = self._listener.accept()
                connected.settimeout(0)
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._arrive(connected)

    def _empty_queue(self) -> None:
        """End what waits to be accepted."""
        self._drop_fillers()
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while True:
                reset(self._listener.accept()[0])

    def _fill_queue(self) -> None:
        for _ in range(_FILLERS):
            filler = socket.socket(socket.AF_INET)
            filler.settimeout(0)
            filler.connect_ex((self.address, self.port))
            self._fillers.append(filler)

    def _drop_fillers(self) -> None:
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()


def _bound(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.settimeout(0)
    try:
        listener.bind((address, port))
    except OSError:
        listener.close()
        raise
    return listener


def reset(connected: socket.socket) -> None:
    """End a connection by RST."""
    with contextlib.suppress(OSError):
        linger(connected)
    connected.close()


def linger(connected: socket.socket) -> None:
    """Let the end of the connection be a reset."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
