"""The verbs of the technicians' desk over the service of this program."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from recovery.desk import words
from recovery.desk.queue import Job
from recovery.desk.rules import Who
from recovery.errors import EmptySelectionError, RefusedError
from recovery.model.ticket import FREE, Ticket
from recovery.service import Service
from recovery.tui.deck import Deck
from recovery.tui.gateway import DeskAct

if TYPE_CHECKING:
    from recovery.service.desk import Desk

_WORLDS = {False: "real", True: "simulated"}


class DeskSide:
    """Acts on the journal's desk as the dashboard's operator. Blocks; belongs into a thread."""

    def __init__(self, service: Service, deck: Deck) -> None:
        """Hosts are placed and weighed by the deck's inventory, else by those of the runs."""
        self._service = service
        self._deck = deck
        self._opened: Desk | None = None
        self._lock = threading.Lock()

    def job(self, host: str, *, mock: bool) -> Job:
        """A host's ticket with checklist, kit and minutes. Raises `UnknownNameError`, `UsageError`, `RefusedError`."""
        return self._desk(mock=mock).job(host)

    def carry_out(self, act: DeskAct) -> str:
        """Do it; what came of it, in words. Raises `RefusedError`, `UsageError`, `EmptySelectionError`."""
        desk, by = self._desk(mock=act.mock), self._deck.by
        match act.verb:
            case "next":
                job = desk.next(words.name(act.tech), act.site, act.place, by, take=True)
                if job is None:
                    at = f" at {act.site}" if act.site else ""
                    raise EmptySelectionError(f"no ticket waits{at}")
                place = ", ".join(filter(None, (job.site, job.location))) or "nobody said where"
                return f"{_stands(job.ticket)}: {place}; {job.title}"
            case "add":
                (host,) = desk.add([act.host], act.reason, site=act.site, location=act.place, by=by)
                return f"{host}: its ticket is open"
            case _:
                return _stands(self._on_ticket(desk, act))

    def _on_ticket(self, desk: Desk, act: DeskAct) -> Ticket:
        lead = words.name(self._deck.by, "lead") if act.as_lead else ""
        who = Who(tech=words.name(act.tech or lead), by=self._deck.by, lead=lead)
        match act.verb:
            case "claim":
                return desk.claim(act.host, who)
            case "on_site":
                return desk.on_site(act.host, who)
            case "tried":
                return desk.tried(act.host, who, act.reason)
            case "done":
                return desk.done(act.host, who)
            case "release":
                return desk.release(act.host, who, act.reason)
            case _:
                return desk.escalate(act.host, who, act.to, act.reason)

    def _desk(self, *, mock: bool) -> Desk:
        """The desk. Raises `RefusedError` where it is about the other world than the one that is shown."""
        with self._lock:
            desk = self._opened = self._opened or self._service.desk(self._deck.inventory)
        about = desk.mock
        if about != mock:
            raise RefusedError(
                f"the desk is about {_WORLDS[about]} hosts, as this journal's latest run is; "
                f"this dashboard shows {_WORLDS[mock]} ones"
            )
        return desk


def _stands(ticket: Ticket) -> str:
    stage = ticket.stage.value.replace("_", " ")
    owner = f", {ticket.owner}" if ticket.owner and ticket.stage not in FREE else ""
    until = f" until {ticket.until:%H:%M} UTC" if ticket.until else ""
    return f"{ticket.host}: {stage}{owner}{until}"
