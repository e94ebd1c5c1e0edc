"""Recovery keys in a CSV file with the columns `KeyID` and `RecoveryKey`, as scripts of July 2024 wrote them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from recovery.desk.recovery_key import KeyRecord, key_id_of, key_of
from recovery.desk.sources import MOST_FOUND
from recovery.desk.sources.key_file import read_keys
from recovery.errors import KeySourceError, UsageError

MOST_BYTES = 100_000_000
_KEY_IDS = ("keyid", "recoverykeyid", "passwordid", "id")
_KEYS = ("recoverykey", "recoverypassword", "key", "password")
_NOTES = ("host", "hostname", "computer", "computername", "device", "devicename", "name")


class TableSource:
    """Reads the file anew for each question: it may have been replaced."""

    def __init__(self, name: str, path: str) -> None:
        """The file has to be its owner's alone."""
        self.name = name
        self._path = Path(path).expanduser()

    def find(self, key_id: str) -> Sequence[KeyRecord]:
        """The keys with this id, or whose id begins so. Raises `KeySourceError`.

        Only a row that is found is checked: one bad row of a large file must not keep the others from anybody.
        """
        found: list[KeyRecord] = []
        for line, given, text, note in self._lines():
            if _bare(given).startswith(key_id) and len(found) < MOST_FOUND:
                found.append(self._record(line, given, text, note))
        return found

    def everything(self) -> Iterator[KeyRecord]:
        """All keys. Raises `KeySourceError` at the first that is none, with its line."""
        for line, given, text, note in self._lines():
            yield self._record(line, given, text, note)

    def _record(self, line: int, given: str, text: str, note: str) -> KeyRecord:
        try:
            key_id = key_id_of(given)
            secret = key_of(text)
        except (ValueError, UsageError) as error:
            raise KeySourceError(f"{self._path}:{line}: {error}") from None
        return KeyRecord(key_id=key_id, secret=secret, source=self.name, note=note)

    def _lines(self) -> Iterator[tuple[int, str, str, str]]:
        text = self._text()
        header = text.partition("\n")[0]
        rows = csv.reader(
            io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True
        )
        try:
            titles = [
                "".join(char for char in title.casefold() if char.isalpha())
                for title in next(rows, [])
            ]
            key_id, key = self._place(titles, _KEY_IDS), self._place(titles, _KEYS)
            note = next((titles.index(name) for name in _NOTES if name in titles), None)
            for cells in rows:
                if len(cells) > max(key_id, key):
                    said = "" if note is None or note >= len(cells) else cells[note].strip()[:100]
                    yield rows.line_num, cells[key_id], cells[key], said
        except csv.Error as error:
            raise KeySourceError(f"{self._path}:{rows.line_num}: not CSV: {error}") from None

    def _place(self, titles: Sequence[str], names: Sequence[str]) -> int:
        for name in names:
            if name in titles:
                return titles.index(name)
        raise KeySourceError(f"{self._path}:1: expected the columns KeyID and RecoveryKey")

    def _text(self) -> str:
        raw = read_keys(self._path, MOST_BYTES)
        try:
            return raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        except UnicodeDecodeError:
            raise KeySourceError(f"{self._path} is not UTF-8 or UTF-16 text") from None


def _bare(given: str) -> str:
    return given.strip().strip("{}").upper()
