"""Windows of time in which nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from recovery.errors import UsageError

_NO_WINDOW = (time(tzinfo=UTC), time(tzinfo=UTC))
"""Stands for what is none: a window has no time zone of its own."""


def parse_window(text: str) -> tuple[time, time]:
    """`HH:MM-HH:MM`, UTC. Raises `UsageError` for anything else."""
    try:
        begins, ends = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError:
        begins, ends = _NO_WINDOW
    if begins.tzinfo or ends.tzinfo:
        message = f"a freeze window is written HH:MM-HH:MM in UTC, not {text!r}"
        raise UsageError(message)
    return begins, ends


def frozen_for(windows: Sequence[str], now: datetime) -> float:
    """Seconds until the last of the windows that hold now is over; 0 when none does. A window may pass midnight."""
    longest = 0.0
    for begins, ends in map(parse_window, windows):
        inside = (
            begins <= now.time() < ends
            if begins <= ends
            else now.time() >= begins or now.time() < ends
        )
        if inside:
            over = datetime.combine(now.date(), ends, now.tzinfo)
            over += timedelta(days=1) if over <= now else timedelta()
            longest = max(longest, (over - now).total_seconds())
    return longest
