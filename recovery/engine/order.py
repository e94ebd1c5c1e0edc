"""In which order hosts are worked on."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from recovery.model.host import Fleet, Host, Service
from recovery.model.playbook import Order

_MINUTES_TO_FIX: Mapping[str, float] = {
    "desktop": 5.0,
    "laptop": 5.0,
    "kiosk": 5.0,
    "server": 10.0,
    "appliance": 10.0,
}
"""Expected minutes for one host in-band, by kind: a restart and its settling. Servers start more slowly."""


def ordered(fleet: Fleet, order: Order, seed: int = 0) -> tuple[str, ...]:
    """The names of the fleet's hosts, first first.

    `cost` is the rule of weighted shortest expected time: cost per hour divided by the expected minutes, highest
    first, after the services that the host's service needs. `dependency` looks at the needs and the tier alone.
    """
    if order == "inventory":
        return tuple(host.name for host in fleet.hosts)
    if order == "random":
        names = [host.name for host in fleet.hosts]
        random.Random(seed).shuffle(names)  # noqa: S311 - an order, not a secret
        return tuple(names)
    depth = _depths(fleet.services)

    def key(numbered: tuple[int, Host]) -> tuple[float, ...]:
        place, host = numbered
        service = fleet.service_of(host)
        urgency = (
            -fleet.cost_per_hour(host) / _MINUTES_TO_FIX[host.kind] if order == "cost" else 0.0
        )
        return (depth.get(host.service, 0), urgency, service.tier, place)

    return tuple(host.name for _, host in sorted(enumerate(fleet.hosts), key=key))


def expected_minutes(host: Host) -> float:
    """Minutes that the host is expected to take."""
    return _MINUTES_TO_FIX[host.kind]


def _depths(services: Mapping[str, Service]) -> dict[str, int]:
    """How many services deep each service stands on others; services that need each other in a ring count once."""
    depths: dict[str, int] = {}

    def depth(name: str, above: Sequence[str]) -> int:
        if name in depths:
            return depths[name]
        service = services.get(name)
        if service is None or name in above:
            return 0
        found = max(
            (1 + depth(need, (*above, name)) for need in service.needs if need in services),
            default=0,
        )
        if not above:
            depths[name] = found
        return found

    for name in services:
        depth(name, ())
    return depths
