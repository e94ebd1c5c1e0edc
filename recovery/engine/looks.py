"""Hosts that wait for an answer: when each is looked at again. Until one answers it costs its looks and nothing else.

A host that answered lately may be in a loop, and its next window must not be missed: it is looked at every 0.4 s. The
others are looked at ever less often, after an eighth of the time for which they have been silent: one that wakes up is
found within about a quarter of an hour at the latest. A budget of looks a second bounds them all: where it does not do,
all wait longer by the same factor, so the many that are dark for long take hardly anything from the few that loop.

A loop has a rhythm, which is learnt: then the looks at its host gather where the next window is expected. A console
that tells of crashes and starts says it even better.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from recovery.engine.rhythm import CLOSE, WIDE, Rhythm

_BATCHES = 3
"""Looks are put off by up to an eighth (two to the minus third) of their wait, so that many are due at once."""


Told = Literal["crashed", "starts"]
"""What a console has told of a silent host."""

_TOLD: Mapping[str, float] = {"crashed": 60.0, "starts": 180.0}
"""Seconds for which it holds; then the host is looked at as one that nothing was told of."""


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


_TAKEN = -1.0
"""In place of the time of a host's next look, while it is being looked at."""


class _Awaited:
    """A host that waits, in times of the monotonic clock."""

    __slots__ = ("cadence", "due", "rate", "since", "step", "until", "wait")

    def __init__(self, cadence: Cadence, since: float, until: float) -> None:
        self.cadence = cadence
        self.since = since
        self.until = until
        self.wait = self.rate = self.step = 0.0
        self.due = _TAKEN


class Looks:
    """When each silent host is looked at again. Those that are due together are given out together."""

    def __init__(self, per_second: float) -> None:
        """Plan at most so many looks a second."""
        self._budget = per_second
        self._wanted = 0.0
        self._awaited: dict[str, _Awaited] = {}
        self._due: dict[float, list[str]] = {}
        self._times: list[float] = []
        self._rhythms: dict[str, Rhythm] = {}
        self._told: dict[str, tuple[Told, float]] = {}

    def await_answer(
        self, host: str, cadence: Cadence, now: float, until: float, *, waited: float, first: float
    ) -> None:
        """Look at the host at this cadence up to `until` (monotonic seconds), as one that has `waited` for so long.

        `first` is how many seconds the first look has time; 0 leaves it to the cadence.
        """
        self.found(host)
        awaited = _Awaited(cadence, now - waited, until)
        self._awaited[host] = awaited
        if cadence is LOOPING:
            self._rhythms.setdefault(host, Rhythm()).closes(now)
        self._plan(host, awaited, first or self._wait(host, awaited, now), now)

    def told(self, host: str, what: Told, now: float) -> None:
        """Its console says that the host has crashed, and so cannot answer yet; or that it starts, and soon will."""
        self._told[host] = (what, now)
        awaited = self._awaited.get(host)
        if awaited is not None and awaited.due != _TAKEN:
            self._plan(host, awaited, self._wait(host, awaited, now), now)

    def due(self) -> float | None:
        """When somebody has to be looked at next."""
        return self._times[0] if self._times else None

    def take_due(self, now: float) -> list[str]:
        """Take the hosts that are to be looked at now; each is then `still_silent`, or has been `found`."""
        hosts: list[str] = []
        while self._times and self._times[0] <= now:
            due = heapq.heappop(self._times)
            for host in self._due.pop(due):
                awaited = self._awaited.get(host)
                if awaited is not None and awaited.due == due:  # else it was planned anew since
                    awaited.due = _TAKEN
                    hosts.append(host)
        return hosts

    def still_silent(self, hosts: Iterable[str], now: float) -> list[str]:
        """The hosts did not answer: plan their next looks. Returns those whose time is over, which wait no more."""
        awaited_hosts, late = self._awaited, []
        for host in hosts:
            awaited = awaited_hosts[host]
            if now < awaited.until:
                self._plan(host, awaited, self._wait(host, awaited, now), now)
            else:
                self.found(host)
                late.append(host)
        return late

    def answered(self, host: str, now: float) -> None:
        """The host answers a look: it waits no more."""
        awaited, rhythm = self._awaited.get(host), self._rhythms.get(host)
        if awaited is not None and rhythm is not None:
            rhythm.opens(now, awaited.wait)
        self._told.pop(host, None)
        self.found(host)

    def found(self, host: str) -> None:
        """The host waits no more, if it did."""
        awaited = self._awaited.pop(host, None)
        if awaited is not None:
            self._wanted -= awaited.rate
        if not self._awaited:
            self._wanted = 0.0  # sums of fractions leave a little

    def drain(self) -> Iterable[str]:
        """Take every host whose look is planned."""
        hosts = [host for host, awaited in self._awaited.items() if awaited.due != _TAKEN]
        for host in hosts:
            self.found(host)
        self._due, self._times = {}, []
        return hosts

    def _wait(self, host: str, awaited: _Awaited, now: float) -> float:
        """Seconds to the next look: as the console tells, as the loop's rhythm says, or at the cadence."""
        what, at = self._told.get(host, ("", 0.0))
        if what and now - at < _TOLD[what]:
            return CLOSE if what == "starts" else min(WIDE, _TOLD[what])
        if awaited.cadence is LOOPING:
            return self._rhythms[host].next_look(now)
        return awaited.cadence.after(now - awaited.since)

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
        awaited.due = due
        if due in self._due:
            self._due[due].append(host)
        else:
            self._due[due] = [host]
            heapq.heappush(self._times, due)


def _step(wait: float) -> float:
    """Looks that come after this wait are due at whole multiples of so many seconds: a power of two."""
    return math.ldexp(1.0, math.frexp(wait)[1] - 1 - _BATCHES)
