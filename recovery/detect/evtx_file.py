"""Windows event log files (.evtx), chunk by chunk, so that one damaged chunk costs no other.

A file is a header of 4 KiB and chunks of 64 KiB, each of which can be read by itself. Chunks are found by their
signature, wherever they stand: the file's header, its count of chunks and their alignment are not relied upon.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from recovery.detect import event_xml
from recovery.detect.event_record import EventRecord, interpret
from recovery.detect.event_xml import EventsRead

SIGNATURE = b"ElfFile\0"
LARGEST = 4 * 1024 * 1024 * 1024
"""Bytes that are looked at."""
_CHUNK = b"ElfChnk\0"
_CHUNK_SIZE = 0x10000
_HEADER_SIZE = 0x1000
_TABLES = slice(0x80, 0x200)
"""Chains of the chunk's strings and templates: a help to readers, which records do without. They are never handed on:
in a damaged chunk they may go round in circles."""
_MOST = 100_000
"""Records of crashes and restarts that are kept."""
_MOST_IN_CHUNK = 3000
_WANTED = re.compile(
    r"<EventID[^>]*>(?:12|13|41|46|49|161|1001|1003|1074|6005|6006|6008|6009|6013)</"
)


def looks_like(head: bytes) -> bool:
    """Whether a file that begins so is an event log, or what is left of one."""
    return head.startswith((SIGNATURE, _CHUNK)) or _CHUNK in head


def read(data: bytes) -> EventsRead:
    """As `read_stream`, of a whole file in memory."""
    return read_stream(io.BytesIO(data))


def read_stream(stream: BinaryIO, *, enough: Callable[[], bool] = lambda: False) -> EventsRead:
    """The records of crashes, starts and ends of the machine, in the file's order, as far as the file can be read.

    `enough` is asked before each chunk; once it says so the rest is left, and that is said. Never raises for what
    the file holds, nor when its medium fails in the middle.
    """
    reading = _Reading()
    for chunk in _chunks(stream, reading.problems):
        if enough():
            reading.problems.append(
                f"only its first {reading.chunks} chunks were read, then the time was up"
            )
            break
        reading.add(chunk)
    return reading.result()


def _chunks(stream: BinaryIO, problems: list[str]) -> Iterator[bytes]:
    """Each chunk of 64 KiB, shorter at the end of the file; one that another begins within is cut there."""
    held = _some(stream, _HEADER_SIZE, problems)
    if not held.startswith(SIGNATURE):
        problems.append("the file's header is damaged or missing")
    elif len(held) < _HEADER_SIZE:
        problems.append("the file ends within its header")
    else:
        held = b""
    seen, passed = _HEADER_SIZE, 0
    while True:
        place = held.find(_CHUNK)
        skipped = held[:place] if place >= 0 else held[: 1 - len(_CHUNK)]
        passed += len(skipped.strip(b"\0"))
        more = _some(stream, _CHUNK_SIZE, problems) if seen < LARGEST else b""
        seen += len(more)
        held = held[len(skipped) :] + more
        if place >= 0:
            following = held.find(_CHUNK, len(_CHUNK), _CHUNK_SIZE)
            end = following if following >= 0 else _CHUNK_SIZE
            yield held[:end]
            held = held[end:]
        elif not more:
            break
    if passed > _HEADER_SIZE:
        problems.append(f"{passed} bytes between its chunks are no records that can be read")
    if seen >= LARGEST:
        problems.append(f"only its first {LARGEST} bytes were read")


def _some(stream: BinaryIO, size: int, problems: list[str]) -> bytes:
    try:
        return stream.read(size)
    except OSError as error:
        problems.append(f"its medium failed: {error.strerror or error}")
        return b""


class _Reading:
    def __init__(self) -> None:
        self.records: dict[tuple[object, ...], EventRecord] = {}
        self.problems: list[str] = []
        self.chunks = 0
        self._lost = 0
        self._short = 0
        self._unsure = 0
        self._broken = 0

    def add(self, chunk: bytes) -> None:
        """The records of one chunk, which begins with its signature."""
        self.chunks += 1
        self._short += len(chunk) < _CHUNK_SIZE
        chunk = chunk.ljust(_CHUNK_SIZE, b"\0")
        self._unsure += not _is_sound(chunk)
        expected = _expected(chunk)
        texts = _texts(
            chunk[: _TABLES.start] + bytes(_TABLES.stop - _TABLES.start) + chunk[_TABLES.stop :]
        )
        self._lost += max(0, expected - len(texts))
        for text in texts:
            self._add(text)

    def _add(self, text: str) -> None:
        if not _WANTED.search(text):
            return
        raw = event_xml.parse(text)
        if raw is None:
            self._broken += 1
            return
        record = interpret(raw)
        if record.kind != "other" and len(self.records) < _MOST:
            key = (record.computer, record.record_id, record.at, record.provider, record.event_id)
            self.records[key] = record

    def result(self) -> EventsRead:
        """All records, and what was lost."""
        lost = self._lost + self._broken
        if not self.chunks:
            self.problems.append("it holds no records")
        if self._short:
            self.problems.append("a chunk of it ends early")
        if self._unsure:
            self.problems.append(
                f"the checksum of {self._unsure} of its {self.chunks} chunks does not fit: "
                "it was being written, or what is said there may be wrong"
            )
        if lost:
            self.problems.append(f"{lost} record{'s' if lost > 1 else ''} could not be read")
        if len(self.records) == _MOST:
            self.problems.append(
                f"only the first {_MOST} records of crashes and restarts were kept"
            )
        return EventsRead(tuple(self.records.values()), tuple(self.problems))


def _is_sound(chunk: bytes) -> bool:
    """Whether a chunk's records have the checksum that its head gives."""
    end, given = map(int, struct.unpack_from("<II", chunk, 0x30))
    return _TABLES.stop <= end <= _CHUNK_SIZE and zlib.crc32(chunk[_TABLES.stop : end]) == given


def _expected(chunk: bytes) -> int:
    """How many records the chunk's head says that it holds; 0 where that makes no sense."""
    first, last = struct.unpack_from("<QQ", chunk, 8)
    count = int(last - first + 1)
    return count if 0 < count <= _MOST_IN_CHUNK else 0


def _texts(chunk: bytes) -> list[str]:
    """The records of one chunk as XML, up to where it cannot be read."""
    from evtx import PyEvtxParser  # noqa: PLC0415 - takes time to load

    found: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            parser = PyEvtxParser(io.BytesIO(_header() + chunk), 1, skip_errors=True)
            for record in parser.records():
                if record is not None:
                    found.append(record["data"])
                if len(found) >= _MOST_IN_CHUNK:
                    break
        except (KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except BaseException:  # noqa: BLE001 - the library's own failures are not of `Exception`
            return found
    return found


def _header() -> bytes:
    """A file's header for one chunk."""
    fields = struct.pack("<8sQQQIHHHH", SIGNATURE, 0, 0, 1, 0x80, 1, 3, _HEADER_SIZE, 1).ljust(
        120, b"\0"
    )
    return (fields + struct.pack("<II", 0, zlib.crc32(fields))).ljust(_HEADER_SIZE, b"\0")
