"""All that a screen can show, at one moment. Made by the feed, handed down, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal

import msgspec

from recovery.engine.guard import Trip
from recovery.journal.views import RunView, StepWait
from recovery.model.host import Fleet, Host
from recovery.model.state import HostState
from recovery.model.ticket import DeskNumbers, Ticket
from recovery.ports import Stored
from recovery.report.course import Standing
from recovery.report.estimate import Goal

Stage = Literal["starting", "inventory", "journal", "live"]


class RunLine(msgspec.Struct, frozen=True, eq=False):
    """One run, and what the journal alone does not say of it."""

    view: RunView
    """Its hosts are kept while it goes on and until the next run; `Gateway.view` folds older ones."""
    mock: bool
    carried_by: str = ""
    """The process that carries it out; empty when nobody does."""
    steps: tuple[str, ...] = ()
    """The names of the steps, the failure path's behind them. Known of runs that have not finished, as all below."""
    waves: tuple[int, ...] = ()
    """The planned sizes."""
    changes: bool = False
    """Whether the playbook changes machines."""
    waits: tuple[StepWait, ...] = ()
    """What it waits for, most hosts first."""
    guard: tuple[Trip, ...] = ()
    """How near each rule of the guard is to its figure."""

    @property
    def run(self) -> str:
        """Its id."""
        return self.view.run

    @property
    def is_open(self) -> bool:
        """It has not finished, whether somebody carries it out or not."""
        return self.view.finished is None

    @property
    def is_live(self) -> bool:
        """A process carries it out."""
        return self.is_open and bool(self.carried_by)

    @property
    def rank(self) -> int:
        """How urgent it is, 0 the most: it asks, changes machines, goes on, was left open by a change."""
        if self.is_live:
            return 0 if self.view.asked else 1 if self.changes else 2
        return 3 if self.is_open and self.changes else 4


class Outlook(msgspec.Struct, frozen=True):
    """When it will be over, by many simulated courses of the hosts as they stood."""

    made: datetime
    """By the time that people go by."""
    begins: datetime
    """Where the simulated courses begin, in the time of the hosts."""
    down: int
    """Hosts that were down then."""
    technicians: int
    """On duty in each shift."""
    shifts: int
    spans: Mapping[str, tuple[float, float]]
    """Share of those hosts that are up, to hours from there: one course in ten, and nine in ten, were sooner."""


class Snapshot(msgspec.Struct, frozen=True, eq=False):
    """The state of everything. Two are the same only if they are one object."""

    stage: Stage = "starting"
    behind: int = 0
    """Events of the journal that are not in here yet."""
    seq: int = 0
    """Number of the latest event that is."""
    journal: str = ""
    there: bool = False
    """Whether the journal has been made."""
    now: datetime = datetime.fromtimestamp(0, UTC)
    """Time of the world that is shown: a mock twin's own time stands still between events."""
    mock: bool = False
    """The hosts are simulated ones."""
    fleet: Fleet = Fleet()
    """The hosts that are counted."""
    members: Mapping[str, Host] = MappingProxyType({})
    """The same by name."""
    hosts: Mapping[str, HostState] = MappingProxyType({})
    """Hosts that a run has met, by name; of their evidence only silence, last answer and last stop code."""
    standing: Standing = Standing()
    goals: tuple[Goal, ...] = ()
    runs: tuple[RunLine, ...] = ()
    """Oldest first, those of both worlds."""
    recent: tuple[Stored, ...] = ()
    """The latest events, oldest first."""
    notable: tuple[Stored, ...] = ()
    """The latest events that an operator should see, oldest first."""
    hands: tuple[Ticket, ...] = ()
    """Those of the tickets whose machines still need hands, the oldest first."""
    tickets: Mapping[str, Ticket] = MappingProxyType({})
    """The desk's tickets by host, in the order in which they were opened. Ask each by `at(clock)`."""
    desk: DeskNumbers = DeskNumbers()
    clock: datetime = datetime.fromtimestamp(0, UTC)
    """The time that people and their leases go by; differs from `now` on a mock twin."""
    outlook: Outlook | None = None
    """The latest forecast."""
    no_outlook: str = ""
    """Why there is none, or no newer one."""
    problem: str = ""
    """Why what is shown is not up to date."""
    chosen: str = ""
    """Id of the run that somebody points at, on a screen that lists runs."""

    @property
    def focus(self) -> RunLine | None:
        """The run of this world that people look at, the most urgent by `RunLine.rank`; of several the newest."""
        own = [line for line in self.runs if line.mock == self.mock]
        return min(reversed(own), key=lambda line: line.rank, default=None)

    @property
    def steered(self) -> RunLine | None:
        """The run that people's orders go to: the one that somebody points at, else the one in focus."""
        return self.run(self.chosen) or self.focus

    @property
    def others(self) -> tuple[RunLine, ...]:
        """The open runs beside the one in focus, of both worlds, the most urgent first."""
        found = [line for line in reversed(self.runs) if line.is_open and line is not self.focus]
        return tuple(sorted(found, key=lambda line: line.rank))

    def light(self) -> Snapshot:
        """The same without what is large: the states of the hosts and the events, for a screen that is not shown."""
        replace, nobody = msgspec.structs.replace, MappingProxyType[str, HostState]({})
        runs = tuple(replace(line, view=replace(line.view, states=nobody)) for line in self.runs)
        return replace(self, hosts=nobody, runs=runs, recent=())

    def site_of(self, host: str) -> str:
        """Where the host stands; nothing where nobody said."""
        found = self.members.get(host)
        return found.site if found is not None else ""

    def run(self, run: str) -> RunLine | None:
        """The run of this id."""
        return next((line for line in self.runs if line.run == run), None)


EMPTY = Snapshot()
