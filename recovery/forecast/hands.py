"""Technicians at work: a simulation, event by event, of who goes to which machine next, and when it is up again."""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec

from recovery.forecast.crew import HOUR, Crew

_SEEN_AFTER = 1800.0
"""Seconds after a visit until it shows that a machine needs another one."""


class Job(msgspec.Struct, frozen=True, gc=False):
    """A machine that waits for a person."""

    host: int
    """Number of the host in its fleet."""
    site: str
    kind: str
    ready: float
    """Seconds since the beginning at which somebody may go there."""
    rank: int
    """Lower ones first."""
    until: float = math.inf
    """Seconds since the beginning at which it is up without anybody; nobody goes there any more then."""
    asks_for_key: bool = False


class Visits(msgspec.Struct, frozen=True):
    """What the people got done."""

    up: dict[int, float]
    """Host to the seconds since the beginning at which it was up again, for those that somebody went to."""
    visits: int
    busy: float
    """Seconds of work at machines, over all people."""
    moves: int
    """Journeys from one site to another."""


def work_off(jobs: Sequence[Job], crew: Crew, midnight: float, draw: random.Random) -> Visits:
    """Let the crew work until no machine is left. `midnight`: seconds of the day at which the beginning is."""
    return _Shift(jobs, crew, midnight, draw).go()


class _Shift:
    """Each technician takes the first machine of their site; where none is left or to come, they go where most wait."""

    def __init__(
        self, jobs: Sequence[Job], crew: Crew, midnight: float, draw: random.Random
    ) -> None:
        self._crew = crew
        self._midnight = midnight
        self._draw = draw
        self._coming: dict[str, list[tuple[float, int, Job]]] = {}
        self._waiting: dict[str, list[tuple[int, int, Job]]] = {}
        for number, job in enumerate(jobs):
            self._coming.setdefault(job.site, []).append((job.ready, number, job))
            self._waiting.setdefault(job.site, [])
        for coming in self._coming.values():
            heapq.heapify(coming)
        self._number = len(jobs)
        self._people: Counter[str] = Counter()
        self._free: list[tuple[float, int, str]] = []
        self._up: dict[int, float] = {}
        self._visits = self._moves = 0
        self._busy = 0.0
        self._place(jobs)

    def go(self) -> Visits:
        while self._free:
            at, who, site = heapq.heappop(self._free)
            # Not before `at`, which the sum and its difference may miss by a rounding.
            at = max(at, self._crew.on_duty(at + self._midnight) - self._midnight)
            job = self._next(site, at)
            if job is not None:
                self._visit(job, at, who)
            else:
                self._look_around(site, at, who)
        return Visits(self._up, self._visits, self._busy, self._moves)

    def _place(self, jobs: Sequence[Job]) -> None:
        """People stand where the work is, in proportion."""
        work: defaultdict[str, float] = defaultdict(float)
        for job in jobs:
            work[job.site] += self._crew.expected(job.kind)
        placed = 0
        total = sum(work.values())
        quotas = {site: self._crew.technicians * each / total for site, each in work.items()}
        for site, quota in quotas.items():
            self._people[site] = int(quota)
            placed += int(quota)
        by_rest = sorted(quotas, key=lambda site: (int(quotas[site]) - quotas[site], site))
        for site in by_rest[: self._crew.technicians - placed]:
            self._people[site] += 1
        places = [site for site, count in self._people.items() for _ in range(count)]
        self._free = [(0.0, who, site) for who, site in enumerate(places)]

    def _next(self, site: str, at: float) -> Job | None:
        coming, waiting = self._coming[site], self._waiting[site]
        while coming and coming[0][0] <= at:
            _, number, job = heapq.heappop(coming)
            heapq.heappush(waiting, (job.rank, number, job))
        while waiting:
            job = heapq.heappop(waiting)[2]
            if job.until > at:
                return job
        return None

    def _visit(self, job: Job, at: float, who: int) -> None:
        takes = self._crew.seconds_for(job.kind, self._draw, asks_for_key=job.asks_for_key)
        end = at + takes
        self._visits += 1
        self._busy += takes
        if self._crew.comes_back and self._draw.random() < self._crew.comes_back:
            self._number += 1
            heapq.heappush(self._coming[job.site], (end + _SEEN_AFTER, self._number, job))
        else:
            self._up[job.host] = min(end, job.until)
        heapq.heappush(self._free, (end, who, job.site))

    def _look_around(self, site: str, at: float, who: int) -> None:
        """Nothing waits here: wait for what is going to, go elsewhere, or be done."""
        there = max(self._waiting, key=lambda name: (self._needy(name, at), name))
        soon = self._coming[site][0][0] if self._coming[site] else None
        travel = self._crew.travel * HOUR
        if self._needy(there, at) > 0 and (soon is None or soon > at + travel):
            self._people[site] -= 1
            self._people[there] += 1
            self._moves += 1
            heapq.heappush(self._free, (at + travel, who, there))
        elif soon is not None:
            heapq.heappush(self._free, (soon, who, site))
        elif any(self._coming.values()):
            first = min(coming[0][0] for coming in self._coming.values() if coming)
            heapq.heappush(self._free, (max(first, at + HOUR), who, site))

    def _needy(self, site: str, at: float) -> float:
        """Machines that wait there for each person, if more than one each; else nothing."""
        coming, waiting = self._coming[site], self._waiting[site]
        while coming and coming[0][0] <= at:
            _, number, job = heapq.heappop(coming)
            heapq.heappush(waiting, (job.rank, number, job))
        here = max(1, self._people[site])
        return len(waiting) / here if len(waiting) > self._people[site] else 0.0
