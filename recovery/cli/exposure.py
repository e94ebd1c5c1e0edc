"""What a fleet is exposed to, before an incident."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from recovery.cli.main import app
from recovery.cli.output import Form, data, documents, table
from recovery.cli.shared import Inventory, JournalOption, Limit, Output, form, service, sources
from recovery.planning import Prepared
from recovery.report.exposure import Exposed, rows, summary
from recovery.service import Service


@app.command()
def exposure(
    context: typer.Context,
    inventory: Inventory = [],
    limit: Limit = [],
    run: Annotated[str, typer.Option(help="Only by this run (id, beginning, last).")] = "",
    output: Output = "text",
    journal: JournalOption = "",
) -> None:
    """What could take the hosts down, and whether they could be helped: by the audits of `run exposure`."""
    shape = form(output, "text", "json", "jsonl", "csv")
    acting = service(context, journal)
    tell(acting.audited(sources(acting, inventory), limit, run), shape)


def tell_after(prepared: Prepared, acting: Service, shape: Form) -> None:
    """Print what a run with an audit among its steps has found, for people."""
    audits = any(step.name == "exposure" for step in prepared.playbook.steps)
    if audits and shape == "text":
        tell(acting.audited_fleet(prepared.fleet), shape)


def tell(found: Sequence[Exposed], shape: Form) -> None:
    """Print the audit: a row a host; as text and JSON with the counts by product and site."""
    if shape == "json":
        documents({**summary(found), "hosts": rows(found)}, "json")
        return
    if shape != "text":
        documents(rows(found), shape)
        return
    table(
        ("host", "os", "site", "could take it down", "from afar", "because"),
        [
            (
                each.host.name,
                each.host.os,
                each.host.site,
                each.could_take_down,
                each.recoverable,
                "; ".join(each.because),
            )
            for each in found
        ],
    )
    _counts(summary(found))


def _counts(counted: dict[str, dict[str, dict[str, int]]]) -> None:
    data("")
    table(
        ("product", "kernel", "ebpf", "user"),
        [(name, *ways.values()) for name, ways in counted["products"].items()],
    )
    data("")
    table(
        ("site", "hosts", "could be taken down", "unknown", "would need hands"),
        [(name, *figures.values()) for name, figures in counted["sites"].items()],
    )
