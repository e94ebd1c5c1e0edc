"""Whatever stands in a file, its reader comes back with what it could read, and everything it says is inert."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
from hypothesis import given, settings

from recovery.detect import dump_header, event_xml, evidence_file, evtx_file
from tests.unit.detect.dump_writer import dump32, dump64, user_dump
from tests.unit.detect.event_text import bugcheck, dirty_restart, planned, unexpected
from tests.unit.detect.evtx_writer import Event, log

AT = datetime(2024, 7, 19, 5, 0, tzinfo=UTC)
TEXT = AT.isoformat()
XML = (
    bugcheck(TEXT) + dirty_restart(TEXT, code=80) + planned(TEXT) + unexpected(TEXT, AT)
).encode()
EVTX = log(
    [
        Event("Microsoft-Windows-Kernel-Power", 41, AT + timedelta(n), [("BugcheckCode", "80")])
        for n in range(6)
    ],
    per_chunk=3,
)
SAMPLES = {"xml": XML, "evtx": EVTX, "64": dump64(), "32": dump32(), "user": user_dump()}


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file of ours with bytes overwritten, taken out, put in, and its end cut off."""
    data = bytearray(SAMPLES[draw(st.sampled_from(sorted(SAMPLES)))])
    used = min(len(data), 8192)
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, used - 1))
        new = draw(st.binary(min_size=1, max_size=12))
        gone = draw(st.sampled_from([0, len(new), 64]))
        data[place : place + gone] = new
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.booleans()) else bytes(data)


@settings(max_examples=150)
@given(damaged() | st.binary(max_size=2000))
def test_no_content_keeps_a_reader_from_coming_back(data: bytes) -> None:
    found = evidence_file.read(io.BytesIO(data), modules=("csagent.sys",))
    assert found.kind in {"unknown", *(kind.name for kind in evidence_file.KINDS)}
    for record in found.records:
        assert record.meaning.isprintable()
        assert record.stop_code is None or 0 < record.stop_code <= 0xFFFFFFFF
    assert all(problem.isprintable() for problem in found.problems)


@settings(max_examples=100)
@given(st.binary(max_size=500) | damaged())
def test_every_reader_takes_anything(data: bytes) -> None:
    event_xml.read(data)
    evtx_file.read(data)
    header = dump_header.read(data)
    assert (header is not None) == (data[:8] in (b"PAGEDU64", b"PAGEDUMP") or data[:4] == b"MDMP")


@given(st.integers(0, len(XML)))
def test_what_stands_before_the_damage_is_read(size: int) -> None:
    whole = event_xml.read(XML)
    ends = [XML.index(b"</Event>") + 8]
    while len(ends) < len(whole):
        ends.append(XML.index(b"</Event>", ends[-1]) + 8)
    assert event_xml.read(XML[:size]) == whole[: sum(end <= size for end in ends)]


@given(st.text(max_size=300))
def test_texts_of_a_record_are_inert(text: str) -> None:
    made = dirty_restart(TEXT, code=80).replace(
        "ATL-KIOSK-001", text.replace("<", "").replace("&", "")
    )
    for record in event_xml.read(made.encode("utf-8", "surrogatepass")):
        assert record.computer.isprintable()
