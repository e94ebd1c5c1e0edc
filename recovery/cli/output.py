"""Data on standard output, narration on standard error."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from recovery.model.events import AnyEvent
from recovery.redact import scrub

Form = Literal["text", "json", "jsonl", "csv"]
_WIDEST = 60


def data(text: str) -> None:
    """A line of data."""
    print(scrub(text))


def say(text: str) -> None:
    """A line of narration; a terminal that is gone takes nothing down."""
    with contextlib.suppress(OSError):
        print(scrub(text), file=sys.stderr, flush=True)


def event_line(event: AnyEvent) -> str:
    """An event as a document on one line."""
    return '{"schema":1,' + msgspec.json.encode(event).decode()[1:]


def stored_line(seq: int, event: AnyEvent) -> str:
    """An event of the journal, with its place."""
    return f'{{"schema":1,"seq":{seq},' + msgspec.json.encode(event).decode()[1:]


def documents(value: Mapping[str, Any] | Sequence[Mapping[str, Any]], form: Form) -> None:
    """Data as JSON, JSON lines or CSV."""
    rows = [value] if isinstance(value, Mapping) else list(value)
    if form == "json":
        data(json.dumps(value, indent=1, ensure_ascii=False, default=str))
    elif form == "jsonl":
        for row in rows:
            data(json.dumps(row, ensure_ascii=False, default=str))
    elif rows:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(rows[0])
        for row in rows:
            writer.writerow([_cell(item) for item in row.values()])


def _cell(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value))
    # A spreadsheet takes such a cell for a formula.
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table in plain text; cells are made inert and cut."""
    cells = [[inert(str(cell)) for cell in row] for row in rows]
    widths = [
        min(_WIDEST, max([len(name), *(len(row[place]) for row in cells)]))
        for place, name in enumerate(header)
    ]
    for row in ([name.upper() for name in header], *cells):
        last = len(row) - 1
        data(
            "  ".join(
                cell if place == last else cell[: widths[place]].ljust(widths[place])
                for place, cell in enumerate(row)
            ).rstrip()
        )


def inert(text: str) -> str:
    """Text from outside with control characters made visible."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def bold(text: str) -> str:
    """Bold where the terminal has it and nobody objects."""
    plain = "NO_COLOR" in os.environ or not sys.stderr.isatty()
    return text if plain else f"\x1b[1m{text}\x1b[0m"
