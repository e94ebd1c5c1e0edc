"""The rhythm of a boot loop, learnt from when its host answers: looks are spent where the next window is expected.

A loop repeats itself: the time from one window to the next is that of a crash, a restart and a boot. After two windows
the first guess is made, and looks outside of the expected time are as good as nobody's.
"""

from __future__ import annotations

from collections import deque

WIDE = 10.0
"""Seconds between looks while no window is expected: a host that breaks its rhythm is found all the same."""
CLOSE = 0.4
"""Seconds between looks while one is expected."""
LATE = 0.8
"""Seconds between looks at a host that should have answered by now."""

_SAME_WINDOW = 3.0
"""Seconds of silence that belong to one window: a session that broke, or a look that was lost."""
_MARGIN = 1.5
"""Seconds before and after the expected time that count as expected."""
_GUESS = 0.25
"""Of the first measurement, by which the second may differ."""
_KEPT = 4
_LONGEST = 900.0
"""Seconds of silence that may belong to a loop."""


class Rhythm:
    """When one host answered and fell silent, in seconds of the monotonic clock."""

    __slots__ = ("_closed", "_downs", "_opened", "_periods")

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._opened: float | None = None
        self._closed: float | None = None
        self._downs: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        self._periods: deque[tuple[float, float]] = deque(maxlen=_KEPT)

    @property
    def learnt(self) -> bool:
        """Whether the next window can be expected."""
        return bool(self._downs)

    def closes(self, now: float) -> None:
        """The host has fallen silent."""
        if self._closed is None:
            self._closed = now

    def opens(self, now: float, blur: float) -> None:
        """The host answers; it may have done so for up to `blur` seconds."""
        if self._closed is None:
            self._opened = self._opened if self._opened is not None else now
            return
        down, self._closed = now - self._closed, None
        if down < _SAME_WINDOW:
            return
        if down > _LONGEST:
            self._downs.clear()
            self._periods.clear()
        else:
            self._downs.append((down, blur))
            if self._opened is not None:
                self._periods.append((now - self._opened, blur))
        self._opened = now

    def next_look(self, now: float) -> float:
        """Seconds until the next look at the silent host."""
        if self._closed is None or now - self._closed < _SAME_WINDOW or not self.learnt:
            return CLOSE
        early, late = self._expected()
        if now < early:
            return min(WIDE, max(CLOSE, early - now))
        return CLOSE if now <= late else LATE

    def _expected(self) -> tuple[float, float]:
        """Between when the next window is expected to open, by whichever of both measures has kept better."""
        closed = self._closed or 0.0
        by_down = _between(closed, self._downs)
        if self._opened is None or not self._periods:
            return by_down
        by_period = _between(self._opened, self._periods)
        return min(by_down, by_period, key=lambda span: span[1] - span[0])


def _between(since: float, measured: deque[tuple[float, float]]) -> tuple[float, float]:
    shortest = min(span - blur for span, blur in measured)
    longest = max(span for span, _ in measured)
    slack = _MARGIN + (_GUESS * longest if len(measured) == 1 else 0.0)
    return since + shortest - slack, since + longest + slack
