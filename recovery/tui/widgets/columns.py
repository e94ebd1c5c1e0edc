"""The columns of a table, and how they share its width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

GAP = 1
"""Cells between two columns."""


class Column(msgspec.Struct, frozen=True):
    """One column."""

    key: str
    title: str
    least: int
    """Cells without which it is left out."""
    most: int
    text: Callable[[Any], str]
    """What it shows of a row; plain text."""
    order: Callable[[Any], Any] | None = None
    """What rows are sorted by in it; None where that has no meaning."""
    tone: Callable[[Any], str] | None = None
    """One of `TONES`."""
    rank: int = 0
    """The higher, the sooner it is left out; 0 never is."""
    right: bool = False


TONES = ("good", "bad", "warn", "busy", "faint")
"""Names of colours. A colour never says anything that a word does not say as well."""


def share(columns: Sequence[Column], width: int) -> tuple[tuple[Column, int], ...]:
    """The columns that fit into `width` cells, in their order, with the cells that each of them gets."""
    chosen: set[str] = set()
    used = 0
    for column in sorted(columns, key=lambda each: each.rank):
        needed = column.least + (GAP if chosen else 0)
        if column.rank and used + needed > width:
            break
        chosen.add(column.key)
        used += needed
    left = max(0, width - used)
    widths = {column.key: column.least for column in columns}
    for column in sorted(columns, key=lambda each: each.rank):
        if column.key in chosen:
            more = min(left, column.most - column.least)
            widths[column.key] += more
            left -= more
    return tuple((column, widths[column.key]) for column in columns if column.key in chosen)
