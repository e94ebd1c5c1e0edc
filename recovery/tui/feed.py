"""The one place where the journal becomes what screens show. It reads new events only, and folds each of them once."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Protocol

import msgspec

from recovery.engine.guard import GuardWatch
from recovery.errors import JournalError, RecoveryError
from recovery.inventory.loader import load_with_warnings
from recovery.journal.board import Board
from recovery.journal.lease import holder
from recovery.journal.progress import RunProgress
from recovery.journal.reader import Reader
from recovery.journal.views import summaries
from recovery.model.events import RunStarted
from recovery.model.host import Fleet
from recovery.planning import RecordedPlan, recorded_fleet, recorded_plan
from recovery.ports import Clock, Stored
from recovery.report.course import Course
from recovery.report.estimate import goals
from recovery.tui.people import People
from recovery.tui.snapshot import EMPTY, RunLine, Snapshot

_BUDGET = 0.15
"""Seconds of reading in front of a snapshot."""
_CHUNK = 60
_CHUNK_AT_FIRST = 300
"""Events that are folded at once: few while people look, more while a long journal is read at the beginning."""
_BREATH = 0.002
"""Seconds that are left to the other threads after each chunk."""
_WAY = 0.05
_WAYS_APART = 0.1
"""Seconds for which a key has the processor, and between two such times: who holds a key down sees news too."""
_YOUNG = 4000
"""New objects after which garbage is looked for, here and not while something is drawn."""
_LOOK_FOR_HOLDERS = 1.0
_SHOWN_WHILE_READING = 0.4
"""Seconds between two snapshots while a long journal is read."""
_IDLE = 1.0
"""Seconds after which the time goes on in a snapshot of which nothing else changed."""


class Source(Protocol):
    """Where snapshots come from."""

    def poll(self) -> Snapshot | None:
        """What is known now; None when nothing changed. Blocks for a moment; belongs into a thread.

        Raises `RecoveryError` for what cannot mend itself while somebody looks.
        """

    def give_way(self) -> None:
        """Somebody pressed a key: leave the processor to the screen for a moment. Comes from another thread."""


class _Watched:
    """A run that has not finished, as far as it was planned."""

    def __init__(self, plan: RecordedPlan, started: RunStarted, sites: Mapping[str, int]) -> None:
        self.plan = plan
        self.guard = GuardWatch(plan.playbook.strategy.guard, started.total, sites)


class Feed:
    """Follows a journal. It is used by one thread at a time, but for `give_way`."""

    def __init__(
        self,
        journal: str,
        clock: Clock,
        inventory: Sequence[str] = (),
        *,
        mock: bool | None = None,
    ) -> None:
        """Show the hosts of `inventory`, or those that runs name; `mock` ones, real ones, or (None) as the runs are."""
        self._journal = journal
        self._clock = clock
        self._inventory = tuple(inventory)
        self._mock = mock
        self._fleet: Fleet | None = None
        self._fleets: set[str] = set()
        self._reader: Reader | None = None
        self._file: tuple[int, int] | None = None
        self._events: Iterator[Stored] | None = None
        self._open_runs: set[str] = set()
        self._met: set[str] = set()
        self._board: Board | None = None
        self._course = Course()
        self._people = People()
        self._watched: dict[str, _Watched] = {}
        self._holders: dict[str, str] = {}
        self._looked = float("-inf")
        self._given = float("-inf")
        self._last = EMPTY
        self._stale = True
        self._breath = threading.Event()
        self._way_until = float("-inf")

    def poll(self) -> Snapshot | None:
        """Take in what is new, for a moment at most, and show it. Raises `InputError` for the inventory."""
        found = self._polled()
        self._let_others(0.0)
        if gc.get_count()[0] > _YOUNG:
            gc.collect(1)
        return found

    def give_way(self) -> None:
        """Rest for a moment at the next chunk, and before the next snapshot."""
        now = time.monotonic()
        if now > self._way_until + _WAYS_APART - _WAY:
            self._way_until = now + _WAY

    def _let_others(self, breath: float) -> None:
        pause = max(breath, self._way_until - time.monotonic())
        if pause > 0:
            self._breath.wait(pause)

    def _polled(self) -> Snapshot | None:
        if self._fleet is None and self._last.stage == "starting":
            return self._opening()
        self._begin()
        try:
            behind = self._take_in()
        except RecoveryError as error:
            return self._troubled(str(error))
        now = time.monotonic()
        since = now - self._given
        if behind and since < _SHOWN_WHILE_READING and self._last.stage != "live":
            return None
        self._stale = self._look_for_holders(now) or self._stale
        if not self._stale and since < _IDLE:
            return None
        self._given = now
        self._let_others(0.0)
        if not behind and self._last.stage != "live":
            gc.freeze()  # what was read stays: to look through it for garbage would stop the screen for 100 ms
        self._last = self._shown(behind)
        self._stale = False
        return self._last

    def close(self) -> None:
        """Let go of the journal."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _opening(self) -> Snapshot:
        self._last = Snapshot(
            stage="inventory", journal=self._journal, now=self._clock.now(), mock=bool(self._mock)
        )
        return self._last

    def _begin(self) -> None:
        if self._fleet is None:
            self._fleet = load_with_warnings(self._inventory)[0] if self._inventory else Fleet()
            self._course = Course(self._fleet if self._inventory else None)

    def _troubled(self, words: str) -> Snapshot | None:
        if self._last.problem == words:
            return None
        self._last = msgspec.structs.replace(
            self._last, problem=words, stage="live", now=self._clock.now()
        )
        return self._last

    def _take_in(self) -> int:
        """Fold what is new for a moment; how many events are left."""
        reader = self._open()
        if reader is None:
            return 0
        board = self._board or self._first(reader)
        if board is None:
            return 0
        end = time.monotonic() + _BUDGET
        size = _CHUNK if self._last.stage == "live" else _CHUNK_AT_FIRST
        while time.monotonic() < end:
            if self._events is None:
                self._events = reader.read(after=board.seq)
            chunk = list(islice(self._events, size))
            for stored in chunk:
                self._take(reader, board, stored)
            self._stale = self._stale or bool(chunk)
            self._let_others(_BREATH)
            if len(chunk) < size:
                self._events = None
                return 0
        return max(0, reader.last_seq() - board.seq)

    def _open(self) -> Reader | None:
        if self._reader is None and Path(self._journal).exists():
            self._reader = Reader.open(self._journal)
            self._file = _file_of(self._journal)
            self._stale = True
        elif self._reader is not None and _file_of(self._journal) != self._file:
            raise JournalError(
                f"{self._journal} is not the file any more that was opened: what stands here is old, "
                "and what is begun here is not seen; leave with q, and open the dashboard again"
            )
        return self._reader

    def _first(self, reader: Reader) -> Board | None:
        """The board, once there is something to choose its world by."""
        known = summaries(reader.run_events())
        if self._mock is None:
            if not reader.last_seq():
                return None
            self._mock = bool(known) and all(run.mock for run in known)
        self._open_runs = {run.run for run in known if run.finished is None}
        self._met = {run.run for run in known}
        self._board = Board(mock=self._mock)
        return self._board

    def _take(self, reader: Reader, board: Board, stored: Stored) -> None:
        event = stored.event
        change = board.add(stored)
        self._people.add(stored, mock=board.mock)
        if isinstance(event, RunStarted):
            self._begun(reader, board, event)
        if not event.host:
            return
        watched = self._watched.get(event.run)
        state = board.runs[event.run].state(event.host) if watched is not None else None
        if watched is not None and state is not None:
            watched.guard.see(state, self._course.site_of(event.host))
        if change is not None:
            ticket = self._people.ticket(event.host, mock=board.mock)
            self._course.see(*change, ticket)

    def _begun(self, reader: Reader, board: Board, event: RunStarted) -> None:
        """A run has started: its fleet counts, and if it goes on it is watched."""
        self._looked = float("-inf")  # it is not shown as one that nobody carries out meanwhile
        fleet_id = event.documents.get("fleet", "")
        if event.mock == board.mock:
            if not self._inventory and fleet_id not in self._fleets:
                self._fleets.add(fleet_id)
                self._join(recorded_fleet(reader, event))
            if event.mock:  # each twin is born anew, at the same moment
                self._course.begin_anew()
        if event.run in self._open_runs or event.run not in self._met:
            plan = recorded_plan(reader, event)
            self._watched[event.run] = _Watched(plan, event, self._course.site_sizes())

    def _join(self, fleet: Fleet) -> None:
        known = self._fleet or Fleet()
        names = {host.name for host in known.hosts}
        self._fleet = Fleet(
            hosts=(*known.hosts, *(host for host in fleet.hosts if host.name not in names)),
            sites={**known.sites, **fleet.sites},
            services={**known.services, **fleet.services},
            groups={**known.groups, **fleet.groups},
        )
        self._course.join(fleet)

    def _look_for_holders(self, now: float) -> bool:
        """Look who carries the open runs out, now and then; whether that has changed."""
        if self._board is None or now - self._looked < _LOOK_FOR_HOLDERS:
            return False
        self._looked = now
        found = {
            run: holder(self._journal, run)
            for run, progress in self._board.runs.items()
            if progress.view().finished is None
        }
        changed, self._holders = found != self._holders, found
        return changed

    def _shown(self, behind: int) -> Snapshot:
        board = self._board
        fleet, clock = self._fleet or Fleet(), self._clock.now()
        if board is None:
            return self._without_events(fleet, clock)
        now = (board.last if board.mock else None) or clock
        if not board.mock and not behind:
            self._course.pass_time(now)
        standing = self._course.standing()
        hands = self._people.waiting(mock=board.mock)
        reading = behind > 0 and self._last.stage != "live"
        return Snapshot(
            stage="journal" if reading else "live",
            behind=behind,
            seq=board.seq,
            journal=self._journal,
            there=True,
            now=now,
            mock=board.mock,
            fleet=fleet,
            members=self._course.hosts,
            hosts=board.hosts(),
            standing=standing,
            goals=goals(standing.samples, len(hands), standing.silent),
            runs=tuple(self._line(run, now) for run in board.runs.values()),
            recent=board.recent(),
            notable=board.notable(),
            hands=hands,
            tickets=self._people.tickets(mock=board.mock),
            desk=self._people.numbers(self._course, clock, mock=board.mock),
            clock=clock,
        )

    def _without_events(self, fleet: Fleet, now: datetime) -> Snapshot:
        return Snapshot(
            stage="live",
            journal=self._journal,
            there=self._reader is not None,
            now=now,
            clock=now,
            mock=bool(self._mock),
            fleet=fleet,
            members=self._course.hosts,
            standing=self._course.standing(),
        )

    def _line(self, run: RunProgress, now: datetime) -> RunLine:
        view = run.view()
        watched = self._watched.get(run.run)
        if watched is None:
            return RunLine(view=view, mock=run.mock)
        plan = watched.plan
        wave = view.waves[-1] if view.waves else None
        return RunLine(
            view=view,
            mock=run.mock,
            carried_by=self._holders.get(run.run, "") if view.finished is None else "",
            steps=plan.steps,
            waves=plan.waves,
            changes=plan.playbook.changes,
            waits=run.waits(plan.steps, view.last or now if run.mock else now),
            guard=watched.guard.levels(wave.number if wave else 0, wave.size if wave else 0),
        )


def _file_of(journal: str) -> tuple[int, int] | None:
    """Which file stands there: device and inode; None where none does."""
    try:
        found = Path(journal).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
