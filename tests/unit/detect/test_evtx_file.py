"""Reading event log files, whole and damaged."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recovery.detect import evtx_file
from tests.unit.detect.evtx_writer import CHUNK, FILE_HEADER, FIRST, Event, log

AT = datetime(2024, 7, 19, 5, 0, 1, 250000, tzinfo=UTC)
POWER = "Microsoft-Windows-Kernel-Power"


def restart(number: int) -> Event:
    at = AT + timedelta(minutes=number)
    return Event(POWER, 41, at, [("BugcheckCode", "80"), ("PowerButtonTimestamp", "0")])


NOISE = Event("Service Control Manager", 7036, AT, strings=["x", "running"])
THREE = log([restart(n) for n in range(12)], per_chunk=4)


def ids(data: bytes) -> list[int | None]:
    return [record.record_id for record in evtx_file.read(data).records]


def test_the_records_that_matter_are_read_in_order() -> None:
    events = [NOISE, restart(1), NOISE, restart(2)]
    found = evtx_file.read(log(events))
    assert [(r.record_id, r.event_id, r.stop_code) for r in found.records] == [
        (2, 41, 0x50),
        (4, 41, 0x50),
    ]
    assert found.records[0].at == AT + timedelta(minutes=1)
    assert found.records[0].computer == "ATL-KIOSK-001"
    assert found.problems == ()


def test_data_without_names_and_binary_data() -> None:
    utc = bytes.fromhex("E807070005001300040039001C006501")
    local = bytes.fromhex("E807070005001300060039001C006501")
    shutdown = Event(
        "EventLog", 6008, AT, strings=["06:57:28", "\u200e19.07.2024"], binary=local + utc
    )
    screen = Event(
        "Microsoft-Windows-WER-SystemErrorReporting",
        1001,
        AT,
        strings=["0x00000050 (0x1, 0x2, 0x3, 0x4)", r"C:\Windows\MEMORY.DMP", "report"],
        source="BugCheck",
    )
    first, second = evtx_file.read(log([shutdown, screen])).records
    assert first.alive_until == datetime(2024, 7, 19, 4, 57, 28, 357000, tzinfo=UTC)
    assert (second.parameters, second.report_id) == ((1, 2, 3, 4), "report")


def test_provider_guids_with_and_without_braces() -> None:
    guid = "331c3b3a-2005-44c2-ac5e-77220c37d6b4"
    for form in (guid, f"{{{guid.upper()}}}"):
        event = Event("x", 41, AT, [("BugcheckCode", "80")], guid=form)
        (record,) = evtx_file.read(log([event])).records
        assert record.kind == "dirty_restart"


@pytest.mark.parametrize(
    ("damage", "left", "words"),
    [
        (lambda data: bytes(FILE_HEADER) + data[FILE_HEADER:], 12, "header"),
        (lambda data: data[FILE_HEADER:], 12, "header"),
        (lambda data: b"garbage" * 100 + data[FILE_HEADER:], 12, "header"),
        (lambda data: data[: FILE_HEADER + CHUNK + 900], 4, "ends early"),
        (lambda data: data[: FILE_HEADER + 2 * CHUNK], 8, ""),
        (lambda data: patch(data, FILE_HEADER + CHUNK, bytes(CHUNK)), 8, ""),
        (lambda data: patch(data, FILE_HEADER + CHUNK, b"x" * CHUNK), 8, "65536 bytes"),
        (lambda data: patch(data, FILE_HEADER + CHUNK + FIRST, b"\xff" * 200), 8, "could not be read"),
        (lambda data: patch(data, FILE_HEADER + 0x80, b"\x07" * 0x180), 12, ""),
        (lambda data: data[:FILE_HEADER], 0, "no records"),
        (lambda data: data[:100], 0, "ends within its header"),
        (lambda data: data[: FILE_HEADER + CHUNK] + data[FILE_HEADER + CHUNK + 512 :], 8, ""),
    ],
    ids=[
        "header zeroed", "header gone", "header garbage", "cut within a chunk", "cut between chunks", "chunk zeroed",
        "chunk overwritten", "records overwritten", "tables overwritten", "header only", "half a header", "hole",
    ],
)  # fmt: skip
def test_damaged_files_are_read_as_far_as_they_go(damage: Any, left: int, words: str) -> None:
    found = evtx_file.read(damage(THREE))
    assert len(found.records) >= left
    assert words in "; ".join(found.problems)


def patch(data: bytes, place: int, new: bytes) -> bytes:
    return data[:place] + new + data[place + len(new) :]


def test_records_that_stand_there_twice_count_once() -> None:
    assert ids(THREE + THREE[FILE_HEADER:]) == ids(THREE)


def test_reading_stops_when_it_is_told_to() -> None:
    asked = iter([False, True, True])
    found = evtx_file.read_stream(io.BytesIO(THREE), enough=lambda: next(asked))
    assert len(found.records) == 4
    assert "time was up" in found.problems[0]


def test_a_medium_that_fails_in_the_middle() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > FILE_HEADER + CHUNK:
                raise OSError(5, "Input/output error")
            return super().read(size)

    found = evtx_file.read_stream(Failing(THREE))
    assert len(found.records) >= 4
    assert "its medium failed: Input/output error" in found.problems


def test_a_chunk_that_was_altered_is_said_to_be() -> None:
    assert evtx_file.read(THREE).problems == ()
    found = evtx_file.read(patch(THREE, FILE_HEADER + 0x34, bytes(4)))
    assert len(found.records) == 12
    assert "checksum of 1 of its 3 chunks does not fit" in found.problems[0]
