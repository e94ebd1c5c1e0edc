"""How often somebody may do something."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

_NAMES = 10_000
"""Names that are remembered; who comes from more addresses than that is no longer counted one by one."""


class Limit:
    """At most so many in so many seconds, for each name by itself."""

    def __init__(self, most: int, seconds: float, now: Callable[[], float]) -> None:
        """`now` gives seconds."""
        self._most = most
        self._seconds = seconds
        self._now = now
        self._taken: OrderedDict[str, deque[float]] = OrderedDict()
        self._told: dict[str, float] = {}

    def note(self, name: str) -> None:
        """Count one more."""
        self._recent(name).append(self._now())

    def reached(self, name: str) -> bool:
        """Whether no more are allowed now."""
        return len(self._recent(name)) >= self._most

    def take(self, name: str) -> bool:
        """Count one more if it is allowed, and say whether it was."""
        if self.reached(name):
            return False
        self.note(name)
        return True

    def tells(self, name: str) -> bool:
        """Whether to raise an alarm about the name now: once in each span."""
        now = self._now()
        self._told = {each: told for each, told in self._told.items() if told > now - self._seconds}
        if name in self._told or len(self._told) >= _NAMES:
            return False
        self._told[name] = now
        return True

    def _recent(self, name: str) -> deque[float]:
        found = self._taken.setdefault(name, deque(maxlen=self._most))
        self._taken.move_to_end(name)
        while len(self._taken) > _NAMES:
            self._taken.popitem(last=False)
        while found and found[0] <= self._now() - self._seconds:
            found.popleft()
        return found
