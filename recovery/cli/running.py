"""Commands that begin runs, or go on with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from recovery.cli.endings import Told, journal_lost, tell_end
from recovery.cli.examining import triage_disk
from recovery.cli.exposure import tell_after
from recovery.cli.main import app
from recovery.cli.narrate import Interrupts, confirm, observer, step_shown
from recovery.cli.output import Form, data, documents, inert, say
from recovery.cli.shared import (
    Inventory,
    JournalOption,
    Limit,
    Output,
    Param,
    Verbose,
    assignments,
    form,
    service,
    sources,
    user,
)
from recovery.engine.outcome import Ending
from recovery.engine.run import Run
from recovery.errors import JournalError, RefusedError, UsageError
from recovery.inventory.ranges import fold
from recovery.journal.store import MEMORY
from recovery.model.events import AnyEvent
from recovery.planning import DEFAULT_INCIDENT, Prepared, Request, changes_of
from recovery.programs import words_of
from recovery.report.changes import Changes
from recovery.service import Service

_WAVES_SHOWN = 8

IncidentOption = Annotated[
    str,
    typer.Option(
        "--incident",
        help="Incident profile, by name or path (without it, the settings' or crowdstrike-291).",
    ),
]
Mock = Annotated[
    bool,
    typer.Option("--mock", help="Run on the mock twin of the inventory; nothing real is touched."),
]
Speed = Annotated[
    str, typer.Option("--speed", help="Of the twin: max, realtime, or a factor such as 60x.")
]
Seed = Annotated[int, typer.Option("--seed", help="Of the twin: the same seed gives the same run.")]
Mix = Annotated[
    str,
    typer.Option(
        "--mix",
        help="Fault mix of the twin; NAME.mix.yaml beside the inventory is found by itself.",
    ),
]
Check = Annotated[
    bool, typer.Option("-C", "--check", "--dry-run", help="Only read, and say what would be done.")
]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Begin without asking.")]
Forks = Annotated[
    int,
    typer.Option(
        "-f", "--forks", "--concurrency", min=0, help="Hosts at once (0: as the playbook says)."
    ),
]
Set = Annotated[
    list[str],
    typer.Option(
        "--set", help="Replace a value of the playbook: strategy.soak=0s, settle.for=10s."
    ),
]
Diff = Annotated[
    bool,
    typer.Option(
        "-D", "--diff", help="Show what was changed on each host; with -C, what would be changed."
    ),
]
RunId = Annotated[str, typer.Option("--id", help="Id of the new run (without it, one is made).")]
PlanOption = Annotated[
    str,
    typer.Option(
        "--plan", help="Begin only if the plan is still the one of this digest (plan -o json)."
    ),
]
ListHosts = Annotated[
    bool, typer.Option("--list-hosts", help="Print the hosts that are selected, and end.")
]
BlockerOption = Annotated[
    str,
    typer.Option(
        "--blocker",
        help="Program with its arguments, or URL, that says whether machines may be changed now.",
    ),
]


@app.command("run")
def run_playbook(
    context: typer.Context,
    playbook: Annotated[str, typer.Argument(help="Playbook, by name or path.")],
    inventory: Inventory = [],
    limit: Limit = [],
    incident: IncidentOption = "",
    mock: Mock = False,
    speed: Speed = "max",
    seed: Seed = 0,
    mix: Mix = "",
    check: Check = False,
    yes: Yes = False,
    forks: Forks = 0,
    set_: Set = [],
    param: Param = [],
    list_hosts: ListHosts = False,
    blocker: BlockerOption = "",
    diff: Diff = False,
    id_: RunId = "",
    plan_: PlanOption = "",
    output: Output = "text",
    journal: JournalOption = "",
    verbose: Verbose = 0,
) -> int:
    """Carry a playbook out on the selected hosts."""
    shape = form(output, "text", "json", "jsonl")
    acting = service(context, journal)
    request = Request(
        playbook=playbook,
        **_wanted(acting, inventory, limit, incident),
        **_values(set_, param),
        mock=mock, speed=speed, seed=seed, mix=mix, check=check, run=id_, plan=plan_,
        concurrency=forks or acting.settings.concurrency or 0,
        blocker=_blocker(blocker) or acting.settings.blocker,
    )  # fmt: skip
    prepared = acting.prepare(request)
    if list_hosts:
        return _list_hosts(prepared, shape)
    return begin(acting, prepared, shape, verbose, yes=yes, diff=diff)


def _list_hosts(prepared: Prepared, shape: Form) -> int:
    if shape == "text":
        for name in prepared.order:
            data(inert(name))
    else:
        documents([{"schema": 1, "name": name} for name in prepared.order], shape)
    return 0


@app.command()
def triage(
    context: typer.Context,
    inventory: Inventory = [],
    limit: Limit = [],
    offline: Annotated[
        str,
        typer.Option(help="Look at the disk that is mounted at this folder instead of at hosts."),
    ] = "",
    incident: IncidentOption = "",
    mock: Mock = False,
    speed: Speed = "max",
    seed: Seed = 0,
    mix: Mix = "",
    forks: Forks = 0,
    param: Param = [],
    output: Output = "text",
    journal: JournalOption = "",
    verbose: Verbose = 0,
) -> int:
    """Find out what state the hosts are in, or what the disk of one proves. Changes nothing."""
    if offline:
        _check_alone(inventory, limit, mock)
        return _offline(context, offline, incident, param, output)
    return run_playbook(
        context, "triage", inventory, limit, incident, mock, speed, seed, mix, yes=True,
        forks=forks, param=param, output=output, journal=journal, verbose=verbose,
    )  # fmt: skip


def _check_alone(inventory: list[str], limit: list[str], mock: bool) -> None:
    if inventory or limit or mock:
        raise UsageError("--offline looks at one mounted disk: it takes no -i, -l and --mock")


def _offline(
    context: typer.Context, offline: str, incident: str, param: list[str], output: str
) -> int:
    profile = incident or service(context).settings.incident or DEFAULT_INCIDENT
    return triage_disk(offline, profile, assignments(param, "--param"), output)


@app.command()
def race(
    context: typer.Context,
    inventory: Inventory = [],
    limit: Limit = [],
    incident: IncidentOption = "",
    mock: Mock = False,
    speed: Speed = "max",
    seed: Seed = 0,
    mix: Mix = "",
    yes: Yes = False,
    forks: Forks = 0,
    blocker: BlockerOption = "",
    diff: Diff = False,
    param: Param = [],
    output: Output = "text",
    journal: JournalOption = "",
    verbose: Verbose = 0,
) -> int:
    """Apply the fix inside the seconds in which crash-looping hosts answer, then prove them."""
    return run_playbook(
        context, "race", inventory, limit, incident, mock, speed, seed, mix, yes=yes, forks=forks,
        param=param, blocker=blocker, diff=diff, output=output, journal=journal, verbose=verbose,
    )  # fmt: skip


@app.command()
def plan(
    context: typer.Context,
    playbook: str,
    inventory: Inventory = [],
    limit: Limit = [],
    incident: IncidentOption = "",
    set_: Set = [],
    param: Param = [],
    mock: Mock = False,
    check: Check = False,
    output: Output = "text",
    journal: JournalOption = "",
) -> int:
    """Show what a run would do: hosts, waves, the longest time for one host, what cannot be undone."""
    shape = form(output, "text", "json")
    acting = service(context, journal)
    request = Request(
        playbook=playbook,
        **_wanted(acting, inventory, limit, incident),
        **_values(set_, param),
        mock=mock,
        check=check,
    )
    prepared = acting.prepare(request)
    for warning in prepared.warnings:
        say(f"warning: {warning}")
    if shape == "json":
        documents(_plan_document(prepared), "json")
        return 0
    for line in plan_lines(prepared):
        data(line)
    return 0


def _plan_document(prepared: Prepared) -> dict[str, Any]:
    return {
        "schema": 1,
        "digest": prepared.digest,
        "playbook": prepared.playbook.name,
        "incident": prepared.incident.name,
        "check": prepared.request.check,
        "mock": prepared.request.mock,
        "parameters": dict(prepared.incident.values),
        "total": len(prepared.order),
        "order": list(prepared.order),
        "waves": list(prepared.waves),
        "worst_case_seconds": prepared.report.worst_case,
        "irreversible": [] if prepared.request.check else list(prepared.report.irreversible),
        "privileges": list(prepared.report.privileges),
    }


def plan_lines(prepared: Prepared) -> list[str]:
    """The plan in words."""
    waves = ", ".join(f"{size}" for size in prepared.waves[:_WAVES_SHOWN]) + (
        " …" if len(prepared.waves) > _WAVES_SHOWN else ""
    )
    lines = [
        inert(f"{prepared.playbook.name}: {prepared.playbook.summary}"),
        inert(f"incident: {prepared.incident.title}"),
        f"{len(prepared.order)} hosts: {fold(prepared.order)}",
        "steps: " + ", ".join(map(step_shown, prepared.playbook.steps)),
    ]
    if prepared.incident.values:
        given = ", ".join(f"{name}={value}" for name, value in prepared.incident.values.items())
        lines.insert(2, f"parameters: {given}")
    if prepared.playbook.changes:
        lines.append(f"waves of at most {waves} changed hosts")
    lines.append(
        f"one host takes at most {prepared.report.worst_case / 60:.0f} min of work, waiting for dark hosts not counted"
    )
    if prepared.request.check:
        lines.append("only a look: hosts that end as done are those that a run would change")
    else:
        lines += [f"cannot be undone: {step}" for step in prepared.report.irreversible]
    return lines


def begin(
    acting: Service,
    prepared: Prepared,
    shape: Form,
    verbose: int,
    *,
    yes: bool,
    diff: bool = False,
) -> int:
    """Ask, begin, tell, and end with the run's exit code."""
    for warning in prepared.warnings:
        say(f"warning: {warning}")
    changes = prepared.playbook.changes and not prepared.request.mock
    words = "\n".join(plan_lines(prepared))
    if changes and not confirm(words, len(prepared.order), yes=yes):
        raise RefusedError(
            f"nothing was begun: {prepared.playbook.name} changes {len(prepared.order)} hosts and was not confirmed; "
            "--yes begins without asking"
        )
    if shape == "text":
        say(words)
    code = carry_out(
        acting,
        shape,
        verbose,
        lambda see, started: acting.execute(prepared, see, started),
        changes_of(prepared) if diff else None,
    )
    tell_after(prepared, acting, shape)
    return code


def carry_out(
    acting: Service,
    shape: Form,
    verbose: int,
    work: Callable[[Callable[[AnyEvent], None], Callable[[Run], None]], Ending],
    changes: Changes | None = None,
) -> int:
    """Do the work of a run under the eyes of the operator, and end with its exit code."""
    runs: list[str] = []
    started: list[Run] = []
    see = observer(shape, verbose)

    def watch(event: AnyEvent) -> None:
        if not runs:
            runs.append(event.run)
        if changes is not None:
            changes.add(event)
        see(event)

    with Interrupts() as interrupts:

        def begun(run: Run) -> None:
            started.append(run)
            interrupts.watch(run)

        try:
            ending = work(watch, begun)
        except JournalError as error:
            if not (started and started[0].context.states):
                raise
            return journal_lost(acting.settings.journal, runs[0], started[0], error)
    journal = acting.settings.journal
    head = "" if journal == MEMORY else acting.head().head
    told = Told(journal, runs[0] if runs else "", ending, shape, head)
    tell_end(told, started[0].context.states, changes)
    return ending.code


def _blocker(text: str) -> tuple[str, ...]:
    if not text:
        return ()
    try:
        return words_of(text)
    except ValueError as error:
        raise UsageError(f"--blocker {text!r}: {error}") from None


def _wanted(
    acting: Service, inventory: list[str], limit: list[str], incident: str
) -> dict[str, Any]:
    """Which hosts, in which incident, and who asks."""
    return {
        "inventory": sources(acting, inventory),
        "incident": incident or acting.settings.incident or DEFAULT_INCIDENT,
        "limits": tuple(limit),
        "by": user(),
    }


def _values(set_: list[str], param: list[str]) -> dict[str, Any]:
    """What is replaced in the playbook, and given to the profile."""
    return {
        "overrides": assignments(set_, "--set"),
        "parameters": assignments(param, "--param"),
    }
