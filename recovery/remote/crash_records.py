"""The crashes that a reply's events and dump headers tell of, folded into one piece of evidence for each crash."""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime

from recovery.detect import crashes, dump_header, event_xml
from recovery.model.evidence import CrashRecord, RestartRecord
from recovery.remote.records import AnyRecord, DumpSeen, EventRecord
from recovery.remote.texts import moment, text_of

_MOST_EVENTS = 200
_MOST_DUMPS = 20
_LONGEST = 64_000
"""Characters of base64 of one event or header."""


class CrashRecords:
    """Gathers the records of one reply."""

    def __init__(self) -> None:
        self._events: list[bytes] = []
        self._dumps: list[tuple[str, float, bytes]] = []

    def take(self, record: AnyRecord) -> None:
        """Keep the record, where it is one of a crash and bounded. Raises `ReplyError` for names that are not hex."""
        if isinstance(record, EventRecord) and len(self._events) < _MOST_EVENTS:
            self._events.append(_bytes(record.xml_base64))
        elif isinstance(record, DumpSeen) and len(self._dumps) < _MOST_DUMPS:
            path, head = text_of(record.path_hex), _bytes(record.head_base64)
            self._dumps.append((path, moment(record.mtime) or 0.0, head))

    def folded(self, at: datetime, source: str) -> tuple[CrashRecord | RestartRecord, ...]:
        """The crashes and restarts, seen at `at` through `source`; what cannot be read says nothing."""
        if not self._events and not self._dumps:
            return ()
        events = [event for data in self._events for event in event_xml.read(data)]
        headers = [(path, time, dump_header.read(head)) for path, time, head in self._dumps]
        dumps = [(path, time, header) for path, time, header in headers if header is not None]
        return crashes.fold(events, dumps, at=at, source=source)


def _bytes(encoded: str) -> bytes:
    try:
        return b64decode(encoded[:_LONGEST], validate=True) if len(encoded) <= _LONGEST else b""
    except ValueError:
        return b""
