"""The course of an incident: who is up and down now, what it costs, and how that came about. Counted change by change.

Services lose in proportion to their hosts that are down: a service of 90,000 an hour of whose ten hosts three are down
loses 27,000 an hour. A host with a `cost_per_hour` of its own loses that. Hosts of which nothing is known count as up,
so the figure is a lower bound until triage is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec

from recovery.model.evidence import Progress, Verdict
from recovery.model.host import Fleet, Host
from recovery.model.state import HostState
from recovery.model.ticket import Ticket
from recovery.report.groups import Group, Groups

DOWN = frozenset(
    (
        *(Verdict.CRASH_LOOP, Verdict.BLUE_SCREEN, Verdict.RECOVERY_SCREEN),
        *(Verdict.NEEDS_KEY, Verdict.DARK),
    )
)
"""The host does no work."""
LEFT = DOWN | {Verdict.EXPOSED, Verdict.DEGRADED}
"""Something is to be done about the host."""

_MOST_SAMPLES = 512
_FIRST_STEP = timedelta(seconds=5)

_NOBODYS = (Progress.UNTOUCHED, Progress.GAVE_UP)
"""What a run that only looks leaves a host in: the technician who has it has it still."""


class Sample(msgspec.Struct, frozen=True, gc=False):
    """The fleet at one moment."""

    at: datetime
    left: int
    """Hosts that something is to be done about."""
    proven: int
    """Hosts that are in the group of the proven."""
    lost: float = 0.0
    """Loss until then, since the first event."""


class Share(msgspec.Struct, frozen=True, gc=False):
    """The hosts of one site or service."""

    name: str
    title: str
    total: int
    verdicts: Mapping[str, int]
    """Hosts by verdict; those of which nothing was heard are `unknown`."""
    loss_per_hour: float = 0.0

    @property
    def down(self) -> int:
        """Hosts that do no work."""
        return sum(self.verdicts.get(verdict, 0) for verdict in DOWN)

    @property
    def left(self) -> int:
        """Hosts that something is to be done about."""
        return sum(self.verdicts.get(verdict, 0) for verdict in LEFT)


class Standing(msgspec.Struct, frozen=True):
    """How things stand."""

    total: int = 0
    verdicts: Mapping[str, int] = {}
    """Every verdict is named."""
    progress: Mapping[str, int] = {}
    """Every progress is named."""
    outcomes: Mapping[str, int] = {}
    sites: tuple[Share, ...] = ()
    services: tuple[Share, ...] = ()
    """In the fleet's order."""
    loss_per_hour: float = 0.0
    lost: float = 0.0
    since: datetime | None = None
    """When counting began."""
    mended: int = 0
    """Hosts that are healthy now and were hit: people, or they themselves, have mended them."""
    silent: int = 0
    """Hosts that are dark and that no technician has."""
    samples: tuple[Sample, ...] = ()
    """Oldest first, the latest one is of now."""

    @property
    def left(self) -> int:
        """Hosts that something is to be done about."""
        return sum(self.verdicts.get(verdict, 0) for verdict in LEFT)

    @property
    def proven(self) -> int:
        """Hosts that were hit, and are shown to be well by themselves."""
        return self.verdicts.get(Verdict.RECOVERED, 0) + self.mended

    @property
    def never_hit(self) -> int:
        """Hosts that are well, and that nobody has seen otherwise."""
        return self.verdicts.get(Verdict.HEALTHY, 0) - self.mended


class _Group:
    """One site or service while it is counted."""

    def __init__(self, title: str, cost: float = 0.0) -> None:
        self.title = title
        self.cost = cost
        self.total = 0
        self.down = 0
        """Hosts without a cost of their own that are down."""
        self.own = 0.0
        """What the hosts with a cost of their own lose that are down."""
        self.verdicts: Counter[str] = Counter()

    @property
    def loss(self) -> float:
        return self.own + (self.cost * self.down / self.total if self.total else 0.0)

    def share(self, name: str) -> Share:
        verdicts = {verdict: count for verdict, count in self.verdicts.items() if count}
        unmet = self.total - sum(verdicts.values())
        if unmet:
            verdicts[Verdict.UNKNOWN] = verdicts.get(Verdict.UNKNOWN, 0) + unmet
        return Share(name, self.title, self.total, verdicts, self.loss)


class Course:
    """Counts a fleet while its hosts change."""

    def __init__(self, fleet: Fleet | None = None) -> None:
        """Count these hosts alone; without a fleet, those of the fleets that `join`, and whoever else changes."""
        self._is_closed = fleet is not None
        self._hosts: dict[str, Host] = {}
        self._sites: dict[str, _Group] = {}
        self._services: dict[str, _Group] = {}
        self._verdicts: Counter[str] = Counter()
        self._progress: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._loss = 0.0
        self._lost = 0.0
        self._silent = 0
        self._kept: set[str] = set()
        """Hosts that people have, though the latest run that met them has handed none over."""
        self._groups = Groups()
        self._proven = 0
        self._since: datetime | None = None
        self._at: datetime | None = None
        self._samples: list[Sample] = []
        self._step = _FIRST_STEP
        if fleet is not None:
            self._take(fleet)

    def join(self, fleet: Fleet) -> None:
        """Count the hosts of this fleet too, unless the fleet was given from the beginning."""
        if not self._is_closed:
            self._take(fleet)

    @property
    def hosts(self) -> Mapping[str, Host]:
        """Those that are counted, by name; grows while they join."""
        return MappingProxyType(self._hosts)

    def site_of(self, host: str) -> str:
        """Where the host stands; nothing where nobody said."""
        known = self._hosts.get(host)
        return known.site if known is not None else ""

    def site_sizes(self) -> dict[str, int]:
        """How many hosts stand at each site."""
        return {name: group.total for name, group in self._sites.items()}

    def begin_anew(self) -> None:
        """Forget the history, as when another twin is born; what is known of the hosts stays."""
        self._samples.clear()
        self._step = _FIRST_STEP
        self._lost = 0.0
        self._since = self._at = None

    def see(
        self,
        before: HostState | None,
        after: HostState,
        at: datetime,
        ticket: Ticket | None = None,
    ) -> None:
        """A host has changed; `ticket` is the one that it has at the desk."""
        host = self._hosts.get(after.name)
        if host is None:
            if self._is_closed:
                return
            host = Host(name=after.name)
            self._enter(host)
        self.pass_time(at)
        self._progresses(before, after, ticket)
        old_group, group = self._groups.see(after, ticket)
        self._proven += (group is Group.PROVEN) - (old_group is Group.PROVEN)
        self._move(self._outcomes, before.outcome if before is not None else None, after.outcome)
        old = before.verdict if before is not None else None
        if old != after.verdict:
            self._move(self._verdicts, old, after.verdict)
            self._turn(host, old, after.verdict)

    def _progresses(
        self, before: HostState | None, after: HostState, ticket: Ticket | None
    ) -> None:
        name, old = after.name, None
        if before is not None:
            old = Progress.WITH_TECHNICIAN if name in self._kept else before.progress
            self._silent -= _is_silent(before.verdict, old)
        new = after.progress
        self._kept.discard(name)
        if ticket is not None and ticket.is_open and new in _NOBODYS:
            new = Progress.WITH_TECHNICIAN
            self._kept.add(name)
        self._silent += _is_silent(after.verdict, new)
        self._move(self._progress, old, new)

    def pass_time(self, at: datetime) -> None:
        """Time has gone on, for what is lost while nothing changes."""
        if self._at is None or self._since is None:
            self._at = self._since = at
            self._samples = [self._sample(at)]
            return
        seconds = (at - self._at).total_seconds()
        if seconds <= 0.0:
            return
        if at - self._samples[-1].at >= self._step:
            self._samples.append(self._sample(self._at))
        self._lost += self._loss * seconds / 3600.0
        self._at = at
        if len(self._samples) > _MOST_SAMPLES:
            self._samples = self._samples[::2]
            self._step *= 2

    def standing(self) -> Standing:
        """How things stand."""
        verdicts, progress = +self._verdicts, +self._progress
        unmet = len(self._hosts) - verdicts.total()
        verdicts[Verdict.UNKNOWN] += unmet
        progress[Progress.UNTOUCHED] += unmet
        samples = tuple(self._samples)
        if self._at is not None:
            samples = (*samples, self._sample(self._at))
        return Standing(
            total=len(self._hosts),
            verdicts={verdict.value: verdicts[verdict] for verdict in Verdict},
            progress={step.value: progress[step] for step in Progress},
            outcomes={str(name): count for name, count in sorted(self._outcomes.items()) if count},
            sites=tuple(group.share(name) for name, group in self._sites.items() if group.total),
            services=tuple(
                group.share(name) for name, group in self._services.items() if group.total
            ),
            loss_per_hour=self._loss,
            lost=self._lost,
            since=self._since,
            mended=self._proven - self._verdicts[Verdict.RECOVERED],
            silent=self._silent,
            samples=samples,
        )

    def _take(self, fleet: Fleet) -> None:
        for code, site in fleet.sites.items():
            self._sites.setdefault(code, _Group(site.name))
        for code, service in fleet.services.items():
            self._services.setdefault(code, _Group(service.name, service.cost_per_hour))
        for host in fleet.hosts:
            if host.name not in self._hosts:
                self._enter(host)
        self._loss = sum(group.loss for group in self._services.values())

    def _enter(self, host: Host) -> None:
        self._hosts[host.name] = host
        for groups, name in ((self._sites, host.site), (self._services, host.service)):
            group = groups.get(name)
            if group is None:
                group = groups[name] = _Group("")
            group.total += 1

    def _turn(self, host: Host, old: Verdict | None, new: Verdict) -> None:
        service = self._services[host.service]
        for group in (self._sites[host.site], service):
            self._move(group.verdicts, old, new)
        turned = (new in DOWN) - (old in DOWN)
        if not turned:
            return
        before = service.loss
        own = host.vars.get("cost_per_hour")
        if isinstance(own, int | float):
            service.own += turned * float(own)
        else:
            service.down += turned
        self._loss = max(0.0, self._loss + service.loss - before)

    @staticmethod
    def _move(counter: Counter[str], old: str | None, new: str | None) -> None:
        if old != new:
            if old is not None:
                counter[old] -= 1
            if new is not None:
                counter[new] += 1

    def _sample(self, at: datetime) -> Sample:
        left = sum(self._verdicts[verdict] for verdict in LEFT)
        return Sample(at, left, self._proven, self._lost)


def _is_silent(verdict: Verdict, progress: Progress) -> bool:
    return verdict == Verdict.DARK and progress != Progress.WITH_TECHNICIAN
