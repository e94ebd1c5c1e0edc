"""What an outage costs: each service loses in proportion to what of it is down, and no more than once.

A service is up as far as its own hosts are, and no further than the services it needs. A host with a `cost_per_hour` of
its own loses that while it is down.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from recovery.model.host import Fleet, Service

_STEP = 300.0
"""Seconds; hosts that are up again within one step count from its middle on."""
_HOUR = 3600.0


class Curve(msgspec.Struct, frozen=True):
    """How a fleet came up again."""

    lost: float
    """In the fleet's currency, over all of it."""
    ends: float
    """Seconds until the last host was up."""
    by_service: Mapping[str, float]


class Losses:
    """The loss of one fleet, for any course of its recovery."""

    def __init__(self, fleet: Fleet) -> None:
        """Look at who carries what."""
        self._services = fleet.services
        self._of = [host.service for host in fleet.hosts]
        self._own = [_own_cost(host.vars) for host in fleet.hosts]
        self._sizes: dict[str, int] = {}
        for service, own in zip(self._of, self._own, strict=True):
            if own is None:
                self._sizes[service] = self._sizes.get(service, 0) + 1
        self._order = _needed_first(fleet.services)

    def of(self, up_at: Sequence[float]) -> Curve:
        """The loss when each host is up from those seconds on; 0 for one that was never down."""
        ends = max(up_at, default=0.0)
        steps = math.ceil(ends / _STEP) or 1
        back: dict[str, list[int]] = {}
        lost = 0.0
        for service, own, at in zip(self._of, self._own, up_at, strict=True):
            if own is not None:
                lost += own * at / _HOUR
            elif at > 0.0:
                counts = back.setdefault(service, [0] * steps)
                counts[min(steps - 1, int(at / _STEP))] += 1
        shares = {service: self._shares(service, counts) for service, counts in back.items()}
        by_service = self._add_up(shares, steps)
        return Curve(lost + sum(by_service.values()), ends, by_service)

    def _shares(self, service: str, counts: Sequence[int]) -> list[float]:
        """The share of the service's own hosts that is up, in the middle of each step."""
        size, up = self._sizes[service], self._sizes[service] - sum(counts)
        found = []
        for count in counts:
            found.append((up + count / 2) / size)
            up += count
        return found

    def _add_up(self, shares: Mapping[str, list[float]], steps: int) -> dict[str, float]:
        whole: dict[str, list[float]] = {}
        lost: dict[str, float] = {}
        full = [1.0] * steps
        for name in self._order:
            needed = [whole[need] for need in self._services[name].needs if need in whole]
            own = shares.get(name, full)
            whole[name] = [min(step) for step in zip(own, *needed, strict=True)]
            cost = self._services[name].cost_per_hour
            if cost and name in self._sizes:
                lost[name] = cost * _STEP / _HOUR * (steps - math.fsum(whole[name]))
        return lost


def _own_cost(values: Mapping[str, object]) -> float | None:
    own = values.get("cost_per_hour")
    return float(own) if isinstance(own, int | float) else None


def _needed_first(services: Mapping[str, Service]) -> list[str]:
    """The services, each behind those it needs; services that need each other in a ring come as they are met."""
    found: dict[str, None] = {}
    met: set[str] = set()

    def take(name: str) -> None:
        if name in met or name not in services:
            return
        met.add(name)
        for need in services[name].needs:
            take(need)
        found[name] = None

    for name in services:
        take(name)
    return list(found)
