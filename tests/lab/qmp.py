"""A QEMU monitor of the lab's own (QMP: one JSON object a line), so that tests do not count by the product's means."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any


class Monitor:
    """One QMP connection. Events are kept in the order in which they came."""

    def __init__(self, path: Path, timeout: float = 30.0) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        self._buffer = b""
        self._events: list[dict[str, Any]] = []
        try:
            self._socket.connect(str(path))
            self._receive(timeout)
            self.execute("qmp_capabilities")
        except OSError:
            self._socket.close()
            raise

    def execute(self, command: str, **arguments: Any) -> Any:
        """Run a command and return its result. Raises `RuntimeError` with QEMU's words when it refuses."""
        self._socket.sendall(
            json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n"
        )
        while True:
            message = self._receive(30.0)
            if "error" in message:
                raise RuntimeError(f"{command}: {message['error']['desc']}")
            if "return" in message:
                return message["return"]

    def wait_events(self, name: str, count: int, timeout: float) -> list[dict[str, Any]]:
        """The first `count` events of this name since the start. Raises `TimeoutError`."""
        deadline = time.monotonic() + timeout
        while len(found := [event for event in self._events if event["event"] == name]) < count:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{len(found)} of {count} {name} within {timeout} s")
            self._receive(left)
        return found[:count]

    def close(self) -> None:
        self._socket.close()

    def _receive(self, timeout: float) -> dict[str, Any]:
        """The next message; an event is remembered as well."""
        self._socket.settimeout(timeout)
        while b"\n" not in self._buffer:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("QEMU closed its monitor")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        if "event" in message:
            self._events.append(message)
        return message
