"""Hosts, and the fleet they form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

Os = Literal["windows", "linux", "macos"]
Kind = Literal["desktop", "server", "kiosk", "laptop", "appliance"]


class ConsoleRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The out-of-band way to a host, as the inventory names it."""

    kind: str
    """Which console adapter: `redfish`, `qmp`, `ec2`, ..."""
    address: str = ""
    credential: str = ""
    options: dict[str, str] = {}


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place where hosts stand."""

    name: str = ""
    """What people call it; the key in the inventory is its code."""
    concurrency: int | None = None
    """At most so many hosts of the site are worked on at once."""
    gateway: str = ""
    """Jump host `[user@]host[:port]` in front of the site's hosts."""
    freeze: tuple[str, ...] = ()
    """Windows of time, `HH:MM-HH:MM` in UTC, in which nothing there is changed."""


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service of the business that hosts carry."""

    name: str = ""
    tier: int = 3
    """1 is the most important."""
    cost_per_hour: float = 0.0
    """Loss in the fleet's currency for each hour in which the service is down."""
    needs: tuple[str, ...] = ()
    """Services that must be up first."""


class Host(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One endpoint, as the inventory describes it, with all defaults already merged in."""

    name: str
    address: str = ""
    """Name or IP address to connect to; empty means `name`."""
    port: int | None = None
    os: Os = "windows"
    transport: str = "ssh"
    credential: str = ""
    """Name of a credential that the settings define; empty means the transport's own defaults."""
    user: str = ""
    gateway: str = ""
    """Jump host `[user@]host[:port]`; the site's gateway applies when empty."""
    site: str = ""
    service: str = ""
    kind: Kind = "desktop"
    location: str = ""
    protected: bool = False
    """Acted on only when it is named one by one."""
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    console: ConsoleRef | None = None
    vars: Mapping[str, Any] = {}

    @property
    def target(self) -> str:
        """What to connect to."""
        return self.address or self.name


class Fleet(msgspec.Struct, frozen=True):
    """The hosts of an inventory, in its order, with their sites and services."""

    hosts: tuple[Host, ...] = ()
    sites: Mapping[str, Site] = {}
    services: Mapping[str, Service] = {}
    groups: Mapping[str, tuple[str, ...]] = {}
    """Group name to the names of its hosts, children's hosts included."""

    def where(self, keep: Callable[[Host], bool]) -> Fleet:
        """The smaller fleet of the hosts for which `keep` holds."""
        return msgspec.structs.replace(self, hosts=tuple(h for h in self.hosts if keep(h)))

    def service_of(self, host: Host) -> Service:
        """The service that the host carries; an empty one where it names none."""
        return self.services.get(host.service) or _NO_SERVICE

    def site_of(self, host: Host) -> Site:
        """The site where the host stands; an empty one where it names none."""
        return self.sites.get(host.site) or _NO_SITE

    def cost_per_hour(self, host: Host) -> float:
        """The host's share of its service's loss per hour: a `cost_per_hour` variable, else the service's."""
        own = host.vars.get("cost_per_hour")
        return float(own) if isinstance(own, int | float) else self.service_of(host).cost_per_hour


_NO_SERVICE = Service()
_NO_SITE = Site()
