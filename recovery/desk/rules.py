"""What may become of a ticket: each verb gives the event, or refuses. Pure; the time is an argument.

The service asks them inside the journal's transaction, so that two people who want the same ticket are told one after
the other.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from recovery.desk import words
from recovery.errors import RefusedError
from recovery.model.desk_events import (
    AnyDeskEvent,
    TicketClaimed,
    TicketEscalated,
    TicketOnSite,
    TicketReleased,
    TicketSaidDone,
    TicketTried,
)
from recovery.model.ticket import HELD, Stage, Ticket

LEASE = timedelta(hours=1)
"""How long a claim holds, where nobody says otherwise."""
LONGEST_LEASE = timedelta(hours=24)
MOST_RESTARTS = 50
"""In one try."""


class Who(msgspec.Struct, frozen=True):
    """Who acts."""

    tech: str
    """The technician whose ticket it is, or is going to be."""
    by: str = ""
    """Who typed it."""
    lead: str = ""
    """A lead who acts for the technician: may take a ticket from its holder. Empty without one."""


def claim(
    ticket: Ticket, who: Who, now: datetime, lease: timedelta = LEASE, *, mock: bool = False
) -> AnyDeskEvent:
    """The technician takes the ticket, or keeps it for longer. Raises `RefusedError`."""
    held = ticket.at(now)
    _check_open(held)
    holder = ticket.holder(now)
    if holder and holder != who.tech and not who.lead:
        raise RefusedError(f"{ticket.host} is held by {holder}{_until(ticket)}; take another one")
    if held.stage is Stage.SAYS_DONE and not who.lead:
        raise RefusedError(
            f"{held.owner} says that {ticket.host} is done; a lead can give it to somebody else (--lead NAME)"
        )
    if held.stage is Stage.ESCALATED and not who.lead:
        raise RefusedError(f"{ticket.host} was escalated to {held.escalated_to}; a lead gives it")
    until = now + min(lease, LONGEST_LEASE)
    return TicketClaimed(
        at=now, host=ticket.host, mock=mock, by=who.lead or who.by, tech=who.tech, until=until
    )


def on_site(
    ticket: Ticket, who: Who, now: datetime, lease: timedelta = LEASE, *, mock: bool = False
) -> AnyDeskEvent:
    """The holder is in front of the machine. Raises `RefusedError`."""
    _check_holder(ticket, who, now)
    until = now + min(lease, LONGEST_LEASE)
    return TicketOnSite(at=now, host=ticket.host, mock=mock, by=who.by, tech=who.tech, until=until)


def tried(
    ticket: Ticket,
    who: Who,
    now: datetime,
    reason: str,
    restarts: int = 0,
    *,
    mock: bool = False,
) -> AnyDeskEvent:
    """A try that did not help; the holder keeps the ticket. Raises `RefusedError`, `UsageError`."""
    _check_holder(ticket, who, now)
    return TicketTried(
        at=now,
        host=ticket.host,
        mock=mock,
        by=who.by,
        tech=who.tech,
        reason=words.needed(reason, "what was tried, and what came of it,"),
        until=now + LEASE,
        restarts=_restarts(restarts),
    )


def done(
    ticket: Ticket, who: Who, now: datetime, restarts: int = 0, *, mock: bool = False
) -> AnyDeskEvent:
    """The holder says that it is done. Raises `RefusedError`."""
    _check_holder(ticket, who, now)
    return TicketSaidDone(
        at=now,
        host=ticket.host,
        mock=mock,
        by=who.by,
        tech=who.tech,
        restarts=_restarts(restarts),
    )


def release(
    ticket: Ticket, who: Who, now: datetime, reason: str = "", *, mock: bool = False
) -> AnyDeskEvent:
    """Back into the queue: by its holder, or by a lead whatever its stage. Raises `RefusedError`."""
    _check_open(ticket)
    if not who.lead:
        _check_holder(ticket, who, now)
    elif ticket.at(now).stage in (Stage.WAITING, Stage.CAME_BACK):
        raise RefusedError(f"{ticket.host} waits already: nobody holds it")
    return TicketReleased(
        at=now,
        host=ticket.host,
        mock=mock,
        by=who.lead or who.by,
        tech=who.lead or who.tech,
        reason=words.text(reason),
    )


def escalate(
    ticket: Ticket, who: Who, now: datetime, to: str, reason: str, *, mock: bool = False
) -> AnyDeskEvent:
    """Somebody else has to decide: by its holder or a lead. Raises `RefusedError`, `UsageError`."""
    _check_open(ticket)
    if not who.lead:
        _check_holder(ticket, who, now)
    return TicketEscalated(
        at=now,
        host=ticket.host,
        mock=mock,
        by=who.lead or who.by,
        tech=who.tech,
        to=words.name(to, "person or team"),
        reason=words.needed(reason, "the reason"),
    )


def _restarts(count: int) -> int:
    return max(0, min(count, MOST_RESTARTS))


def _check_open(ticket: Ticket) -> None:
    if not ticket.is_open:
        raise RefusedError(
            f"{ticket.host} is proven well since {ticket.since:%H:%M} UTC; if it fails again, its ticket comes back"
        )


def _check_holder(ticket: Ticket, who: Who, now: datetime) -> None:
    """A lease that has ended is no reason to lose a technician's word, as long as nobody else took the ticket."""
    _check_open(ticket)
    if ticket.stage in HELD and ticket.owner == who.tech:
        return
    holder = ticket.holder(now)
    if holder:
        raise RefusedError(f"{ticket.host} is held by {holder}{_until(ticket)}, not by {who.tech}")
    if ticket.stage is Stage.SAYS_DONE and ticket.owner == who.tech:
        raise RefusedError(f"{who.tech} has said already that {ticket.host} is done")
    raise RefusedError(f"{who.tech} does not hold {ticket.host}: claim it first")


def _until(ticket: Ticket) -> str:
    return f" until {ticket.until:%H:%M} UTC" if ticket.until else ""
