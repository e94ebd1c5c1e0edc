"""Which ticket comes next, what its checklist is, and what to take along. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from recovery.model.evidence import Verdict
from recovery.model.host import Fleet, Host
from recovery.model.incident import Incident, Runbook
from recovery.model.ticket import FREE, Ticket

_TIERS = {1: 4.0, 2: 2.0}
"""How much more than others a service of that tier counts."""
_SAME_PLACE, _SAME_FLOOR, _SAME_SITE, _ELSEWHERE = 0.0, 1.0, 6.0, 60.0
"""Minutes to walk or drive."""
_KIT_TAGS = ("ladder", "badge", "escort", "keyboard")
_DOMAIN_CONTROLLERS = ("domain-controller", "domain_controller", "dc")
_BY_CONSOLE = {"azure": "azure", "ec2": "aws", "gcp": "vsphere", "vsphere": "vsphere"}
_BY_VERDICT: Mapping[Verdict, tuple[str, ...]] = {Verdict.NEEDS_KEY: ("recovery_key",)}
_UNKNOWN = Runbook(
    title="Nobody wrote a checklist for it",
    steps=(
        "Write down what the screen shows, with stop code, recovery key id and serial number.",
        "Ask your lead before you change anything.",
    ),
    kit=("keyboard",),
)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket with everything that a technician needs."""

    ticket: Ticket
    site: str
    location: str
    service: str
    kind: str
    runbook: str
    """Name of the checklist."""
    title: str
    steps: tuple[str, ...]
    kit: tuple[str, ...]
    minutes: int
    """Expected for the work itself."""
    walk: float
    """Minutes expected to get there from where the technician is."""
    worth: float
    """Loss per hour that hangs on it, weighted by tier."""

    @property
    def urgency(self) -> float:
        """Worth for each minute that it takes, the way included."""
        return self.worth / (self.minutes + self.walk)


class Desk:
    """Orders tickets by what the inventory and the incident say of their hosts."""

    def __init__(self, fleet: Fleet, incidents: Mapping[str, Incident]) -> None:
        """`incidents`: the profile of each run, by the run's id; that under an empty name serves the others."""
        self._fleet = fleet
        self._hosts = {host.name: host for host in fleet.hosts}
        self._incidents = incidents
        self._losses = _losses(fleet)

    def job(self, ticket: Ticket, near: str = "", site: str = "") -> Job:
        """The ticket with checklist, kit and priority, as seen from `near` at `site`."""
        host = self._hosts.get(ticket.host) or Host(name=ticket.host)
        name, runbook = self._runbook(ticket, host)
        placed = ticket.site or host.site
        location = ticket.location or host.location
        return Job(
            ticket=ticket,
            site=placed,
            location=location,
            service=ticket.service or host.service,
            kind=host.kind if ticket.host in self._hosts else "",
            runbook=name,
            title=runbook.title,
            steps=runbook.steps,
            kit=_kit(runbook, host),
            minutes=runbook.minutes,
            walk=walk(location, near) if not site or placed == site else _ELSEWHERE,
            worth=self._worth(ticket, host),
        )

    def queue(
        self, tickets: Iterable[Ticket], now: datetime, *, site: str = "", near: str = ""
    ) -> list[Job]:
        """The tickets that anybody may take, the best first; those of one site, if one is named."""
        free = (ticket.at(now) for ticket in tickets)
        jobs = [self.job(ticket, near, site) for ticket in free if ticket.stage in FREE]
        if site:
            jobs = [job for job in jobs if job.site == site]
        return sorted(jobs, key=lambda job: (-job.urgency, job.walk, job.ticket.opened))

    def _worth(self, ticket: Ticket, host: Host) -> float:
        name = ticket.service or host.service
        service = self._fleet.services.get(name)
        own = self._fleet.cost_per_hour(host) if host.service == name else 0.0
        tier = service.tier if service else 3
        return max(1.0, own, self._losses.get(name, 0.0)) * _TIERS.get(tier, 1.0)

    def _runbook(self, ticket: Ticket, host: Host) -> tuple[str, Runbook]:
        incident = self._incidents.get(ticket.run) or self._incidents.get("")
        books = incident.runbooks if incident else {}
        for name in _wanted(ticket, host):
            if name in books:
                return name, books[name]
        return next(iter(books.items()), ("", _UNKNOWN))


def walk(location: str, near: str) -> float:
    """Minutes from one place to another in a site, by how their names begin: `T3 gate A` is near `T3 gate B`."""
    there, here = _parts(location), _parts(near)
    if not here or not there:
        return _SAME_SITE
    if there == here:
        return _SAME_PLACE
    return _SAME_FLOOR if there[0] == here[0] else _SAME_SITE


def _parts(location: str) -> list[str]:
    """`Floor 3 room 12` begins with `floor 3`, `T3 gate A` with `t3`."""
    parts = re.findall(r"\w+", location.casefold())
    if len(parts) > 1 and parts[0].isalpha() and parts[1].isdigit():
        return [f"{parts[0]} {parts[1]}", *parts[2:]]
    return parts


def _wanted(ticket: Ticket, host: Host) -> Iterable[str]:
    """Names of checklists, the best first."""
    if host.console is not None and host.console.kind in _BY_CONSOLE:
        yield _BY_CONSOLE[host.console.kind]
    yield from _BY_VERDICT.get(ticket.verdict, ())
    if any(tag.lower() in _DOMAIN_CONTROLLERS for tag in (*host.tags, *host.groups)):
        yield "domain_controller"
    yield ticket.runbook


def _kit(runbook: Runbook, host: Host) -> tuple[str, ...]:
    own = host.vars.get("kit", ())
    more = own.split(",") if isinstance(own, str) else own if isinstance(own, list | tuple) else ()
    tags = (tag for tag in host.tags if tag.lower() in _KIT_TAGS)
    things = (*runbook.kit, *(str(thing).strip() for thing in more), *tags)
    return tuple(dict.fromkeys(thing for thing in things if thing))


def _losses(fleet: Fleet) -> dict[str, float]:
    """Loss per hour that hangs on each service: its own, and that of all that need it."""
    needed_by: dict[str, set[str]] = {name: set() for name in fleet.services}
    for name, service in fleet.services.items():
        for need in service.needs:
            needed_by.setdefault(need, set()).add(name)
    losses: dict[str, float] = {}
    for name in needed_by:
        reached, open_ = {name}, [name]
        while open_:
            for other in needed_by.get(open_.pop(), ()):
                if other not in reached:
                    reached.add(other)
                    open_.append(other)
        losses[name] = sum(
            fleet.services[each].cost_per_hour for each in reached if each in fleet.services
        )
    return losses
