"""A time limit for answers that does not count the time in which this program itself did not listen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_PARTS = 4
"""Parts into which the time is cut; a pause of the event loop is counted as one part at most."""


@asynccontextmanager
async def listening_for(seconds: float) -> AsyncIterator[None]:
    """As `asyncio.timeout`, but a loop that stood still, busy or starved, does not make a host look silent.

    What has arrived meanwhile is read before the time is up. Raises `TimeoutError`.
    """
    loop = asyncio.get_running_loop()
    step = seconds / _PARTS
    timers: list[asyncio.TimerHandle] = []
    async with asyncio.timeout(None) as limit:

        def pass_on() -> None:
            if len(timers) < _PARTS:
                timers.append(loop.call_later(step, pass_on))
            else:
                limit.reschedule(loop.time())

        pass_on()
        try:
            yield
        finally:
            timers[-1].cancel()
