"""Every host of a fleet in exactly one group, so that the numbers of a report add up to the inventory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from recovery.model.host import Fleet
from recovery.report.course import Sample
from recovery.report.groups import AFFECTED, Group

_MOST_SAMPLES = 400
_NAMED = 20
"""Hosts that a list of changes names; the others are a number."""


TITLES: Mapping[Group, str] = {
    Group.PROVEN: "Fixed and proven",
    Group.CLAIMED: "Claimed, not proven",
    Group.PEOPLE: "Waiting for people",
    Group.TO_DO: "To do, by the program",
    Group.WELL: "Never hit",
    Group.UNKNOWN: "Unknown",
}
"""In the order in which they are shown."""
HEADS: Mapping[Group, str] = {
    Group.PROVEN: "Proven",
    Group.CLAIMED: "Claimed",
    Group.PEOPLE: "People",
    Group.TO_DO: "To do",
    Group.WELL: "Never hit",
    Group.UNKNOWN: "Unknown",
}
"""The same where there is little room."""


class Row(msgspec.Struct, frozen=True):
    """The hosts of one site or service."""

    name: str
    title: str
    total: int
    counts: Mapping[str, int]
    """Every group is named."""
    loss_per_hour: float = 0.0

    @property
    def affected(self) -> int:
        """Hosts that were hit, as far as is known."""
        return sum(self.counts[group] for group in AFFECTED)

    @property
    def left(self) -> int:
        """Those of them that are not proven."""
        return self.affected - self.counts[Group.PROVEN]


class Tally(msgspec.Struct, frozen=True):
    """How many hosts are in which group."""

    whole: Row
    sites: tuple[Row, ...]
    services: tuple[Row, ...]


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What became different since an earlier moment."""

    since: datetime
    report: bool
    """That moment is that of the latest report."""
    counts: Mapping[str, int]
    """Group to how many hosts more, or fewer, are in it."""
    proven: int
    """Hosts that are proven now and were not."""
    came_back: int
    """Hosts that were proven and are not any more."""
    newly_hit: int
    """Hosts that were well or unknown, and are affected now."""
    lost: float
    """Loss meanwhile."""
    back: tuple[str, ...] = ()
    hit: tuple[str, ...] = ()
    """Some of their names."""


def tally(
    fleet: Fleet, known: Mapping[str, Group], losses: Mapping[str, float] | None = None
) -> Tally:
    """Count the fleet's hosts, and no others. `known`: the groups of hosts; `losses`: of each service, in an hour."""
    losses = losses or {}
    groups = {host.name: known.get(host.name, Group.UNKNOWN) for host in fleet.hosts}
    sites: dict[str, list[Group]] = {}
    services: dict[str, list[Group]] = {}
    for host in fleet.hosts:
        sites.setdefault(host.site, []).append(groups[host.name])
        services.setdefault(host.service, []).append(groups[host.name])
    titles = {name: site.name for name, site in fleet.sites.items()}
    titled = {name: service.name for name, service in fleet.services.items()}
    return Tally(
        _row("", "", groups.values(), sum(losses.values())),
        tuple(_row(name, titles.get(name, ""), found) for name, found in sites.items()),
        tuple(
            _row(name, titled.get(name, ""), found, losses.get(name, 0.0))
            for name, found in services.items()
        ),
    )


def changes(
    before: Mapping[str, Group],
    now: Mapping[str, Group],
    *,
    since: datetime,
    report: bool,
    lost: float,
) -> Changes:
    """What has changed in the groups of hosts. Hosts that `before` does not name were unknown."""
    counts: Counter[str] = Counter()
    proven, back, hit = 0, [], []
    for name, group in now.items():
        old = before.get(name, Group.UNKNOWN)
        if old == group:
            continue
        counts[group] += 1
        counts[old] -= 1
        proven += group == Group.PROVEN
        if old == Group.PROVEN:
            back.append(name)
        elif old in (Group.WELL, Group.UNKNOWN) and group in AFFECTED:
            hit.append(name)
    return Changes(
        since=since,
        report=report,
        counts={group.value: counts[group] for group in Group},
        proven=proven,
        came_back=len(back),
        newly_hit=len(hit),
        lost=lost,
        back=tuple(sorted(back)[:_NAMED]),
        hit=tuple(sorted(hit)[:_NAMED]),
    )


class Move(msgspec.Struct, frozen=True, gc=False):
    """A host went from one group to another."""

    seq: int
    """Of the event that says so."""
    at: datetime
    host: str
    before: Group
    after: Group


def samples_of(
    moves: Sequence[Move], first: Mapping[Group, int], begin: datetime, end: datetime
) -> tuple[Sample, ...]:
    """The course of a fleet by its moves: from the counts `first` at `begin` to `end`, in some hundred steps."""
    counts = Counter(first)
    least = (end - begin) / _MOST_SAMPLES
    found = [_sample(begin, counts)]
    last = begin
    for move in moves:
        if move.at - found[-1].at >= least and last > found[-1].at:
            found.append(_sample(last, counts))
        counts[move.before] -= 1
        counts[move.after] += 1
        last = max(last, move.at)
    end = max(end, last)
    if found[-1].at < last < end:
        found.append(_sample(last, counts))
    if found[-1].at == end:
        found.pop()
    return (*found, _sample(end, counts))


def _sample(at: datetime, counts: Mapping[Group, int]) -> Sample:
    left = sum(counts[group] for group in AFFECTED if group != Group.PROVEN)
    return Sample(at, left, counts[Group.PROVEN])


def _row(name: str, title: str, groups: Iterable[Group], loss: float = 0.0) -> Row:
    counts = Counter(groups)
    return Row(name, title, counts.total(), {group.value: counts[group] for group in Group}, loss)
