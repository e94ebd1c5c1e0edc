"""Tickets: hosts that need hands, and how far people are with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

import msgspec

from recovery.model.evidence import Verdict


class Stage(StrEnum):
    """Where a ticket stands."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    """A technician has it, until their lease ends."""
    ON_SITE = "on_site"
    SAYS_DONE = "says_done"
    """A person's word; nothing has proven it."""
    PROVEN = "proven"
    """Closed by evidence of the machine."""
    CAME_BACK = "came_back"
    """Waits again: the machine was proven, and fell ill anew."""
    ESCALATED = "escalated"


HELD = (Stage.CLAIMED, Stage.ON_SITE)
"""Stages in which one technician holds the ticket."""
FREE = (Stage.WAITING, Stage.CAME_BACK)
"""Stages in which anybody may take it."""


class Try(msgspec.Struct, frozen=True, gc=False):
    """A technician's try that did not help."""

    at: datetime
    tech: str
    reason: str


class Spell(msgspec.Struct, frozen=True, gc=False):
    """A time in which a technician had the ticket."""

    tech: str
    began: datetime
    ended: datetime | None = None


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """One host that needs hands, as the journal tells. `at` says how it stands at a time."""

    host: str
    opened: datetime
    since: datetime
    """When the present stage began."""
    stage: Stage = Stage.WAITING
    reason: str = ""
    """Why it needs hands."""
    runbook: str = ""
    """As it was handed over; the checklist goes by the verdict, too."""
    run: str = ""
    """The run that handed it over; empty when a person added it."""
    site: str = ""
    location: str = ""
    service: str = ""
    """What people say of these three; empty means what the inventory says."""
    sheet: Mapping[str, str] = {}
    """The row of a spreadsheet, with all of its columns."""
    owner: str = ""
    """Who holds it, or says that it is done, or did last."""
    until: datetime | None = None
    """End of the lease."""
    tries: int = 0
    attempts: tuple[Try, ...] = ()
    """The latest tries."""
    spells: tuple[Spell, ...] = ()
    """The latest times in which somebody had it."""
    verdict: Verdict = Verdict.UNKNOWN
    because: tuple[str, ...] = ()
    """The machine's latest verdict, and what it rests on."""
    returns: int = 0
    """How often it came back after it had been proven."""
    refuted: int = 0
    """How often evidence showed that a technician's "done" was wrong."""
    escalated_to: str = ""

    @property
    def is_open(self) -> bool:
        """It is not proven."""
        return self.stage is not Stage.PROVEN

    def at(self, now: datetime) -> Ticket:
        """The ticket at that time: a lease that has ended leaves it waiting."""
        if self.stage not in HELD or self.until is None or now < self.until:
            return self
        return freed(self, self.until)

    def holder(self, now: datetime) -> str:
        """Who holds it at that time; empty when nobody does."""
        return self.owner if self.at(now).stage in HELD else ""


class DeskNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """The board. The stages add up to `total`."""

    waiting: int = 0
    claimed: int = 0
    on_site: int = 0
    says_done: int = 0
    proven: int = 0
    came_back: int = 0
    escalated: int = 0
    total: int = 0
    overdue: int = 0
    """Of those that are said to be done: nothing has proven them within `PATIENCE`."""
    tries: int = 0
    returns: int = 0
    refuted: int = 0
    techs: int = 0
    """Technicians who hold a ticket."""
    sites: Mapping[str, int] = MappingProxyType({})
    """Tickets that are not proven, by site; those without one under an empty name."""


PATIENCE = 1800.0
"""Seconds in which a machine should prove what a technician said."""


def ended(spells: tuple[Spell, ...], at: datetime) -> tuple[Spell, ...]:
    """The spells, the last one ended at that time if it goes on."""
    if not spells or spells[-1].ended is not None:
        return spells
    return (*spells[:-1], msgspec.structs.replace(spells[-1], ended=at))


def freed(ticket: Ticket, at: datetime) -> Ticket:
    """The ticket back in the queue from that time on."""
    stage = Stage.CAME_BACK if ticket.returns else Stage.WAITING
    return msgspec.structs.replace(
        ticket, stage=stage, since=at, until=None, spells=ended(ticket.spells, at)
    )


def is_overdue(ticket: Ticket, now: datetime) -> bool:
    """Whether a technician's word has waited too long for its proof."""
    return ticket.stage is Stage.SAYS_DONE and (now - ticket.since).total_seconds() > PATIENCE


def numbers(tickets: Iterable[Ticket], now: datetime) -> DeskNumbers:
    """The tickets counted as they stand at that time."""
    stages = dict.fromkeys((stage.value for stage in Stage), 0)
    sites: dict[str, int] = {}
    techs: set[str] = set()
    overdue = tries = returns = refuted = 0
    for each in tickets:
        ticket = each.at(now)
        stages[ticket.stage.value] += 1
        if ticket.is_open:
            sites[ticket.site] = sites.get(ticket.site, 0) + 1
        if ticket.stage in HELD:
            techs.add(ticket.owner)
        overdue += is_overdue(ticket, now)
        tries += ticket.tries
        returns += ticket.returns
        refuted += ticket.refuted
    return DeskNumbers(
        **stages,
        total=sum(stages.values()),
        overdue=overdue,
        tries=tries,
        returns=returns,
        refuted=refuted,
        techs=len(techs),
        sites=MappingProxyType(dict(sorted(sites.items()))),
    )
