"""The consoles of simulated machines. What they show is the twin's part; what it costs to ask is here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Protocol

from recovery.model.console import BootDevice, Power
from recovery.model.host import Host
from recovery.ports import News, Standing

_ROUND_TRIP = 0.5
"""Seconds that a management board takes to answer."""
_AT_MOST = 30.0
"""Seconds after which a machine is looked at again, whatever it is in."""


class Twin(Protocol):
    """The simulated fleet, for the present moment of its clock."""

    def standing(self, host: Host) -> Standing:
        """How the machine stands now."""

    def picture(self, host: Host) -> bytes:
        """What its screen shows now."""

    def crash_news(self, host: Host) -> News:
        """What the console tells of the latest crash."""

    def switch(self, host: Host, *, on: bool) -> None:
        """Give it power, or take it."""

    def boot_once(self, host: Host, device: BootDevice) -> None:
        """Choose what it starts from the next time."""


class MockConsole:
    """`recovery.ports.Console` to a twin."""

    name = "mock"

    def __init__(self, world: Twin) -> None:
        """Lead to the machines of `world`."""
        self._world = world

    async def picture(self, host: Host, timeout: float) -> bytes:
        """What the twin draws."""
        await self._wait(timeout)
        return self._world.picture(host)

    async def crash_picture(self, host: Host, timeout: float) -> None:
        """None is kept."""

    async def power(self, host: Host, timeout: float) -> Power:
        """As the twin stands."""
        await self._wait(timeout)
        return self._world.standing(host).power

    async def switch(self, host: Host, *, on: bool, timeout: float) -> None:
        """At once."""
        await self._wait(timeout)
        self._world.switch(host, on=on)

    async def boot_once(self, host: Host, device: BootDevice, medium: str, timeout: float) -> None:
        """What the twin's network and media hold is an image that carries the remedy out and restarts."""
        del medium
        await self._wait(timeout)
        self._world.boot_once(host, device)

    async def news(self, host: Host) -> AsyncIterator[News]:
        """The machine's changes, each when it happens."""
        before = self._world.standing(host)
        while True:
            await asyncio.sleep(min(_AT_MOST, max(before.next_change, 0.001)))
            now = self._world.standing(host)
            if now.crashed_at > before.crashed_at:
                yield self._world.crash_news(host)
            at = datetime.fromtimestamp(now.at, UTC)
            if now.power != before.power:
                yield News(kind="power_on" if now.power == "on" else "power_off", at=at)
            elif now.boot > before.boot:
                yield News(kind="reset", at=at)
            before = now

    async def aclose(self) -> None:
        """Nothing is held."""

    async def _wait(self, timeout: float) -> None:
        await asyncio.sleep(min(_ROUND_TRIP, timeout))
