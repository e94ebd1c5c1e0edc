"""Commands that look: hosts, status, events, runs, inventories, playbooks, incidents, schemas, settings."""

from __future__ import annotations

import json
import resource
import shutil
from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from recovery import __version__
from recovery.cli.main import app
from recovery.cli.output import Form, data, documents, inert, say, stored_line, table
from recovery.cli.shared import Inventory, JournalOption, Limit, Output, form, service
from recovery.journal import views
from recovery.journal.chain import Verified
from recovery.journal.store import MEMORY
from recovery.report.status import HOST_COLUMNS, host_rows
from recovery.service import Service
from recovery.settings import described, load
from recovery.worlds import plugin_warnings, winrm_means


@app.command()
def hosts(
    context: typer.Context,
    inventory: Inventory = [],
    limit: Limit = [],
    output: Output = "text",
    journal: JournalOption = "",
) -> None:
    """The hosts, with verdict, progress and what the verdict rests on."""
    shape = form(output, "text", "json", "jsonl", "csv")
    acting = service(context, journal)
    states, fleet = acting.hosts(inventory, limit)
    _is_simulated(acting)
    rows = host_rows(states, fleet)
    if shape != "text":
        documents(rows, shape, HOST_COLUMNS)
        return
    table(
        ("host", "verdict", "progress", "outcome", "because"),
        [
            (
                row["name"],
                row["verdict"],
                row["progress"],
                row["outcome"],
                "; ".join(row["because"]),
            )
            for row in rows
        ],
    )


@app.command()
def status(
    context: typer.Context,
    inventory: Inventory = [],
    output: Output = "text",
    journal: JournalOption = "",
) -> None:
    """How many hosts are in what state."""
    shape = form(output, "text", "json")
    acting = service(context, journal)
    found = {**acting.status(inventory), "mock": _is_simulated(acting)}
    if shape == "json":
        documents(found, "json")
        return
    data(f"{found['total']} hosts")
    for title in ("verdicts", "progress", "outcomes"):
        counts = ", ".join(f"{count} {name}" for name, count in found[title].items() if count)
        data(f"{title}: {counts or 'none'}")


@app.command()
def explain(
    context: typer.Context, host: str, output: Output = "text", journal: JournalOption = ""
) -> None:
    """What is known of a host, why its verdict is what it is, and how it came to that."""
    shape = form(output, "text", "json")
    acting = service(context, journal)
    state, lines = acting.explain(host)
    _is_simulated(acting)
    if shape == "json":
        documents(
            {
                "schema": 1,
                "name": host,
                "verdict": state.verdict.value,
                "progress": state.progress.value,
                "because": list(state.because),
                "outcome": state.outcome.value if state.outcome else "",
                "pictures": [str(path) for path in acting.pictures(host)],
                "timeline": msgspec.to_builtins(lines),
            },
            "json",
        )
        return
    data(f"{inert(host)}: {state.verdict}, {state.progress}")
    for reason in state.because:
        data(f"  because {inert(reason)}")
    for path in acting.pictures(host):
        what = "first crash" if path.name.startswith("crash-") else "newest"
        data(f"  picture of its screen, {what}: {inert(str(path))}")
    for line in lines:
        data(f"{line.at:%Y-%m-%d %H:%M:%S}  {line.run}  {inert(line.what)}")


@app.command()
def events(
    context: typer.Context,
    run: Annotated[str, typer.Option(help="Only of this run (id, beginning, last).")] = "",
    host: Annotated[str, typer.Option(help="Only about this host.")] = "",
    verify_: Annotated[
        bool, typer.Option("--verify", help="Check the hash chain over the whole journal.")
    ] = False,
    head: Annotated[
        str, typer.Option(help="With --verify: the hash that the journal must end with.")
    ] = "",
    output: Output = "text",
    journal: JournalOption = "",
) -> None:
    """The journal's events, or proof that it was not altered."""
    shape = form(output, "text", "json", "jsonl")
    with closing(service(context, journal).reading()) as log:
        if verify_:
            _tell_verified(log.verify(head), shape)
            return
        stored = log.read(run=log.find_run(run) if run else "", host=host)
        if shape == "json":
            documents([json.loads(stored_line(item.seq, item.event)) for item in stored], "json")
            return
        for item in stored:
            if shape == "jsonl":
                data(stored_line(item.seq, item.event))
            else:
                data(
                    f"{item.seq:>7}  {item.event.at:%Y-%m-%d %H:%M:%S}  {item.event.run}  {inert(item.event.host)}  "
                    f"{inert(views.describe(item.event))}"
                )


def _is_simulated(acting: Service) -> bool:
    """Whether what is shown are simulated hosts; says so, since nobody should take them for real ones."""
    there = acting.settings.journal == MEMORY or Path(acting.settings.journal).exists()
    runs = acting.runs() if there else []
    simulated = bool(runs) and runs[-1].mock
    if simulated:
        say("these are SIMULATED hosts: the latest run was on the mock twin")
    return simulated


def _tell_verified(found: Verified, shape: Form) -> None:
    if shape == "text":
        data(f"the chain holds over {found.count} events; head {found.head}")
    else:
        documents({"schema": 1, "events": found.count, "head": found.head}, shape)


@app.command()
def config(context: typer.Context, output: Output = "text") -> None:
    """The settings in force, and where each came from."""
    shape = form(output, "text", "json")
    shared = context.find_root().obj
    found = load(shared["config"], flags={"journal": shared["journal"] or None})
    rows = [
        {"name": name, "value": str(value), "from": origin}
        for name, value, origin in described(found)
    ]
    if shape == "json":
        documents({"schema": 1, "settings": rows}, "json")
    else:
        table(("name", "value", "from"), [tuple(row.values()) for row in rows])


@app.command()
def doctor(context: typer.Context) -> None:
    """What this machine offers, and what is missing."""
    settings = service(context).settings
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    data(f"recovery {__version__}")
    data(f"journal: {settings.journal}")
    data(f"open files: {soft} (may be raised to {hard})")
    for program in ("ssh", "ssh-agent"):
        data(f"{program}: {shutil.which(program) or 'not found'}")
    data(f"winrm: {', '.join(f'{name} {state}' for name, state in winrm_means().items())}")
    data(f"credentials: {', '.join(settings.credentials) or 'none'}")
    for warning in plugin_warnings():
        data(f"warning: {inert(warning)}")
