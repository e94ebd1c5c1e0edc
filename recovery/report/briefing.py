"""The status report for people who were not there: one page of Markdown that reads as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from recovery.model.evidence import Verdict
from recovery.report.course import DOWN, Standing
from recovery.report.estimate import Goal

_MARKS = re.compile(r"[\\`*_\[\]<>|#&]")
_PLACES = 12
"""Sites and services that are named one by one."""
_PACE = timedelta(hours=1)


class Briefing(msgspec.Struct, frozen=True, kw_only=True):
    """What is reported."""

    at: datetime
    mock: bool
    standing: Standing
    goals: Sequence[Goal]
    waiting: int = 0
    """Hosts that wait for hands."""
    questions: Sequence[str] = ()
    """What runs ask."""
    run: str = ""
    """The run that goes on, in words."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The hosts of one site or service, as a line of a table."""

    name: str
    left: int
    """Something is to be done about them."""
    down: int
    total: int
    loss_per_hour: float = 0.0


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Better counts than those of the verdicts."""

    summary: Sequence[str]
    """Lines of Markdown."""
    services: Sequence[Place]
    sites: Sequence[Place]
    left: str = "To do"
    """How `Place.left` is called: at most five letters."""


def markdown(brief: Briefing, counts: Counts | None = None) -> str:
    """The report; with other counts in place of its own, if there are better ones."""
    return "\n".join(_lines(brief, counts or _own(brief.standing))) + "\n"


def proven_last_hour(standing: Standing) -> int:
    """Hosts that were proven in the last hour, less those that were lost again."""
    samples = standing.samples
    if not samples:
        return 0
    recent = next(item for item in samples if item.at >= samples[-1].at - _PACE)
    return samples[-1].proven - recent.proven


def inert(text: str) -> str:
    """Text from outside, which may not pass for Markdown or HTML."""
    return _MARKS.sub(r"\\\g<0>", " ".join(text.split()))


def _own(standing: Standing) -> Counts:
    services, sites = (
        [
            Place(
                name=share.title or share.name,
                left=share.left,
                down=share.down,
                total=share.total,
                loss_per_hour=share.loss_per_hour,
            )
            for share in shares
        ]
        for shares in (standing.services, standing.sites)
    )
    return Counts(summary=list(_summary(standing)), services=services, sites=sites)


def _lines(brief: Briefing, counts: Counts) -> Iterator[str]:
    standing = brief.standing
    yield f"# Status of the recovery, {brief.at:%Y-%m-%d %H:%M} UTC"
    yield ""
    if brief.mock:
        yield "**These are SIMULATED hosts. Nothing in this report is real.**"
        yield ""
    yield from counts.summary
    yield loss(standing)
    yield ""
    yield from _times(brief)
    yield ""
    yield from _people(brief)
    if brief.run:
        yield f"- Under way: {inert(brief.run)}"
    yield ""
    yield from _table("Service", counts.services, counts.left, cost=True)
    yield from _table("Site", counts.sites, counts.left, cost=False)
    yield (
        "*Proven* means shown by the machine itself after its restart. Hosts of which nothing is known count as "
        "working in the loss, which is in proportion to the hosts of a service that are down."
    )


def _summary(standing: Standing) -> Iterator[str]:
    hit = standing.left + standing.proven
    unknown = standing.verdicts.get(Verdict.UNKNOWN, 0)
    met = f"Hit: {hit:,}. Never hit: {standing.never_hit:,}. Not known yet: {unknown:,}."
    yield f"- Hosts: {standing.total:,}. {met}"
    yield f"- Still to do: **{standing.left:,}**, of which {_down(standing):,} are down."
    yield f"- Recovered and proven: **{standing.proven:,}**{_share(standing.proven, hit)}."


def loss(standing: Standing) -> str:
    """What it costs, in a line of Markdown."""
    now, lost = f"{standing.loss_per_hour:,.0f}", f"{standing.lost:,.0f}"
    return f"- Loss: **{now} an hour** now; {lost} so far{_since(standing)}."


def _down(standing: Standing) -> int:
    return sum(standing.verdicts.get(verdict, 0) for verdict in DOWN)


def _share(part: int, whole: int) -> str:
    return f" ({100 * part / whole:.0f} % of those that were hit)" if whole else ""


def _since(standing: Standing) -> str:
    return f", counted since {standing.since:%Y-%m-%d %H:%M} UTC" if standing.since else ""


def _times(brief: Briefing) -> Iterator[str]:
    if brief.standing.samples:
        yield f"- Proven in the last hour: {proven_last_hour(brief.standing):,}."
    for goal in brief.goals:
        yield f"- {goal.name.capitalize()} ({goal.hosts:,} hosts): {when(goal)}."


def when(goal: Goal) -> str:
    """When the goal is reached, in words."""
    if goal.reached is not None:
        return f"reached at {goal.reached:%Y-%m-%d %H:%M} UTC"
    if goal.earliest is None or goal.latest is None:
        return f"no estimate, {goal.why}"
    begin, end = f"{goal.earliest:%Y-%m-%d %H:%M}", f"{goal.latest:%Y-%m-%d %H:%M}"
    return f"between {begin} and {end} UTC at the present pace"


def _people(brief: Briefing) -> Iterator[str]:
    keys = brief.standing.verdicts.get(Verdict.NEEDS_KEY, 0)
    yield f"- Waiting for hands: {brief.waiting:,} hosts. Waiting for a recovery key: {keys:,}."
    for question in brief.questions:
        yield f"- Waiting for a decision: {inert(question)}"


def _table(what: str, places: Sequence[Place], left: str, *, cost: bool) -> Iterator[str]:
    hurt = sorted(places, key=lambda place: (-place.loss_per_hour, -place.left, place.name))
    rows = [(inert(place.name or "(none)"), place) for place in hurt if place.left]
    if not rows:
        return
    shown = rows[:_PLACES]
    width = max(len(what), *(len(name) for name, _ in shown))
    loss = f" {'Loss an hour':>14} |" if cost else ""
    yield f"| {what:<{width}} | {left:<5} | Down  | Hosts |{loss}"
    yield f"|{'-' * (width + 2)}|------:|------:|------:|{'-' * 15 + ':|' if cost else ''}"
    for name, place in shown:
        loss = f" {place.loss_per_hour:>14,.0f} |" if cost else ""
        yield f"| {name:<{width}} | {place.left:>5,} | {place.down:>5,} | {place.total:>5,} |{loss}"
    if len(rows) > len(shown):
        rest = sum(place.left for _, place in rows[_PLACES:])
        yield f"\nand {len(rows) - _PLACES} more with {rest:,} {left.lower()}."
    yield ""
