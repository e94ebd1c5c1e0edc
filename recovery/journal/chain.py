"""The hash chain over the events: a journal that was altered does not hold any more."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import msgspec

from recovery.errors import JournalError
from recovery.model.events import AnyEvent

GENESIS = bytes(32)
"""What the first event is chained to."""

Row = tuple[int, str, str, str, str]
"""An event on its way to the disk: at, run, host, kind, body."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ENCODE = msgspec.json.Encoder().encode
_KINDS: dict[type, str] = {}


class Verified(msgspec.Struct, frozen=True):
    """A journal whose chain holds."""

    count: int
    """Number of events."""
    head: str
    """Hash of the last event, hex. Noted elsewhere, it shows later whether the end of the journal was cut off."""


def kind_of(event: AnyEvent) -> str:
    """The event's `kind`, as in its JSON."""
    kind = _KINDS.get(type(event))
    if kind is None:
        kind = _KINDS[type(event)] = str(type(event).__struct_config__.tag)
    return kind


def row_of(event: AnyEvent) -> Row:
    """The event as the journal stores it. Raises `JournalError` for a naive time or broken text."""
    at = event.at
    if at.tzinfo is None:
        message = f"{kind_of(event)}: its time has no time zone"
        raise JournalError(message)
    try:
        body = _ENCODE(event).decode()
    except (ValueError, TypeError) as error:
        message = f"{kind_of(event)} cannot be written: {error}"
        raise JournalError(message) from None
    return (at - _EPOCH) // _MICROSECOND, event.run, event.host, kind_of(event), body


def link(before: bytes, seq: int, at: int, texts: tuple[bytes, bytes, bytes, bytes]) -> bytes:
    """The hash of the row with these `texts` (run, host, kind, body) that follows a row whose hash is `before`."""
    run, host, kind, body = texts
    head = b"%d\n%d\n%d:%b%d:%b%d:%b" % (seq, at, len(run), run, len(host), host, len(kind), kind)
    return hashlib.sha256(before + head + body).digest()
