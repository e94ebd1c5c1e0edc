"""Spreadsheets: one that people have kept so far is taken over in the middle of the incident, and one is written.

Everything is checked before anything is done. Rows that are in doubt are told with their line, and the same sheet read
twice changes nothing the second time. What a sheet says is a claim: "done" is never more than `says_done`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from recovery.desk import words
from recovery.errors import InputError, UsageError
from recovery.model.ticket import Stage
from recovery.redact import mask_recovery_keys

MOST_BYTES = 20_000_000
MOST_ROWS = 200_000
_MOST_CELL = 2_000
_SEPARATORS = ",;\t|"
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "host": ("host", "hostname", "name", "computer", "computer name", "machine", "device", "pc"),
    "stage": ("stage", "state", "status", "done"),
    "owner": ("owner", "tech", "technician", "assigned", "assigned to", "assignee", "who"),
    "site": ("site", "branch"),
    "location": ("location", "room", "place", "floor", "where"),
    "service": ("service",),
    "reason": ("reason", "problem", "issue", "symptom"),
}  # fmt: skip
"""Names under which people keep these columns, the best first."""
_STAGES: Mapping[Stage, tuple[str, ...]] = {
    Stage.WAITING: ("", "waiting", "new", "open", "todo", "to do", "no", "n", "not started", "broken", "down", "bsod",
                    "came_back", "came back"),
    Stage.CLAIMED: ("claimed", "assigned", "in progress", "wip", "started", "taken"),
    Stage.ON_SITE: ("on_site", "on site", "onsite"),
    Stage.SAYS_DONE: ("says_done", "says done", "done", "fixed", "resolved", "complete", "completed", "ok", "yes", "y",
                      "x", "closed", "proven", "recovered", "up"),
    Stage.ESCALATED: ("escalated", "blocked", "stuck", "vendor"),
}  # fmt: skip
_MEANINGS = {word: stage for stage, found in _STAGES.items() for word in found}
_FORMULA = re.compile(r"'(?=[=+@-])")
"""What programs put in front of a cell so that a spreadsheet does not take it for a formula."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What a line of the sheet says of one host."""

    line: int
    host: str
    stage: Stage = Stage.WAITING
    owner: str = ""
    site: str = ""
    location: str = ""
    service: str = ""
    reason: str = ""
    cells: Mapping[str, str] = {}
    """The whole row, by the sheet's own titles."""


class Doubt(msgspec.Struct, frozen=True):
    """A line that cannot be taken as it is."""

    line: int
    what: str


class Sheet(msgspec.Struct, frozen=True):
    """A spreadsheet that was read."""

    rows: tuple[Row, ...]
    doubts: tuple[Doubt, ...]
    notes: tuple[str, ...] = ()


def read_file(file: str) -> bytes:
    """The bytes of a spreadsheet. Raises `InputError`."""
    try:
        with Path(file).open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=file) from None
    if len(raw) > MOST_BYTES:
        raise InputError(f"larger than {MOST_BYTES} bytes", file=file)
    return raw


def parse(raw: bytes, file: str, known: Iterable[str] = ()) -> Sheet:
    """Read a sheet: CSV with a header row, separated by commas, semicolons, tabs or bars.

    UTF-8, UTF-16 and Windows-1252 are read. `known` are the hosts that there are: upper and lower case in the sheet do
    not matter. Raises `InputError` for what is no such table.
    """
    text = _text(raw, file)
    header = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=header.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        titles = [title.strip() for title in next(lines, [])]
        places = _places(titles, file)
        reading = _Reading(titles, places, known)
        for cells in lines:
            reading.take(lines.line_num, cells)
            if len(reading.rows) + len(reading.doubts) > MOST_ROWS:
                raise InputError(f"more than {MOST_ROWS} rows", file=file, line=lines.line_num)
    except csv.Error as error:
        raise InputError(f"not CSV: {error}", file=file, line=lines.line_num) from None
    return Sheet(tuple(reading.rows), tuple(reading.doubts), tuple(reading.notes))


def titles_first(columns: Sequence[str], sheets: Iterable[Mapping[str, str]]) -> list[str]:
    """The columns to write: our own, then those that only the imported sheets have, in their order."""
    more: dict[str, None] = {}
    for sheet in sheets:
        titles = list(sheet)
        used = _used([_plain(title) for title in titles]).values()
        more |= dict.fromkeys(
            title
            for place, title in enumerate(titles)
            if place not in used and _plain(title) not in columns
        )
    return [*columns, *more]


class _Reading:
    """The rows so far."""

    def __init__(
        self, titles: Sequence[str], places: Mapping[str, int], known: Iterable[str]
    ) -> None:
        self.rows: list[Row] = []
        self.doubts: list[Doubt] = []
        self.notes: list[str] = []
        self._titles = titles
        self._places = places
        self._known = frozenset(known)
        self._spellings = words.by_case(self._known)
        self._lines: dict[str, int] = {}
        self._masked = False

    def take(self, line: int, cells: Sequence[str]) -> None:
        """One line of the sheet."""
        if not any(cell.strip() for cell in cells):
            return
        if len(cells) > len(self._titles) and any(
            cell.strip() for cell in cells[len(self._titles) :]
        ):
            self.doubts.append(
                Doubt(line, f"has {len(cells)} cells, and the header {len(self._titles)}")
            )
            return
        try:
            row = self._row(line, [self._cell(cell) for cell in cells])
        except UsageError as error:
            self.doubts.append(Doubt(line, str(error)))
            return
        # Two spellings of one name are one machine, unless the inventory has both.
        name = row.host if row.host in self._known else row.host.casefold()
        if name in self._lines:
            self.doubts.append(
                Doubt(line, f"{row.host} stands in line {self._lines[name]} already")
            )
            return
        self._lines[name] = line
        self.rows.append(row)

    def _row(self, line: int, cells: Sequence[str]) -> Row:
        cells = [*cells, *[""] * (len(self._titles) - len(cells))]
        said = {name: cells[place] for name, place in self._places.items()}
        given = words.host(said["host"])
        stage = _stage(said.get("stage", ""))
        owner = words.name(said["owner"]) if said.get("owner") else ""
        if owner and not said.get("stage"):
            stage = Stage.CLAIMED
        # A desk's own export says so of machines that nobody had to go to.
        is_proven = said.get("stage", "").strip().casefold() == Stage.PROVEN
        if stage not in (Stage.WAITING, Stage.ESCALATED) and not (owner or is_proven):
            raise UsageError(
                f"{given} is {stage.value.replace('_', ' ')}, and nobody is named who has it"
            )
        return Row(
            line=line,
            host=self._spellings.get(given.casefold(), given),
            stage=stage,
            owner=owner,
            site=words.text(said.get("site", "")),
            location=words.text(said.get("location", "")),
            service=words.text(said.get("service", "")),
            reason=words.text(said.get("reason", "")),
            cells={title: cell for title, cell in zip(self._titles, cells, strict=False) if title},
        )

    def _cell(self, cell: str) -> str:
        """What the cell says, inert; recovery keys do not go into the journal."""
        found = _FORMULA.sub("", cell.strip(), count=1)[:_MOST_CELL]
        clean = mask_recovery_keys(found)
        if clean != found and not self._masked:
            self._masked = True
            self.notes.append(
                "recovery keys in the sheet were left out: the journal holds none; name the sheet as a source of keys"
            )
        return " ".join("".join(char if char.isprintable() else " " for char in clean).split())


def _text(raw: bytes, file: str) -> str:
    wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise InputError(
        "not a table: expected CSV as UTF-8, UTF-16 or Windows-1252; save the sheet as CSV",
        file=file,
    )


def _places(titles: Sequence[str], file: str) -> Mapping[str, int]:
    plain = [_plain(title) for title in titles]
    for place, title in enumerate(plain):
        if title and title in plain[:place]:
            raise InputError(f"two columns are named {titles[place]!r}", file=file, line=1)
    found = _used(plain)
    if "host" not in found:
        shown = ", ".join(map(repr, titles[:8])) or "nothing"
        raise InputError(
            f"no column names the host; expected one of {', '.join(_COLUMNS['host'][:5])}, found {shown}",
            file=file,
            line=1,
        )
    return found


def _used(plain: Sequence[str]) -> dict[str, int]:
    """The columns that mean something here, by place."""
    found: dict[str, int] = {}
    for column, names in _COLUMNS.items():
        there = [name for name in names if name in plain]
        if there:
            found[column] = plain.index(there[0])
    return found


def _plain(title: str) -> str:
    return title.strip().casefold().replace("_", " ").replace("-", " ")


def _stage(word: str) -> Stage:
    stage = _MEANINGS.get(word.strip().casefold())
    if stage is None:
        examples = ", ".join(found[1] if not found[0] else found[0] for found in _STAGES.values())
        raise UsageError(
            f"what does {mask_recovery_keys(word)[:40]!r} mean? expected one of {examples}, ..."
        )
    return stage


def told(doubts: Iterable[Doubt], file: str) -> Iterator[str]:
    """The doubts in words."""
    for doubt in doubts:
        yield f"{file}:{doubt.line}: {doubt.what}"
