"""How a command is started on Windows: one short line, and what follows on its standard input."""

from __future__ import annotations

import json

import msgspec

from recovery.ports import Command

_LINE = "powershell.exe -NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -Command -"


class Launch(msgspec.Struct, frozen=True):
    """What to start on the endpoint, and what to give it."""

    line: str
    stdin: bytes = b""


def launch(wanted: Command, *, outer: str) -> Launch:
    """How `wanted` is started through `outer`."""
    del outer
    settings = json.dumps({"TOKEN": wanted.token, **wanted.settings})
    script = wanted.script.decode("ascii") or f"# {wanted.action}"
    return Launch(_LINE, f"{settings}\n{script}\n# end of the script\n".encode("ascii"))
