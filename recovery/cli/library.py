"""Commands about inventories, playbooks, incidents, and the schemas of their files."""

from __future__ import annotations

import json
from typing import Annotated

import msgspec
import typer

from recovery.cli.main import app
from recovery.cli.output import data, documents, say, table
from recovery.cli.shared import Limit, Output, form, said
from recovery.errors import UsageError
from recovery.inventory.export import dump
from recovery.inventory.loader import load_with_warnings
from recovery.inventory.selection import select
from recovery.planning import check_query, specs
from recovery.playbook import library
from recovery.playbook.incidents import parse_incident, verify_incident
from recovery.playbook.parser import parse_playbook
from recovery.playbook.schema import SCHEMAS
from recovery.playbook.verifier import verify
from recovery.worlds import SystemClock

inventory_app = typer.Typer(help="Inventories: check, show, convert.", no_args_is_help=True)
app.add_typer(inventory_app, name="inventory")
Sources = Annotated[
    list[str],
    typer.Argument(callback=said, help="Files, directories, executables, - or host1,host2."),
]


@inventory_app.command("check")
def check_inventory(sources: Sources) -> None:
    """Whether the inventory can be read, and what it holds."""
    fleet, warnings = load_with_warnings(sources)
    for warning in warnings:
        say(f"warning: {warning}")
    select(fleet, (), {}, SystemClock().now())
    data(
        f"{len(fleet.hosts)} hosts, {len(fleet.sites)} sites, {len(fleet.services)} services, "
        f"{len(fleet.groups)} groups: in order"
    )


@inventory_app.command("show")
def show_inventory(sources: Sources, limit: Limit = [], output: Output = "text") -> None:
    """The hosts, with everything that is said of them."""
    shape = form(output, "text", "json", "jsonl", "csv")
    fleet = select(load_with_warnings(sources)[0], tuple(limit), {}, SystemClock().now())
    if shape == "text":
        table(
            ("host", "address", "os", "transport", "site", "service", "kind", "groups"),
            [
                (
                    host.name,
                    host.target,
                    host.os,
                    host.transport,
                    host.site,
                    host.service,
                    host.kind,
                    ",".join(host.groups),
                )
                for host in fleet.hosts
            ],
        )
        return
    documents([{"schema": 1, **msgspec.to_builtins(host)} for host in fleet.hosts], shape)


@inventory_app.command("convert")
def convert_inventory(
    sources: Sources,
    to: Annotated[
        str, typer.Option("-t", "--to", help="yaml, csv, json, jsonl or ansible.")
    ] = "yaml",
) -> None:
    """Write the inventory in another form."""
    for name in ("yaml", "csv", "json", "jsonl", "ansible"):
        if to == name:
            data(dump(load_with_warnings(sources)[0], name).rstrip("\n"))
            return
    raise UsageError(f"there is no form {to!r}: yaml, csv, json, jsonl or ansible")


playbook_app = typer.Typer(help="Playbooks: list, show, check.", no_args_is_help=True)
incident_app = typer.Typer(help="Incident profiles: list, show, check.", no_args_is_help=True)
app.add_typer(playbook_app, name="playbook")
app.add_typer(incident_app, name="incident")


@playbook_app.command("list")
def list_playbooks() -> None:
    """The bundled playbooks."""
    table(
        ("playbook", "summary"),
        [
            (name, parse_playbook(*library.read_playbook(name)).summary)
            for name in library.playbook_names()
        ],
    )


@playbook_app.command("show")
def show_playbook(name: str) -> None:
    """The text of a playbook."""
    data(library.read_playbook(name)[0].rstrip("\n"))


@playbook_app.command("check")
def check_playbook(
    names: list[str],
    incident: Annotated[str, typer.Option(help="Against this profile.")] = "crowdstrike-291",
) -> int:
    """Prove that a playbook ends, acts only inside a guard and after evidence, and that its names resolve."""
    profile = parse_incident(*library.read_incident(incident))
    refused = 0
    for name in names:
        text, file = library.read_playbook(name, incident)
        known = specs()
        book = parse_playbook(text, file, known)
        found = verify(book, incident=profile, check_query=check_query, specs=known)
        refused += not found.ok
        for warning in found.warnings:
            say(f"warning: {warning.shown(file)}")
        for problem in found.problems:
            say(f"error: {problem.shown(file)}")
        data(
            f"{name}: {'in order' if found.ok else 'REFUSED'}; one host takes at most {found.worst_case / 60:.0f} min"
            + "".join(f"; cannot be undone: {step}" for step in found.irreversible)
            + "".join(f"; needs: {privilege}" for privilege in found.privileges)
        )
    return 2 if refused else 0


@incident_app.command("list")
def list_incidents() -> None:
    """The bundled incident profiles."""
    table(
        ("incident", "title"),
        [
            (name, parse_incident(*library.read_incident(name)).title)
            for name in library.incident_names()
        ],
    )


@incident_app.command("show")
def show_incident(name: str) -> None:
    """The text of a profile."""
    data(library.read_incident(name)[0].rstrip("\n"))


@incident_app.command("check")
def check_incident(names: list[str]) -> int:
    """Whether a profile is safe to act by."""
    refused = 0
    for name in names:
        text, file = library.read_incident(name)
        found = verify_incident(parse_incident(text, file))
        refused += not found.ok
        for problem in found.problems:
            say(f"error: {problem.shown(file)}")
        data(f"{name}: {'in order' if found.ok else 'REFUSED'}")
    return 2 if refused else 0


@app.command()
def schema(kind: Annotated[str, typer.Argument(help="inventory, incident or playbook.")]) -> None:
    """The JSON Schema of a file format, for editors."""
    if kind not in SCHEMAS:
        raise UsageError(f"there is no schema {kind!r}: {', '.join(SCHEMAS)}")
    data(json.dumps(SCHEMAS[kind](), indent=1))
