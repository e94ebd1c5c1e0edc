"""Watching consoles that tell of panics and restarts by themselves: what they say is evidence the moment it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from recovery.detect.rules import judge
from recovery.engine.context import Context
from recovery.engine.looks import Looks
from recovery.errors import TransportError, UnsupportedError
from recovery.model.case import add_all
from recovery.model.evidence import AnyEvidence
from recovery.model.host import Host
from recovery.ports import Console, News

MOST = 2000
"""Consoles that are listened to at once."""
_FIRST, _LONGEST = 1.0, 60.0
"""Seconds until a console that was lost is listened to again, doubled each time."""
_MOST_EVENTS = 1000
"""Events of one host in one run that are written down; a machine that restarts for ever fills no journal."""


class Watch:
    """The consoles that a run listens to."""

    def __init__(self, context: Context, looks: Looks) -> None:
        """Write evidence down by `context`, and tell `looks` when windows come."""
        self._context = context
        self._looks = looks
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(
        self, group: asyncio.TaskGroup, order: Sequence[str], hosts: Mapping[str, Host]
    ) -> None:
        """Listen to the consoles of all hosts that are not done, the first of `order` first."""
        for name in order:
            console = self._context.eyes.console_of(hosts[name])
            if console is None or self._context.state(name).outcome is not None:
                continue
            if len(self._tasks) >= MOST:
                return
            self._tasks[name] = group.create_task(self._listen(console, hosts[name]))

    def leave(self, name: str) -> None:
        """The host is done."""
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()

    def end(self) -> None:
        """Listen to nobody any more."""
        for name in list(self._tasks):
            self.leave(name)

    async def _listen(self, console: Console, host: Host) -> None:
        pause, left = _FIRST, _MOST_EVENTS
        while True:
            try:
                async for news in console.news(host):
                    pause, left = _FIRST, left - 1
                    if left > 0:
                        await self._heard(host, news)
            except UnsupportedError:
                return
            except TransportError:
                await asyncio.sleep(pause)
                pause = min(_LONGEST, 2 * pause)
            else:
                return

    async def _heard(self, host: Host, news: News) -> None:
        now = self._context.clock.monotonic()
        evidence = self._context.eyes.told(host, news)
        found: tuple[AnyEvidence, ...] = () if evidence is None else (evidence,)
        if news.kind == "panic":
            self._looks.told(host.name, "crashed", now)
            self._observe(host, found)
            # The picture goes with the restart, in as little as two seconds.
            found = await self._context.eyes.picture(host)
        elif news.kind in ("reset", "power_on"):
            self._looks.told(host.name, "starts", now)
        self._observe(host, found)
        self._context.wake()

    def _observe(self, host: Host, evidence: tuple[AnyEvidence, ...]) -> None:
        context, state = self._context, self._context.state(host.name)
        if not evidence or state.outcome is not None:
            return
        case = add_all(state.case, evidence)
        judged = judge(case, context.incident, host.os, context.clock.now())
        context.observed(host.name, evidence, case, judged)
