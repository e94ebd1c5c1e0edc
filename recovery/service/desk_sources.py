"""What the desk has to know of hosts: place, worth and checklist, from an inventory or from the runs themselves."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TextIO

import msgspec

from recovery.desk.fold import KINDS, DeskFold
from recovery.desk.queue import Desk as Queue
from recovery.errors import JournalError, UsageError
from recovery.inventory.loader import load_with_warnings
from recovery.journal.reader import Reader
from recovery.model.desk_events import KEY_KINDS, TICKET_KINDS
from recovery.model.events import RunStarted
from recovery.model.host import Fleet
from recovery.model.incident import Incident
from recovery.planning import Request, read_incident, recorded_fleet
from recovery.playbook.incidents import parse_incident
from recovery.settings import Settings

DESK_KINDS = (*KINDS, *TICKET_KINDS, *KEY_KINDS)
_DEFAULT_INCIDENT = "crowdstrike-291"


class Backdrop:
    """Fleets and incidents of the runs whose hosts are at the desk; each is read once."""

    def __init__(
        self, settings: Settings, inventory: Sequence[str], stdin: TextIO | None = None
    ) -> None:
        """An `inventory` that is named is used instead of what runs have recorded."""
        self._settings = settings
        self._inventory = tuple(inventory)
        self._stdin = stdin
        self._fleet: Fleet | None = None
        self._incidents: dict[str, Incident] = {}
        self._parsed: dict[tuple[object, ...], Incident] = {}
        """By the profile's digest and its parameters: many runs are of one incident."""
        self._runs: frozenset[str] = frozenset()
        self._queue: Queue | None = None

    def desk(self, fold: DeskFold) -> Queue:
        """What orders the tickets of this fold."""
        self._catch_up(fold)
        if self._queue is None:
            self._queue = Queue(self._fleet or Fleet(), self._incidents)
        return self._queue

    def names(self, fold: DeskFold) -> list[str]:
        """The hosts that there are."""
        self._catch_up(fold)
        return [host.name for host in (self._fleet or Fleet()).hosts]

    def _catch_up(self, fold: DeskFold) -> None:
        """Read what runs that were not known yet have recorded."""
        if self._fleet is None:
            self._begin()
        mock = fold.mock
        wanted = {ticket.run for ticket in fold.tickets(mock=mock).values()}
        own = [run for run, started in fold.runs.items() if started.mock == mock]
        fresh = [run for run in own if run not in self._runs and (run in wanted or run == own[-1])]
        if fresh:
            with closing(Reader.open(self._settings.journal)) as log:
                for run in fresh:
                    self._take(log, fold.runs[run])
            self._runs |= frozenset(fresh)
            self._queue = None

    def _begin(self) -> None:
        named = self._inventory
        self._fleet = load_with_warnings(named, stdin=self._stdin)[0] if named else Fleet()
        with contextlib.suppress(UsageError):  # one with parameters, which no run has given yet
            name = self._settings.incident or _DEFAULT_INCIDENT
            self._incidents[""] = read_incident(name, {})[0]

    def _take(self, log: Reader, started: RunStarted) -> None:
        digest, given = started.documents.get("incident", ""), _parameters(log, started)
        key = (digest, *sorted(given.items()))
        if key not in self._parsed:
            text = log.document(digest).decode("utf-8", "surrogateescape")
            self._parsed[key] = parse_incident(text, f"incident of run {started.run}", given)
        self._incidents[started.run] = self._incidents[""] = self._parsed[key]
        if not self._inventory:
            self._fleet = _joined(self._fleet or Fleet(), recorded_fleet(log, started))


def _joined(one: Fleet, two: Fleet) -> Fleet:
    """Both fleets; of a host that is in both the second is believed."""
    hosts = {host.name: host for host in (*one.hosts, *two.hosts)}
    return Fleet(
        hosts=tuple(hosts.values()),
        sites={**one.sites, **two.sites},
        services={**one.services, **two.services},
    )


def _parameters(log: Reader, started: RunStarted) -> Mapping[str, str]:
    try:
        return msgspec.json.decode(
            log.document(started.documents["request"]), type=Request
        ).parameters
    except (KeyError, msgspec.DecodeError) as error:
        raise JournalError(
            f"the journal does not hold what was asked for in run {started.run}: {error}"
        ) from None
