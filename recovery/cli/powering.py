"""Power of single hosts, by their consoles."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from recovery.cli.main import app
from recovery.cli.narrate import confirm
from recovery.cli.output import data, documents, inert
from recovery.cli.shared import Inventory, JournalOption, Output, form, service, sources
from recovery.errors import RefusedError
from recovery.model.console import PowerAct

_ACTS: dict[str, PowerAct | None] = {"status": None, "on": "on", "off": "off", "cycle": "cycle"}


@app.command("power")
def power(
    context: typer.Context,
    host: str,
    act: Annotated[
        Literal["status", "on", "off", "cycle"],
        typer.Argument(help="cycle: off, seen to be off, then on."),
    ] = "status",
    inventory: Inventory = [],
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
    output: Output = "text",
    journal: JournalOption = "",
) -> int:
    """Power of one host by its console, believed only when it is seen; the system is not shut down before."""
    shape = form(output, "text", "json")
    acting = service(context, journal)
    wanted = _ACTS[act]
    words = f"{inert(host)}: power {act}, without shutting its system down"
    if wanted is not None and not confirm(words, 1, yes=yes):
        raise RefusedError("nothing was done: it was not confirmed; --yes does not ask")
    found = acting.power(sources(acting, inventory), host, wanted)
    if shape == "json":
        row = {"schema": 1, "name": host, "state": found.state}
        documents({**row, "done": found.done, "message": found.message}, "json")
    else:
        done = "" if found.done else "not done: "
        data(f"{inert(host)}: {found.state}; {done}{inert(found.message)}")
    return 0 if found.done else 5 if found.state == "unknown" else 4
