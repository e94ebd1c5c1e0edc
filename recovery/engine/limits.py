"""How many hosts are worked on at once: in total, at a site, through a gateway, taken in that order."""

from __future__ import annotations

import asyncio

from recovery.model.host import Fleet, Host
from recovery.model.playbook import Limits


class SessionLimits:
    """Places for open sessions. Looks take none."""

    def __init__(self, limits: Limits, fleet: Fleet) -> None:
        """Take the figures of the playbook, and each site's own."""
        self._limits = limits
        self._fleet = fleet
        self._total = asyncio.Semaphore(limits.total)
        self._sites: dict[str, asyncio.Semaphore] = {}
        self._gateways: dict[str, asyncio.Semaphore] = {}

    async def take_place(self, host: Host) -> None:
        """Wait for a place for a session to `host`, which is then given back."""
        taken: list[asyncio.Semaphore] = []
        try:
            for semaphore in self._of(host):
                await semaphore.acquire()
                taken.append(semaphore)
        except BaseException:
            for semaphore in taken:
                semaphore.release()
            raise

    def give_back(self, host: Host) -> None:
        """The place that was taken for `host` is free again."""
        for semaphore in self._of(host):
            semaphore.release()

    def site_limit(self, host: Host) -> int:
        """At most so many hosts of the host's site at once; 0 means no limit of its own."""
        own = self._fleet.site_of(host).concurrency
        both = [limit for limit in (own, self._limits.per_site) if limit]
        return min(both, default=0)

    def _of(self, host: Host) -> list[asyncio.Semaphore]:
        places = [self._total]
        site_limit = self.site_limit(host)
        if site_limit:
            places.append(self._sites.setdefault(host.site, asyncio.Semaphore(site_limit)))
        gateway = host.gateway or self._fleet.site_of(host).gateway
        if gateway and self._limits.per_gateway:
            places.append(
                self._gateways.setdefault(gateway, asyncio.Semaphore(self._limits.per_gateway))
            )
        return places
