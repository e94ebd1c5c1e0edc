"""Sources of recovery keys. Each finds keys by their id, never by the name of a host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from recovery.desk.recovery_key import KeyRecord

MOST_FOUND = 20
"""Keys that one beginning of an id may find; more are of no use to anybody."""


class KeySource(Protocol):
    """Blocks for as long as its timeout: call it in a thread."""

    name: str
    """As in the journal."""

    def find(self, key_id: str) -> Sequence[KeyRecord]:
        """The keys with this id, or whose id begins so. Raises `KeySourceError`."""

    def everything(self) -> Iterator[KeyRecord]:
        """All keys, for an export. Raises `KeySourceError`, `UnsupportedError`."""
