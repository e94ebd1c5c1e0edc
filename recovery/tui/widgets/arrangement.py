"""Which rows a table shows, in which order and under which headings. Pure, and made for 100,000 rows.

Sorting is one call that nothing can interrupt, and it is done on another thread than the screen's. So that the
screen never waits long for it, it is cut into pieces; the last one only merges what is in order already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

Order = Callable[[Any], Any]
"""What rows are sorted by: one type for all rows, or they could not be compared."""

_PIECE = 8192


class Named(Protocol):
    """A row: what it holds is the columns' business."""

    @property
    def name(self) -> str:
        """By which the cursor and the marks find it again."""


R = TypeVar("R", bound=Named)


class Heading(msgspec.Struct, frozen=True):
    """The line above the rows of a group."""

    key: str
    count: int
    closed: bool = False

    @property
    def name(self) -> str:
        """By which the cursor finds it again; no row is named like that."""
        return f"\0{self.key}"


class Wanted(msgspec.Struct, frozen=True):
    """How rows are to be arranged."""

    order: Order | None = None
    """None keeps the order in which rows come."""
    descending: bool = False
    group: Callable[[Any], str] | None = None
    ranks: Mapping[str, int] = {}
    """Where a group stands; those without a rank follow by name, the one without a name last."""
    closed: frozenset[str] = frozenset()


_AS_IT_COMES = Wanted()


class Arrangement(msgspec.Struct, frozen=True):
    """The lines of a table."""

    rows: Sequence[Any] = ()
    """All that could be shown, those of closed groups included, in order."""
    lines: Sequence[Any] = ()
    """Rows and `Heading`s, from top to bottom."""
    places: Mapping[str, int] = {}
    """Line by name."""


def arrange(rows: Sequence[Any], wanted: Wanted = _AS_IT_COMES) -> Arrangement:
    """The rows in order. Equal rows keep the order in which they came."""
    ordered = _sorted(rows, wanted)
    lines: Sequence[Any] = ordered
    if wanted.group is not None:
        groups = _groups(ordered, wanted.group)
        last = len(wanted.ranks)
        keys = sorted(groups, key=lambda key: (wanted.ranks.get(key, last), not key, key))
        ordered = [row for key in keys for row in groups[key]]
        lines = []
        for key in keys:
            closed = key in wanted.closed
            lines.append(Heading(key, len(groups[key]), closed))
            if not closed:
                lines += groups[key]
    return Arrangement(ordered, lines, {line.name: place for place, line in enumerate(lines)})


def _sorted(rows: Sequence[R], wanted: Wanted) -> Sequence[R]:
    if wanted.order is None:
        return rows[::-1] if wanted.descending else rows
    found: list[R] = []
    for start in range(0, len(rows), _PIECE):
        piece = rows[start : start + _PIECE]
        found += sorted(piece, key=wanted.order, reverse=wanted.descending)
    found.sort(key=wanted.order, reverse=wanted.descending)
    return found


def _groups(rows: Sequence[R], key_of: Callable[[R], str]) -> dict[str, list[R]]:
    groups: dict[str, list[R]] = {}
    for row in rows:
        groups.setdefault(key_of(row), []).append(row)
    return groups
