"""Power of single hosts, by their consoles."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from recovery.cli.main import app
from recovery.cli.narrate import confirm
from recovery.cli.output import Form, data, documents, inert
from recovery.cli.shared import Inventory, JournalOption, Output, form, service, sources
from recovery.engine.power import Switched
from recovery.errors import RefusedError, UsageError
from recovery.model.console import BOOT_DEVICES, BootName, PowerAct

_ACTS: dict[str, PowerAct | None] = {"status": None, "on": "on", "off": "off", "cycle": "cycle"}


@app.command("power")
def power(
    context: typer.Context,
    host: str,
    act: Annotated[
        Literal["status", "on", "off", "cycle", "boot-once"],
        typer.Argument(
            help="cycle: off, seen to be off, then on. boot-once: choose --device for the next start alone."
        ),
    ] = "status",
    inventory: Inventory = [],
    device: Annotated[
        BootName | None,
        typer.Option(help="For boot-once; disk takes an earlier choice back."),
    ] = None,
    media: Annotated[str, typer.Option(help="For --device cd: the URL of the image.")] = "",
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
    output: Output = "text",
    journal: JournalOption = "",
) -> int:
    """Power and next start of one host by its console, believed only when seen; no system is shut down before."""
    shape = form(output, "text", "json")
    once = act == "boot-once"
    if once is (device is None) or (media and not once):
        raise UsageError(
            "boot-once needs --device pxe, cd or disk; --device and --media are for boot-once alone"
        )
    acting = service(context, journal)
    words = f"{inert(host)}: power {act}, without shutting its system down"
    if device is not None:
        words = f"{inert(host)}: start from {device} the next time"
    if act != "status" and not confirm(words, 1, yes=yes):
        raise RefusedError("nothing was done: it was not confirmed; --yes does not ask")
    known = sources(acting, inventory)
    if device is not None:
        found = acting.boot_once(known, host, BOOT_DEVICES[device], media)
    else:
        found = acting.power(known, host, _ACTS[act])
    return _tell(host, found, shape)


def _tell(host: str, found: Switched, shape: Form) -> int:
    if shape == "json":
        row = {"schema": 1, "name": host, "state": found.state}
        documents({**row, "done": found.done, "message": found.message}, "json")
    else:
        done = "" if found.done else "not done: "
        data(f"{inert(host)}: {found.state}; {done}{inert(found.message)}")
    return 0 if found.done else 5 if found.state == "unknown" else 4
