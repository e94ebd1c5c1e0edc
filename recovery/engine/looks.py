"""Hosts that wait for an answer: when each is looked at again. Until one answers it costs its looks and nothing else.

A host that answered lately may be in a loop, and its next window must not be missed: it is looked at every 0.4 s. The
others are looked at ever less often, after an eighth of the time for which they have been silent: one that wakes up is
found within about a quarter of an hour at the latest. A budget of looks a second bounds them all: where it does not do,
all wait longer by the same factor, so the many that are dark for long take hardly anything from the few that loop.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable

import msgspec

_BATCHES = 3
"""Looks are put off by up to an eighth (two to the minus third) of their wait, so that many are due at once."""


class Cadence(msgspec.Struct, frozen=True):
    """How often a silent host is looked at: after a share of the time it has waited, within bounds (seconds)."""

    share: float
    shortest: float
    longest: float

    def after(self, waited: float) -> float:
        """Seconds from a look to the next one, for a host that has waited for `waited` seconds."""
        wanted = waited * self.share
        if wanted >= self.longest:
            return self.longest
        return max(self.shortest, wanted)


LOOPING = Cadence(share=0.0, shortest=0.4, longest=0.4)
"""For hosts that answered lately, and for those that are raced for."""

DARK = Cadence(share=1 / 8, shortest=1.0, longest=840.0)
"""For hosts that have not answered for long."""

STIRRING = Cadence(share=1 / 8, shortest=1.0, longest=30.0)
"""For hosts whose port answers, but that let nobody in: they may be starting, or only have a gateway in front."""

RESTARTING = Cadence(share=1 / 4, shortest=2.0, longest=10.0)
"""For hosts whose restart was asked for."""


class _Awaited:
    """A host that waits, in times of the monotonic clock."""

    __slots__ = ("cadence", "rate", "since", "step", "until", "wait")

    def __init__(self, cadence: Cadence, since: float, until: float) -> None:
        self.cadence = cadence
        self.since = since
        self.until = until
        self.wait = self.rate = self.step = 0.0


class Looks:
    """When each silent host is looked at again. Those that are due together are given out together."""

    def __init__(self, per_second: float) -> None:
        """Plan at most so many looks a second."""
        self._budget = per_second
        self._wanted = 0.0
        self._awaited: dict[str, _Awaited] = {}
        self._due: dict[float, list[str]] = {}
        self._times: list[float] = []

    def await_answer(
        self, host: str, cadence: Cadence, now: float, until: float, *, waited: float, first: float
    ) -> None:
        """Look at the host at this cadence up to `until` (monotonic seconds), as one that has `waited` for so long.

        `first` is how many seconds the first look has time; 0 leaves it to the cadence.
        """
        awaited = _Awaited(cadence, now - waited, until)
        self._awaited[host] = awaited
        self._plan(host, awaited, first or cadence.after(waited), now)

    def due(self) -> float | None:
        """When somebody has to be looked at next."""
        return self._times[0] if self._times else None

    def take_due(self, now: float) -> list[str]:
        """Take the hosts that are to be looked at now; each is then `still_silent`, or has been `found`."""
        hosts: list[str] = []
        while self._times and self._times[0] <= now:
            hosts += self._due.pop(heapq.heappop(self._times))
        return hosts

    def still_silent(self, hosts: Iterable[str], now: float) -> list[str]:
        """The hosts did not answer: plan their next looks. Returns those whose time is over, which wait no more."""
        awaited_hosts, late = self._awaited, []
        for host in hosts:
            awaited = awaited_hosts[host]
            if now < awaited.until:
                self._plan(host, awaited, awaited.cadence.after(now - awaited.since), now)
            else:
                self.found(host)
                late.append(host)
        return late

    def found(self, host: str) -> None:
        """The host waits no more, if it did."""
        awaited = self._awaited.pop(host, None)
        if awaited is not None:
            self._wanted -= awaited.rate
        if not self._awaited:
            self._wanted = 0.0  # sums of fractions leave a little

    def drain(self) -> Iterable[str]:
        """Take every host whose look is planned."""
        hosts = [host for due in self._due.values() for host in due]
        for host in hosts:
            self.found(host)
        self._due, self._times = {}, []
        return hosts

    def _plan(self, host: str, awaited: _Awaited, wait: float, now: float) -> None:
        if wait != awaited.wait:  # it is the same from look to look once a cadence is at its bound
            self._wanted += 1.0 / wait - awaited.rate
            awaited.wait, awaited.rate, awaited.step = wait, 1.0 / wait, _step(wait)
        step = awaited.step
        if self._wanted > self._budget:
            wait *= self._wanted / self._budget
            step = _step(wait)
        due = math.ceil((now + wait) / step) * step
        if due > awaited.until:
            due = max(awaited.until, now + step)
        if due in self._due:
            self._due[due].append(host)
        else:
            self._due[due] = [host]
            heapq.heappush(self._times, due)


def _step(wait: float) -> float:
    """Looks that come after this wait are due at whole multiples of so many seconds: a power of two."""
    return math.ldexp(1.0, math.frexp(wait)[1] - 1 - _BATCHES)
