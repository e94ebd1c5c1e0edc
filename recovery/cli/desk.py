"""Commands of the desk: tickets, spreadsheets, restarts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from recovery.cli.main import app
from recovery.cli.output import data, documents, inert, say, table
from recovery.cli.shared import Inventory, JournalOption, Limit, Output, form, service, user
from recovery.documents import duration
from recovery.errors import EmptySelectionError, UsageError
from recovery.model.ticket import Stage, Ticket, is_overdue

if TYPE_CHECKING:
    from recovery.desk.queue import Job
    from recovery.desk.rules import Who
    from recovery.service.desk import Desk

desk_app = typer.Typer(
    help="The technicians' desk: tickets of hosts that need hands, restarts, recovery keys.",
    no_args_is_help=True,
)
app.add_typer(desk_app, name="desk")

Tech = Annotated[str, typer.Option("--tech", help="The technician.")]
Lead = Annotated[
    str, typer.Option("--lead", help="Act as this lead for the technician, also against a holder.")
]
Lasts = Annotated[str, typer.Option("--for", help="How long the claim holds: 45m, 2h.")]
Restarts = Annotated[
    int, typer.Option("--restarts", min=0, help="How often the machine was restarted.")
]


def desk_of(context: typer.Context, journal: str = "", inventory: list[str] | None = None) -> Desk:
    """The desk; says so where its hosts are simulated ones."""
    desk = service(context, journal).desk(tuple(inventory or ()))
    if desk.mock:
        say("these are SIMULATED hosts: the latest run was on the mock twin")
    return desk


def who(tech: str, lead: str = "") -> Who:
    """Who acts, by name."""
    from recovery.desk import words
    from recovery.desk.rules import Who

    return Who(tech=words.name(tech), by=user(), lead=words.name(lead, "lead") if lead else "")


@desk_app.command("list")
def list_tickets(
    context: typer.Context,
    inventory: Inventory = [],
    site: Annotated[str, typer.Option(help="Only of this site.")] = "",
    tech: Annotated[str, typer.Option(help="Only those that this technician has.")] = "",
    stage: Annotated[str, typer.Option(help=f"Only in this stage: {', '.join(Stage)}.")] = "",
    output: Output = "text",
    journal: JournalOption = "",
) -> None:
    """The tickets, the best next ones first; proven ones last."""
    shape = form(output, "text", "json", "jsonl", "csv")
    if stage and stage not in list(Stage):
        raise UsageError(f"--stage {stage}: expected one of {', '.join(Stage)}")
    desk = desk_of(context, journal, inventory)
    jobs = [
        job
        for job in desk.jobs(desk.tickets())
        if (not site or job.site == site)
        and (not stage or job.ticket.stage == stage)
        and (not tech or job.ticket.owner == tech)
    ]
    jobs.sort(key=lambda job: (not job.ticket.is_open, -job.urgency, job.ticket.opened))
    if shape != "text":
        documents([row_of(job) for job in jobs], shape)
        return
    _tell_all(desk, jobs)


@desk_app.command()
def board(
    context: typer.Context,
    inventory: Inventory = [],
    output: Output = "text",
    journal: JournalOption = "",
) -> None:
    """The figures: how many tickets stand where."""
    shape = form(output, "text", "json")
    found = desk_of(context, journal, inventory).board()
    if shape == "json":
        counts = {name: getattr(found, name) for name in found.__struct_fields__ if name != "sites"}
        documents({"schema": 1, **counts, "sites": dict(found.sites)}, "json")
        return
    for stage in Stage:
        data(f"{getattr(found, stage.value):>6}  {stage.value.replace('_', ' ')}")
    data(f"{found.total:>6}  tickets; {found.techs} technicians hold one")
    if found.overdue:
        data(
            f"{found.overdue} are said to be done, and nothing proves it: recovery desk list --stage says_done"
        )
    for site, count in found.sites.items():
        data(f"{count:>6}  open at {inert(site) or '(no site)'}")


@desk_app.command()
def show(
    context: typer.Context,
    host: str,
    inventory: Inventory = [],
    output: Output = "text",
    journal: JournalOption = "",
) -> None:
    """One ticket with its checklist."""
    shape = form(output, "text", "json")
    desk = desk_of(context, journal, inventory)
    _tell(desk, desk.job(host), as_json=shape == "json")


@desk_app.command("next")
def next_ticket(
    context: typer.Context,
    tech: Tech,
    site: Annotated[str, typer.Option(help="Where the technician is.")] = "",
    near: Annotated[str, typer.Option(help="Location, so that the same floor comes first.")] = "",
    claim: Annotated[bool, typer.Option("--claim", help="Claim it at once.")] = False,
    inventory: Inventory = [],
    output: Output = "text",
    journal: JournalOption = "",
) -> None:
    """The best ticket for a technician: what it costs for each minute that it takes, the way included."""
    shape = form(output, "text", "json")
    desk = desk_of(context, journal, inventory)
    mine = [t.host for t in desk.tickets() if t.holder(desk.clock.now()) == tech]
    if mine:
        say(f"{tech} already has {', '.join(map(inert, mine))}")
    job = desk.next(tech, site, near, user(), take=claim)
    if job is None:
        raise EmptySelectionError(f"no ticket waits{f' at {site}' if site else ''}")
    _tell(desk, job, as_json=shape == "json")
    if not claim:
        say(f"take it: recovery desk claim {inert(job.ticket.host)} --tech {inert(tech)}")


@desk_app.command("claim")
def claim_ticket(
    context: typer.Context,
    host: str,
    tech: Tech,
    lasts: Lasts = "",
    lead: Lead = "",
    journal: JournalOption = "",
) -> None:
    """Take a ticket: nobody else gets it until the claim ends."""
    desk = desk_of(context, journal)
    _say(desk.claim(host, who(tech, lead), _lease(lasts)), desk)


@desk_app.command()
def onsite(
    context: typer.Context, host: str, tech: Tech, lasts: Lasts = "", journal: JournalOption = ""
) -> None:
    """Stand in front of the machine."""
    desk = desk_of(context, journal)
    _say(desk.on_site(host, who(tech), _lease(lasts)), desk)


@desk_app.command()
def tried(
    context: typer.Context,
    host: str,
    tech: Tech,
    reason: Annotated[str, typer.Option(help="What was tried, and what came of it.")],
    restarts: Restarts = 0,
    journal: JournalOption = "",
) -> None:
    """Note a try that did not help."""
    desk = desk_of(context, journal)
    _say(desk.tried(host, who(tech), reason, restarts), desk)


@desk_app.command()
def done(
    context: typer.Context,
    host: str,
    tech: Tech,
    restarts: Restarts = 0,
    journal: JournalOption = "",
) -> None:
    """Say that it is done: a claim, until the machine proves it."""
    desk = desk_of(context, journal)
    _say(desk.done(host, who(tech), restarts), desk)
    say(f"not proven yet: recovery run prove -i INVENTORY -l {inert(host)}")


@desk_app.command()
def release(
    context: typer.Context,
    host: str,
    tech: Annotated[str, typer.Option("--tech", help="The technician who has it.")] = "",
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    lead: Lead = "",
    journal: JournalOption = "",
) -> None:
    """Give a ticket back to the queue."""
    desk = desk_of(context, journal)
    _say(desk.release(host, who(tech or lead, lead), reason), desk)


@desk_app.command()
def escalate(
    context: typer.Context,
    host: str,
    to: Annotated[str, typer.Option(help="Who decides now: a lead, a team, a vendor.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    tech: Annotated[str, typer.Option("--tech", help="The technician who has it.")] = "",
    lead: Lead = "",
    journal: JournalOption = "",
) -> None:
    """Leave a ticket to somebody else."""
    desk = desk_of(context, journal)
    _say(desk.escalate(host, who(tech or lead, lead), to, reason), desk)


@desk_app.command()
def add(
    context: typer.Context,
    hosts: Annotated[list[str], typer.Argument(help="Names; no inventory has to know them.")] = [],
    reason: Annotated[str, typer.Option(help="Why they need hands.")] = "found by a person",
    site: Annotated[str, typer.Option(help="Where they stand.")] = "",
    location: Annotated[str, typer.Option(help="Floor, room, gate.")] = "",
    inventory: Inventory = [],
    limit: Limit = [],
    journal: JournalOption = "",
) -> None:
    """Open tickets: for machines that are named, or for those of an inventory that -l selects."""
    desk = desk_of(context, journal, inventory)
    named = list(hosts)
    if limit:
        fleet = service(context, journal).hosts(inventory, limit)[1]
        named += [host.name for host in fleet.hosts] if fleet else []
    if not named:
        raise UsageError("which hosts? name them, or select them: -i FILE -l 'verdict=dark'")
    fresh = desk.add(named, reason, site=site, location=location, by=user())
    say(f"{len(fresh)} tickets opened, {len(set(named)) - len(fresh)} hosts had one")


def row_of(job: Job) -> dict[str, Any]:
    """A ticket as a row for programs and spreadsheets."""
    ticket = job.ticket
    return {
        "host": ticket.host,
        "stage": ticket.stage.value,
        "owner": ticket.owner if ticket.stage is not Stage.WAITING else "",
        "site": job.site,
        "location": job.location,
        "service": job.service,
        "reason": ticket.reason,
        "verdict": ticket.verdict.value,
        "runbook": job.runbook,
        "minutes": job.minutes,
        "worth": round(job.worth, 2),
        "tries": ticket.tries,
        "returns": ticket.returns,
        "refuted": ticket.refuted,
        "opened": f"{ticket.opened:%Y-%m-%dT%H:%M:%SZ}",
        "since": f"{ticket.since:%Y-%m-%dT%H:%M:%SZ}",
        "until": f"{ticket.until:%Y-%m-%dT%H:%M:%SZ}" if ticket.until else "",
    }


def _tell_all(desk: Desk, jobs: list[Job]) -> None:
    table(
        ("host", "stage", "owner", "site", "location", "verdict", "tries", "min", "runbook", "why"),
        [
            (
                job.ticket.host,
                _shown_stage(job.ticket, desk),
                job.ticket.owner if job.ticket.stage is not Stage.WAITING else "",
                job.site,
                job.location,
                job.ticket.verdict,
                job.ticket.tries or "",
                job.minutes,
                job.runbook,
                job.ticket.reason,
            )
            for job in jobs
        ],
    )


def _tell(desk: Desk, job: Job, *, as_json: bool) -> None:
    ticket = job.ticket
    if as_json:
        tries = [msgspec.to_builtins(each) for each in ticket.attempts]
        more = {
            "title": job.title,
            "steps": list(job.steps),
            "kit": list(job.kit),
            "attempts": tries,
        }
        documents({"schema": 1, **row_of(job), **more}, "json")
        return
    place = ", ".join(filter(None, (job.site, job.location))) or "nobody said where"
    data(f"{inert(ticket.host)}  {_shown_stage(ticket, desk)}  {inert(place)}")
    holder = ticket.holder(desk.clock.now())
    if holder:
        data(f"held by {inert(holder)} until {ticket.until:%H:%M} UTC")
    data(f"verdict {ticket.verdict}: {inert('; '.join(ticket.because) or ticket.reason)}")
    data(
        f"{inert(job.title)}, about {job.minutes} minutes; take along: {inert(', '.join(job.kit)) or 'nothing'}"
    )
    for number, step in enumerate(job.steps, 1):
        data(f"  [ ] {number}. {inert(step)}")
    for each in ticket.attempts:
        data(f"  tried {each.at:%H:%M} by {inert(each.tech)}: {inert(each.reason)}")


def _shown_stage(ticket: Ticket, desk: Desk) -> str:
    late = ", unproven for long" if is_overdue(ticket, desk.clock.now()) else ""
    return ticket.stage.value.replace("_", " ") + late


def _say(ticket: Ticket, desk: Desk) -> None:
    until = f" until {ticket.until:%H:%M} UTC" if ticket.until else ""
    owner = f", {ticket.owner}{until}" if ticket.owner and ticket.stage is not Stage.WAITING else ""
    say(inert(f"{ticket.host}: {_shown_stage(ticket, desk)}{owner}"))


def _lease(text: str) -> timedelta:
    from recovery.desk.rules import LEASE

    try:
        lasts = timedelta(seconds=duration(text, "--for")) if text else LEASE
    except ValueError as error:
        raise UsageError(str(error)) from None
    if not lasts:
        raise UsageError(f"--for {text}: a claim that ends at once holds nothing")
    return lasts
