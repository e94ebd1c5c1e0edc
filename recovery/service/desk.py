"""The desk's verbs. Whatever two people may want at once is decided inside the journal's transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

import msgspec

from recovery.desk import rules, takeover, words
from recovery.desk.fold import DeskFold
from recovery.desk.queue import Job
from recovery.desk.reboots import KINDS as REBOOT_KINDS
from recovery.desk.reboots import RebootFold, Restart
from recovery.desk.rules import Who
from recovery.desk.sheet import Doubt, parse
from recovery.desk.sources import KeySource
from recovery.desk.takeover import Change, Taken
from recovery.errors import RefusedError, UnknownNameError, UsageError
from recovery.inventory.ranges import fold as folded
from recovery.journal.log import Log
from recovery.journal.reader import Reader
from recovery.model.desk_events import AnyDeskEvent, TicketOpened
from recovery.model.events import AnyEvent
from recovery.model.ticket import DeskNumbers, Ticket, numbers
from recovery.ports import Clock
from recovery.service.desk_keys import Asker, KeyDesk
from recovery.service.desk_sources import DESK_KINDS, Backdrop
from recovery.settings import Settings
from recovery.worlds import SystemClock

Choose = Callable[[datetime], Sequence[AnyEvent]]


class Desk:
    """Tickets of the hosts that the latest run was about: real ones, or those of a mock twin. May be kept for long."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock | None = None,
        stdin: TextIO | None = None,
        inventory: Sequence[str] = (),
    ) -> None:
        """Act on the settings' journal. `inventory` places and weighs hosts; else the runs' own does."""
        self.settings = settings
        self._clock = clock or SystemClock()
        self._fold = DeskFold()
        self._lock = threading.RLock()
        self._backdrop = Backdrop(settings, tuple(inventory), stdin)

    def keys(
        self, sources: Sequence[KeySource] | None = None, asker: Asker | None = None
    ) -> KeyDesk:
        """What is done with recovery keys; they come from the settings' sources, or from these."""
        return KeyDesk(self, sources, asker)

    @property
    def folded_now(self) -> DeskFold:
        """The desk as it stood at the last look, such as within `decide`."""
        return self._fold

    @property
    def clock(self) -> Clock:
        """The time that leases and limits go by."""
        return self._clock

    @property
    def mock(self) -> bool:
        """Whether the tickets are about simulated hosts."""
        return self.folded().mock

    def folded(self) -> DeskFold:
        """The desk as the journal stands now."""
        if Path(self.settings.journal).exists():
            with closing(Reader.open(self.settings.journal)) as log:
                self._catch_up(log)
        return self._fold

    def tickets(self) -> list[Ticket]:
        """All tickets as they stand now, oldest first."""
        fold, now = self.folded(), self._clock.now()
        return [ticket.at(now) for ticket in fold.tickets(mock=fold.mock).values()]

    def jobs(self, tickets: Iterable[Ticket]) -> list[Job]:
        """The tickets with place, checklist, kit and priority, in their order."""
        desk = self._backdrop.desk(self._fold)
        return [desk.job(ticket) for ticket in tickets]

    def job(self, host: str) -> Job:
        """One ticket with everything that a technician needs. Raises `UnknownNameError`."""
        fold = self.folded()
        ticket = self._known(fold, host).at(self._clock.now())
        return self._backdrop.desk(fold).job(ticket)

    def board(self) -> DeskNumbers:
        """The figures."""
        fold = self.folded()
        jobs = self.jobs(fold.tickets(mock=fold.mock).values())
        return numbers((placed(job) for job in jobs), self._clock.now())

    def next(
        self, tech: str, site: str = "", near: str = "", by: str = "", *, take: bool = False
    ) -> Job | None:
        """The best ticket for a technician, claimed for them if `take` is set; None when none is left."""
        tech = words.name(tech)
        found: list[Job] = []
        takes = False

        def choose(now: datetime) -> Sequence[AnyDeskEvent]:
            fold = self._fold
            tickets = fold.tickets(mock=fold.mock).values()
            queue = self._backdrop.desk(fold).queue(tickets, now, site=site, near=near)
            found[:] = queue[:1]
            if not (takes and queue):
                return ()
            lease = max(rules.LEASE, 2 * timedelta(minutes=queue[0].minutes + queue[0].walk))
            who = Who(tech=tech, by=by)
            return (rules.claim(queue[0].ticket, who, now, lease, mock=fold.mock),)

        self.folded()
        choose(
            self._clock.now()
        )  # also so that inventories are read before the journal is held up by it
        if not (take and found):
            return found[0] if found else None
        takes = True
        self.decide(choose)
        return self.job(found[0].ticket.host) if found else None

    def claim(self, host: str, who: Who, lease: timedelta = rules.LEASE) -> Ticket:
        """Take a ticket, or keep it. Raises `RefusedError` when somebody else has it."""
        return self._verb(
            host, lambda ticket, now, mock: rules.claim(ticket, who, now, lease, mock=mock)
        )

    def on_site(self, host: str, who: Who, lease: timedelta = rules.LEASE) -> Ticket:
        """Stand in front of the machine."""
        return self._verb(
            host, lambda ticket, now, mock: rules.on_site(ticket, who, now, lease, mock=mock)
        )

    def tried(self, host: str, who: Who, reason: str, restarts: int = 0) -> Ticket:
        """Note a try that did not help."""
        return self._verb(
            host,
            lambda ticket, now, mock: rules.tried(ticket, who, now, reason, restarts, mock=mock),
        )

    def done(self, host: str, who: Who, restarts: int = 0) -> Ticket:
        """Say that it is done: a claim."""
        return self._verb(
            host, lambda ticket, now, mock: rules.done(ticket, who, now, restarts, mock=mock)
        )

    def release(self, host: str, who: Who, reason: str = "") -> Ticket:
        """Give it back to the queue."""
        return self._verb(
            host, lambda ticket, now, mock: rules.release(ticket, who, now, reason, mock=mock)
        )

    def escalate(self, host: str, who: Who, to: str, reason: str) -> Ticket:
        """Leave it to somebody else."""
        return self._verb(
            host, lambda ticket, now, mock: rules.escalate(ticket, who, now, to, reason, mock=mock)
        )

    def add(
        self, hosts: Sequence[str], reason: str, *, site: str = "", location: str = "", by: str = ""
    ) -> list[str]:
        """Open tickets, also for machines that no inventory knows; the names of those that had none open, as known.

        Raises `UsageError` for what is no name, and `RefusedError` where one host was named that has a ticket.
        """
        given = [words.host(host) for host in dict.fromkeys(hosts)]
        known = self._backdrop.names(self.folded())
        fresh: list[str] = []

        def choose(now: datetime) -> Sequence[AnyDeskEvent]:
            fold, mock = self._fold, self._fold.mock
            tickets = fold.tickets(mock=mock)
            names = _spelled(given, {*tickets, *known})
            fresh[:] = [name for name in names if name not in tickets or not tickets[name].is_open]
            if len(names) == 1 and not fresh:
                stage = tickets[names[0]].at(now).stage.value.replace("_", " ")
                raise RefusedError(f"{names[0]} has a ticket already: {stage}")
            return [
                TicketOpened(
                    at=now,
                    host=name,
                    mock=mock,
                    by=by,
                    reason=words.needed(reason, "the reason"),
                    site=words.text(site),
                    location=words.text(location),
                )
                for name in fresh
            ]

        self.decide(choose)
        return fresh

    def take_over(self, raw: bytes, file: str, by: str = "", *, skip: bool = False) -> Taken:
        """Take a spreadsheet over, in one piece: with rows in doubt nothing, or with `skip` all the others.

        Raises `InputError` for what is no table.
        """
        fold = self.folded()
        known = {*fold.tickets(mock=fold.mock), *self._backdrop.names(fold)}
        sheet = parse(raw, file, known)
        found: list[Change] = []

        def choose(now: datetime) -> Sequence[AnyDeskEvent]:
            fold, mock = self._fold, self._fold.mock
            found[:] = [
                takeover.change(row, fold.ticket(row.host, mock=mock), now, mock=mock, by=by)
                for row in sheet.rows
            ]
            doubtful = bool(sheet.doubts) or any(change.doubt for change in found)
            if doubtful and not skip:
                return ()
            return [event for change in found for event in change.events]

        self.decide(choose)
        doubts = (*sheet.doubts, *(change.doubt for change in found if change.doubt))
        strangers = [row.host for row in sheet.rows if known and row.host not in known]
        return _taken(
            found, sorted(doubts, key=lambda doubt: doubt.line), sheet.notes, strangers, skip=skip
        )

    def reboots(self, host: str = "") -> dict[str, tuple[Restart, ...]]:
        """The restarts of one host, or of every host that has had one."""
        with closing(Reader.open(self.settings.journal)) as log:
            self._catch_up(log)
            fold = RebootFold(mock=self._fold.mock)
            fold.add_all(log.read(kinds=("run.started",)))
            kinds = [kind for kind in REBOOT_KINDS if kind != "run.started"]
            fold.add_all(log.read(host=host, kinds=kinds))
        return fold.all()

    def decide(self, choose: Choose) -> tuple[AnyEvent, ...]:
        """Append what `choose` makes of the desk as it stands; nobody else's word comes between."""
        with self._lock, closing(Log.open(self.settings.journal)) as log:
            self._catch_up(log)  # the long way, before the lock is taken

            def chosen() -> Sequence[AnyEvent]:
                self._catch_up(log)
                return choose(self._clock.now())

            events = log.decide(chosen)
            self._catch_up(log)
            return events

    def _verb(self, host: str, rule: Callable[[Ticket, datetime, bool], AnyDeskEvent]) -> Ticket:
        def choose(now: datetime) -> Sequence[AnyDeskEvent]:
            return (rule(self._known(self._fold, host), now, self._fold.mock),)

        self.decide(choose)
        return self._known(self._fold, host).at(self._clock.now())

    def _known(self, fold: DeskFold, host: str) -> Ticket:
        ticket = fold.ticket(host, mock=fold.mock)
        if ticket is None:
            known = fold.tickets(mock=fold.mock)
            raise (
                UnknownNameError("ticket", host, known)
                if known
                else UsageError(
                    f"{host} has no ticket: `recovery desk add {host} --reason ...` opens one"
                )
            )
        return ticket

    def _catch_up(self, log: Reader) -> None:
        with self._lock:
            self._fold.add_all(log.read(after=self._fold.seq, kinds=DESK_KINDS))


def _spelled(given: Iterable[str], known: Collection[str]) -> list[str]:
    """Each host once, as it is known; of spellings that nobody knows the first one."""
    spellings = words.by_case(known)
    found: dict[str, str] = {}
    for name in given:
        small = name.casefold()
        host = name if name in known else spellings.get(small, name)
        found.setdefault(host if host in known else small, host)
    return list(found.values())


def placed(job: Job) -> Ticket:
    """The ticket with the site that the inventory knows."""
    return msgspec.structs.replace(job.ticket, site=job.site)


def _taken(
    changes: Sequence[Change],
    doubts: Sequence[Doubt],
    notes: Sequence[str],
    strangers: Sequence[str],
    *,
    skip: bool,
) -> Taken:
    opened = sum(
        any(isinstance(event, TicketOpened) for event in change.events) for change in changes
    )
    touched = sum(bool(change.events) for change in changes)
    own = [change.note for change in changes if change.note]
    if strangers:
        own.insert(0, f"{len(strangers)} hosts that no inventory knows: {folded(strangers, 5)}")
    return Taken(
        rows=len(changes) + sum(1 for doubt in doubts),
        opened=opened,
        changed=touched - opened,
        unchanged=sum(not change.events and change.doubt is None for change in changes),
        doubts=tuple(doubts),
        notes=(*notes, *own),
        done=skip or not doubts,
    )
