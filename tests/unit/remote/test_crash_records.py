"""Events and dump headers of a reply, as Windows' triage sends them, become crashes."""

from __future__ import annotations

import struct
from base64 import b64encode
from datetime import UTC, datetime

import pytest

from recovery.model.evidence import CrashRecord, RestartRecord
from recovery.remote import replies
from recovery.remote.records import AnyRecord, DumpSeen, EventRecord
from recovery.remote.replies import Reply

AT = datetime(2024, 7, 19, 6, 0, tzinfo=UTC)
BUGCHECK = """<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>
<Provider Name='Microsoft-Windows-WER-SystemErrorReporting' EventSourceName='BugCheck'/>
<EventID Qualifiers='16384'>1001</EventID><TimeCreated SystemTime='2024-07-19T05:01:02.000Z'/>
<EventRecordID>7</EventRecordID><Computer>w1</Computer></System><EventData>
<Data Name='param1'>0x00000050 (0xffff840500000074, 0x0, 0xfffff806715114ed, 0x2)</Data>
<Data Name='param2'>C:\\Windows\\MEMORY.DMP</Data><Data Name='param3'>5b2d</Data></EventData></Event>"""
POWER = """<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>
<Provider Name='Microsoft-Windows-Kernel-Power' Guid='{331c3b3a-2005-44c2-ac5e-77220c37d6b4}'/>
<EventID>41</EventID><TimeCreated SystemTime='2024-07-19T05:01:00.000Z'/><EventRecordID>6</EventRecordID>
<Computer>w1</Computer></System><EventData><Data Name='BugcheckCode'>80</Data></EventData></Event>"""


def event(xml: str) -> EventRecord:
    return EventRecord(xml_base64=b64encode(xml.encode()).decode())


def dump(code: int, *, name: str = "C:\\Windows\\MEMORY.DMP") -> DumpSeen:
    head = bytearray(b"PAGE" * 2048)
    head[:8] = b"PAGEDU64"
    struct.pack_into("<I", head, 0x38, code)
    return DumpSeen(
        path_hex=name.encode().hex(), size=9, mtime=1721365260, head_base64=b64encode(head).decode()
    )


def crashes(*records: AnyRecord) -> list[CrashRecord]:
    found = replies.evidence(Reply(records), at=AT, source="winrm")
    assert all(isinstance(item, CrashRecord | RestartRecord) for item in found)
    return [item for item in found if isinstance(item, CrashRecord)]


def test_the_records_of_one_crash_are_one_crash() -> None:
    (crash,) = crashes(event(POWER), event(BUGCHECK), dump(0x50))
    assert (crash.stop_code, crash.source) == (0x50, "winrm")
    assert crash.crashed_at is not None


def test_a_dump_alone_tells_its_stop_code() -> None:
    (crash,) = crashes(dump(0x7E))
    assert crash.stop_code == 0x7E


@pytest.mark.parametrize(
    "record",
    [
        EventRecord(xml_base64="no base64"),
        EventRecord(xml_base64=b64encode(b"<Event><bomb>").decode()),
        EventRecord(xml_base64="A" * 1_000_000),
        DumpSeen(path_hex="43", size=1, mtime=1e300, head_base64=""),
        DumpSeen(path_hex="43", size=1, mtime=0, head_base64=b64encode(b"MDMP").decode()),
    ],
)
def test_what_cannot_be_read_says_nothing(record: AnyRecord) -> None:
    assert crashes(record) == []
