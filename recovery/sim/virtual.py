"""Event loops whose clock can be moved, so that an incident of days runs in seconds, in the same order each time.

Everything that asyncio does with time (sleep, timeout, call_later) goes by the loop's clock. Real input and output,
signals and threads work as ever: a jumping clock stands still while they are busy, a paced one goes as the wall's.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

from typing_extensions import override

from recovery.errors import RecoveryError, UsageError

T = TypeVar("T")

Speed = Literal["max", "realtime"] | float
"""`max` jumps to the next timer, `realtime` is the wall's pace, a number is so many times faster."""

_SLOWEST, _FASTEST = 0.001, 1e6

_OWN_FILES = 1
"""The loop's own end of the pipe by which threads and signals wake it."""


_FORGIVEN = 1.0
"""Real seconds that a paced clock may be behind and catch up with; what is more it forgets."""

_TURNS = 16
"""Turns of a busy jumping loop after each of which it looks for input; it always does before its clock jumps."""


class StalledError(RecoveryError):
    """The simulated run stands still: no timer is set, no input is awaited and no work is outstanding."""


class LoopClock:
    """`recovery.ports.Clock` on a loop's time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, epoch: datetime) -> None:
        """Let it be `epoch` (aware) now."""
        self._loop = loop
        self._origin = loop.time()
        self._epoch = epoch.astimezone(UTC)
        self._latest = (self._origin, self._epoch)

    def now(self) -> datetime:
        """The wall clock of the simulated world, UTC."""
        time = self._loop.time()
        if time != self._latest[0]:  # a jumping clock stands still between its jumps
            self._latest = (time, self._epoch + timedelta(seconds=time - self._origin))
        return self._latest[1]

    def monotonic(self) -> float:
        """Seconds since the loop was made."""
        return self._loop.time()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own, which begins at 0."""

    def __init__(self, factor: float | None, epoch: datetime) -> None:
        """Let waiting pass `factor` times as fast as in real time; None jumps from timer to timer."""
        self._now = 0.0
        self._outstanding = 0
        super().__init__(_JumpingSelector(self) if factor is None else _PacedSelector(self, factor))
        self.clock = LoopClock(self, epoch)

    @override
    def time(self) -> float:
        """Seconds of virtual time since the loop was made."""
        return self._now

    def jump(self, seconds: float) -> None:
        """Move the clock on; only the selector does so."""
        self._now += seconds

    @property
    def busy(self) -> bool:
        """Whether real work is outstanding, so that the clock must not run ahead of it."""
        return self._outstanding > 0

    @contextmanager
    def outstanding(self) -> Iterator[None]:
        """Hold the clock while real work is done elsewhere, such as in a thread that will call back.

        What runs through `run_in_executor` or `asyncio.to_thread` is held by itself.
        """
        self._outstanding += 1
        try:
            yield
        finally:
            self._outstanding -= 1

    @override
    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """As asyncio's, and the clock stands still until the result is there."""
        future: asyncio.Future[T] = super().run_in_executor(executor, func, *args)
        self._outstanding += 1
        future.add_done_callback(self._work_ended)
        return future

    @override
    async def shutdown_default_executor(self, *args: Any) -> None:
        """As asyncio's, which joins the executor in a thread of its own."""
        with self.outstanding():
            await super().shutdown_default_executor(*args)

    def _work_ended(self, _future: asyncio.Future[Any]) -> None:
        self._outstanding -= 1


class _JumpingSelector(selectors.DefaultSelector):
    """Looks for input, and where there is none moves the loop's clock instead of waiting."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop
        self._turns = 0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            self._turns += 1
            return [] if self._turns % _TURNS else super().select(0)
        if self._loop.busy:
            return super().select(None)
        events = super().select(0)
        if events:
            return events
        if timeout is not None:
            self._loop.jump(timeout)
            return []
        if len(self.get_map()) <= _OWN_FILES:
            raise StalledError
        return super().select(None)


class _PacedSelector(selectors.DefaultSelector):
    """Lets waiting pass faster or slower than in real time, and work in no less than its own time.

    A busy machine thus falls behind the pace, and catches up while it waits; a host's boot window of seconds does not
    go by while a commit takes its milliseconds.
    """

    def __init__(self, loop: VirtualLoop, factor: float) -> None:
        super().__init__()
        self._loop = loop
        self._factor = factor
        self._at_work = min(factor, 1.0)
        self._seen = time.monotonic()
        self._behind = 0.0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        left = None if timeout is None else timeout - self._worked()
        if left is not None and left <= 0:
            return super().select(0)
        if self._loop.busy:
            events = super().select(None if left is None else left / self._at_work)
            self._worked()
            return events
        return super().select(0) or self._waited(left)

    def _waited(self, left: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        if left is not None:
            left -= self._caught_up(left)
        events = super().select(None if left is None else left / self._factor)
        passed = self._elapsed() * self._factor
        step = passed if left is None else min(passed, left)
        self._loop.jump(step)
        self._fell_behind(passed - step)
        return events

    def _worked(self) -> float:
        elapsed = self._elapsed()
        passed = elapsed * self._at_work
        self._loop.jump(passed)
        self._fell_behind(elapsed * self._factor - passed)
        return passed

    def _fell_behind(self, seconds: float) -> None:
        self._behind = min(self._behind + seconds, self._factor * _FORGIVEN)

    def _caught_up(self, left: float) -> float:
        step = min(self._behind, left)
        self._behind -= step
        self._loop.jump(step)
        return step

    def _elapsed(self) -> float:
        before, self._seen = self._seen, time.monotonic()
        return self._seen - before


def parse_speed(text: str) -> Speed:
    """The speed that `max`, `realtime`, `60` or `60x` names. Raises `UsageError`."""
    if text == "max":
        return "max"
    if text == "realtime":
        return "realtime"
    try:
        factor = float(text.removesuffix("x"))
    except ValueError:
        factor = 0.0
    if not _SLOWEST <= factor <= _FASTEST:
        message = (
            f"a speed is `max`, `realtime`, or how many times faster, such as `60x`; not {text!r}"
        )
        raise UsageError(message)
    return factor


def virtual_loop(speed: Speed, epoch: datetime) -> VirtualLoop:
    """A loop of that speed, whose `clock` says `epoch` now.

    At `max` a run in which nothing can ever happen again ends with `StalledError`.
    """
    if speed == "max":
        return VirtualLoop(None, epoch)
    return VirtualLoop(1.0 if speed == "realtime" else float(speed), epoch)


def run(coro: Coroutine[Any, Any, T], *, speed: Speed, epoch: datetime) -> T:
    """Run `coro` to its end on a loop of that speed, as `asyncio.run` does."""
    with asyncio.Runner(loop_factory=lambda: virtual_loop(speed, epoch)) as runner:
        return runner.run(coro)
