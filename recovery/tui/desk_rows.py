"""The desk's tickets as the rows of a table, its figures, and one ticket in full. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec
from textual.content import Content

from recovery.desk.queue import Job
from recovery.model.evidence import Verdict
from recovery.model.host import Host
from recovery.model.ticket import FREE, DeskNumbers, Stage, Ticket, is_overdue
from recovery.tui.draw.figures import clock, count, lines
from recovery.tui.fleet_rows import age, shown, tone
from recovery.tui.inert import content
from recovery.tui.signs import STAGES, VERDICTS
from recovery.tui.snapshot import Snapshot
from recovery.tui.widgets.columns import Column


class TicketRow(NamedTuple):
    """One ticket as it stands now, with its place."""

    name: str
    """Of the host."""
    ticket: Ticket
    site: str
    location: str
    since: float
    """Seconds for which it has stood so."""
    overdue: bool
    """Said to be done for long, and nothing proves it."""


def rows_of(snapshot: Snapshot) -> list[TicketRow]:
    """A row for each ticket, those that were opened first in front."""
    return [_row(ticket, snapshot) for ticket in snapshot.tickets.values()]


def _row(ticket: Ticket, snapshot: Snapshot) -> TicketRow:
    now = ticket.at(snapshot.clock)
    host = snapshot.members.get(ticket.host) or _NOBODY
    return TicketRow(
        ticket.host,
        now,
        ticket.site or host.site,
        ticket.location or host.location,
        _since(now.since, snapshot),
        is_overdue(now, snapshot.clock),
    )


_NOBODY = Host(name="")


def _since(at: datetime, snapshot: Snapshot) -> float:
    """Machines of a twin go by its time, which begins anew with each run; people go by their own."""
    by_machines, by_people = snapshot.now - at, snapshot.clock - at
    nearer = by_people if abs(by_people) < abs(by_machines) else by_machines
    return max(0.0, nearer.total_seconds())


def owner(ticket: Ticket) -> str:
    """Who has it or answers for it; nobody while it waits."""
    return "" if ticket.stage in FREE else ticket.owner


def columns() -> tuple[Column, ...]:
    """The columns of the board."""
    return (
        Column("name", "Host", 12, 26, lambda row: row.name),
        Column("stage", "Stage", 12, 12, _stage, tone=lambda row: tone(STAGES[row.ticket.stage])),
        Column("owner", "Who", 7, 16, lambda row: owner(row.ticket), rank=1),
        Column("since", "Since", 5, 5, lambda row: age(row.since), rank=2, right=True),
        Column("tries", "Tried", 5, 5, _tries, rank=3, right=True),
        Column("until", "Until", 5, 5, _until, rank=4, right=True),
        Column("place", "Location", 8, 20, lambda row: row.location, rank=5),
        Column("verdict", "Verdict", 17, 17, _verdict, tone=_verdict_tone, rank=6),
        Column("reason", "Why", 10, 200, lambda row: row.ticket.reason, rank=7),
    )


def _stage(row: TicketRow) -> str:
    return shown(STAGES[row.ticket.stage]) + ("!" if row.overdue else "")


def _tries(row: TicketRow) -> str:
    return str(row.ticket.tries or "")


def _until(row: TicketRow) -> str:
    return f"{row.ticket.until:%H:%M}" if row.ticket.until else ""


def _verdict(row: TicketRow) -> str:
    return shown(VERDICTS[row.ticket.verdict])


def _verdict_tone(row: TicketRow) -> str:
    return tone(VERDICTS[row.ticket.verdict])


class Grouping(msgspec.Struct, frozen=True):
    """A way to put tickets under headings."""

    title: str
    key: Callable[[TicketRow], str]
    ranks: Mapping[str, int] = {}


PROVEN = shown(STAGES[Stage.PROVEN])
_ORDER = (
    *(Stage.CAME_BACK, Stage.ESCALATED, Stage.SAYS_DONE, Stage.ON_SITE),
    *(Stage.CLAIMED, Stage.WAITING, Stage.PROVEN),
)
"""What somebody has to look after stands above the many that wait."""
GROUPINGS: tuple[Grouping, ...] = (
    Grouping(
        "stage",
        lambda row: shown(STAGES[row.ticket.stage]),
        {shown(STAGES[stage]): place for place, stage in enumerate(_ORDER)},
    ),
    Grouping("site", lambda row: row.site),
    Grouping("technician", lambda row: owner(row.ticket)),
)


def figures(desk: DeskNumbers) -> Content:
    """How many tickets stand where, on two lines of at most 80 cells."""
    if not desk.total:
        return Content(" No host waits for a person.\n")
    stages = [
        Content.assemble(
            (f" {sign.symbol} ", sign.style if getattr(desk, name) else "$muted"),
            f"{sign.word} ",
            (count(getattr(desk, name)), "bold"),
        )
        for name, sign in STAGES.items()
    ]
    more = f"   tried {count(desk.tries)}"
    if desk.overdue:
        more += f", {count(desk.overdue)} unproven for long"
    second = [*stages[4:], Content.styled(more, "$warning" if desk.overdue else "$muted")]
    return lines([Content(" ").join(stages[:4]), Content(" ").join(second)])


def ticket_text(row: TicketRow, job: Job | None, why_not: str, snapshot: Snapshot) -> Content:
    """A ticket with its checklist; `why_not`: why there is no `job`, if that is known."""
    found = [*_head(row, snapshot), *_tried(row, snapshot), Content("")]
    if job is not None:
        found += _checklist(job)
    elif why_not:
        found.append(content(f"The checklist cannot be read: {why_not}", "$warning"))
    return lines(found)


def _head(row: TicketRow, snapshot: Snapshot) -> Iterator[Content]:
    ticket = row.ticket
    sign, verdict = STAGES[ticket.stage], VERDICTS[ticket.verdict]
    yield content(row.name, "bold")
    yield content(f"{row.site} {row.location}".strip() or "no known place")
    who = f", {owner(ticket)}" if owner(ticket) else ""
    until = f" until {clock(ticket.until, snapshot.clock)}" if ticket.until else ""
    yield content(f"{shown(sign)}{who}{until} for {age(row.since)}", sign.style)
    if row.overdue:
        yield content("! nothing proves it yet: x p looks", "$warning")
    if ticket.returns or ticket.refuted:
        yield content(
            f'came back {ticket.returns} times, "done" was wrong {ticket.refuted} times', "$warning"
        )
    yield content(f"Why: {ticket.reason or 'nobody said'}")
    yield content(f"Evidence: {shown(verdict)}", verdict.style)
    if ticket.verdict != Verdict.UNKNOWN:
        yield from (content(f"  · {reason}") for reason in ticket.because)


def _tried(row: TicketRow, snapshot: Snapshot) -> Iterator[Content]:
    ticket = row.ticket
    state = snapshot.hosts.get(row.name)
    by_program = f"{state.attempts} attempts, {state.reboots} restarts" if state else "nothing"
    yield content(f"Tried: {ticket.tries} by people; by the program {by_program}")
    for each in ticket.attempts:
        yield content(f"  {clock(each.at, snapshot.clock)} {each.tech}: {each.reason}")


def _checklist(job: Job) -> Iterator[Content]:
    yield content(f"{job.title} (about {job.minutes} min)", "bold $primary")
    yield content(f"Take: {', '.join(job.kit) or 'nothing'}", "$muted")
    for number, step in enumerate(job.steps, 1):
        yield content(f"{number:>2}. {step}")
    yield Content("")
    yield content("Done? Only evidence closes it: x p proves.", "$accent")
