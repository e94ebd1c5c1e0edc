"""What each technician did, by the events of the desk."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from recovery.model.desk_events import TicketClaimed, TicketSaidDone, TicketTried
from recovery.model.events import AnyEvent
from recovery.model.ticket import Stage, Ticket


class Effort(msgspec.Struct):
    """One person's work."""

    tech: str
    claimed: int = 0
    said_done: int = 0
    proven: int = 0
    """Tickets that evidence has closed after this person's word."""
    tries: int = 0
    """That did not help."""
    restarts: int = 0
    """As the person says."""
    seconds: float = 0.0
    """In which the person held tickets, as far as they remember: the latest sixteen times of each."""


class Efforts:
    """Collects the work of everybody."""

    def __init__(self) -> None:
        """Nobody has done anything yet."""
        self._found: dict[str, Effort] = {}

    def add(self, event: AnyEvent) -> None:
        """Take one more event."""
        match event:
            case TicketClaimed():
                self._of(event.tech).claimed += 1
            case TicketSaidDone():
                self._of(event.tech).said_done += 1
                self._of(event.tech).restarts += event.restarts
            case TicketTried():
                self._of(event.tech).tries += 1
                self._of(event.tech).restarts += event.restarts
            case _:
                pass

    def found(self, tickets: Iterable[Ticket], now: datetime) -> tuple[Effort, ...]:
        """Everybody's work, with what became of the tickets; who had the most proven comes first."""
        found = {name: msgspec.structs.replace(effort) for name, effort in self._found.items()}
        for each in tickets:
            ticket = each.at(now)
            if ticket.stage is Stage.PROVEN and ticket.owner in found:
                found[ticket.owner].proven += 1
            for spell in ticket.spells:
                if spell.tech in found:
                    found[spell.tech].seconds += (
                        (spell.ended or now) - spell.began
                    ).total_seconds()
        return tuple(sorted(found.values(), key=lambda each: (-each.proven, each.tech)))

    def _of(self, tech: str) -> Effort:
        return self._found.setdefault(tech, Effort(tech))
