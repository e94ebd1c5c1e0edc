"""Commands about inventories, playbooks, incidents, and the schemas of their files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from recovery.cli.main import app
from recovery.cli.output import data, documents, inert, say, table
from recovery.cli.shared import Limit, Output, Param, assignments, form, said
from recovery.errors import UsageError
from recovery.inventory.export import dump
from recovery.inventory.loader import load_with_warnings
from recovery.inventory.selection import select
from recovery.model.incident import Incident
from recovery.planning import DEFAULT_INCIDENT, check_query, specs
from recovery.playbook import library
from recovery.playbook.incidents import parse_incident, verify_incident
from recovery.playbook.parameters import PLACEHOLDER
from recovery.playbook.parser import parse_playbook
from recovery.playbook.schema import SCHEMAS
from recovery.playbook.skeleton import SKELETONS, write_skeleton
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
def list_playbooks(output: Output = "text") -> None:
    """The bundled playbooks."""
    shape = form(output, "text", "json", "jsonl", "csv")
    found = [
        (name, parse_playbook(*library.read_playbook(name))) for name in library.playbook_names()
    ]
    if shape == "text":
        table(("playbook", "summary"), [(name, playbook.summary) for name, playbook in found])
        return
    rows = [
        {
            "schema": 1,
            "name": name,
            "summary": playbook.summary,
            "steps": [step.name for step in playbook.steps],
            "changes": playbook.changes,
        }
        for name, playbook in found
    ]
    documents(rows, shape)


@playbook_app.command("show")
def show_playbook(name: str) -> None:
    """The text of a playbook."""
    data(library.read_playbook(name)[0].rstrip("\n"))


@playbook_app.command("check")
def check_playbook(
    names: list[str],
    incident: Annotated[
        str,
        typer.Option(
            help="Against this profile.", show_default="the playbook's own, else crowdstrike-291"
        ),
    ] = "",
    param: Param = [],
) -> int:
    """Prove that a playbook ends, acts only inside a guard and after evidence, and that its names resolve."""
    given = assignments(param, "--param") or None
    known = specs()

    def check(name: str) -> bool:
        wanted = incident or _own_incident(name)
        profile = parse_incident(*library.read_incident(wanted), given)
        text, file = library.read_playbook(name, wanted)
        book = parse_playbook(text, file, known)
        found = verify(book, incident=profile, check_query=check_query, specs=known)
        for warning in found.warnings:
            say(f"warning: {warning.shown(file)}")
        for problem in found.problems:
            say(f"error: {problem.shown(file)}")
        data(
            f"{name}: {'in order' if found.ok else 'REFUSED'}; one host takes at most {found.worst_case / 60:.0f} min"
            + "".join(f"; cannot be undone: {step}" for step in found.irreversible)
            + "".join(f"; needs: {privilege}" for privilege in found.privileges)
        )
        return found.ok

    return _checked(names, check)


def _checked(names: Sequence[str], check: Callable[[str], bool]) -> int:
    """Check each, whatever the others are like; one that cannot be read is refused."""
    refused = 0
    for name in names:
        try:
            refused += not check(name)
        except UsageError as error:
            say(f"error: {error}")
            data(f"{inert(name)}: REFUSED")
            refused += 1
    return 2 if refused else 0


def _own_incident(playbook: str) -> str:
    """The incident that a bundled playbook belongs to, else the one that playbooks are tried against."""
    own, _, name = playbook.partition("/")
    return own if name and playbook in library.playbook_names() else DEFAULT_INCIDENT


@incident_app.command("list")
def list_incidents(output: Output = "text") -> None:
    """The bundled incident profiles."""
    shape = form(output, "text", "json", "jsonl", "csv")
    rows = [
        _incident_row(name, parse_incident(*library.read_incident(name)))
        for name in library.incident_names()
    ]
    if shape != "text":
        documents(rows, shape)
        return
    columns = ("systems", "artifact", "remedies", "parameters")
    table(
        ("incident", *columns, "title"),
        [
            (row["name"], *(", ".join(row[column]) for column in columns), row["title"])
            for row in rows
        ],
    )


def _incident_row(name: str, incident: Incident) -> dict[str, Any]:
    platforms = incident.platforms.values()
    remedies = (remedy.kind for platform in platforms for remedy in platform.remedies.values())
    return {
        "schema": 1,
        "name": name,
        "title": incident.title,
        "systems": list(incident.platforms),
        "artifact": list(dict.fromkeys(platform.artifact.kind for platform in platforms)),
        "remedies": list(dict.fromkeys(remedies)),
        "parameters": list(incident.parameters),
        "unknowns": list(incident.unknowns),
    }


@incident_app.command("show")
def show_incident(name: str, output: Output = "text") -> None:
    """The text of a profile, or the profile as it is read; what is not known of the incident is said beside it."""
    shape = form(output, "text", "json")
    text, file = library.read_incident(name)
    incident = parse_incident(text, file)
    if shape == "json":
        documents({"schema": 1, **msgspec.to_builtins(incident)}, shape)
        return
    data(text.rstrip("\n"))
    for unknown in incident.unknowns:
        say(f"not known: {unknown}")


@incident_app.command("check")
def check_incident(names: list[str], param: Param = []) -> int:
    """Whether a profile is safe to act by, and what is not known; without --param with its examples."""
    given = assignments(param, "--param")

    def check(name: str) -> bool:
        text, file = library.read_incident(name)
        incident = parse_incident(text, file, given or None)
        found = verify_incident(incident)
        for problem in found.problems:
            say(f"error: {problem.shown(file)}")
        data(f"{name}: {'in order' if found.ok else 'REFUSED'}{_with(incident, given)}")
        for unknown in incident.unknowns:
            data(f"  not known: {unknown}")
        return found.ok

    return _checked(names, check)


def _with(incident: Incident, given: Mapping[str, str]) -> str:
    values = ", ".join(f"{name}={value}" for name, value in incident.values.items())
    if not values:
        return ""
    return f", with {values}" if given else f", with the examples {values}"


@incident_app.command("new")
def new_incident(
    name: str,
    kind: Annotated[
        str, typer.Option(help=f"What the bad thing is: {', '.join(SKELETONS)}.")
    ] = "files",
    into: Annotated[Path, typer.Option(help="The folder in which the profile's is made.")] = Path(),
) -> None:
    """Write a commented skeleton of a profile, to be filled in; never over one that is there."""
    file = write_skeleton(name, kind, into)
    data(str(file))
    say(f"fill in what says {PLACEHOLDER}, then: recovery incident check {file.parent}")


@app.command()
def schema(kind: Annotated[str, typer.Argument(help="inventory, incident or playbook.")]) -> None:
    """The JSON Schema of a file format, for editors."""
    if kind not in SCHEMAS:
        raise UsageError(f"there is no schema {kind!r}: {', '.join(SCHEMAS)}")
    data(json.dumps(SCHEMAS[kind](), indent=1))
