"""Why nothing new is begun for the present: a person's word, or a blocker that says not now."""

from __future__ import annotations

import asyncio
import math
from typing import Literal

from recovery.engine.context import Context
from recovery.model.events import RunHeld

Cause = Literal["person", "blocker"]

_EVERY = 30.0
"""Seconds between two questions to the blocker."""


class Holds:
    """The causes that hold a run, and the events that tell of them."""

    def __init__(self, context: Context) -> None:
        """Nothing holds the run yet."""
        self._context = context
        self._reasons: dict[Cause, str] = {}
        self._asked_at = -math.inf
        self._asking: asyncio.Task[None] | None = None

    @property
    def active(self) -> bool:
        """Whether something holds the run."""
        return bool(self._reasons)

    @property
    def due(self) -> float | None:
        """When the blocker is to be asked again (monotonic seconds); None when there is none, or it is being asked."""
        return None if self._asking or not self._has_blocker else self._asked_at + _EVERY

    def hold(self, cause: Cause, reason: str) -> None:
        """Hold the run; one that is held for this cause goes on being held, for its new reason."""
        if self._reasons.get(cause) != reason:
            self._reasons[cause] = reason
            self._tell(reason)

    def release(self, cause: Cause) -> None:
        """The cause is gone; the run goes on when no other one is left."""
        reason = self._reasons.pop(cause, None)
        if reason is None:
            return
        self._tell(reason, released=True)
        for other in self._reasons.values():
            self._tell(other)

    async def ask(self) -> None:
        """Ask the blocker, if the run has one and may change machines."""
        blocker = self._context.options.blocker
        if blocker is None or not self._has_blocker:
            return
        reason = await blocker()
        self._asked_at = self._context.clock.monotonic()
        if reason:
            self.hold("blocker", f"not now, says the blocker: {reason}")
        else:
            self.release("blocker")

    def ask_when_due(self, group: asyncio.TaskGroup, *, at_once: bool) -> None:
        """Ask it beside the run's work when its last answer is old; `at_once`: whenever it holds the run."""
        held = at_once and "blocker" in self._reasons
        if self.due is not None and (held or self.due <= self._context.clock.monotonic()):
            self._asking = group.create_task(self._ask_once())

    def stop_asking(self) -> None:
        """The run has ended."""
        if self._asking is not None:
            self._asking.cancel()

    async def _ask_once(self) -> None:
        try:
            await self.ask()
        finally:
            self._asking = None
            self._context.wake()

    @property
    def _has_blocker(self) -> bool:
        return self._context.options.blocker is not None and self._context.playbook.changes

    def _tell(self, reason: str, *, released: bool = False) -> None:
        context = self._context
        context.emit(
            RunHeld(at=context.clock.now(), run=context.run, reason=reason, released=released)
        )
