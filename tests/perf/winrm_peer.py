"""The clients of the WinRM benchmark: `python -m tests.perf.winrm_peer session|transport FOLDER SCHEME AUTH COUNT`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import winrm as library

from recovery.inventory.loader import load
from recovery.model.host import Host
from recovery.model.secret import Secret
from recovery.remote import catalog
from recovery.transports.winrm import WinrmSettings, WinrmTransport
from tests.wire.peers import OneCredential

_LINE = "ver"


def _host(folder: Path, scheme: str) -> Host:
    fleet = load([str(folder / "served" / "inventory.yaml")])
    return next(host for host in fleet.hosts if host.name == scheme)


def session(folder: Path, host: Host, auth: Any, count: int) -> None:
    """As pywinrm's own documentation does it."""
    served = folder / "served"
    own = library.Session(
        f"{host.name}://{host.address}:{host.port}/wsman",
        auth=("fleet", (served / "password").read_text()),
        transport=auth,
        ca_trust_path=str(served / "ca.pem"),
        message_encryption="always" if host.name == "http" else "auto",
    )
    for _ in range(count):
        own.run_cmd(_LINE)


async def transport(folder: Path, host: Host, auth: Any, count: int) -> None:
    """As a run does it: a script of the catalog on standard input, and its whole answer."""
    served = folder / "served"
    settings = json.loads((served / "settings.json").read_text())
    credential = OneCredential(user="fleet", password=Secret((served / "password").read_text()))
    way = WinrmTransport(WinrmSettings(auth=auth, workers=1, **settings["winrm"]), credential)
    own = await way.open(host, 30)
    command = catalog.command(
        "run", host, None, token="t1", timeout=30, settings={"ARGV": _LINE.encode().hex()}
    )
    for _ in range(count):
        await own.run(command)
    await own.aclose()
    await way.aclose()


def main(kind: str, folder: Path, scheme: str, auth: str, count: int) -> None:
    """Carry out so many commands."""
    host = _host(folder, scheme)
    if kind == "session":
        session(folder, host, auth, count)
    else:
        asyncio.run(transport(folder, host, auth, count))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
