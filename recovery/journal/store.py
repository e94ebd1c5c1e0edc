"""The border to SQLite: one file, a connection that writes, one that reads, and its errors in our words."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from recovery.errors import JournalError
from recovery.journal.chain import GENESIS, Row, link

Sync = Literal["full", "normal"]
"""`full`: a commit outlives a power cut. `normal`: it outlives the process, not a power cut."""

VERSION = 2
MEMORY = ":memory:"
_FIRST_WITH_TAIL = 2
_LAST = "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1"
_TAIL = "INSERT OR REPLACE INTO tail VALUES (1, ?, ?)"
_APPLICATION = 0x464C524A
_CHUNK = 2000
_LAST_POSSIBLE = (1 << 63) - 1
_MOST_DOCUMENT = 1 << 30
_COLUMNS = 7
_LONGEST = 128
"""Rows of one statement. SQLite's module hands the interpreter's lock over at every statement, and gets it back late
while the event loop is busy: rows are written by the hundred. 128 x 7 values are within the limit of every SQLite."""
_INSERTS = {
    length: f"INSERT INTO events VALUES {', '.join(['(?, ?, ?, ?, ?, ?, ?)'] * length)}"  # noqa: S608 - fixed text
    for length in (1 << power for power in range(_LONGEST.bit_length()))
}
_CAUSES = {
    sqlite3.SQLITE_BUSY: "another process keeps it locked",
    sqlite3.SQLITE_LOCKED: "another process keeps it locked",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it may not be written to",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened, or its folder may not be written to",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_NOTADB: "it is not a journal",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written",
}


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Turn SQLite's errors into `JournalError`, which names the file and the cause."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        cause = _CAUSES.get(code)
        message = f"journal {path}: {cause} ({error})" if cause else f"journal {path}: {error}"
        raise JournalError(message) from error


class Store:
    """One journal file. Its methods may be called from any thread. All raise `JournalError`."""

    def __init__(self, path: str, reader: sqlite3.Connection, sync: Sync, patience: float) -> None:
        """Use `Store.open`."""
        self.path = path
        self._sync = sync
        self._patience = patience
        self._reader = reader
        self._own_last = 0
        """The last number as this object knows it."""
        self._others = 0
        """How often it was seen that somebody else has appended."""
        self._reading = threading.RLock()
        self._writer: sqlite3.Connection | None = reader if path == MEMORY else None
        self._writing = self._reading if path == MEMORY else threading.RLock()
        self._is_old = False

    @classmethod
    def open(
        cls, path: Path | str, *, create: bool, sync: Sync = "full", patience: float = 30.0
    ) -> Store:
        """Open the journal at `path`; nobody else sees `:memory:`. `patience`: seconds to wait for a lock."""
        name = str(path)
        if name == MEMORY:
            reader = _connect(MEMORY, patience)
            _make_tables(reader)
        else:
            if create:
                _create(Path(path))
            reader = _open_existing(Path(path), patience)
        return cls(name, reader, sync, patience)

    def insert(self, rows: Sequence[Row]) -> None:
        """Append the rows in one transaction, chained to what any process wrote before."""
        self.decide(lambda: rows)

    def decide(self, choose: Callable[[], Sequence[Row]]) -> None:
        """Append the rows that `choose` returns in the transaction in which it reads: no other process comes between.

        What `choose` raises ends the transaction, and nothing is appended.
        """
        with self._writing, translated(self.path), self._transaction() as connection:
            rows = choose()
            if not rows:
                return
            last = connection.execute(_LAST).fetchone()
            seq, digest = last or (0, GENESIS)
            if seq != self._own_last:
                self._others += 1
            connection.execute(_TAIL, _insert(connection, seq, digest, rows))
            self._own_last = seq + len(rows)

    def select(
        self, *, run: str = "", host: str = "", after: int = 0, kinds: Collection[str] = ()
    ) -> Iterator[tuple[int, str]]:
        """Sequence number and body of the events in order; what is empty selects everything."""
        where, values, index = _chosen(run, host, kinds)
        yield from self._pages("seq, body", f"seq > ?{where}", [after, *values], index)

    def backwards(
        self, *, run: str = "", host: str = "", before: int = 0, kinds: Collection[str] = ()
    ) -> Iterator[tuple[int, str]]:
        """As `select`, the latest in front of `before` first; 0 is the journal's end."""
        where, values, index = _chosen(run, host, kinds)
        end = before or _LAST_POSSIBLE
        query = f"seq < ?{where}"
        yield from self._pages("seq, body", query, [end, *values], index, order="DESC")

    def marks(self, after: int = 0, kind: str = "", run: str = "") -> Iterator[tuple[int, str]]:
        """As `select`, but only the events about runs as a whole."""
        where, values = "seq > ? AND host = ''", list[Any]([after])
        for column, value in (("kind", kind), ("run", run)):
            if value:
                where += f" AND {column} = ?"
                values.append(value)
        yield from self._pages("seq, body", where, values, "events_about_runs")

    def raw(self) -> Iterator[tuple[int, Any, bytes, bytes, bytes, bytes, bytes, str]]:
        """Every row as it stands, for checking: seq, at, run, host, kind, body, hash, and the columns' types."""
        blobs = ", ".join(f"CAST({name} AS BLOB)" for name in ("run", "host", "kind", "body"))
        types = " || ' ' || ".join(
            f"typeof({name})" for name in ("at", "run", "host", "kind", "body", "hash")
        )
        yield from self._pages(f"seq, at, {blobs}, hash, {types}", "seq > ?", [-(1 << 62)])

    def tail(self) -> tuple[int, bytes] | None:
        """Number and hash of the last event, as they were written down when it was appended.

        None in a journal of a version that did not do so, and in an empty one; (0, b"") where it was taken away.
        """
        with self._reading, translated(self.path):
            if _version(self._reader) < _FIRST_WITH_TAIL:
                return None
            found: tuple[int, bytes] | None = self._reader.execute(
                "SELECT seq, hash FROM tail"
            ).fetchone()
            return found or ((0, b"") if self.last_seq() else None)

    def head(self) -> tuple[int, bytes]:
        """Number and hash of the last event that is there."""
        with self._reading, translated(self.path):
            row = self._reader.execute(_LAST).fetchone()
        return row or (0, GENESIS)

    def last_seq(self) -> int:
        """Number of the last event; 0 in an empty journal."""
        return int(self._one("SELECT coalesce(max(seq), 0) FROM events"))

    def change_mark(self) -> int:
        """Changes whenever somebody else may have appended; costs no look at the table but for its last number."""
        last = self.last_seq()
        if last != self._own_last:
            self._others += 1
            self._own_last = last
        return self._others

    def put_document(self, sha256: str, body: bytes) -> None:
        """Keep a document; one that is there stays as it is."""
        packed = zlib.compress(body, 6)
        with self._writing, translated(self.path), self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO documents VALUES (?, ?)", (sha256, packed))

    def document(self, sha256: str) -> bytes | None:
        """The document as it stands, unchecked; None where there is none or it cannot be unpacked."""
        packed = self._one("SELECT body FROM documents WHERE sha256 = ?", sha256)
        try:
            return zlib.decompressobj().decompress(packed, _MOST_DOCUMENT)
        except (zlib.error, TypeError):
            return None

    def close(self) -> None:
        """Let go of the file."""
        with self._writing, self._reading:
            if self._writer is not None:
                self._writer.close()
            self._reader.close()

    def _one(self, query: str, *values: str) -> Any:
        with self._reading, translated(self.path):
            row = self._reader.execute(query, values).fetchone()
        return None if row is None else row[0]

    def _pages(
        self, columns: str, where: str, values: list[Any], index: str = "", order: str = "ASC"
    ) -> Iterator[Any]:
        """Rows by the thousand: no lock and no transaction is held while the caller works on them."""
        source = f"events INDEXED BY {index}" if index else "events"
        # Columns and conditions are fixed texts of this module; values are bound.
        query = f"SELECT {columns} FROM {source} WHERE {where} ORDER BY seq {order} LIMIT {_CHUNK}"  # noqa: S608
        while True:
            with self._reading, translated(self.path):
                rows = self._reader.execute(query, values).fetchall()
            yield from rows
            if len(rows) < _CHUNK:
                return
            values[0] = rows[-1][0]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if self._writer is None:
            self._writer = _connect(_uri(Path(self.path)), self._patience)
            self._writer.execute(f"PRAGMA synchronous = {self._sync}")
            self._writer.execute("PRAGMA cache_size = -32768")
            self._writer.execute("PRAGMA wal_autocheckpoint = 4000")
            self._is_old = _version(self._writer) < _FIRST_WITH_TAIL
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            if self._is_old:
                _add_tail(self._writer)
                self._is_old = False
            yield self._writer
            self._writer.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # the first error is the one to tell
                self._writer.execute("ROLLBACK")
            raise


def _insert(
    connection: sqlite3.Connection, seq: int, before: bytes, rows: Sequence[Row]
) -> tuple[int, bytes]:
    """Append, and return the number and hash of the last row."""
    values: list[object] = []
    for row in rows:
        seq += 1
        at, run, host, kind, body = row
        before = link(before, seq, at, (run.encode(), host.encode(), kind.encode(), body.encode()))
        values += (seq, at, run, host, kind, body, before)
    place, left, length = 0, len(rows), _LONGEST
    while left:
        while length > left:
            length //= 2
        end = place + length * _COLUMNS
        connection.execute(_INSERTS[length], values[place:end])
        place, left = end, left - length
    return seq, before


def _chosen(run: str, host: str, kinds: Collection[str]) -> tuple[str, list[Any], str]:
    """Conditions, their values, and the index that serves them."""
    where, values = "", list[Any]()
    if run:
        where += " AND run = ?"
        values.append(run)
    if host:
        where += " AND host = ? AND host <> ''"
        values.append(host)
    if kinds:
        where += f" AND kind IN ({', '.join('?' * len(kinds))})"
        values.extend(kinds)
    return where, values, "events_of_host" if host else "events_of_run" if run else ""


def _add_tail(connection: sqlite3.Connection) -> None:
    """Make a journal of version 1 one of today, unless another process has done so meanwhile."""
    if _version(connection) < _FIRST_WITH_TAIL:
        text = resources.files("recovery.journal").joinpath("schema.sql").read_text("utf-8")
        connection.execute(text[text.index("CREATE TABLE tail") :].rstrip().rstrip(";"))
        connection.execute(f"PRAGMA user_version = {_FIRST_WITH_TAIL}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _connect(target: str, patience: float) -> sqlite3.Connection:
    return sqlite3.connect(
        target,
        timeout=patience,
        isolation_level=None,
        check_same_thread=False,
        uri=target != MEMORY,
    )


def _uri(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=rw"


def _make_tables(connection: sqlite3.Connection) -> None:
    connection.executescript(
        resources.files("recovery.journal").joinpath("schema.sql").read_text("utf-8")
    )


def _create(path: Path) -> None:
    """Make the file, readable by its owner alone. It appears whole or not at all, whoever else makes it just now."""
    if path.exists():
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".journal-") as folder:
            fresh = Path(folder) / "new"
            fresh.touch(mode=0o600)
            with translated(str(path)):
                connection = _connect(_uri(fresh), 1.0)
                try:
                    _make_tables(connection)
                    connection.execute("PRAGMA journal_mode = WAL")
                finally:
                    connection.close()
            with suppress(FileExistsError):
                os.link(fresh, path)
        _sync_folder(path.parent)
    except OSError as error:
        message = f"journal {path}: it cannot be made: {error.strerror}"
        raise JournalError(message) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open_existing(path: Path, patience: float) -> sqlite3.Connection:
    if not path.is_file():
        message = (
            f"journal {path}: there is none; a run makes it, `--journal FILE` names another one"
        )
        raise JournalError(message)
    with translated(str(path)):
        connection = _connect(_uri(path), patience)
        try:
            _check(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = _version(connection)
    if application != _APPLICATION:
        message = f"journal {path}: it is not a journal of this program"
        raise JournalError(message)
    if version > VERSION:
        message = (
            f"journal {path}: it is of version {version}, and this program knows versions up to {VERSION}: "
            "use the newer program"
        )
        raise JournalError(message)
