"""The verb `report`: the figures for those who were not there, now and afterwards, folded from the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TextIO

import msgspec

from recovery.desk.fold import DeskFold
from recovery.desk.reboots import RebootFold, Restart
from recovery.inventory.loader import load_with_warnings
from recovery.journal import views
from recovery.journal.board import Board, Change
from recovery.journal.log import Log
from recovery.journal.reader import Reader
from recovery.journal.runs import summaries
from recovery.model.events import AnyEvent, ReportGiven, RunStarted
from recovery.model.host import Fleet
from recovery.model.ticket import Ticket
from recovery.planning import recorded_fleet
from recovery.ports import Stored
from recovery.report.briefing import Briefing
from recovery.report.course import Course, Sample, Standing
from recovery.report.documents import Review
from recovery.report.effort import Efforts
from recovery.report.estimate import goals
from recovery.report.groups import Group, Groups
from recovery.report.page import Page
from recovery.report.story import Story
from recovery.report.tally import Changes, Move, changes, samples_of, tally
from recovery.settings import Settings
from recovery.worlds import SystemClock

_MOST_CAUSES = 60


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is to be of."""

    inventory: tuple[str, ...] = ()
    """Empty: the hosts that the journal's runs named."""
    since: datetime | None = None
    """Say what has changed since then; None: since the last report that the journal knows of."""
    ago: float | None = None
    """The same in seconds before the moment of the report."""


def report(settings: Settings, asked: Asked, stdin: TextIO | None = None) -> Review:
    """Fold the journal. Real hosts and those of mock twins are never mixed: it is of the kind of the latest run.

    Raises `JournalError` when there is no journal and no inventory, and `InputError` for one that cannot be read.
    """
    fleet = load_with_warnings(asked.inventory, stdin=stdin)[0] if asked.inventory else None
    if fleet is not None and not Path(settings.journal).exists():
        return _Fold(fleet, mock=False).review(asked)
    with closing(Reader.open(settings.journal)) as log:
        runs = summaries(log.run_events())
        fold = _Fold(fleet, mock=bool(runs) and runs[-1].mock)
        for stored in log.read():
            fold.add(log, stored)
    return fold.review(asked)


def note(settings: Settings, page: Page, by: str) -> None:
    """Write down that the report was given, so that the next one says what has changed since. Raises `JournalError`."""
    with closing(Log.open(settings.journal, create=False)) as log:
        log.append(
            ReportGiven(
                at=page.brief.at,
                total=page.tally.whole.total,
                counts={name: count for name, count in page.tally.whole.counts.items() if count},
                mock=page.brief.mock,
                by=by,
            )
        )


class _Fold:
    """The journal of one world, event by event."""

    def __init__(self, fleet: Fleet | None, *, mock: bool) -> None:
        self._fleet = fleet
        self._places = fleet or Fleet()
        self._mock = mock
        self._board = Board(mock=mock)
        self._course = Course(fleet)
        self._story = Story(views.describe)
        self._desk = DeskFold()
        self._efforts = Efforts()
        self._restarts = RebootFold(mock=mock)
        self._grouped = Groups()
        self._groups = self._grouped.known
        self._moves: list[Move] = []
        self._first: Counter[Group] = Counter()
        """The groups before the first move."""
        self._began: datetime | None = None
        self._given: tuple[int, datetime] | None = None

    def add(self, log: Reader, stored: Stored) -> None:
        event = stored.event
        before = self._board.last
        change = self._board.add(stored)
        self._desk.add(stored)
        self._restarts.add_all((stored,))
        if isinstance(event, RunStarted) and event.mock == self._mock:
            self._begun(log, event, before)
        if isinstance(event, ReportGiven) and event.mock == self._mock:
            self._given = (stored.seq, event.at)
        if self._is_ours(event):
            self._began = self._began or event.at
            self._story.add(event)
            self._efforts.add(event)
        if change is not None:
            ticket = self._desk.ticket(change.after.name, mock=self._mock)
            self._course.see(*change, ticket)
            self._story.see(*change)
            self._move(stored.seq, change, ticket)

    def review(self, asked: Asked) -> Review:
        board = self._board
        now = board.last if self._mock and board.last else SystemClock().now()
        if not self._mock and board.last:
            self._course.pass_time(now)
        members = tuple(self._course.hosts.values())
        fleet = msgspec.structs.replace(self._places, hosts=members)
        restarts = self._restarts.all()
        tickets = self._desk.tickets(mock=self._mock)
        return Review(
            page=self._page(fleet, asked, now),
            fleet=fleet,
            story=self._story,
            effort=self._efforts.found(tickets.values(), now),
            restarts={name: len(found) for name, found in restarts.items()},
            causes=_causes(restarts.values()),
            keys=[
                (use.host, use.key_id, use.person, f"{use.last:%Y-%m-%d %H:%M}" if use.last else "")
                for use in self._desk.keys(mock=self._mock).to_rotate()
            ],
        )

    def _page(self, fleet: Fleet, asked: Asked, now: datetime) -> Page:
        board, standing = self._board, self._standing(now)
        groups = tally(
            fleet, self._groups, {each.name: each.loss_per_hour for each in standing.services}
        )
        hands = groups.whole.counts[Group.PEOPLE]
        going = [run.view() for run in board.runs.values() if run.mock == self._mock]
        going = [view for view in going if view.finished is None and view.started is not None]
        brief = Briefing(
            at=now,
            mock=self._mock,
            standing=standing,
            goals=goals(standing.samples, hands),
            waiting=hands,
            questions=[asking.question for view in going for asking in view.asked],
            run=", ".join(f"{views.describe(view.started)} ({view.run})" for view in going if view.started),
        )  # fmt: skip
        changed = self._changes(fleet, asked, now, standing.samples)
        return Page(brief=brief, tally=groups, changes=changed)

    def _standing(self, now: datetime) -> Standing:
        """How things stand, with the course of the groups instead of that of the verdicts."""
        standing = self._course.standing()
        if self._began is None:
            return standing
        samples = samples_of(self._moves, self._first, self._began, now)
        told = [
            msgspec.structs.replace(each, lost=_lost_by(standing.samples, each.at))
            for each in samples
        ]
        return msgspec.structs.replace(standing, samples=tuple(told))

    def _changes(
        self, fleet: Fleet, asked: Asked, now: datetime, samples: Sequence[Sample]
    ) -> Changes | None:
        since = asked.since if asked.ago is None else now - timedelta(seconds=asked.ago)
        if since is not None:
            at, undone = since, [move for move in self._moves if move.at > since]
        elif self._given is not None:
            seq, at = self._given
            undone = [move for move in self._moves if move.seq > seq]
        else:
            return None
        current = {host.name: self._groups.get(host.name, Group.UNKNOWN) for host in fleet.hosts}
        before = dict(current)
        for move in reversed(undone):
            if move.host in before:
                before[move.host] = move.before
        lost = max(0.0, _lost_by(samples, now) - _lost_by(samples, at))
        return changes(before, current, since=at, report=since is None, lost=lost)

    def _begun(self, log: Reader, event: RunStarted, before: datetime | None) -> None:
        if self._fleet is None and "fleet" in event.documents:
            fleet = recorded_fleet(log, event)
            self._course.join(fleet)
            self._places = Fleet(
                sites={**self._places.sites, **fleet.sites},
                services={**self._places.services, **fleet.services},
            )
        if event.mock and before and event.at < before:  # another twin was born, at the same moment
            self._course.begin_anew()
            self._first = Counter(
                group for name, group in self._groups.items() if name in self._course.hosts
            )
            self._moves.clear()
            self._began = event.at
            self._story = Story(views.describe)
            self._restarts = RebootFold(mock=True)
            self._restarts.add_all((Stored(0, event),))

    def _is_ours(self, event: AnyEvent) -> bool:
        run = self._board.runs.get(event.run)
        if run is not None:
            return run.mock == self._mock
        return bool(getattr(event, "mock", False)) == self._mock

    def _move(self, seq: int, change: Change, ticket: Ticket | None) -> None:
        name = change.after.name
        old, new = self._grouped.see(change.after, ticket)
        if new != old and name in self._course.hosts:
            self._moves.append(Move(seq, change.at, name, old, new))


def _causes(every: Iterable[Sequence[Restart]]) -> list[tuple[str, ...]]:
    """The restarts by cause and by who did them: a technician, a run, the machine itself."""
    found: Counter[tuple[str, str]] = Counter()
    proven: Counter[tuple[str, str]] = Counter()
    for restarts in every:
        for restart in restarts:
            key = (restart.cause.replace("_", " "), restart.who)
            found[key] += 1
            proven[key] += restart.proven
    return [
        (*key, f"{count:,}", f"{proven[key]:,}") for key, count in found.most_common(_MOST_CAUSES)
    ]


def _lost_by(samples: Sequence[Sample], at: datetime) -> float:
    """The loss until then, in proportion between two samples."""
    if not samples or at <= samples[0].at:
        return 0.0
    for before, after in pairwise(samples):
        if before.at <= at < after.at:
            share = (at - before.at) / (after.at - before.at)
            return before.lost + share * (after.lost - before.lost)
    return samples[-1].lost
