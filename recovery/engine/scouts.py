"""Scouts look at hosts that do not answer, thousands at once, without a session and without a place for one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from recovery.engine.deadline import at_once
from recovery.model.host import Host
from recovery.ports import Look, Sweeper, Transport, is_prompt

Saw = Callable[[Look, Sequence[Host]], None]
"""Takes what looks have shown, with the hosts that show it."""


class Scouts:
    """The looks that are under way."""

    def __init__(self, transports: Mapping[str, Transport], saw: Saw, most: int) -> None:
        """Look by the hosts' `transports`, at `most` hosts with one scout, and tell `saw` of each host once."""
        self._transports = transports
        self._prompt = {name for name, way in transports.items() if is_prompt(way)}
        self._sweepers = {name: way for name, way in transports.items() if isinstance(way, Sweeper)}
        self._saw = saw
        self._most = most
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def active(self) -> bool:
        """Whether a look is under way."""
        return bool(self._tasks)

    def send(self, group: asyncio.TaskGroup, hosts: Sequence[Host]) -> None:
        """Look at hosts that are due together. Looks that never wait have been told of when this returns."""
        by_way: dict[str, list[Host]] = {}
        for host in hosts:
            by_way.setdefault(host.transport, []).append(host)
        for name, group_of_hosts in by_way.items():
            if name in self._prompt:
                self._look_promptly(name, group_of_hosts)
                continue
            for place in range(0, len(group_of_hosts), self._most):
                batch = group_of_hosts[place : place + self._most]
                task = group.create_task(
                    self._sweep(self._sweepers[name], batch)
                    if name in self._sweepers
                    else self._scout(self._transports[name], batch)
                )
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def cancel(self) -> None:
        """Break every look off."""
        for task in self._tasks:
            task.cancel()

    def _look_promptly(self, name: str, hosts: Sequence[Host]) -> None:
        if name not in self._sweepers:
            for host in hosts:
                self._saw(at_once(self._transports[name].look(host)), (host,))
            return
        sweep = self._sweepers[name].sweep(hosts)
        with suppress(StopAsyncIteration):
            while True:
                self._saw(*at_once(sweep.__anext__()))

    async def _sweep(self, way: Sweeper, hosts: Sequence[Host]) -> None:
        async for look, seen in way.sweep(hosts):
            self._saw(look, seen)

    async def _scout(self, way: Transport, hosts: Sequence[Host]) -> None:
        async with asyncio.TaskGroup() as group:
            for host in hosts:
                group.create_task(self._look_at(way, host))

    async def _look_at(self, way: Transport, host: Host) -> None:
        self._saw(await way.look(host), (host,))
