"""The fields that a query can ask for: what they are compared with, and where their values come from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, get_args

import msgspec

from recovery.model.events import Outcome
from recovery.model.evidence import Progress, Verdict
from recovery.model.host import Fleet, Host, Kind, Os

Sort = Literal["name", "text", "choice", "many", "number", "age", "variable"]
Getter = Callable[[Host, "HostFacts", Fleet], Any]


class HostFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the journal knows of a host, as far as a query can ask for it."""

    verdict: str = Verdict.UNKNOWN.value
    progress: str = Progress.UNTOUCHED.value
    last_seen: datetime | None = None
    """When it answered last; None when it never did."""
    stop_code: int | None = None
    outcome: str = ""
    """Empty while its pursuit goes on."""
    wave: int | None = None
    attempts: int = 0


NO_FACTS = HostFacts()


class Subject(msgspec.Struct, frozen=True, gc=False):
    """What a query is asked of."""

    host: Host
    fleet: Fleet = Fleet()
    facts: HostFacts = NO_FACTS
    now: datetime | None = None
    """Needed for ages alone."""


class Field(msgspec.Struct, frozen=True):
    """One field."""

    sort: Sort
    get: Getter
    choices: tuple[str, ...] = ()
    """All values that it can have, where they are fixed."""


def _of_host(name: str, sort: Sort = "text", choices: Iterable[str] = ()) -> Field:
    return Field(sort, lambda host, _facts, _fleet: getattr(host, name), tuple(choices))


def _of_facts(name: str, sort: Sort, choices: Iterable[str] = ()) -> Field:
    return Field(sort, lambda _host, facts, _fleet: getattr(facts, name), tuple(choices))


def _of_service(name: str, sort: Sort) -> Field:
    return Field(sort, lambda host, _facts, fleet: getattr(fleet.service_of(host), name))


def _of_console(name: str) -> Field:
    return Field(
        "text", lambda host, _facts, _fleet: getattr(host.console, name) if host.console else ""
    )


FIELDS: Mapping[str, Field] = {
    "name": _of_host("name", "name"),
    "address": _of_host("address"),
    "port": _of_host("port", "number"),
    "os": _of_host("os", "choice", get_args(Os)),
    "transport": _of_host("transport"),
    "credential": _of_host("credential"),
    "user": _of_host("user"),
    "gateway": Field(
        "text", lambda host, _facts, fleet: host.gateway or fleet.site_of(host).gateway
    ),
    "site": _of_host("site"),
    "site.name": Field("text", lambda host, _facts, fleet: fleet.site_of(host).name),
    "service": _of_host("service"),
    "service.name": _of_service("name", "text"),
    "service.tier": _of_service("tier", "number"),
    "service.cost_per_hour": _of_service("cost_per_hour", "number"),
    "service.needs": _of_service("needs", "many"),
    "cost_per_hour": Field("number", lambda host, _facts, fleet: fleet.cost_per_hour(host)),
    "kind": _of_host("kind", "choice", get_args(Kind)),
    "location": _of_host("location"),
    "protected": Field(
        "choice", lambda host, _f, _fl: "true" if host.protected else "false", ("true", "false")
    ),
    "tag": _of_host("tags", "many"),
    "group": _of_host("groups", "many"),
    "console": _of_console("kind"),
    "console.address": _of_console("address"),
    "verdict": _of_facts("verdict", "choice", [each.value for each in Verdict]),
    "progress": _of_facts("progress", "choice", [each.value for each in Progress]),
    "outcome": _of_facts("outcome", "choice", ["", *(each.value for each in Outcome)]),
    "last_seen": _of_facts("last_seen", "age"),
    "stop_code": _of_facts("stop_code", "number"),
    "wave": _of_facts("wave", "number"),
    "attempts": _of_facts("attempts", "number"),
}
_ALIASES = {"tags": "tag", "groups": "group"}


def field_of(name: str) -> Field | None:
    """The field of that name; None when there is none."""
    if name.startswith("vars.") and len(name) > len("vars."):
        return Field("variable", _variable(name.removeprefix("vars.")))
    return FIELDS.get(_ALIASES.get(name, name))


def _variable(key: str) -> Getter:
    return lambda host, _facts, _fleet: host.vars.get(key)


class Known:
    """The names and values that a fleet has, to tell a typo from an empty answer. Worked out when asked for."""

    def __init__(self, fleet: Fleet) -> None:
        """Of `fleet`."""
        self.fleet = fleet
        self._ordered: dict[str, list[tuple[str, str]]] = {}

    @cached_property
    def hosts(self) -> frozenset[str]:
        """Names of the hosts."""
        return frozenset(host.name for host in self.fleet.hosts)

    @cached_property
    def groups(self) -> frozenset[str]:
        """Names of the groups."""
        return frozenset(self.fleet.groups).union(*{host.groups for host in self.fleet.hosts})

    @cached_property
    def variables(self) -> frozenset[str]:
        """Names of the hosts' variables."""
        return frozenset(key for host in self.fleet.hosts for key in host.vars)

    def values(self, name: str) -> Collection[str]:
        """The values that the field has in the fleet, as texts; those that are defined count as well."""
        match _ALIASES.get(name, name):
            case "name":
                return self.hosts
            case "group":
                return self.groups
            case "site":
                return {*self.fleet.sites, *(host.site for host in self.fleet.hosts)}
            case "service":
                return {*self.fleet.services, *(host.service for host in self.fleet.hosts)}
            case _:
                return self._found(name)

    def starting(self, name: str, word: str, most: int) -> list[str]:
        """The first values of the field that begin so, upper and lower case alike, in order."""
        ordered = self._ordered.get(name)
        if ordered is None:
            ordered = sorted((value.casefold(), value) for value in self.values(name))
            self._ordered[name] = ordered
        wanted = word.casefold()
        first = bisect_left(ordered, (wanted,))
        near = ordered[first : first + most]
        return [value for key, value in near if key.startswith(wanted)]

    def _found(self, name: str) -> Collection[str]:
        field = field_of(name)
        if field is None:
            return ()
        found = {_key(field.get(host, NO_FACTS, self.fleet)) for host in self.fleet.hosts}
        return {
            text for value in found for text in (value if isinstance(value, tuple) else (value,))
        }


def _key(value: Any) -> str | tuple[str, ...]:
    return tuple(map(text_of, value)) if isinstance(value, list | tuple) else text_of(value)


def text_of(value: Any) -> str:
    """A value as a query compares it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
