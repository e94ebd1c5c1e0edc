"""Waves: how many hosts may be changed, and when. Pure; the run asks and tells.

A wave is counted in hosts that are *changed*, not in hosts that were listed: a dark or healthy host takes no place
in it, so a canary wave is never spent on machines that prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recovery.model.playbook import Share


def slices(shares: Sequence[Share], total: int) -> tuple[int, ...]:
    """The sizes of the waves for `total` hosts: each share of the total, the last repeated until all have a place.

    The sizes are positive and add up to `total`.
    """
    sizes: list[int] = []
    left = total
    rules = list(shares) or [Share(100, percent=True, of="run")]
    while left > 0:
        rule = rules[min(len(sizes), len(rules) - 1)]
        sizes.append(min(left, rule.hosts(total)))
        left -= sizes[-1]
    return tuple(sizes)


class Waves:
    """The state of a run's waves."""

    def __init__(self, sizes: Sequence[int]) -> None:
        """Begin before the first of the waves of these `sizes`."""
        self._sizes = tuple(sizes)
        self.number = 0
        """The open wave, from 1; 0 before the first."""
        self.is_open = False
        self._members: set[str] = set()
        self._working: set[str] = set()
        self._good: set[str] = set()

    @property
    def size(self) -> int:
        """How many hosts may be changed in the current wave."""
        return self._size_of(self.number)

    @property
    def next_size(self) -> int:
        """The size of the wave that follows."""
        return self._size_of(self.number + 1)

    def _size_of(self, number: int) -> int:
        """Waves that ended before they were full leave hosts over: these come in further waves of the largest size."""
        if number <= 0 or not self._sizes:
            return 0
        return self._sizes[number - 1] if number <= len(self._sizes) else max(self._sizes)

    @property
    def working(self) -> int:
        """Members that have not ended."""
        return len(self._working)

    @property
    def members(self) -> frozenset[str]:
        """The hosts that were admitted to the current wave."""
        return frozenset(self._members)

    @property
    def allowance(self) -> int:
        """How many may be in flight: 1 at first, then twice as many as went well, never more than the wave holds.

        A wave begins at the size of the one before it, which has been proven.
        """
        proven = self._size_of(self.number - 1) if self.number > 1 else 1
        return min(self.size, max(1, proven, 2 * len(self._good)))

    def open_next(self) -> int:
        """Open the next wave and return its number."""
        self.number += 1
        self.is_open = True
        self._members.clear()
        self._working.clear()
        self._good.clear()
        return self.number

    def close(self) -> None:
        """The current wave has ended."""
        self.is_open = False

    def has_room(self) -> bool:
        """Whether one more host may be changed now."""
        return (
            self.is_open and len(self._members) < self.size and len(self._working) < self.allowance
        )

    def full(self) -> bool:
        """Whether the wave has all the hosts that it may have."""
        return len(self._members) >= self.size

    def admit(self, host: str) -> None:
        """The host may be changed."""
        self._members.add(host)
        self._working.add(host)

    def give_back(self, host: str) -> None:
        """The host was not changed, and its place is free again."""
        self._members.discard(host)
        self._working.discard(host)

    def went_well(self, host: str) -> None:
        """The first change of a member was carried out."""
        if host in self._members:
            self._good.add(host)

    def ended(self, host: str) -> None:
        """The pursuit of the host is over."""
        self._working.discard(host)

    def restore(
        self,
        number: int,
        members: Iterable[str],
        ended: Iterable[str],
        good: Iterable[str],
        *,
        is_open: bool,
    ) -> None:
        """Take up a run where its journal ends."""
        self.number = number
        self.is_open = is_open
        self._members = set(members)
        self._working = self._members - set(ended)
        self._good = set(good) & self._members
