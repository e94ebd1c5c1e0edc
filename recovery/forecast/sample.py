"""A small fleet that stands for a large one: which hosts, under which limits, and what its run says of the others."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from recovery.model.events import (
    AnyEvent,
    HostFinished,
    HostObserved,
    Outcome,
    StepFinished,
    StepIntended,
)
from recovery.model.evidence import BootIdentity, Reachability, Verdict
from recovery.model.host import Fleet
from recovery.model.playbook import Limits, Share, Strategy

How = Literal["was_up", "program", "itself", "hands"]
NEVER = math.inf
_DOWN = (
    *(Verdict.CRASH_LOOP, Verdict.BLUE_SCREEN, Verdict.RECOVERY_SCREEN),
    *(Verdict.NEEDS_KEY, Verdict.DARK),
)
_CANARIES = 20
_HICCUP = 60.0
"""Seconds of silence that do not mean that a host was down."""


class End(msgspec.Struct, frozen=True, gc=False):
    """How the program's work on a host ended, in seconds since the run began."""

    how: How
    """`itself`: it came up without anybody's help. `hands`: a person has to go there."""
    at: float = NEVER
    """When it is up without a person."""
    ready: float = NEVER
    """From when on a person may go there."""
    runs: bool = False
    """It does its work until it is restarted."""
    asks_for_key: bool = False


class Sample(msgspec.Struct, frozen=True):
    """Hosts that stand for their fleet."""

    fleet: Fleet
    share: float
    """Of the whole fleet: 1 where every host is in it."""
    places: tuple[int, ...]
    """Of its hosts in the whole fleet."""
    strata: tuple[tuple[str, ...], ...]
    """To what each host of the whole fleet belongs; those of one stratum stand for each other."""


def sampled(fleet: Fleet, most: int, labels: Sequence[str], draw: random.Random) -> Sample:
    """At most about `most` hosts, from every stratum (label, service, kind, site) its share, at least one.

    `labels`: what else tells each host of the fleet from the others, such as its verdict.
    """
    strata = tuple(
        (label, host.service, host.kind, host.site)
        for label, host in zip(labels, fleet.hosts, strict=True)
    )
    total = len(fleet.hosts)
    if total <= most:
        return Sample(fleet, 1.0, tuple(range(total)), strata)
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, stratum in enumerate(strata):
        groups[stratum].append(place)
    chosen: list[int] = []
    for members in groups.values():
        count = max(1, round(len(members) * most / total))
        step = len(members) / count
        first = draw.random() * step
        chosen += [members[int(first + number * step)] for number in range(count)]
    places = tuple(sorted(chosen))
    hosts = tuple(fleet.hosts[place] for place in places)
    smaller = msgspec.structs.replace(fleet, hosts=hosts)
    return Sample(smaller, len(hosts) / total, places, strata)


def scaled(strategy: Strategy, total: int, share: float) -> Strategy:
    """The strategy for a sample of `total` hosts: limits in proportion, so that hosts wait as long for their turn.

    The first waves keep their size up to a score of hosts: how long these take is up to their slowest host. Without the
    guard: what people decide when it halts a run cannot be forecast.
    """
    limits = strategy.limits
    sizes = (wave.hosts(total) for wave in strategy.waves)
    return msgspec.structs.replace(
        strategy,
        guard=None,
        waves=tuple(Share(max(min(size, _CANARIES), _part(size, share))) for size in sizes),
        approve="none",
        limits=Limits(
            total=_part(limits.total, share),
            per_site=_part(limits.per_site, share),
            per_gateway=_part(limits.per_gateway, share),
        ),
    )


def scaled_sites(fleet: Fleet, share: float) -> Fleet:
    """The fleet with its sites' own limits in proportion, and without their freeze windows."""
    sites = {
        code: msgspec.structs.replace(
            site,
            concurrency=_part(site.concurrency, share) if site.concurrency else None,
            freeze=(),
        )
        for code, site in fleet.sites.items()
    }
    return msgspec.structs.replace(fleet, sites=sites)


class Ends:
    """Collects how the hosts of a run end."""

    def __init__(self, patience: float) -> None:
        """Hosts that have not answered for `patience` seconds are given to people; the program goes on trying."""
        self.found: dict[str, End] = {}
        self._patience = patience
        self._began: datetime | None = None
        self._silent: dict[str, float] = {}
        self._longest: dict[str, float] = {}
        self._ready: dict[str, float] = {}
        self._first: dict[str, Verdict] = {}
        self._touched: set[str] = set()

    def add(self, event: AnyEvent) -> None:
        """Take one more event."""
        self._began = self._began or event.at
        at = (event.at - self._began).total_seconds()
        if isinstance(event, HostFinished):
            self._heard(event.host, at)
            self.found[event.host] = self._end(event, at)
        elif isinstance(event, StepIntended):
            self._touched.add(event.host)
        elif isinstance(event, HostObserved | StepFinished):
            if event.verdict not in (Verdict.UNKNOWN, Verdict.DARK):
                self._first.setdefault(event.host, event.verdict)
            for item in event.evidence:
                if isinstance(item, Reachability) and not item.answers:
                    self._silent.setdefault(event.host, at)
                elif isinstance(item, Reachability | BootIdentity):
                    self._heard(event.host, at)

    def _heard(self, host: str, at: float) -> None:
        """It answered, or nobody listens any more."""
        since = self._silent.pop(host, None)
        if since is None:
            return
        self._longest[host] = max(self._longest.get(host, 0.0), at - since)
        if at - since >= self._patience:
            self._ready.setdefault(host, since + self._patience)

    def _end(self, event: HostFinished, at: float) -> End:
        name = event.host
        ready = self._ready.get(name, NEVER)
        match event.outcome:
            case Outcome.HEALTHY if not self._was_down(name):
                return End("was_up", 0.0)
            case Outcome.HEALTHY if name not in self._touched:
                return End("itself", at, ready)
            case Outcome.HEALTHY | Outcome.RECOVERED | Outcome.DONE:
                return End("program", at, ready, self._first.get(name) == Verdict.EXPOSED)
            case _:
                asks = event.verdict == Verdict.NEEDS_KEY
                runs = self._first.get(name) == Verdict.EXPOSED and event.verdict not in _DOWN
                return End("hands", NEVER, min(at, ready), runs, asks)

    def _was_down(self, name: str) -> bool:
        return self._longest.get(name, 0.0) >= _HICCUP or self._first.get(name) in _DOWN


def spread(
    sample: Sample, ends: Mapping[str, End], ranks: Sequence[int], draw: random.Random
) -> list[End]:
    """How each host of the whole fleet ends: as a host of its stratum that came about as early in turn.

    `ends`: of the sample's hosts, by name. `ranks`: the place of each host of the whole fleet in the order of work.
    """
    members: dict[tuple[str, ...], list[int]] = defaultdict(list)
    chosen: dict[tuple[str, ...], list[End]] = defaultdict(list)
    for place in sorted(range(len(ranks)), key=ranks.__getitem__):
        members[sample.strata[place]].append(place)
    names = dict(zip(sample.places, sample.fleet.hosts, strict=True))
    for place in sorted(sample.places, key=ranks.__getitem__):
        chosen[sample.strata[place]].append(ends[names[place].name])
    found: list[End] = [End("was_up", 0.0)] * len(ranks)
    for stratum, places in members.items():
        models = chosen[stratum]
        for number, place in enumerate(places):
            moved = (number + draw.random()) * len(models) / len(places)
            found[place] = models[min(len(models) - 1, int(moved))]
    return found


def _part(limit: int, share: float) -> int:
    return max(1, math.ceil(limit * share)) if limit else 0
