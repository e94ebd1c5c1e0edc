"""Commands of the desk that read and write tables: spreadsheets, and restarts one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from recovery.cli.desk import desk_app, desk_of, row_of
from recovery.cli.output import documents, inert, say, table
from recovery.cli.shared import Inventory, JournalOption, Output, form, user
from recovery.errors import InputError, UsageError

if TYPE_CHECKING:
    from recovery.desk.reboots import Restart


@desk_app.command("import")
def import_sheet(
    context: typer.Context,
    file: str,
    skip: Annotated[
        bool, typer.Option("--skip-dubious", help="Take the other rows over, not none.")
    ] = False,
    inventory: Inventory = [],
    output: Output = "text",
    journal: JournalOption = "",
) -> None:
    """Take a spreadsheet over (CSV): in one piece or not at all, and the second time nothing changes."""
    from recovery.desk.sheet import MOST_BYTES, read_file, told

    shape = form(output, "text", "json")
    raw = typer.get_binary_stream("stdin").read(MOST_BYTES + 1) if file == "-" else read_file(file)
    if len(raw) > MOST_BYTES:
        raise InputError(f"larger than {MOST_BYTES} bytes", file=file)
    taken = desk_of(context, journal, inventory).take_over(raw, file, user(), skip=skip)
    if shape == "json":
        documents({"schema": 1, **msgspec.to_builtins(taken)}, "json")
    for line in (*told(taken.doubts, file), *taken.notes):
        say(inert(line))
    if not taken.done:
        raise UsageError(
            f"{len(taken.doubts)} rows of {file} are in doubt, so nothing was taken over; "
            "mend them, or leave them out: --skip-dubious"
        )
    say(
        f"{taken.rows} rows: {taken.opened} tickets opened, {taken.changed} changed, {taken.unchanged} as they were, "
        f"{len(taken.doubts)} left out"
    )


@desk_app.command("export")
def export_sheet(
    context: typer.Context,
    inventory: Inventory = [],
    output: Output = "csv",
    journal: JournalOption = "",
) -> None:
    """All tickets as a spreadsheet (CSV), with the columns of the one that was imported."""
    from recovery.desk.sheet import titles_first

    shape = form(output, "csv", "json", "jsonl")
    desk = desk_of(context, journal, inventory)
    jobs = desk.jobs(desk.tickets())
    rows = [row_of(job) for job in jobs]
    titles = titles_first(list(rows[0]) if rows else [], [job.ticket.sheet for job in jobs])
    whole = [
        {title: row.get(title, job.ticket.sheet.get(title, "")) for title in titles}
        for row, job in zip(rows, jobs, strict=True)
    ]
    documents(whole, shape)


@desk_app.command()
def reboots(
    context: typer.Context,
    host: Annotated[str, typer.Argument(help="Only of this host.")] = "",
    output: Output = "text",
    journal: JournalOption = "",
) -> None:
    """Restarts, one by one: who or what did each, planned or crash, and the proof."""
    from recovery.desk.reboots import HELPED

    shape = form(output, "text", "json", "jsonl", "csv")
    found = desk_of(context, journal).reboots(host)
    restarts = [restart for each in found.values() for restart in each]
    if shape != "text":
        documents([{"schema": 1, **msgspec.to_builtins(restart)} for restart in restarts], shape)
        return
    if host:
        _tell_each(restarts)
        return
    table(
        ("host", "restarts", "proven", "crashes", "by hand", f"of the {HELPED} that have helped"),
        [
            (
                name,
                len(each),
                sum(r.proven for r in each),
                sum(r.cause == "crash" for r in each),
                sum(r.cause == "by_hand" for r in each),
                f"{min(len(each), HELPED)}/{HELPED}",
            )
            for name, each in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
        ],
    )


def _tell_each(restarts: list[Restart]) -> None:
    table(
        ("#", "at", "cause", "who", "proof", "detail"),
        [
            (
                r.number,
                f"{r.at:%m-%d %H:%M:%S}",
                r.cause,
                r.who,
                _proof(r.before, r.after, proven=r.proven),
                r.detail,
            )
            for r in restarts
        ],
    )


def _proof(before: str, after: str, *, proven: bool) -> str:
    return f"{before[:13] or '?'} -> {after[:13]}" if proven else "none yet: a claim"
