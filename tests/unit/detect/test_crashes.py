"""Several records of one crash are folded into one; restarts by people are told from crashes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from recovery.detect import dump_header, event_xml
from recovery.detect.crashes import Dump, fold
from recovery.model.evidence import CrashRecord, RestartRecord
from tests.unit.detect.dump_writer import AT as CRASHED
from tests.unit.detect.dump_writer import dump64, user_dump
from tests.unit.detect.event_text import from_case

ZERO = datetime(2024, 7, 19, 5, 0, tzinfo=UTC)
"""Also the time in the dumps."""


def folded(events: list[dict[str, Any]], *dumps: Dump) -> list[CrashRecord | RestartRecord]:
    text = "".join(from_case(event, ZERO) for event in events)
    return list(fold(event_xml.read(text.encode()), dumps, at=ZERO, source="test"))


def dump(name: str = r"C:\Windows\Minidump\071924-1-01.dmp", code: int = 0x50, **more: Any) -> Dump:
    header = dump_header.read(dump64(code, **more))
    assert header is not None
    return name, ZERO.timestamp() + 30, header


def minutes(seconds: float | None) -> float | None:
    return None if seconds is None else round((seconds - ZERO.timestamp()) / 60, 2)


def test_four_records_of_one_crash_are_one() -> None:
    events: list[dict[str, Any]] = [
        {"boot": 0.5}, {"dirty": 0.6, "code": 80}, {"unexpected": 0.7}, {"bugcheck": 4, "report": "id"},
    ]  # fmt: skip
    (crash,) = folded(events, dump(), dump(r"C:\Windows\MEMORY.DMP"))
    assert isinstance(crash, CrashRecord)
    assert crash.record == "kernel_power_41+eventlog_6008+wer_1001+dump"
    assert (crash.stop_code, crash.report) == (0x50, "id")
    assert crash.crashed_at == CRASHED.timestamp()
    assert minutes(crash.logged_at) == 0.6


def test_a_crash_lies_before_the_boot_that_wrote_it_down() -> None:
    (crash,) = folded([{"boot": 5}, {"bugcheck": 9}])
    assert isinstance(crash, CrashRecord)
    assert (minutes(crash.crashed_at), minutes(crash.logged_at)) == (5, 9)


def test_a_loop_of_a_minute_and_a_half_is_as_many_crashes() -> None:
    events: list[dict[str, Any]] = []
    for boot in (1.0, 2.5, 4.0, 5.5):
        events += [
            {"boot": boot},
            {"dirty": boot + 0.1, "code": 80},
            {"bugcheck": boot + 0.4, "report": f"{boot}"},
        ]
    found = folded(events)
    assert [minutes(crash.crashed_at) for crash in found if isinstance(crash, CrashRecord)] == [
        1.0,
        2.5,
        4.0,
        5.5,
    ]
    without_boots = folded([event for event in events if "boot" not in event])
    assert len(without_boots) == 4


def test_without_boots_codes_and_times_tell_what_belongs_together() -> None:
    assert len(folded([{"dirty": 1, "code": 80}, {"bugcheck": 2.9}])) == 1
    assert len(folded([{"dirty": 1, "code": 80}, {"bugcheck": 3.1}])) == 2
    assert len(folded([{"dirty": 1, "code": 126}, {"bugcheck": 1.5}])) == 2


def test_records_of_one_report_are_one_crash_however_late() -> None:
    events = [{"bugcheck": 1, "report": "one"}, {"bugcheck": 90, "report": "one"}]
    assert len(folded(events)) == 1


@pytest.mark.parametrize(
    ("events", "count"),
    [
        ([{"dirty": 5, "code": 80}], 1),
        ([{"dirty": 70, "code": 80}], 2),  # too long after the crash, and no boot is known
        ([{"boot": 69}, {"dirty": 70, "code": 80}], 1),  # it stood at the blue screen for an hour
        ([{"boot": 1}, {"boot": 3}, {"dirty": 3.1, "code": 80}], 2),  # another boot lies between
        ([{"dirty": 5, "code": 126}], 2),
        ([{"bugcheck": 600, "dump": r"c:\windows\minidump\071924-1-01.DMP"}], 1),
    ],
)
def test_a_dump_belongs_to_the_next_record_of_its_crash(
    events: list[dict[str, Any]], count: int
) -> None:
    assert len(folded(events, dump())) == count


def test_a_dump_alone_is_a_crash() -> None:
    (crash,) = folded([], dump())
    assert isinstance(crash, CrashRecord)
    assert (crash.record, crash.stop_code, crash.logged_at) == ("dump", 0x50, None)
    assert crash.crashed_at == CRASHED.timestamp()


@pytest.mark.parametrize(
    "data", [user_dump(), dump64(0x193), dump64(0x5454414D), dump64(0x45474150)]
)
def test_other_dumps_are_no_crashes(data: bytes) -> None:
    header = dump_header.read(data)
    assert header is not None
    assert folded([], ("x.dmp", 0.0, header)) == []


@pytest.mark.parametrize(
    ("events", "cause", "record"),
    [
        ([{"planned": 1}], "planned", "user32_1074"),
        ([{"dirty": 1, "button": 133658352000000000}], "power_button", "kernel_power_41"),
        ([{"dirty": 1}], "power_loss", "kernel_power_41"),
        ([{"dirty": 1}, {"unexpected": 1.1}], "power_loss", "kernel_power_41+eventlog_6008"),
        ([{"unexpected": 1.1}], "unexpected", "eventlog_6008"),
        ([{"boot": 0.9}, {"no_dump": 1}, {"dirty": 1}], "power_loss", "volmgr+kernel_power_41"),
    ],
)
def test_restarts_that_are_not_known_as_crashes(
    events: list[dict[str, Any]], cause: str, record: str
) -> None:
    (found,) = folded(events)
    assert isinstance(found, RestartRecord)
    assert found.cause == cause
    assert set(found.record.split("+")) == set(record.split("+"))
    assert found.text


def test_who_asked_for_a_restart_is_kept() -> None:
    (found,) = folded([{"planned": 1, "user": r"CORP\ana"}])
    assert isinstance(found, RestartRecord)
    assert found.who.startswith(r"CORP\ana by C:\Windows\System32\RuntimeBroker.exe")


def test_a_planned_restart_beside_a_crash_stays_apart() -> None:
    found = folded([{"planned": 1}, {"boot": 3}, {"dirty": 3.1, "code": 80}])
    assert [type(record) for record in found] == [RestartRecord, CrashRecord]


def test_a_code_wins_over_the_power_button() -> None:
    (found,) = folded([{"dirty": 1, "button": 1}, {"bugcheck": 1.2}])
    assert isinstance(found, CrashRecord)


def test_nothing_is_made_of_starts_alone() -> None:
    assert folded([{"boot": 1}, {"no_dump": 1.1}, {"application": 2}]) == []


def test_an_id_of_noughts_makes_two_crashes_no_one() -> None:
    nobody = "{00000000-0000-0000-0000-000000000000}"
    found = folded([{"bugcheck": 4, "report": nobody}, {"bugcheck": 15, "report": nobody}])
    assert [minutes(crash.logged_at) for crash in found] == [4, 15]
