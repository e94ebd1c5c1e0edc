"""The readers' end of the journal: events in order, run ids, documents, and the check of the chain."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Self

import msgspec

from recovery.errors import JournalAlteredError, UnknownNameError, UsageError
from recovery.journal.chain import GENESIS, Verified, link
from recovery.journal.store import Store
from recovery.model.events import AnyEvent, RunStarted
from recovery.ports import Stored

_DECODE = msgspec.json.Decoder(AnyEvent).decode
_TYPES = "integer text text text text blob"


class Reader:
    """A journal to read from. It may be read while other processes append to it. Methods raise `JournalError`."""

    def __init__(self, store: Store) -> None:
        """Use `open`."""
        self._store = store

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open the journal at `path`, which must be there."""
        return cls(Store.open(path, create=False))

    @property
    def path(self) -> str:
        """Where the journal is."""
        return self._store.path

    def read(
        self, *, run: str = "", host: str = "", after: int = 0, kinds: Collection[str] = ()
    ) -> Iterator[Stored]:
        """The committed events in order, from behind `after`; what is empty selects all. Memory is bounded."""
        for seq, body in self._store.select(run=run, host=host, after=after, kinds=kinds):
            yield Stored(seq, self._event(seq, body))

    def backwards(
        self, *, run: str = "", host: str = "", before: int = 0, kinds: Collection[str] = ()
    ) -> Iterator[Stored]:
        """As `read`, the latest event in front of `before` first; 0 is the journal's end."""
        for seq, body in self._store.backwards(run=run, host=host, before=before, kinds=kinds):
            yield Stored(seq, self._event(seq, body))

    def run_events(self, *, after: int = 0) -> Iterator[Stored]:
        """The events about runs as a whole, without those about hosts: cheap in a long journal."""
        for seq, body in self._store.marks(after):
            yield Stored(seq, self._event(seq, body))

    def runs(self) -> list[str]:
        """The ids of the runs, oldest first."""
        return [self._event(seq, body).run for seq, body in self._store.marks(kind="run.started")]

    def find_run(self, text: str) -> str:
        """The run that `text` means: its id, a beginning that only one id has, or `last`.

        Raises `UnknownNameError`, or `UsageError` when several ids begin so.
        """
        known = self.runs()
        if text in known:
            return text
        if text == "last" and known:
            return known[-1]
        found = [run for run in known if text and run.startswith(text)]
        if len(found) > 1:
            message = f"{len(found)} runs begin with {text!r}: {', '.join(found[-5:])}"
            raise UsageError(message)
        if not found:
            raise UnknownNameError("run", text, known)
        return found[0]

    def last_seq(self) -> int:
        """Number of the last committed event; 0 in an empty journal."""
        return self._store.last_seq()

    def document(self, sha256: str) -> bytes:
        """The document with this SHA-256. Raises `JournalAlteredError` when it is not there, or another one."""
        body = self._store.document(sha256)
        if body is None or hashlib.sha256(body).hexdigest() != sha256:
            message = f"journal {self.path}: document {sha256[:16]} is missing or was altered"
            raise JournalAlteredError(message)
        return body

    def verify(self, expected_head: str = "") -> Verified:
        """Check every event, the whole chain, and the documents that runs name.

        Events that are missing at the end are noticed by the record of the last one. Who may write the file can change
        that record too, or make a new chain from some event on: that shows by `expected_head` alone, a head noted
        elsewhere, which has to be in the chain. Raises `JournalAlteredError`, which names the first event that does
        not hold.
        """
        tail = self._store.tail()
        before, count, met = GENESIS, 0, not expected_head
        for seq, at, run, host, kind, body, digest, types in self._store.raw():
            count += 1
            if seq != count:
                raise self._altered(count, "it is missing")
            if types != _TYPES or link(before, seq, at, (run, host, kind, body)) != digest:
                raise self._altered(seq, "it does not follow from what stands before it")
            if tail is not None and seq == tail[0] and digest != tail[1]:
                raise self._altered(seq, "it is not the one that was written there last")
            before = digest
            met = met or digest.hex() == expected_head.lower()
            if kind == b"run.started":
                self._check_documents(seq, body)
        if tail is not None and not 0 < tail[0] <= count:
            raise self._altered(
                count + 1, f"the journal was cut off: it had {tail[0] or 'more'} events"
            )
        if not met:
            raise self._altered(count + 1, f"the journal was cut off before {expected_head[:16]}")
        return Verified(count, before.hex())

    def head(self) -> Verified:
        """The number of events and the hash of the last, unchecked: what to note for a later `verify`."""
        seq, digest = self._store.head()
        return Verified(seq, digest.hex())

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_documents(self, seq: int, body: bytes) -> None:
        event = self._event(seq, body)
        if isinstance(event, RunStarted):
            for name, sha256 in event.documents.items():
                try:
                    self.document(sha256)
                except JournalAlteredError:
                    raise self._altered(
                        seq, f"its document `{name}` is missing or was altered"
                    ) from None

    def _event(self, seq: int, body: str | bytes) -> AnyEvent:
        try:
            event: AnyEvent = _DECODE(body)
        except (ValueError, TypeError) as error:
            raise self._altered(seq, f"it cannot be read: {error}") from None
        return event

    def _altered(self, seq: int, what: str) -> JournalAlteredError:
        return JournalAlteredError(f"journal {self.path} was altered: event {seq}: {what}")
