"""What happens at the desk: tickets, and the showing of recovery keys. A key itself is in no event.

The events belong to no run: a person's work on a host goes on when the run that handed it over has ended.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from recovery.model.event import Event


class DeskEvent(Event, frozen=True, kw_only=True):
    """Something that a person did or said."""

    mock: bool = False
    """About a simulated host."""
    by: str = ""
    """Who typed it, by the system's name; `tech` and `person` are who it is about."""


class TicketOpened(DeskEvent, frozen=True, kw_only=True, tag="ticket.opened"):
    """Somebody says that a host needs hands. What runs hand over opens a ticket by itself."""

    reason: str = ""
    runbook: str = ""
    site: str = ""
    """As the person says; empty means what the inventory says. So do the next two."""
    location: str = ""
    service: str = ""
    sheet: dict[str, str] = msgspec.field(default_factory=dict)
    """The row of the spreadsheet that it came from, with every column."""


class TicketDescribed(DeskEvent, frozen=True, kw_only=True, tag="ticket.described"):
    """A spreadsheet says more about a host that has a ticket. What is empty stays as it was."""

    reason: str = ""
    site: str = ""
    location: str = ""
    service: str = ""
    sheet: dict[str, str] = msgspec.field(default_factory=dict)


class TicketClaimed(DeskEvent, frozen=True, kw_only=True, tag="ticket.claimed"):
    """A technician takes the ticket, until a time."""

    tech: str
    until: datetime


class TicketOnSite(DeskEvent, frozen=True, kw_only=True, tag="ticket.on_site"):
    """The technician stands in front of the machine."""

    tech: str
    until: datetime


class TicketTried(DeskEvent, frozen=True, kw_only=True, tag="ticket.tried"):
    """The technician tried, and it did not help."""

    tech: str
    reason: str
    until: datetime
    restarts: int = 0
    """How often they say that they restarted the machine."""


class TicketSaidDone(DeskEvent, frozen=True, kw_only=True, tag="ticket.said_done"):
    """The technician says that it is done: a claim, until evidence proves it."""

    tech: str
    restarts: int = 0


class TicketReleased(DeskEvent, frozen=True, kw_only=True, tag="ticket.released"):
    """The ticket goes back to the queue."""

    tech: str
    reason: str = ""


class TicketEscalated(DeskEvent, frozen=True, kw_only=True, tag="ticket.escalated"):
    """It is beyond the technicians: somebody else decides what becomes of it."""

    to: str
    reason: str
    tech: str = ""


class KeyAsked(DeskEvent, frozen=True, kw_only=True, tag="key.asked"):
    """A person asked for a recovery key. Recorded before any source is asked."""

    key_id: str
    person: str
    refused: str = ""
    """Why they do not get it; empty when they may."""


class KeyShown(DeskEvent, frozen=True, kw_only=True, tag="key.shown"):
    """The key with this id was shown to a person."""

    key_id: str
    person: str
    source: str
    until: datetime


class KeyMissing(DeskEvent, frozen=True, kw_only=True, tag="key.missing"):
    """No source gave the key."""

    key_id: str
    person: str
    reason: str


class KeyTried(DeskEvent, frozen=True, kw_only=True, tag="key.tried"):
    """A person typed the key in."""

    key_id: str
    person: str
    unlocked: bool


class KeyRotated(DeskEvent, frozen=True, kw_only=True, tag="key.rotated"):
    """A key that was shown opens nothing any more: the volume has another one."""

    key_id: str
    person: str


AnyDeskEvent = (
    TicketOpened
    | TicketDescribed
    | TicketClaimed
    | TicketOnSite
    | TicketTried
    | TicketSaidDone
    | TicketReleased
    | TicketEscalated
    | KeyAsked
    | KeyShown
    | KeyMissing
    | KeyTried
    | KeyRotated
)

TICKET_KINDS = (
    "ticket.opened",
    "ticket.described",
    "ticket.claimed",
    "ticket.on_site",
    "ticket.tried",
    "ticket.said_done",
    "ticket.released",
    "ticket.escalated",
)
KEY_KINDS = ("key.asked", "key.shown", "key.missing", "key.tried", "key.rotated")
"""The `kind` of each event, for reading the journal."""
