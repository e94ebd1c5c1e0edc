"""A monitor that speaks QMP as QEMU does, of a machine that is a few words."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

GREETING = {
    "QMP": {
        "version": {"qemu": {"micro": 0, "minor": 0, "major": 9}, "package": ""},
        "capabilities": [],
    }
}


class Machine:
    """What the monitor is of."""

    def __init__(self) -> None:
        self.state = "running"
        self.obeys = True
        self.picture = b"\x89PNG picture"
        self.knows_png = True
        self.writes = True
        self.commands: list[str] = []
        self.events: list[dict[str, Any]] = []
        """Sent after the next command."""
        self.dies_at = ""
        """The command at which it closes its monitor."""

    def answer(self, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self.commands.append(command)
        if command == "query-status":
            return {"return": {"status": self.state, "running": self.state == "running"}}
        if command == "screendump":
            if "format" in arguments and not self.knows_png:
                return {
                    "error": {"class": "GenericError", "desc": "Parameter 'format' is unexpected"}
                }
            if self.writes:
                Path(arguments["filename"]).write_bytes(self.picture)
        elif self.obeys and command in ("stop", "system_reset", "cont"):
            after = {"stop": "paused", "system_reset": "prelaunch", "cont": "running"}
            self.state = after[command]
        return {"return": {}}


@contextmanager
def monitor(machine: Machine, path: Path) -> Iterator[Path]:
    """The machine's monitor at a socket's path; serves one after another."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        thread = threading.Thread(target=_serve, args=(server, machine), daemon=True)
        thread.start()
        try:
            yield path
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5.0)


def _serve(server: socket.socket, machine: Machine) -> None:
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection, suppress(OSError, ValueError):
                _talk(connection, machine)


def _talk(connection: socket.socket, machine: Machine) -> None:
    connection.sendall(json.dumps(GREETING).encode() + b"\r\n")
    for asked in _asked(connection):
        if asked["execute"] == machine.dies_at:
            return
        found = machine.answer(asked["execute"], asked.get("arguments", {}))
        found |= {"id": asked["id"]} if "id" in asked else {}
        for document in (found, *machine.events):
            connection.sendall(json.dumps(document).encode() + b"\r\n")
        machine.events.clear()


def _asked(connection: socket.socket) -> Iterator[dict[str, Any]]:
    """Documents, between which nothing has to stand."""
    text = ""
    while data := connection.recv(65536):
        text += data.decode()
        with suppress(json.JSONDecodeError):
            while text := text.lstrip():
                document, end = json.JSONDecoder().raw_decode(text)
                text = text[end:]
                yield document
