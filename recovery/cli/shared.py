"""Options that several commands have, and the service they act on."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from recovery.cli.output import Form
from recovery.errors import UsageError
from recovery.service import Service
from recovery.settings import load


def said(values: list[str]) -> list[str]:
    """Refuse a value that says nothing, such as that of a variable which is not set: it would mean something else."""
    if not all(value.strip() for value in values):
        raise typer.BadParameter("it is empty; is a variable not set?")
    return values


Inventory = Annotated[
    list[str],
    typer.Option(
        "-i",
        "--inventory",
        callback=said,
        help="File, directory, executable, - or host1,host2. Repeatable.",
    ),
]
Limit = Annotated[
    list[str],
    typer.Option("-l", "--limit", help="Query or pattern; several narrow one another."),
]
Output = Annotated[str, typer.Option("-o", "--output", help="text, json, jsonl or csv.")]
JournalOption = Annotated[
    str, typer.Option("--journal", help="The journal's file (RECOVERY_JOURNAL).")
]
Param = Annotated[
    list[str],
    typer.Option("--param", help="Value of a parameter of the incident: kb=KB5058379."),
]
Verbose = Annotated[int, typer.Option("-v", "--verbose", count=True, help="Tell every event.")]


def service(context: typer.Context, journal: str = "") -> Service:
    """The service with the settings of this call."""
    shared = context.find_root().obj or {}
    flags = {"journal": journal or shared.get("journal") or None}
    configuration = load(shared.get("config") or "", flags=flags)
    return Service(configuration.settings)


def form(value: str, *allowed: Form) -> Form:
    """The output's form. Raises `UsageError` for one that the command does not have."""
    for name in allowed:
        if value == name:
            return name
    raise UsageError(f"-o {value}: this command prints {', '.join(allowed)}")


def user() -> str:
    """Who types this; nothing where the system has no name for them, as in some containers."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def sources(acting: Service, inventory: list[str]) -> tuple[str, ...]:
    """The inventories that were named, else those of the settings. Raises `UsageError` when there are none."""
    found = tuple(inventory) or acting.settings.inventory
    if not found:
        raise UsageError("which hosts? give an inventory: -i FILE, or -i host1,host2")
    return found


def assignments(pairs: list[str], option: str) -> dict[str, str]:
    """The names and values of an `option` that is given as NAME=VALUE. Raises `UsageError`."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"{option} {pair}: expected NAME=VALUE")
        if found.get(name, value) != value:
            raise UsageError(f"{option} {name} has two values: {found[name]} and {value}")
        found[name] = value
    return found
