"""The desk as the journal tells it: a pure fold of events to tickets, key uses, and what is known of the hosts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from recovery.desk.key_uses import KeyLedger
from recovery.model.desk_events import (
    AnyDeskEvent,
    DeskEvent,
    TicketClaimed,
    TicketDescribed,
    TicketEscalated,
    TicketOnSite,
    TicketOpened,
    TicketReleased,
    TicketSaidDone,
    TicketTried,
)
from recovery.model.events import (
    AnyEvent,
    HandedOver,
    HostFinished,
    HostObserved,
    RunStarted,
    StepFinished,
)
from recovery.model.evidence import (
    AnyEvidence,
    MachineFacts,
    PersonReport,
    Reachability,
    Verdict,
)
from recovery.model.ticket import HELD, Spell, Stage, Ticket, Try, ended, freed
from recovery.ports import Stored

KINDS = ("run.started", "host.handed_over", "host.finished", "host.observed", "step.finished")
"""The events, beside the desk's own, that the desk is folded from."""

WELL = (Verdict.RECOVERED, Verdict.HEALTHY)
ILL = (
    Verdict.EXPOSED,
    Verdict.CRASH_LOOP,
    Verdict.BLUE_SCREEN,
    Verdict.RECOVERY_SCREEN,
    Verdict.NEEDS_KEY,
)
"""Verdicts against a person's word. A dark machine may only be off, and a degraded one is on its way."""
HANDS = (Verdict.BLUE_SCREEN, Verdict.RECOVERY_SCREEN, Verdict.NEEDS_KEY)
"""Verdicts at the end of a run's work on a host that leave it to people."""
_KEPT = 16
_SHARED = 8192
"""Reasons that are kept once for all hosts that have them."""


class DeskFold:
    """Folds the journal, one event after another. What it hands out does not change any more."""

    def __init__(self) -> None:
        self.seq = 0
        """The event that was folded last."""
        self.runs: dict[str, RunStarted] = {}
        """Oldest first."""
        self._worlds = {False: _World(), True: _World()}

    def add(self, stored: Stored) -> None:
        """Take one more event."""
        event = stored.event
        self.seq = stored.seq
        if isinstance(event, RunStarted):
            self.runs[event.run] = event
        elif isinstance(event, DeskEvent):
            self._worlds[event.mock].about_desk(event)
        elif event.host:
            run = self.runs.get(event.run)
            self._worlds[run is not None and run.mock].about_host(event)

    def add_all(self, events: Iterable[Stored]) -> None:
        """Take more events."""
        for stored in events:
            self.add(stored)

    @property
    def mock(self) -> bool:
        """Whether the latest run was one of a mock twin."""
        return bool(self.runs) and next(reversed(self.runs.values())).mock

    def tickets(self, *, mock: bool) -> Mapping[str, Ticket]:
        """The tickets of real or simulated hosts, in the order in which they were opened. Ask each by `at`."""
        return dict(self._worlds[mock].tickets)

    def ticket(self, host: str, *, mock: bool) -> Ticket | None:
        """The ticket of a host."""
        return self._worlds[mock].tickets.get(host)

    def keys(self, *, mock: bool) -> KeyLedger:
        """What was done with recovery keys."""
        return self._worlds[mock].keys

    def hosts_of_key(self, key_id: str, *, mock: bool) -> frozenset[str]:
        """The hosts that reported a protector with this id themselves."""
        return frozenset(self._worlds[mock].protectors.get(key_id, ()))


class _World:
    """Real hosts, or simulated ones."""

    def __init__(self) -> None:
        self.tickets: dict[str, Ticket] = {}
        self.keys = KeyLedger()
        self.protectors: dict[str, set[str]] = {}
        self._verdicts: dict[str, tuple[Verdict, tuple[str, ...]]] = {}
        self._shared: dict[tuple[Verdict, tuple[str, ...]], tuple[Verdict, tuple[str, ...]]] = {}
        """Each verdict with its reasons once, for all hosts that have it."""

    def about_desk(self, event: DeskEvent) -> None:
        if isinstance(event, TicketOpened):
            self._open(event.host, event.at, event.reason, event.runbook)
        ticket = self.tickets.get(event.host)
        self.keys.add(event)
        if ticket is not None:
            self.tickets[event.host] = after(ticket, event)

    def about_host(self, event: AnyEvent) -> None:
        match event:
            case HandedOver():
                self._handed_over(event)
            case StepFinished() | HostObserved():
                self._note_protectors(event.host, event.evidence)
                self._note(event.host, event.verdict, event.because)
                if event.host in self.tickets and _is_fresh(event.evidence):
                    self._seen(event.host, event.at)
            case HostFinished():
                self._ended(event)
            case _:
                pass

    def _open(self, host: str, at: datetime, reason: str, runbook: str, run: str = "") -> None:
        ticket = self.tickets.get(host)
        if ticket is not None:
            self.tickets[host] = _again(ticket, at, reason, runbook, run)
            return
        verdict, because = self._verdicts.get(host, (Verdict.UNKNOWN, ()))
        self.tickets[host] = Ticket(
            host=host,
            opened=at,
            since=at,
            reason=reason,
            runbook=runbook,
            run=run,
            verdict=verdict,
            because=because,
        )

    def _handed_over(self, event: HandedOver) -> None:
        self._open(event.host, event.at, event.reason, event.runbook, event.run)

    def _ended(self, event: HostFinished) -> None:
        because = self._verdicts.get(event.host, (event.verdict, ()))[1]
        self._note(event.host, event.verdict, because)
        ticket = self.tickets.get(event.host)
        lies_open = ticket is not None and ticket.is_open
        if event.verdict in HANDS and not lies_open:
            self._open(event.host, event.at, event.message or "; ".join(because), "", event.run)
        elif lies_open and event.verdict in WELL:
            self._seen(event.host, event.at)

    def _note(self, host: str, verdict: Verdict, because: tuple[str, ...]) -> None:
        if len(self._shared) >= _SHARED:
            self._shared.clear()
        found = (verdict, because)
        self._verdicts[host] = self._shared.setdefault(found, found)

    def _seen(self, host: str, at: datetime) -> None:
        """The machine itself has said something of a host that has a ticket."""
        verdict, because = self._verdicts[host]
        self.tickets[host] = _judged(self.tickets[host], at, verdict, because)

    def _note_protectors(self, host: str, evidence: tuple[AnyEvidence, ...]) -> None:
        for item in evidence:
            if isinstance(item, MachineFacts):
                for volume in item.volumes:
                    for key_id in volume.protectors:
                        self.protectors.setdefault(key_id.strip("{}").upper(), set()).add(host)


def after(ticket: Ticket, event: DeskEvent | AnyDeskEvent) -> Ticket:  # noqa: PLR0911 - a case for each kind
    """The ticket after something that a person did."""
    replace = msgspec.structs.replace
    match event:
        case TicketOpened() | TicketDescribed():
            return replace(ticket, **_details(ticket, event))
        case TicketClaimed():
            return _held(ticket, event, Stage.CLAIMED)
        case TicketOnSite():
            return _held(ticket, event, Stage.ON_SITE)
        case TicketTried():
            tried = Try(event.at, event.tech, event.reason)
            held = _held(ticket, event, Stage.ON_SITE)
            attempts = (*ticket.attempts, tried)[-_KEPT:]
            return replace(held, tries=ticket.tries + 1, attempts=attempts)
        case TicketSaidDone():
            return _left(ticket, event.at, Stage.SAYS_DONE, event.tech)
        case TicketReleased():
            return freed(ticket, event.at)
        case TicketEscalated():
            left = _left(ticket, event.at, Stage.ESCALATED, event.to)
            return replace(left, escalated_to=event.to, reason=event.reason)
        case _:
            return ticket


def _left(ticket: Ticket, at: datetime, stage: Stage, owner: str) -> Ticket:
    """Nobody works on it any more, and somebody answers for it."""
    spells = ended(ticket.spells, at)
    return msgspec.structs.replace(
        ticket, stage=stage, since=at, owner=owner, until=None, spells=spells
    )


def _details(ticket: Ticket, event: TicketOpened | TicketDescribed) -> dict[str, object]:
    names = ("reason", "site", "location", "service", "sheet")
    return {name: getattr(event, name) or getattr(ticket, name) for name in names}


def _held(
    ticket: Ticket, event: TicketClaimed | TicketOnSite | TicketTried, stage: Stage
) -> Ticket:
    ticket = ticket.at(event.at)
    goes_on = ticket.stage in HELD and ticket.owner == event.tech
    spells = ticket.spells
    if not goes_on:
        spells = (*ended(spells, event.at), Spell(event.tech, event.at))[-_KEPT:]
    return msgspec.structs.replace(
        ticket,
        stage=stage,
        since=ticket.since if ticket.stage is stage and goes_on else event.at,
        owner=event.tech,
        until=event.until,
        spells=spells,
    )


def _again(ticket: Ticket, at: datetime, reason: str, runbook: str, run: str) -> Ticket:
    """Somebody, or a run, says of a host that has a ticket that it needs hands."""
    replace = msgspec.structs.replace
    ticket = replace(
        ticket,
        reason=reason or ticket.reason,
        runbook=runbook or ticket.runbook,
        run=run or ticket.run,
    )
    match ticket.stage:
        case Stage.PROVEN:
            return _returned(ticket, at)
        case Stage.SAYS_DONE:
            return replace(freed(ticket, at), refuted=ticket.refuted + 1)
        case _:
            return ticket


def _judged(ticket: Ticket, at: datetime, verdict: Verdict, because: tuple[str, ...]) -> Ticket:
    """What fresh evidence of the machine makes of its ticket."""
    replace = msgspec.structs.replace
    before = ticket
    ticket = replace(ticket, verdict=verdict, because=because)
    if verdict in WELL:
        if not ticket.is_open:
            return ticket
        spells = ended(ticket.spells, at)
        return replace(ticket, stage=Stage.PROVEN, since=at, until=None, spells=spells)
    if verdict not in ILL:
        return ticket
    if before.stage is Stage.PROVEN:
        return replace(_returned(ticket, at), reason=f"came back: {verdict}")
    if before.stage is Stage.SAYS_DONE:
        return replace(freed(ticket, at), refuted=ticket.refuted + 1)
    return ticket


def _returned(ticket: Ticket, at: datetime) -> Ticket:
    return freed(msgspec.structs.replace(ticket, returns=ticket.returns + 1, owner=""), at)


def _is_fresh(evidence: tuple[AnyEvidence, ...]) -> bool:
    """Whether the machine itself or its console said something: silence lets an old verdict stand."""
    return any(not isinstance(item, PersonReport | Reachability) for item in evidence)
