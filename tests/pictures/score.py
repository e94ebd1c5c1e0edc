"""How the reader does on the corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from recovery.model.reading import LABELS

Matrix = Mapping[tuple[str, str], int]
"""What it is, what it was called: how often."""


def matrix(pairs: Iterable[tuple[str, str]]) -> Matrix:
    """Count what was called what."""
    return Counter(pairs)


def shown(counted: Matrix) -> list[str]:
    """The matrix for people: a row for what a picture shows, a column for what it was called."""
    head = "".join(f"{label[:9]:>10}" for label in LABELS)
    rows = [f"{'shows / called':<16}{head}"]
    for true in LABELS:
        row = [counted.get((true, called), 0) for called in LABELS]
        if any(row):
            rows.append(f"{true:<16}" + "".join(f"{count or '.':>10}" for count in row))
    total = sum(counted.values())
    right = sum(count for (true, called), count in counted.items() if true == called)
    return [*rows, f"{right} of {total} right"]
