"""What one source of an inventory says, and the fleet that several sources form together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from recovery.errors import InputError, suggestion
from recovery.inventory.patterns import nearest
from recovery.inventory.ranges import FORMS
from recovery.model.host import Fleet, Host, Service, Site

Place = tuple[str, int]
"""File and line; the line is 0 where it is not known."""

MOST_HOSTS = 2_000_000
"""So many hosts one source may have: a few short lines of ranges could stand for any number."""
LONGEST_NAME = 253
"""As in the domain name system (RFC 1035)."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_NOT_IN_NAMES = frozenset("[]*?,\"'=<>()")
_NOT_FIRST = frozenset("~@!&-")


class Part(msgspec.Struct):
    """Hosts, sites and services of one source."""

    file: str
    hosts: list[Host] = []
    lines: list[int] = []
    """Where each host stands in the file."""
    files: list[str] = []
    """The file of each host, where they come from several; else empty."""
    sites: dict[str, Site] = {}
    services: dict[str, Service] = {}
    defined: dict[tuple[str, str], int] = {}
    """Lines of `("site", NAME)` and `("service", NAME)`."""
    defines: frozenset[str] = frozenset()
    """Which of `site` and `service` the source has a section for: names of these are then checked."""
    warnings: list[str] = []

    def add(self, host: Host, line: int) -> None:
        """One more host. Raises `InputError` for a name that no host can have, and for too many."""
        check_name(host.name, self.file, line)
        check_number(len(self.hosts), self.file, line)
        self.hosts.append(host)
        self.lines.append(line)

    def place(self, number: int) -> Place:
        """Where the host of that number stands."""
        return self.files[number] if self.files else self.file, self.lines[number]


def check_number(hosts: int, file: str, line: int) -> None:
    """Raise `InputError` when there are so many `hosts` that one more is too much."""
    if hosts >= MOST_HOSTS:
        raise InputError(f"the inventory has more than {MOST_HOSTS} hosts", file=file, line=line)


def check_name(name: str, file: str, line: int) -> None:
    """Raise `InputError` unless `name` can be a host's: printable, and plain to the query language."""
    if _PLAIN_NAME.fullmatch(name):
        return
    sound = (
        0 < len(name) <= LONGEST_NAME
        and name.isprintable()
        and name == name.strip()
        and name[0] not in _NOT_FIRST
    )
    if sound and not _NOT_IN_NAMES & set(name):
        return
    hint = f"; ranges are written {FORMS}" if "[" in name or "]" in name else ""
    message = (
        f"{name[:60]!a} cannot be the name of a host: expected 1 to 253 printable characters without quotes, "
        f"commas, brackets or wildcards{hint}"
    )
    raise InputError(message, file=file, line=line)


def join(parts: Sequence[Part]) -> Fleet:
    """The fleet of all sources. Raises `InputError` for what is defined twice, or named and not defined."""
    hosts = tuple(host for part in parts for host in part.hosts)
    if len({host.name for host in hosts}) != len(hosts):
        raise _twins(parts)
    sites: dict[str, Site] = {}
    services: dict[str, Service] = {}
    for part in parts:
        _add_defined("site", sites, part.sites, part, parts)
        _add_defined("service", services, part.services, part, parts)
    defines = frozenset[str]().union(*(part.defines for part in parts))
    if "site" in defines:
        _check_hosts("site", {host.site for host in hosts} - set(sites), sites, parts)
    if "service" in defines:
        _check_hosts("service", {host.service for host in hosts} - set(services), services, parts)
    _check_needs(services, parts)
    return Fleet(hosts, sites, services, _groups(hosts))


def _groups(hosts: Iterable[Host]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for host in hosts:
        for group in host.groups:
            found.setdefault(group, []).append(host.name)
    return {group: tuple(names) for group, names in found.items()}


def _twins(parts: Sequence[Part]) -> InputError:
    seen: dict[str, Place] = {}
    for part in parts:
        for number, host in enumerate(part.hosts):
            if host.name in seen:
                first = shown(seen[host.name])
                file, line = part.place(number)
                message = (
                    f"host {host.name!r} is defined twice, first in {first}: keep one of the two"
                )
                return InputError(message, file=file, line=line)
            seen[host.name] = part.place(number)
    raise AssertionError(parts)  # pragma: no cover - asked for only when there is a pair


def shown(place: Place) -> str:
    """A place as text."""
    return f"{place[0]}:{place[1]}" if place[1] else place[0]


Thing = Site | Service


def _add_defined(
    what: str,
    known: dict[str, Thing] | dict[str, Site] | dict[str, Service],
    new: Mapping[str, Thing],
    part: Part,
    parts: Sequence[Part],
) -> None:
    for name, thing in new.items():
        if name in known and known[name] != thing:
            first = next(other for other in parts if (what, name) in other.defined)
            message = (
                f"{what} {name!r} is defined twice and differently, "
                f"first in {shown((first.file, first.defined[what, name]))}: keep one of the two"
            )
            raise InputError(message, file=part.file, line=part.defined[what, name])
        known[name] = thing  # type: ignore[assignment]  # sites go to sites and services to services


def _check_hosts(
    what: str, unknown: set[str], known: Mapping[str, Thing], parts: Sequence[Part]
) -> None:
    unknown.discard("")
    if not unknown:
        return
    for part in parts:
        for number, host in enumerate(part.hosts):
            name = getattr(host, what)
            if name in unknown:
                file, line = part.place(number)
                message = (
                    f"host {host.name!r}: no {what} is named {name!r}{nearest(name, known)}; "
                    f"define it under {what}s:, or correct the name"
                )
                raise InputError(message, file=file, line=line)


def _check_needs(services: Mapping[str, Service], parts: Sequence[Part]) -> None:
    for name, service in services.items():
        for need in service.needs:
            if need not in services:
                message = f"service {name!r} needs {need!r}, which is not defined{suggestion(need, services)}"
                raise _about_service(message, name, parts)
    left = {name: set(service.needs) for name, service in services.items()}
    while free := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in free:
            del left[name]
    if left:
        ring = sorted(left)
        message = f"services need each other in a ring, so none can be first: {', '.join(ring[:8])}"
        raise _about_service(message, ring[0], parts)


def _about_service(message: str, name: str, parts: Sequence[Part]) -> InputError:
    part = next(part for part in parts if name in part.services)
    return InputError(message, file=part.file, line=part.defined["service", name])
