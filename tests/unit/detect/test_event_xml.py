"""Reading event XML in the forms in which people hand it over."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest

from recovery.detect import event_xml
from recovery.detect.event_record import EventRecord, moment
from tests.unit.detect.event_text import (
    NAMESPACE,
    POWER,
    application_report,
    boot,
    bugcheck,
    dirty_restart,
    event,
    planned,
    systemtime,
    unexpected,
)

AT = "2024-07-19T06:01:02.1234567Z"
WHEN = datetime(2024, 7, 19, 6, 1, 2, 123456, tzinfo=UTC)
OFFICE = "C:\\Büro\\a.dmp"
ONE, TWO = bugcheck(AT), dirty_restart(AT, code=80)
HELD = dirty_restart(AT).replace('Detected">false', 'Detected">true')
BARE = {"Guid": POWER["Guid"].strip("{}")}
DECLARED = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def only(text: str | bytes) -> EventRecord:
    (record,) = event_xml.read(text if isinstance(text, bytes) else text.encode())
    return record


def read(text: str) -> list[tuple[int, int | None]]:
    return [(record.event_id, record.stop_code) for record in event_xml.read(text.encode())]


@pytest.mark.parametrize(
    "text",
    [
        f"{ONE}{TWO}",
        f"{ONE}\r\n\r\n{TWO}\r\n",
        f"{DECLARED}<Events>{ONE}{TWO}</Events>",
        f"<Events xmlns='{NAMESPACE}'>{ONE}{TWO}</Events>".replace(f" xmlns='{NAMESPACE}'>", ">", 1),
        f"{DECLARED}{ONE}\n{DECLARED}{TWO}",
        f"Log Name: System\nSource: Kernel-Power\nEvent Xml:\n{ONE}\n\nEvent Xml:\n{TWO}",
        (ONE + TWO).replace(f" xmlns='{NAMESPACE}'", ""),
        f"<e:Events xmlns:e='{NAMESPACE}'>{ONE}{TWO}</e:Events>".replace("<Ev", "<e:Ev").replace(
            "</Ev", "</e:Ev"
        ),
        (ONE + TWO).replace("><", "> \n- <"),
        f"<Objs><S>{escape(ONE)}</S><S>{escape(TWO)}</S></Objs>",
        f"{ONE}{TWO}<Event xmlns='{NAMESPACE}'><System><Provider",
        f"</Event>{ONE}<Event><System>{TWO}",
    ],
    ids=[
        "concatenated", "lines", "wrapped", "namespace on records", "declaration each", "copied from the viewer",
        "no namespace", "prefix", "copied as a tree", "inside other XML", "cut off", "one within another",
    ],
)  # fmt: skip
def test_forms(text: str) -> None:
    assert read(text) == [(1001, 0x50), (41, 0x50)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(encoding: str) -> None:
    text = f"<Events>{bugcheck(AT, dump=OFFICE)}</Events>"
    assert only(text.encode(encoding)).dump_path == OFFICE


def test_an_encoding_that_is_declared() -> None:
    text = f'<?xml version="1.0" encoding="windows-1252"?>{bugcheck(AT, dump=OFFICE)}'
    assert only(text.encode("cp1252")).dump_path == OFFICE


def test_rendered_texts_are_not_read() -> None:
    rendered = "<RenderingInfo Culture='de-DE'><Message>x</Message><Provider>y</Provider></RenderingInfo></Event>"
    record = only(TWO.replace("</Event>", rendered))
    assert (record.provider, record.stop_code) == (POWER["Name"], 0x50)


def test_what_is_read_of_a_blue_screen() -> None:
    record = only(bugcheck(AT, report="{5D0E7F4C-0000-4000-8000-000000000001}", record=77))
    assert record.kind == "bugcheck"
    assert (record.at, record.record_id, record.computer) == (WHEN, 77, "ATL-KIOSK-001")
    assert record.parameters == (0xFFFF840500000074, 0, 0xFFFFF806715114ED, 2)
    assert record.dump_path == r"C:\Windows\MEMORY.DMP"
    assert record.report_id == "5d0e7f4c-0000-4000-8000-000000000001"
    assert "0x50 PAGE_FAULT_IN_NONPAGED_AREA" in record.meaning


@pytest.mark.parametrize("provider", ["BugCheck", "Microsoft-Windows-WER-SystemErrorReporting"])
def test_a_blue_screen_of_windows_7_has_no_names(provider: str) -> None:
    data = ["0x0000007e (0xc0000005, 0x1, 0x2, 0x3)", r"C:\Windows\MEMORY.DMP", "071924-1-01"]
    record = only(event({"Name": provider}, 1001, AT, data))
    assert (record.stop_code, record.report_id) == (0x7E, "071924-1-01")
    assert record.parameters == (0xC0000005, 1, 2, 3)


def test_a_blue_screen_of_windows_xp() -> None:
    data = ["1000008e", "c0000005", "bf80a1e0", "b2b1a8f0", "00000000"]
    record = only(event({"Name": "System Error"}, 1003, AT, data))
    assert (record.kind, record.stop_code, record.raw_stop_code) == ("bugcheck", 0x8E, 0x1000008E)
    assert record.parameters[0] == 0xC0000005


def test_strings_as_other_readers_put_them() -> None:
    text = "&lt;string&gt;0x00000050 (0x1, 0x2, 0x3, 0x4)&lt;/string&gt;\n&lt;string&gt;C:\\a.dmp&lt;/string&gt;"
    one = event({"Name": "BugCheck"}, 1001, AT, ["x"]).replace(">x<", f">{text}<")
    assert (only(one).stop_code, only(one).dump_path) == (0x50, "C:\\a.dmp")
    assert only(one.replace("&lt;", "<").replace("&gt;", ">")).dump_path == "C:\\a.dmp"


@pytest.mark.parametrize(
    ("made", "kind", "code", "words"),
    [
        (dirty_restart(AT, code=80), "dirty_restart", 0x50, "PAGE_FAULT"),
        (dirty_restart(AT, code=268435582), "dirty_restart", 0x7E, "blue screen"),
        (dirty_restart(AT, code=80, button=1), "dirty_restart", 0x50, "blue screen"),
        (dirty_restart(AT, code=80, efi="true"), "dirty_restart", 0x50, "firmware"),
        (dirty_restart(AT, button=133658352000000000), "dirty_restart", None, "power button"),
        (dirty_restart(AT), "dirty_restart", None, "power was cut"),
        (HELD, "dirty_restart", None, "power button"),
        (planned(AT), "planned_restart", None, r"CORP\technician"),
        (boot(AT), "boot", None, "started"),
        (event({"Name": "Microsoft-Windows-Kernel-General"}, 13, AT), "shutdown", None, "shut down"),
        (event({"Name": "EventLog"}, 6005, AT), "boot", None, "started"),
        (event({"Name": "EventLog"}, 6006, AT), "shutdown", None, "cleanly"),
        (event({"Name": "EventLog"}, 6009, AT), "boot", None, "started"),
        (event({"Name": "EventLog"}, 6013, AT), "uptime", None, "up"),
        (event({"Name": "volmgr"}, 46, AT), "dump_failed", None, "no dump"),
        (event({"Name": "volmgr"}, 161, AT), "dump_failed", None, "could not be written"),
        (application_report(AT), "other", None, "nothing"),
        (event({"Name": "Application Error"}, 1000, AT), "other", None, "nothing"),
        (event({"Name": "Microsoft-Windows-WHEA-Logger"}, 41, AT), "other", None, "nothing"),
        (event({"Name": "Microsoft-Windows-Kernel-General"}, 6008, AT), "other", None, "nothing"),
        (event({"Name": "Service Control Manager"}, 1074, AT), "other", None, "nothing"),
        (event({"Guid": POWER["Guid"].lower()}, 41, AT, {"BugcheckCode": "80"}), "dirty_restart", 0x50, "blue"),
        (event({"Name": "x", **BARE}, 41, AT, {"BugcheckCode": "0x50"}), "dirty_restart", 0x50, "blue"),
        (event({"Name": "BugCheck"}, 1001, AT), "bugcheck", None, "not given"),
    ],
)  # fmt: skip
def test_meanings(made: str, kind: str, code: int | None, words: str) -> None:
    record = only(made)
    assert (record.kind, record.stop_code) == (kind, code)
    assert words in record.meaning


def test_6008_is_read_from_its_binary_part() -> None:
    utc = datetime(2024, 7, 19, 5, 59, 8, 10000, tzinfo=UTC)
    record = only(unexpected(AT, utc, hours=5.5))
    assert record.alive_until == utc
    assert record.alive_until_local == "2024-07-19T11:29:08.010000"


@pytest.mark.parametrize(
    "second",
    [
        "",
        systemtime(datetime(2024, 7, 19, 9, 1, 2, tzinfo=UTC)),  # after the record was written
        systemtime(datetime(2024, 7, 19, 5, 59, 9, tzinfo=UTC)),  # not a zone apart
        "00" * 16,
        "FF" * 16,
    ],
)
def test_6008_without_utc_says_that_it_is_local_time(second: str) -> None:
    first = systemtime(datetime(2024, 7, 19, 5, 59, 8, tzinfo=UTC))
    record = only(event({"Name": "EventLog"}, 6008, AT, ["x"], binary=first + second))
    assert record.alive_until is None
    assert record.alive_until_local == "2024-07-19T05:59:08"
    assert "local time" in record.meaning


@pytest.mark.parametrize("binary", ["", "zz", "E807", "E807FF00FF00FF00FF00FF00FF00FF00"])
def test_6008_without_a_time(binary: str) -> None:
    record = only(event({"Name": "EventLog"}, 6008, AT, ["x"], binary=binary))
    assert (record.kind, record.alive_until_local) == ("unexpected_shutdown", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-07-19T06:01:02Z", WHEN.replace(microsecond=0)),
        ("2024-07-19T06:01:02.1Z", WHEN.replace(microsecond=100000)),
        ("2024-07-19T06:01:02.123456789Z", WHEN),
        ("2024-07-19 06:01:02.123456", WHEN),
        ("2024-07-19 06:01:02.123456+00:00", WHEN),
        ("2024-07-19T08:01:02.123456+02:00", WHEN),
        ("2024-07-19T00:31:02.123456-0530", WHEN),
        ("19.07.2024 06:01", None),
        ("2024-13-19T06:01:02Z", None),
        ("", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_times(text: str, expected: datetime | None) -> None:
    assert moment(text) == expected


def test_broken_records_are_counted_and_others_read() -> None:
    broken = ONE.replace("</Data>", "</Dat>", 1)
    found = event_xml.read_all((broken + TWO).encode())
    assert [record.event_id for record in found.records] == [41]
    assert found.problems == ("1 record could not be read",)


def test_cut_records_are_counted() -> None:
    found = event_xml.read_all((TWO + ONE[:300]).encode())
    assert len(found.records) == 1
    assert found.problems == ("1 record is cut off",)


def test_characters_that_xml_has_no_place_for() -> None:
    text = bugcheck(AT).replace("MEMORY", "ME&#x0;M\x01O&#65535;RY").replace("Windows\\", "R&D\\")
    assert only(text).dump_path == r"C:\R&D\MEMORY.DMP"


def test_a_bomb_is_never_expanded() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    outside = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    text = bugcheck(AT).replace("MEMORY", "&b;&e;")
    assert only(bomb + outside + text).dump_path == r"C:\Windows\&b;&e;.DMP"


def test_texts_are_inert() -> None:
    record = only(bugcheck(AT, dump="C:\\\x1b[2J\u202e" + "a" * 5000))
    assert record.dump_path.isprintable()
    assert len(record.dump_path) <= 300


def exported(number: int, provider: str, values: list[str]) -> str:
    """One record as `Get-WinEvent | Export-Clixml` writes it."""
    inner = "".join(f"<Obj RefId='9'><Props>{value}</Props></Obj>" for value in values)
    return (
        "<Obj RefId='0'><TN RefId='0'><T>System.Diagnostics.Eventing.Reader.EventLogRecord</T></TN>"
        f"<Props><I32 N='Id'>{number}</I32><Nil N='Qualifiers'/><I64 N='RecordId'>77</I64>"
        f"<S N='ProviderName'>{provider}</S><S N='LogName'>System</S><S N='MachineName'>ATL-KIOSK-001</S>"
        "<DT N='TimeCreated'>2024-07-19T08:01:02.1234567+02:00</DT>"
        f"<Obj N='Properties' RefId='1'><LST>{inner}</LST></Obj></Props></Obj>"
    )


def test_objects_that_powershell_exported() -> None:
    numbers = ["80", "18446612687273525364", "0", "0", "0", "0", "0"]
    power = exported(41, POWER["Name"], [f"<U64 N='Value'>{n}</U64>" for n in numbers])
    code = "0x0000007e (0xffffffffc0000005, 0x1, 0x2, 0x3)"
    screen = exported(1001, "BugCheck", [f"<S N='Value'>{code}</S>", "<S N='Value'>C:\\a.dmp</S>"])
    other = exported(
        7036, "Service Control Manager", ["<S N='Value'>x</S>", "<BA N='Value'>AAA=</BA>"]
    )
    text = f"<Objs Version='1.1.0.1' xmlns='http://schemas.microsoft.com/powershell/2004/04'>{power}{screen}{other}</Objs>"
    first, second, third = event_xml.read(text.encode("utf-16"))
    assert (first.stop_code, first.at, first.record_id, first.computer) == (
        0x50,
        WHEN,
        77,
        "ATL-KIOSK-001",
    )
    assert first.parameters[0] == 18446612687273525364
    assert (second.stop_code, second.dump_path) == (0x7E, "C:\\a.dmp")
    assert third.kind == "other"


def test_exported_objects_that_are_cut_off() -> None:
    text = "<Objs>" + exported(41, POWER["Name"], ["<U32 N='Value'>80</U32>"])
    found = event_xml.read_all(text.encode())
    assert found.records == ()
    assert "damaged or cut off" in found.problems[0]
