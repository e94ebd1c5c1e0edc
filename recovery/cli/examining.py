"""Commands that look at files and disks instead of hosts."""

from __future__ import annotations

import getpass
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import typer

from recovery import redact
from recovery.cli.main import app
from recovery.cli.output import Form, data, documents, inert, say, table
from recovery.cli.shared import (
    Inventory,
    JournalOption,
    Output,
    Param,
    assignments,
    form,
    service,
    user,
)
from recovery.errors import UsageError
from recovery.model.secret import Secret
from recovery.planning import DEFAULT_INCIDENT, read_incident
from recovery.worlds import SystemClock

if TYPE_CHECKING:
    from recovery.disk.fixing import Fixed
    from recovery.service import Service


_KeyStdin = Annotated[
    bool,
    typer.Option("--key-stdin", help="Read a BitLocker recovery password from standard input."),
]
_HeldOff = Annotated[
    bool,
    typer.Option(help="A raw image may be open in a virtual machine whose guest does not run."),
]
_DiskHost = Annotated[
    str, typer.Option(help="Whose disk it is: `recovery explain HOST` tells of it then.")
]
_LONGEST_NAME = 253
"""Characters of a host's name (RFC 1035)."""


@app.command("evidence")
def evidence(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(
            help="Crash dumps, event logs (.evtx), event XML, pictures of consoles, folders; - is standard input."
        ),
    ],
    incident: Annotated[
        str, typer.Option(help="Look in dumps for the modules that this profile names.")
    ] = "",
    ocr: Annotated[
        Literal["auto", "rapidocr", "tesseract", "none"] | None,
        typer.Option(help="Who reads the text of pictures; auto takes what is installed."),
    ] = None,
    param: Param = [],
    output: Output = "text",
) -> int:
    """What each file proves: crashes, stop codes, what a screen shows. Damaged files are read as far as they go."""
    from recovery.report.evidence import file_row
    from recovery.service.examining import examine

    shape = form(output, "text", "json", "jsonl")
    given = assignments(param, "--param")
    modules = read_incident(incident, given)[0].crash.modules if incident else ()
    stdin = sys.stdin.buffer if "-" in files and sys.stdin is not None else None
    engine = ocr or service(context).settings.ocr
    examined = examine(files, modules=modules, stdin=stdin, engine=engine)
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


@app.command("fix-disk")
def fix_disk(
    context: typer.Context,
    disk: Annotated[
        str, typer.Argument(help="The folder at which it is mounted, or its image (as root).")
    ],
    incident: Annotated[
        str, typer.Option(help="The incident whose file remedy is carried out.")
    ] = DEFAULT_INCIDENT,
    param: Param = [],
    undo: Annotated[bool, typer.Option("--undo", help="Put back what was moved.")] = False,
    check: Annotated[bool, typer.Option("-C", "--check", help="Change nothing.")] = False,
    key_stdin: _KeyStdin = False,
    held_off: _HeldOff = False,
    host: _DiskHost = "",
    inventory: Inventory = [],
    output: Output = "text",
    journal: JournalOption = "",
) -> int:
    """Apply the incident's file remedy to the disk of a machine that is off, into its own quarantine."""
    from recovery.service import disks, examining

    shape = form(output, "text", "json", "jsonl")
    ask = examining.DiskFix(
        intent=f"offline-{SystemClock().now():%Y%m%d-%H%M%S-%f}",
        undo=undo,
        check=check,
        key=_key() if key_stdin else None,
        held_off=held_off,
    )
    if ask.key:
        redact.register(ask.key)
    profile = read_incident(incident, assignments(param, "--param"))[0]
    acting = service(context, journal)
    of = disks.DiskOf(host=_checked_name(acting, host, inventory), by=user())
    found, left_out = disks.written_fix(acting.settings.journal, disk, profile, ask, of)
    _tell_fixed(found, left_out, shape)
    return 4 if any(item.outcome == "refused" for item in found) else 0


def _checked_name(acting: Service, host: str, inventory: list[str]) -> str:
    """A host that stands in the inventory, where there is one; else a name that can be one."""
    known = tuple(inventory) or acting.settings.inventory
    if host and known:
        return acting.host(known, host).name
    if not host.isprintable() or len(host) > _LONGEST_NAME:
        raise UsageError("--host is a host's name, in printable characters")
    return host


def _tell_fixed(found: Sequence[Fixed], left_out: Sequence[str], shape: Form) -> None:
    for reason in left_out:
        say(f"left out: {inert(reason)}")
    if shape != "text":
        documents([msgspec.to_builtins(item) for item in found], shape)
    for item in found if shape == "text" else ():
        data(f"{item.os} in {inert(item.place)}: {item.outcome}, {inert(item.message)}")
        for file in item.moved:
            data(f"  {inert(file.path)}  {file.sha256}")
        for reason in item.refused:
            data(f"  refused: {inert(reason)}")


def _key() -> Secret:
    """The recovery password, eight groups of six digits; at a terminal it is not shown."""
    if sys.stdin is not None and sys.stdin.isatty():
        text = getpass.getpass("BitLocker recovery password: ")
    else:
        text = (sys.stdin.readline(200) if sys.stdin is not None else "").strip()
    digits = text.replace("-", "").replace(" ", "")
    if not re.fullmatch(r"\d{48}", digits):
        raise UsageError(
            "a recovery password has eight groups of six digits; what was given has not"
        )
    return Secret("-".join(digits[at : at + 6] for at in range(0, 48, 6)))


def triage_disk(name: str, incident: str, given: Mapping[str, str], output: str) -> int:
    """What a mounted disk proves: one row for each system on it."""
    from recovery.report.evidence import disk_row
    from recovery.service.examining import examine_disk

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
    _tell_picture(row)
    if isinstance(row.get("crashes"), list):
        data(f"  {_crashes(row['crashes'])}")
    for problem in problems if isinstance(problems, list) else ():
        data(f"  {'damaged: ' if row['damaged'] else ''}{inert(problem)}")


def _tell_picture(row: dict[str, object]) -> None:
    """What a picture shows beside its meaning, which stands above."""
    if row["kind"] != "picture":
        return
    sure = f"{float(str(row['confidence'])):.0%} sure"
    by = f", read by {row['read_by']}" if row["read_by"] else ""
    key = f", key id {row['key_id']}" if row["key_id"] else ""
    data(f"  {row['label']}, {sure}{by}{inert(key)}")


def _crashes(crashes: object) -> str:
    """How many crashes the records of a log add up to."""
    count = len(crashes) if isinstance(crashes, list) else 0
    return f"tells of {count or 'no'} crash{'' if count == 1 else 'es'}"
