"""The desk as snapshots show it: folded event by event, counted when something has changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec

from recovery.desk.fold import DeskFold
from recovery.model.ticket import DeskNumbers, Stage, Ticket, numbers
from recovery.ports import Stored
from recovery.report.course import Course

_LEASES = timedelta(seconds=20)
"""How often the tickets are counted anew although nothing happened: leases end by themselves."""


class People:
    """The desk, event by event, and its figures."""

    def __init__(self) -> None:
        self._fold = DeskFold()
        self._tickets: Mapping[str, Ticket] | None = None
        self._waiting: tuple[Ticket, ...] | None = None
        self._numbers = DeskNumbers()
        self._counted: datetime | None = None

    def add(self, stored: Stored, *, mock: bool) -> None:
        """Take one more event of the journal; `mock` is the world that is shown."""
        host = stored.event.host
        before = self._fold.ticket(host, mock=mock)
        self._fold.add(stored)
        if self._fold.ticket(host, mock=mock) is not before:
            self._tickets = self._waiting = self._counted = None

    def ticket(self, host: str, *, mock: bool) -> Ticket | None:
        """The ticket of a host."""
        return self._fold.ticket(host, mock=mock)

    def tickets(self, *, mock: bool) -> Mapping[str, Ticket]:
        """The tickets by host; the same object until one of them changes."""
        if self._tickets is None:
            self._tickets = MappingProxyType(self._fold.tickets(mock=mock))
        return self._tickets

    def waiting(self, *, mock: bool) -> tuple[Ticket, ...]:
        """The tickets of machines that still need hands, those that were opened first in front.

        A run that only looks takes nobody's work away, so this is asked of the desk and not of the latest run.
        """
        if self._waiting is None:
            tickets = self.tickets(mock=mock).values()
            self._waiting = tuple(
                ticket for ticket in tickets if ticket.is_open and ticket.stage != Stage.SAYS_DONE
            )
        return self._waiting

    def numbers(self, course: Course, now: datetime, *, mock: bool) -> DeskNumbers:
        """How many tickets stand where at that time, to within some seconds."""
        if self._counted is None or now - self._counted > _LEASES:
            self._counted = now
            self._numbers = numbers(
                (_placed(ticket, course) for ticket in self.tickets(mock=mock).values()), now
            )
        return self._numbers


def _placed(ticket: Ticket, course: Course) -> Ticket:
    site = ticket.site or course.site_of(ticket.host)
    return msgspec.structs.replace(ticket, site=site) if site != ticket.site else ticket
