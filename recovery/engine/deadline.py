"""The supervisor deadline: it holds even when what it bounds swallows its cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from recovery.errors import DeadlineError

T = TypeVar("T")

_STOPS = "the run stops"
GRACE = 5.0
"""Seconds that a cancelled operation gets to end before it is abandoned."""


def at_once(work: Awaitable[T]) -> T:
    """The result of `work` of an adapter that never waits (`recovery.ports.Prompt`), without a task for it.

    Raises `RuntimeError` where it waits all the same.
    """
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    if isinstance(work, Coroutine):
        work.close()
    message = "an adapter that calls itself prompt waits for something"
    raise RuntimeError(message)


class Supervisor:
    """Bounds operations from outside, and knows those that would not end."""

    def __init__(self) -> None:
        """Nothing is abandoned yet."""
        self.abandoned: set[asyncio.Task[Any]] = set()
        self._openings: set[asyncio.Task[Any]] = set()
        self._no_more = False

    async def opening(self, seconds: float, work: Coroutine[Any, Any, T], what: str) -> T:
        """As `within`, for work that changes nothing on a host: `break_off` ends it, and lets no more of it begin."""
        if self._no_more:
            work.close()
            raise DeadlineError(_STOPS)
        task = asyncio.get_running_loop().create_task(self.within(seconds, work, what))
        self._openings.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            own = asyncio.current_task()
            if own is not None and own.cancelling():
                raise
            raise DeadlineError(_STOPS) from None
        finally:
            self._openings.discard(task)

    def break_off(self) -> None:
        """End what is being opened."""
        self._no_more = True
        for task in self._openings:
            task.cancel()

    async def within(self, seconds: float, work: Coroutine[Any, Any, T], what: str) -> T:
        """The result of `work`, or `DeadlineError` naming `what` after `seconds` and a short grace.

        The work is a task of its own, which is given up when it does not react to its cancellation
        (retry libraries and drivers are known to swallow it). A cancellation from outside is passed on the same way.
        """
        task = asyncio.get_running_loop().create_task(work)
        try:
            await asyncio.wait((task,), timeout=seconds)
        except asyncio.CancelledError:
            await self._end(task)
            raise
        if task.done():
            return task.result()
        await self._end(task)
        message = f"{what} took longer than {seconds:g} s"
        raise DeadlineError(message)

    async def _end(self, task: asyncio.Task[Any]) -> None:
        task.cancel()
        await asyncio.wait((task,), timeout=GRACE)
        if not task.done():
            self.abandoned.add(task)
            task.add_done_callback(self._let_go)
        elif not task.cancelled():
            task.exception()

    def _let_go(self, task: asyncio.Task[Any]) -> None:
        self.abandoned.discard(task)
        if not task.cancelled():
            task.exception()
