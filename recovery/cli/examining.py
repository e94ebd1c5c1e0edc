"""Commands that look at files and disks instead of hosts."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from recovery.cli.main import app
from recovery.cli.output import data, documents, inert, say, table
from recovery.cli.shared import Output, Param, assignments, form
from recovery.worlds import SystemClock


@app.command("evidence")
def evidence(
    files: Annotated[
        list[str],
        typer.Argument(help="Crash dumps, event logs (.evtx), event XML; - is standard input."),
    ],
    incident: Annotated[
        str, typer.Option(help="Look in dumps for the modules that this profile names.")
    ] = "",
    param: Param = [],
    output: Output = "text",
) -> int:
    """What each file proves: crashes, restarts, stop codes. Damaged files are read as far as they go."""
    from recovery.planning import read_incident  # noqa: PLC0415
    from recovery.report.evidence import file_row  # noqa: PLC0415
    from recovery.service.examining import examine  # noqa: PLC0415 - readers are loaded when there is something to read

    shape = form(output, "text", "json", "jsonl")
    given = assignments(param, "--param")
    modules = read_incident(incident, given)[0].crash.modules if incident else ()
    stdin = sys.stdin.buffer if "-" in files and sys.stdin is not None else None
    examined = examine(files, modules=modules, stdin=stdin)
    for item in examined:
        if item.error:
            say(f"error: {inert(item.error)}")
    rows = [file_row(item.file, item.found) for item in examined]
    if shape == "text":
        for row in rows:
            _tell(row)
    else:
        documents(rows, shape)
    return 2 if any(item.error for item in examined) else 0


def triage_disk(name: str, incident: str, given: Mapping[str, str], output: str) -> int:
    """What a mounted disk proves: one row for each system on it."""
    from recovery.planning import read_incident  # noqa: PLC0415
    from recovery.report.evidence import disk_row  # noqa: PLC0415
    from recovery.service.examining import examine_disk  # noqa: PLC0415

    shape = form(output, "text", "json", "jsonl")
    profile = read_incident(incident, given)[0]
    rows = [
        disk_row(found, judged)
        for found, judged in examine_disk(name, profile, SystemClock().now())
    ]
    if shape != "text":
        documents(rows, shape)
        return 0
    table(
        ("host", "place", "verdict", "because"),
        [(row["name"], row["place"], row["verdict"], "; ".join(row["because"])) for row in rows],
    )
    for row in rows:
        for problem in row["problems"]:
            say(f"warning: {inert(problem)}")
    return 0


def _tell(row: dict[str, object]) -> None:
    records, problems = row["records"], row["problems"]
    said = f"; {row['meaning']}" if "meaning" in row else ""
    data(f"{inert(str(row['file']))}: {row['kind']}{said}")
    for record in records if isinstance(records, list) else ():
        at = str(record["at"] or "at a time not known")[:19].replace("T", " ")
        number = f"  event {record['event_id']}" if record["event_id"] is not None else ""
        data(f"  {at}{number}  {inert(record['meaning'])}")
    if isinstance(row.get("crashes"), list):
        data(f"  {_crashes(row['crashes'])}")
    for problem in problems if isinstance(problems, list) else ():
        data(f"  {'damaged: ' if row['damaged'] else ''}{inert(problem)}")


def _crashes(crashes: object) -> str:
    """How many crashes the records of a log add up to."""
    count = len(crashes) if isinstance(crashes, list) else 0
    return f"tells of {count or 'no'} crash{'' if count == 1 else 'es'}"
