"""What many simulated courses come to: spans instead of single figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec

from recovery.forecast.crew import HOUR, Crew
from recovery.forecast.hands import Visits

GOALS = (("half", 0.5), ("90 %", 0.9), ("all", 1.0))
"""Shares of the hosts that are down at the beginning."""


class Span(msgspec.Struct, frozen=True):
    """Of all courses: one in ten came below `p10`, half of them below `p50`, nine in ten below `p90`."""

    p10: float
    p50: float
    p90: float


class Course(msgspec.Struct, frozen=True):
    """One simulated course of an incident."""

    goals: tuple[float, ...]
    """Seconds until each of `GOALS` is reached."""
    lost: float
    by_program: int
    """Hosts that come up without a person."""
    by_hand: int
    visits: int
    busy: float
    """Seconds of work at machines, over all people."""
    moves: int
    sites: Mapping[str, float]
    """Seconds until the last host of each site is up."""


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One way to go about it, over all courses."""

    order: str
    alone: bool
    """People alone, without the program."""
    hours: Mapping[str, Span]
    """Goal to hours from the beginning."""
    lost: Span
    dearer: Span
    """By how much more is lost than in the first scenario, in the same simulated fleet with the same luck."""
    by_program: Span
    by_hand: Span
    visits: Span
    work_hours: Span
    """Of people at machines."""
    sites: Mapping[str, Span]
    """Site to hours until its last host is up."""


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What `simulate` tells."""

    fleet: int
    """Hosts."""
    down: int
    """Those of them that are down at the beginning, in the first course."""
    begins: str
    """When the simulated time begins, ISO 8601, UTC."""
    crew: Crew
    runs: int
    """Courses for each scenario."""
    seed: int
    scenarios: tuple[Scenario, ...]
    """The one with the least loss comes first."""
    sampled: tuple[str, ...]
    """What was measured on runs of the real engine."""
    modelled: tuple[str, ...]
    """What was not, and by what assumption it is there."""


def course_of(
    up_at: Sequence[float], sites: Sequence[str], *, lost: float, by_program: int, done: Visits
) -> Course:
    """A course in which each host is up from those seconds on, 0 for one that was never down."""
    times = sorted(at for at in up_at if at > 0.0)
    goals = tuple(times[math.ceil(share * len(times)) - 1] if times else 0.0 for _, share in GOALS)
    last: dict[str, float] = {}
    for site, at in zip(sites, up_at, strict=True):
        if at > last.get(site, 0.0):
            last[site] = at
    by_hand = len(done.up)
    return Course(goals, lost, by_program, by_hand, done.visits, done.busy, done.moves, last)


def scenario(
    order: str, courses: Sequence[Course], first: Sequence[Course], *, alone: bool
) -> Scenario:
    """What `courses` come to; `first`: the courses, of the same luck each, to compare their loss with."""

    def span(figure: Callable[[Course], float]) -> Span:
        return span_of([figure(course) for course in courses])

    sites = sorted({site for course in courses for site in course.sites})
    return Scenario(
        order=order,
        alone=alone,
        hours={
            name: span_of([course.goals[place] / HOUR for course in courses])
            for place, (name, _) in enumerate(GOALS)
        },
        lost=span(lambda course: course.lost),
        dearer=span_of([a.lost - b.lost for a, b in zip(courses, first, strict=True)]),
        by_program=span(lambda course: course.by_program),
        by_hand=span(lambda course: course.by_hand),
        visits=span(lambda course: course.visits),
        work_hours=span(lambda course: course.busy / HOUR),
        sites={
            site: span_of([course.sites.get(site, 0.0) / HOUR for course in courses])
            for site in sites
        },
    )


def span_of(figures: Sequence[float]) -> Span:
    """The span of some figures, at least one, by nearest rank."""
    ordered = sorted(figures)

    def at(share: float) -> float:
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

    return Span(at(0.1), at(0.5), at(0.9))
