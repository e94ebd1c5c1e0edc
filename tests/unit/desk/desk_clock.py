"""A clock that stands still until it is moved."""

from __future__ import annotations

from datetime import datetime, timedelta


class HandClock:
    """`recovery.ports.Clock`."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._moved = 0.0

    def now(self) -> datetime:
        return self._now + timedelta(seconds=self._moved)

    def monotonic(self) -> float:
        return self._moved

    def move(self, seconds: float) -> None:
        self._moved += seconds
