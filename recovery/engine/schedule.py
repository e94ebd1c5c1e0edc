"""Which host is worked on next, and which one waits for what. No task is held by a host that waits."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec


class Waiting(msgspec.Struct, frozen=True):
    """Hosts that wait for the same thing."""

    why: str
    count: int
    oldest: tuple[str, ...]
    """Names of those that have waited longest."""
    seconds: float
    """For how long the oldest has waited."""


class Schedule:
    """The hosts that are ready, those that wait for a time, for a place in a wave, or for a person."""

    def __init__(self, ranks: Mapping[str, int]) -> None:
        """Order hosts by these ranks, lowest first."""
        self._ranks = dict(ranks)
        self._ready: list[tuple[int, str]] = []
        self._parked: list[tuple[float, int, str]] = []
        self._placeless: list[tuple[int, str]] = []
        self._aside: dict[str, list[tuple[int, str]]] = {}
        self._set_aside = 0
        self._gates: dict[str, set[str]] = {}
        self._gate_ends: dict[str, float] = {}
        self._since: dict[str, tuple[float, str]] = {}

    def ready(self, host: str) -> None:
        """The host can be worked on."""
        heapq.heappush(self._ready, (self._ranks[host], host))

    def park(self, host: str, until: float, why: str, now: float) -> None:
        """The host goes on at `until` (monotonic seconds)."""
        self.note(host, why, now)
        heapq.heappush(self._parked, (until, self._ranks[host], host))

    def put_behind(self, host: str) -> None:
        """The host comes after all others from now on: it had its turn and could not use it."""
        self._ranks[host] += len(self._ranks)

    def wait_for_place(self, host: str, now: float) -> None:
        """The host waits for its wave."""
        self.note(host, "waits for its wave", now)
        heapq.heappush(self._placeless, (self._ranks[host], host))

    def wait_at_gate(self, host: str, gate: str, now: float, until: float) -> bool:
        """The host waits for a person; whether it is the first at this gate, which decides `until` when it waits."""
        self.note(host, "waits for approval", now)
        first = gate not in self._gate_ends
        self._gate_ends.setdefault(gate, until)
        self._gates.setdefault(gate, set()).add(host)
        return first

    def take_late(self, now: float) -> list[str]:
        """Take the hosts at gates that nobody has opened in time."""
        late = [gate for gate in self._gates if self._gate_ends[gate] <= now]
        hosts = [host for gate in late for host in self._gates.pop(gate)]
        for host in hosts:
            self._since.pop(host, None)
        return self.in_order(hosts)

    def open_gate(self, gate: str) -> None:
        """Everybody at the gate goes on."""
        for host in self.in_order(self._gates.pop(gate, ())):
            self.ready(host)

    def next_ready(self) -> str | None:
        """Take the first host that can be worked on."""
        if not self._ready:
            return None
        host = heapq.heappop(self._ready)[1]
        self._since.pop(host, None)
        return host

    def has_ready(self) -> bool:
        """Whether a host can be worked on."""
        return bool(self._ready)

    def wake(self, now: float) -> None:
        """Hosts whose time has come are ready."""
        while self._parked and self._parked[0][0] <= now:
            self.ready(heapq.heappop(self._parked)[2])

    def due(self) -> float | None:
        """When the next parked host is due, or the next gate's time is over."""
        times = [self._gate_ends[gate] for gate in self._gates]
        times += [self._parked[0][0]] if self._parked else []
        return min(times, default=None)

    def next_placeless(self) -> str | None:
        """Take the first host that waits for its wave."""
        return heapq.heappop(self._placeless)[1] if self._placeless else None

    def set_aside(self, host: str, site: str) -> None:
        """The host waits for a place at its full site; nobody looks at it again before one is free there."""
        heapq.heappush(self._aside.setdefault(site, []), (self._ranks[host], host))
        self._set_aside += 1

    def bring_back(self, site: str) -> None:
        """A place at the site is free: the first of those set aside waits for its wave again."""
        if self._aside.get(site):
            heapq.heappush(self._placeless, heapq.heappop(self._aside[site]))
            self._set_aside -= 1

    @property
    def placeless(self) -> int:
        """How many hosts wait for their wave."""
        return len(self._placeless) + self._set_aside

    @property
    def parked(self) -> int:
        """How many hosts wait for a time."""
        return len(self._parked)

    @property
    def at_gates(self) -> int:
        """How many hosts wait for a person."""
        return sum(len(hosts) for hosts in self._gates.values())

    def in_order(self, hosts: Iterable[str]) -> list[str]:
        """The hosts by rank."""
        return sorted(hosts, key=self._ranks.__getitem__)

    def drain(self) -> Iterable[str]:
        """Take every host that is not being worked on."""
        hosts = [host for _, host in self._ready] + [host for _, _, host in self._parked]
        hosts += [host for _, host in self._placeless]
        hosts += [host for aside in self._aside.values() for _, host in aside]
        hosts += [host for gate in self._gates.values() for host in gate]
        self._ready, self._parked, self._placeless, self._gates = [], [], [], {}
        self._since.clear()
        self._aside, self._set_aside = {}, 0
        return self.in_order(hosts)

    def waiting(self, now: float, oldest: int = 3) -> tuple[Waiting, ...]:
        """What is waited for, most hosts first."""
        counts = Counter(why for _, why in self._since.values())
        found = []
        for why, count in counts.most_common():
            longest = heapq.nsmallest(
                oldest, ((since, host) for host, (since, w) in self._since.items() if w == why)
            )
            found.append(
                Waiting(why, count, tuple(host for _, host in longest), now - longest[0][0])
            )
        return tuple(found)

    def note(self, host: str, why: str, now: float) -> None:
        """The host waits for `why`; as long as that stays the same, it has waited since the first time."""
        since, before = self._since.get(host, (now, ""))
        self._since[host] = (since if before == why else now, why)
