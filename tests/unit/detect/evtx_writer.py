"""Writes event log files as Windows does: chunks of records in binary XML, each with a template and its values."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

CHUNK = 0x10000
FIRST = 0x200
FILE_HEADER = 0x1000
_STRING, _U16, _U64, _BINARY, _FILETIME, _STRINGS = 0x01, 0x06, 0x0A, 0x0E, 0x11, 0x81


class Event(NamedTuple):
    """One record."""

    provider: str
    event_id: int
    at: datetime
    data: Sequence[tuple[str, str]] = ()
    strings: Sequence[str] = ()
    """Data without names, as classic providers write them."""
    binary: bytes = b""
    source: str = ""
    guid: str = ""


def log(events: Sequence[Event], per_chunk: int = 20) -> bytes:
    """A whole file."""
    parts = [events[i : i + per_chunk] for i in range(0, len(events), per_chunk)]
    chunks = [chunk(part, 1 + place * per_chunk) for place, part in enumerate(parts)]
    fields = struct.pack(
        "<8sQQQIHHHH",
        b"ElfFile\0",
        0,
        max(0, len(chunks) - 1),
        len(events) + 1,
        128,
        1,
        3,
        4096,
        len(chunks),
    ).ljust(120, b"\0")
    header = (fields + struct.pack("<II", 0, zlib.crc32(fields))).ljust(FILE_HEADER, b"\0")
    return header + b"".join(chunks)


def chunk(events: Sequence[Event], first: int) -> bytes:
    """64 KiB of records, numbered from `first`."""
    records = b""
    last_at = FIRST
    for number, event in enumerate(events, first):
        last_at = FIRST + len(records)
        records += _record(event, number, last_at)
    last = first + len(events) - 1
    free = FIRST + len(records)
    assert free <= CHUNK
    head = struct.pack("<8sQQQQIII", b"ElfChnk\0", first, last, first, last, 128, last_at, free)
    head = (head + struct.pack("<I", zlib.crc32(records))).ljust(120, b"\0")
    tables = bytes(FIRST - 128)
    head += struct.pack("<II", 1, zlib.crc32(head + tables))
    return (head + tables + records).ljust(CHUNK, b"\0")


def _record(event: Event, number: int, place: int) -> bytes:
    values: list[tuple[int, bytes]] = []
    template = _Template(place + 24 + 4 + 10 + 24, values)
    body = template.fragment(event, number)
    instance = struct.pack("<BBII", 0x0C, 1, number, place + 24 + 4 + 10)
    definition = struct.pack("<I16sI", 0, number.to_bytes(16, "little"), len(body))
    sizes = b"".join(struct.pack("<HBB", len(value), kind, 0) for kind, value in values)
    found = b"".join(value for _, value in values)
    xml = (
        b"\x0f\x01\x01\x00"
        + instance
        + definition
        + body
        + struct.pack("<I", len(values))
        + sizes
        + found
        + b"\0"
    )
    size = 24 + len(xml) + 4
    size += -size % 8
    head = struct.pack("<4sIQQ", b"**\0\0", size, number, _filetime(event.at))
    return (head + xml).ljust(size - 4, b"\0") + struct.pack("<I", size)


class _Template:
    """Binary XML that stands at `place` in its chunk; each name is written where it is used."""

    def __init__(self, place: int, values: list[tuple[int, bytes]]) -> None:
        self.place = place
        self.out = b""
        self.values = values

    def fragment(self, event: Event, number: int) -> bytes:
        """The template of one event; fills in the values."""
        self.out += b"\x0f\x01\x01\x00"
        self.open("Event", xmlns="http://schemas.microsoft.com/win/2004/08/events/event")
        self.open("System")
        named = {"Name": event.provider, "Guid": event.guid, "EventSourceName": event.source}
        self.empty("Provider", **{name: value for name, value in named.items() if value})
        self.leaf("EventID", _U16, struct.pack("<H", event.event_id))
        self.open("TimeCreated", SystemTime=(_FILETIME, struct.pack("<Q", _filetime(event.at))))
        self.close()
        self.leaf("EventRecordID", _U64, struct.pack("<Q", number))
        self.leaf("Channel", _STRING, "System".encode("utf-16-le"))
        self.leaf("Computer", _STRING, "ATL-KIOSK-001".encode("utf-16-le"))
        self.close()
        self.open("EventData")
        for name, value in event.data:
            self.leaf("Data", _STRING, value.encode("utf-16-le"), Name=name)
        if event.strings:
            text = "".join(f"{value}\0" for value in event.strings)
            self.leaf("Data", _STRINGS, text.encode("utf-16-le"))
        if event.binary:
            self.leaf("Binary", _BINARY, event.binary)
        self.close()
        self.close()
        return self.out + b"\0"

    def open(self, name: str, **attributes: str | tuple[int, bytes]) -> None:
        """`<name ...>`."""
        self.start(name, attributes)
        self.out += b"\x02"

    def empty(self, name: str, **attributes: str | tuple[int, bytes]) -> None:
        """`<name .../>`."""
        self.start(name, attributes)
        self.out += b"\x03"

    def start(self, name: str, attributes: dict[str, str | tuple[int, bytes]]) -> None:
        """`<name ...`, not closed."""
        self.out += struct.pack("<BHI", 0x41 if attributes else 0x01, 0xFFFF, 0)
        self.name(name)
        if not attributes:
            return
        self.out += struct.pack("<I", 0)
        for place, (key, value) in enumerate(attributes.items(), 1):
            self.out += b"\x46" if place < len(attributes) else b"\x06"
            self.name(key)
            if isinstance(value, str):
                self.out += struct.pack("<BBH", 0x05, _STRING, len(value)) + value.encode(
                    "utf-16-le"
                )
            else:
                self.substitute(*value)

    def leaf(
        self, name: str, kind: int, value: bytes, **attributes: str | tuple[int, bytes]
    ) -> None:
        """An element that holds one value."""
        self.open(name, **attributes)
        self.substitute(kind, value)
        self.close()

    def substitute(self, kind: int, value: bytes) -> None:
        """The place of a value."""
        self.out += struct.pack("<BHB", 0x0D, len(self.values), kind)
        self.values.append((kind, value))

    def close(self) -> None:
        """`</...>`."""
        self.out += b"\x04"

    def name(self, name: str) -> None:
        """A name, at its own offset."""
        here = self.place + len(self.out) + 4
        hashed = 0
        for char in name:
            hashed = (hashed * 65599 + ord(char)) & 0xFFFFFFFF
        self.out += struct.pack("<IIHH", here, 0, hashed & 0xFFFF, len(name))
        self.out += name.encode("utf-16-le") + b"\0\0"


def _filetime(at: datetime) -> int:
    seconds = (at - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()
    return round(seconds * 1e6) * 10
