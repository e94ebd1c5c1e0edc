"""Data on standard output, narration on standard error."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from recovery.errors import OutputError
from recovery.inert import visible
from recovery.model.events import AnyEvent, RunFinished
from recovery.redact import scrub

Form = Literal["text", "json", "jsonl", "csv"]
_WIDEST = 60
_OTHER_PAGE = "\x1b[?1049h\x1b[2J\x1b[H"
_OWN_PAGE = "\x1b[2J\x1b[3J\x1b[?1049l"
"""Terminals keep no lines of the other page to scroll back to."""


def set_up() -> None:
    """Make standard streams that take every name, also where the process was started without them."""
    # The next file that is opened would get the number of a stream that is missing, and what is meant for the stream.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - for as long as the process lives
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names need not be text in this encoding


def data(text: str) -> None:
    """A line of data. Raises `OutputError` when nobody takes it."""
    with _told():
        print(scrub(text))


def show_for(secret: str, seconds: float, wait: Callable[[float], None]) -> None:
    """Show what is masked everywhere else, on the terminal's other page, and take it away again.

    `wait` returns after so many seconds, or sooner. Raises `OutputError`.
    """
    with _told():
        print(f"{_OTHER_PAGE}{secret}", flush=True)
    try:
        wait(seconds)
    finally:
        with _told():
            print(_OWN_PAGE, end="", flush=True)


def flush() -> None:
    """See all data taken. Raises `OutputError`."""
    with _told():
        sys.stdout.flush()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # What is left in the buffer goes nowhere, or the interpreter would fail over it once more at its end.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        message = f"the output cannot be written: {error.strerror}"
        raise OutputError(message, pipe=isinstance(error, BrokenPipeError)) from None


def say(text: str) -> None:
    """A line of narration; a terminal that is gone takes nothing down."""
    with contextlib.suppress(OSError):
        print(scrub(text), file=sys.stderr, flush=True)


def event_line(event: AnyEvent) -> str:
    """An event as a document on one line. `run`, `host` and the end's `counts` are there also when they are empty."""
    return '{"schema":1,' + _body(event)


def stored_line(seq: int, event: AnyEvent) -> str:
    """An event of the journal, with its place."""
    return f'{{"schema":1,"seq":{seq},' + _body(event)


def _body(event: AnyEvent) -> str:
    body = msgspec.json.encode(event).decode()[1:]
    if not event.host:
        body = '"host":"",' + body
    if not event.run:
        body = '"run":"",' + body
    if isinstance(event, RunFinished) and not event.counts:
        body = '"counts":{},' + body
    return body


def documents(
    value: Mapping[str, Any] | Sequence[Mapping[str, Any]], form: Form, columns: Sequence[str] = ()
) -> None:
    """Data as JSON, JSON lines or CSV; `columns` are those of a CSV without rows."""
    rows = [value] if isinstance(value, Mapping) else list(value)
    if form == "json":
        data(json.dumps(value, indent=1, ensure_ascii=False, default=str))
    elif form == "jsonl":
        for row in rows:
            data(json.dumps(row, ensure_ascii=False, default=str))
    elif rows or columns:
        data(_csv_line(list(rows[0] if rows else columns)))
        for row in rows:
            data(_csv_line([_cell(item) for item in row.values()]))


def _csv_line(cells: Sequence[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def _cell(value: Any) -> Any:
    """A cell, inert: neither a terminal nor a spreadsheet takes it for anything but text."""
    if isinstance(value, list | tuple):
        value = "; ".join(map(str, value))
    elif isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False, default=str)
    if not isinstance(value, str):
        return value
    value = inert(value)
    return f"'{value}" if value[:1] in ("=", "+", "-", "@") else value


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


inert = visible
"""Text from outside, for a terminal."""


def bold(text: str) -> str:
    """Bold where the terminal has it and nobody objects."""
    plain = "NO_COLOR" in os.environ or not sys.stderr.isatty()
    return text if plain else f"\x1b[1m{text}\x1b[0m"
