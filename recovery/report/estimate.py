"""When it will be over, as far as the course of an incident lets one say it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from recovery.report.course import Sample

GOALS = (("half", 0.5), ("90 %", 0.9), ("all", 1.0))
_LATEST = timedelta(minutes=15)
"""What counts as the pace of now; a quarter of the whole time if that is longer."""
_FARTHEST = timedelta(days=60).total_seconds()


class Goal(msgspec.Struct, frozen=True):
    """A share of the hosts that were hit, and when it is proven recovered."""

    name: str
    hosts: int
    """So many of them."""
    reached: datetime | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    """Between the pace of now and the pace of the whole time; nothing where that says nothing."""
    why: str = ""
    """Why nothing can be said."""


def goals(samples: Sequence[Sample], hands: int = 0, dark: int = 0) -> tuple[Goal, ...]:
    """The goals in order, for samples that end now.

    `hands` wait for people, and `dark` others do not answer: nobody knows the pace of either, so there is no estimate
    for a goal that cannot be reached without them.
    """
    if not samples:
        return ()
    now = samples[-1]
    hit = now.left + now.proven
    if not hit:
        return ()
    paces = _paces(samples)
    found = []
    for name, share in GOALS:
        wanted = math.ceil(hit * share)
        if now.proven >= wanted:
            found.append(Goal(name, wanted, reached=_reached(samples, wanted)))
        else:
            found.append(_ahead(name, wanted, now, (hands, dark), paces))
    return tuple(found)


def _reached(samples: Sequence[Sample], wanted: int) -> datetime:
    """Since when so many are proven without a break."""
    at = samples[-1].at
    for sample in reversed(samples):
        if sample.proven < wanted:
            break
        at = sample.at
    return at


def _ahead(
    name: str, wanted: int, now: Sample, out_of_reach: tuple[int, int], paces: Sequence[float]
) -> Goal:
    if wanted > now.proven + max(0, now.left - sum(out_of_reach)):
        return Goal(name, wanted, why=_who(*out_of_reach))
    if not paces:
        return Goal(name, wanted, why="none proven of late")
    seconds = sorted((wanted - now.proven) / pace for pace in paces)
    if seconds[0] > _FARTHEST:
        return Goal(name, wanted, why="far off at this pace")
    earliest, latest = (now.at + timedelta(seconds=min(_FARTHEST, end)) for end in seconds)
    return Goal(name, wanted, earliest=earliest, latest=latest)


def _paces(samples: Sequence[Sample]) -> tuple[float, ...]:
    """Proven hosts a second: of late, and since the first one was proven. None of late means no pace."""
    now = samples[-1]
    first = next((sample for sample in samples if sample.proven), None)
    if first is None:
        return ()
    window = max(_LATEST, (now.at - samples[0].at) / 4)
    since = next(sample for sample in samples if sample.at >= now.at - window)
    found = tuple(_pace(begin, now) for begin in (since, _before(samples, first)))
    return found if found[0] > 0.0 and found[1] > 0.0 else ()


def _before(samples: Sequence[Sample], first: Sample) -> Sample:
    place = samples.index(first)
    return samples[max(0, place - 1)]


def _pace(begin: Sample, end: Sample) -> float:
    seconds = (end.at - begin.at).total_seconds()
    return (end.proven - begin.proven) / seconds if seconds > 0 else 0.0


def _who(hands: int, dark: int) -> str:
    """Whom a goal has to wait for."""
    words = [f"{dark:,} dark"] if dark else []
    if hands:
        words.append(f"{hands:,} wait{'s' if hands == 1 else ''} for hands")
    return ", ".join(words)
