"""Reading the heads of dumps."""

from __future__ import annotations

import pytest

from recovery.detect import dump_header
from tests.unit.detect.dump_writer import AT, PARAMETERS, dump32, dump64, user_dump


def test_64_bit() -> None:
    found = dump_header.read(dump64())
    assert found is not None
    assert (found.kind, found.bits, found.machine, found.build) == ("kernel", 64, "x64", 22631)
    assert (found.stop_code, found.parameters, found.processors) == (0x50, PARAMETERS, 8)
    assert (found.crashed_at, found.uptime, found.dump_type) == (AT.timestamp(), 31.0, "triage")
    assert (found.problems, found.comment, found.is_crash) == ((), "", True)


def test_32_bit() -> None:
    found = dump_header.read(dump32())
    assert found is not None
    assert (found.bits, found.machine, found.build) == (32, "x86", 2600)
    assert (found.stop_code, found.raw_stop_code) == (0x8E, 0x1000008E)
    assert found.parameters == (0xC0000005, 0xBF80A1E0, 0xB2B1A8F0, 0)
    assert (found.crashed_at, found.uptime, found.dump_type) == (AT.timestamp(), 31.0, "kernel")


@pytest.mark.parametrize(
    ("machine", "name"), [(0xAA64, "ARM64"), (0x8664, "x64"), (0x1C4, "ARM"), (0x1234, "0x1234")]
)
def test_machines(machine: int, name: str) -> None:
    found = dump_header.read(dump64(machine=machine))
    assert found is not None
    assert found.machine == name


@pytest.mark.parametrize(
    ("raw", "code", "crash"),
    [
        (0x1000007E, 0x7E, True),
        (0x100000D1, 0xD1, True),
        (0xDEADDEAD, 0xDEADDEAD, True),
        (0xC000021A, 0xC000021A, True),
        (0x5454414D, 0x5454414D, False),  # written by a tool that captures running systems
        (0x161, 0x161, False),
        (0x193, 0x193, False),
        (0x15E, 0x15E, False),
        (0x45474150, None, False),  # never filled in
        (0, None, False),
    ],
)
def test_stop_codes(raw: int, code: int | None, crash: bool) -> None:
    found = dump_header.read(dump64(raw))
    assert found is not None
    assert (found.stop_code, found.is_crash) == (code, crash)


@pytest.mark.parametrize("size", [8, 9, 0x3B, 0x3C, 0x40, 0x60, 0xFB0, 0x1037, 0x1FFF])
def test_heads_that_end_early_are_read_as_far_as_they_go(size: int) -> None:
    found = dump_header.read(dump64()[:size])
    assert found is not None
    assert found.stop_code == (0x50 if size >= 0x3C else None)
    assert len(found.parameters) == max(0, min(4, (size - 0x40) // 8))
    assert (found.crashed_at is None) == (size < 0xFB0)
    assert found.problems


def test_a_time_that_cannot_be_is_none() -> None:
    for at in (None, AT.replace(year=1980), AT.replace(year=2150)):
        found = dump_header.read(dump64(at=at))
        assert found is not None
        assert found.crashed_at is None
        assert "no time" in found.problems[0]


def test_user_dumps_are_no_bug_checks() -> None:
    found = dump_header.read(user_dump())
    assert found is not None
    assert (found.kind, found.stop_code, found.is_crash) == ("user", None, False)
    assert found.crashed_at == AT.timestamp()


@pytest.mark.parametrize("data", [b"", b"PAGE", b"PAGEDU6", b"MDM", b"x" * 8192, b"PAGEPAGE" * 9])
def test_what_is_no_dump(data: bytes) -> None:
    assert dump_header.read(data) is None


def test_mentions_are_of_names_in_utf_16() -> None:
    data = dump64(tail="\\drivers\\CSAgent.SYS".encode("utf-16-le"))
    assert dump_header.mentions(data, ["csagent.sys", "other.sys", ""]) == ("csagent.sys",)
    assert dump_header.mentions(dump64(tail=b"csagent.sys"), ["csagent.sys"]) == ()
