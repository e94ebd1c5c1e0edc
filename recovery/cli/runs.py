"""Commands about runs: list, show, resume, retry, pause, approve, cancel, export."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated, Any

import msgspec
import typer

from recovery.cli.main import app
from recovery.cli.output import data, documents, inert, say, stored_line, table
from recovery.cli.running import Yes, begin, carry_out
from recovery.cli.shared import JournalOption, Output, Verbose, form, service, user
from recovery.errors import UsageError
from recovery.journal import views
from recovery.journal.lease import holder
from recovery.worlds import SystemClock

runs_app = typer.Typer(
    help="Runs: list, show, resume, retry, pause, approve, cancel, export.", no_args_is_help=True
)
app.add_typer(runs_app, name="runs")


@runs_app.command("list")
def list_runs(context: typer.Context, output: Output = "text", journal: JournalOption = "") -> None:
    """All runs, oldest first."""
    shape = form(output, "text", "json", "jsonl", "csv")
    acting = service(context, journal)
    found = acting.runs()
    carrying = {
        item.run: holder(acting.settings.journal, item.run) for item in found if not item.finished
    }
    if shape != "text":
        rows = [{"schema": 1, **msgspec.to_builtins(item)} for item in found]
        for row in rows:
            row["carried_out_by"] = carrying.get(row["run"], "")
        documents(rows, shape, ("schema", *views.RunSummary.__struct_fields__, "carried_out_by"))
        return
    table(
        ("run", "playbook", "incident", "hosts", "began", "state"),
        [
            (
                item.run + (" (mock)" if item.mock else ""),
                item.playbook + (" (only a look)" if item.check else ""),
                item.incident,
                item.total,
                f"{item.started:%Y-%m-%d %H:%M}",
                item.exit_reason or carrying[item.run] or "open, nobody carries it out",
            )
            for item in found
        ],
    )


@runs_app.command("show")
def show_run(
    context: typer.Context, run: str, output: Output = "text", journal: JournalOption = ""
) -> None:
    """One run: where it stands, and what it waits for."""
    shape = form(output, "text", "json")
    acting = service(context, journal)
    view = acting.view(run)
    now = view.last or SystemClock().now()
    waits = [] if view.finished else views.waiting(view.states.values(), acting.steps_of(view), now)
    if shape == "json":
        documents(_run_document(view, waits), "json")
        return
    started = view.started
    if started is not None:
        data(f"{view.run}: {views.describe(started)}")
    for name, count in sorted(view.counts().items()):
        data(f"  {count} {name}")
    if view.wave:
        data(f"wave {view.wave}{'' if view.wave_open else ', ended'}")
    for question in view.asked:
        data(
            f"waits for approval: recovery runs approve {view.run} {question.gate}  ({inert(question.question)})"
        )
    for wait in waits:
        data(
            f"waiting: {wait.hosts} hosts before {wait.step}, "
            f"the longest for {wait.seconds:.0f} s ({inert(', '.join(wait.oldest))})"
        )
    if view.guard is not None:
        data(views.describe(view.guard))
    _tell_where_it_stands(view, acting.settings.journal)


def _tell_where_it_stands(view: views.RunView, journal: str) -> None:
    if view.finished:
        data(view.finished.exit_reason)
        return
    carrying = holder(journal, view.run)
    data(f"carried out by {carrying}" if carrying else f"open: recovery runs resume {view.run}")
    if carrying and view.held:
        data(inert(view.held))


def _run_document(view: views.RunView, waits: list[views.StepWait]) -> dict[str, Any]:
    return {
        "schema": 1,
        "run": view.run,
        "playbook": view.started.playbook if view.started else "",
        "check": view.started is not None and view.started.check,
        "total": view.started.total if view.started else 0,
        "counts": dict(view.counts()),
        "wave": view.wave,
        "waiting": msgspec.to_builtins(waits),
        "approvals": [question.gate for question in view.asked],
        "held": view.held,
        "guard": msgspec.to_builtins(view.guard),
        "finished": msgspec.to_builtins(view.finished),
        "resumed": view.resumed,
    }


@runs_app.command("resume")
def resume(
    context: typer.Context,
    run: str,
    speed: Annotated[str, typer.Option("--speed", help="Go on at this speed of the twin.")] = "",
    output: Output = "text",
    journal: JournalOption = "",
    verbose: Verbose = 0,
) -> int:
    """Go on with a run that was interrupted or killed, from its journal alone."""
    acting = service(context, journal)
    return carry_out(
        acting,
        form(output, "text", "json", "jsonl"),
        verbose,
        lambda see, started: acting.resume(run, see, started, by=user(), speed=speed),
    )


@runs_app.command("retry")
def retry(
    context: typer.Context,
    run: str,
    only: Annotated[
        str, typer.Option(help="Outcomes, with commas.")
    ] = "failed,unreachable,cancelled",
    yes: Yes = False,
    output: Output = "text",
    journal: JournalOption = "",
    verbose: Verbose = 0,
) -> int:
    """Begin a new run with the hosts of a run that were not done."""
    acting = service(context, journal)
    return begin(
        acting,
        acting.retry(run, only.split(",")),
        form(output, "text", "json", "jsonl"),
        verbose,
        yes=yes,
    )


@runs_app.command("pause")
def pause(context: typer.Context, run: str, journal: JournalOption = "") -> None:
    """Begin nothing new in a run until it is told to go on (runs unpause)."""
    acting = service(context, journal)
    _told(acting.command(run, "pause", by=user()), " is told to pause")


@runs_app.command("unpause")
def unpause(context: typer.Context, run: str, journal: JournalOption = "") -> None:
    """Let a paused run go on."""
    acting = service(context, journal)
    _told(acting.command(run, "resume", by=user()), " is told to go on")


@runs_app.command("abort")
def abort(context: typer.Context, run: str, journal: JournalOption = "") -> None:
    """Stop the process that carries the run out, with a checkpoint; `runs resume` goes on."""
    acting = service(context, journal)
    _told(acting.command(run, "abort", by=user()), " is told to stop")


@runs_app.command("cancel")
def cancel(context: typer.Context, run: str, journal: JournalOption = "") -> None:
    """End a run: hosts that were not begun are left alone, those in the middle go on to their end."""
    acting = service(context, journal)
    _told(acting.command(run, "cancel", by=user()), " is told to end")


@runs_app.command("approve")
def approve(
    context: typer.Context,
    run: str,
    gate: Annotated[str, typer.Argument(help="As `runs show` names it, such as wave:2.")],
    journal: JournalOption = "",
) -> None:
    """Let a run go on that waits for a person."""
    acting = service(context, journal)
    asked = [question.gate for question in acting.view(run).asked]
    if gate not in asked:
        raise UsageError(
            f"run {run} does not wait for {gate!r}; it waits for: {', '.join(asked) or 'nobody'}"
        )
    _told(acting.command(run, "approve", gate, by=user()), f": {gate} is approved")


def _told(heard: tuple[str, str], what: str) -> None:
    """Say what a run is told, and where nobody hears it."""
    run, carrier = heard
    say(f"{run}{what}")
    if not carrier:
        say(f"nobody carries it out: `recovery runs resume {run}` takes it up")


@runs_app.command("export")
def export(context: typer.Context, run: str, journal: JournalOption = "") -> None:
    """All events of a run, a line of JSON each."""
    with closing(service(context, journal).reading()) as log:
        for item in log.read(run=log.find_run(run)):
            data(stored_line(item.seq, item.event))
