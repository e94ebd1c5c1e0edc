"""Inventories as tables: CSV with a header row, separated by commas, semicolons, tabs or bars.

Columns are named like a host's fields, in any case (`Name`, `SITE`); `tags` and `groups` hold several values between
commas, semicolons or bars; `console.kind`, `console.address` and `console.credential` describe the console. Every
other column becomes a variable. Empty cells say nothing.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_args

from recovery.errors import InputError, suggestion
from recovery.inventory.part import Part
from recovery.inventory.withheld import ADVICE, is_secret
from recovery.model.host import ConsoleRef, Host, Kind, Os

SEPARATORS = ",;\t|"
NAME_COLUMNS = ("name", "host", "hostname")
TEXTS = ("address", "transport", "credential", "user", "gateway", "site", "service", "location")
CONSOLE = "console."
VARIABLE = "vars."

LAST_PORT = 65535

_TRUE, _FALSE = ("true", "yes", "y", "1", "x"), ("false", "no", "n", "0", "-")
_REMEMBERED = 10_000
"""Different cells of a column that are converted once and shared."""

Convert = Callable[[str], Any]


def looks_like_table(text: str) -> bool:
    """Whether the text begins with a header row."""
    header = text.lstrip("\n").partition("\n")[0]
    words = {word.strip().strip('"').lower() for word in re.split(f"[{SEPARATORS}]", header)}
    return (
        len(words) > 1
        and bool(words & set(NAME_COLUMNS))
        and not header.lstrip().startswith(("{", "["))
    )


def read_table(text: str, file: str) -> Part:
    """Read a table. Raises `InputError` with file and line."""
    header = text.partition("\n")[0]
    rows = csv.reader(_lines(text), delimiter=max(SEPARATORS, key=header.count), strict=True)
    part = Part(file)
    try:
        columns = _Columns(next(rows, []), part)
        columns.read(rows)
    except csv.Error as error:
        raise InputError(f"not CSV: {error}", file=file, line=rows.line_num) from None
    except ValueError as error:
        raise InputError(str(error), file=file, line=rows.line_num) from None
    return part


def field_columns() -> frozenset[str]:
    """The columns that are fields of a host."""
    return frozenset(_CONVERT)


def _lines(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


class _Columns:
    """What is to be done with each cell of a row."""

    def __init__(self, header: Sequence[str], part: Part) -> None:
        self._part = part
        self._titles = [title.strip() for title in header]
        self._keys = [title.lower().replace(" ", "_") for title in self._titles]
        self._name = self._find_name()
        self._check_header()
        self._fields: list[tuple[int, str, Convert]] = []
        self._console: list[tuple[int, str]] = []
        self._variables: list[tuple[int, str, Convert]] = []
        for place, key in enumerate(self._keys):
            if place != self._name and key:
                self._assign(place, key)

    def _find_name(self) -> int:
        for name in NAME_COLUMNS:
            if name in self._keys:
                return self._keys.index(name)
        found = ", ".join(map(repr, self._titles[:8])) or "nothing"
        raise ValueError(f"the header row needs a column `name`; it has {found}")

    def _check_header(self) -> None:
        for place, key in enumerate(self._keys):
            if key and key in self._keys[:place]:
                raise ValueError(f"the column {self._titles[place]!r} stands in the header twice")

    def _assign(self, place: int, key: str) -> None:
        convert = _CONVERT.get(key)
        if convert is not None:
            self._fields.append((place, key, _remembering(convert)))
        elif key.startswith(CONSOLE):
            self._console.append((place, key.removeprefix(CONSOLE)))
        else:
            self._assign_variable(place, key)

    def _assign_variable(self, place: int, key: str) -> None:
        title = self._titles[place]
        near = difflib.get_close_matches(key, _CONVERT, n=1, cutoff=0.8)
        if near and not key.startswith(VARIABLE):
            self._part.warnings.append(
                f"{self._part.file}:1: the column {title!r} is taken as a variable; was {near[0]!r} meant?"
            )
        name = title.removeprefix(VARIABLE)
        convert = _cost if name == "cost_per_hour" else _secretless(name)
        self._variables.append((place, name, _remembering(convert)))

    def read(self, rows: Any) -> None:
        """Add the hosts. Raises `ValueError` for a cell that its column cannot hold."""
        width, name = len(self._titles), self._name
        for row in rows:
            if (len(row) != width or not row[name]) and not any(row):
                continue
            if len(row) != width:
                raise ValueError(f"the row has {len(row)} columns, but the header has {width}")
            fields = {
                key: convert(row[place]) for place, key, convert in self._fields if row[place]
            }
            if self._variables:
                variables = {
                    key: convert(row[place])
                    for place, key, convert in self._variables
                    if row[place]
                }
                if variables:
                    fields["vars"] = variables
            if self._console:
                fields["console"] = _console(
                    {key: row[place] for place, key in self._console if row[place]}
                )
            self._part.add(Host(name=row[name].strip(), **fields), rows.line_num)


def _remembering(convert: Convert) -> Convert:
    """`convert`, so that equal cells give one value: a site's name is then kept once, not for each host."""
    known: dict[str, Any] = {}

    def remembered(cell: str) -> Any:
        value = known.get(cell)
        if value is None:
            value = convert(cell)
            if len(known) < _REMEMBERED:
                known[cell] = value
        return value

    return remembered


def _port(cell: str) -> int:
    text = cell.strip()
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= LAST_PORT):
        raise ValueError(f"a port is a number from 1 to 65535, not {cell[:40]!r}")
    return int(text)


def _flag(cell: str) -> bool:
    word = cell.strip().lower()
    if word not in (*_TRUE, *_FALSE):
        raise ValueError(f"`protected` is true or false, not {cell[:40]!r}")
    return word in _TRUE


def _several(cell: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in re.split("[,;|]", cell) if word.strip())


def _text(cell: str) -> str:
    text = cell.strip()
    if is_secret("", text):
        raise ValueError(f"a cell holds a secret, which an inventory never does: {ADVICE}")
    return text


def _choice(field: str, choices: tuple[str, ...]) -> Convert:
    def choose(cell: str) -> str:
        word = cell.strip().lower()
        if word not in choices:
            raise ValueError(f"`{field}` is never {cell[:40]!r}{suggestion(word, choices)}")
        return word

    return choose


def _cost(cell: str) -> float:
    try:
        cost = float(cell)
    except ValueError:
        raise ValueError(f"`cost_per_hour` is a number, not {cell[:40]!r}") from None
    if not 0 <= cost < float("inf"):
        raise ValueError(f"`cost_per_hour` is at least 0, not {cell[:40]!r}")
    return cost


def _secretless(name: str) -> Convert:
    def keep(cell: str) -> str:
        if is_secret(name, cell):
            raise ValueError(
                f"the column {name!r} holds a secret, which an inventory never does: {ADVICE}"
            )
        return cell

    return keep


def _console(cells: dict[str, str]) -> ConsoleRef | None:
    if not cells:
        return None
    for key, cell in cells.items():
        if is_secret(key, cell):
            raise ValueError(
                f"the column 'console.{key}' holds a secret, which an inventory never does: {ADVICE}"
            )
    known = ("kind", "address", "credential")
    if "kind" not in cells:
        raise ValueError("a console needs a kind: there is no value for the column `console.kind`")
    options = {key: cell for key, cell in cells.items() if key not in known}
    return ConsoleRef(**{key: cells[key] for key in known if key in cells}, options=options)


_CONVERT: dict[str, Convert] = {
    **dict.fromkeys(TEXTS, _text),
    "port": _port,
    "os": _choice("os", get_args(Os)),
    "kind": _choice("kind", get_args(Kind)),
    "protected": _flag,
    "tags": _several,
    "groups": _several,
}
