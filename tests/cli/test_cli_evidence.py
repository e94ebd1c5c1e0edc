"""`recovery evidence FILE...`: what files prove."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from recovery.sim import screens
from tests.cli.conftest import Cli
from tests.unit.detect.dump_writer import AT, dump32, dump64, user_dump
from tests.unit.detect.event_text import application_report, bugcheck, dirty_restart, event
from tests.unit.detect.evtx_writer import Event, log

TIME = "2024-07-19T06:01:02.1234567Z"
XML = bugcheck(TIME) + dirty_restart(TIME, code=268435582)
EVTX = log([Event("Microsoft-Windows-Kernel-Power", 41, AT, [("BugcheckCode", "80")])])
ISSUE_KEYS = {"event_id", "at", "stop_code", "meaning"}


@pytest.fixture
def files(home: Path) -> dict[str, Path]:
    """One file of each kind, under names that say nothing."""
    content = {
        "a": EVTX,
        "b": XML.encode("utf-16"),
        "c": dump64(),
        "d": user_dump(),
        "e": b"GIF",
        "f": b"",
    }
    for name, data in content.items():
        (home / name).write_bytes(data)
    return {name: home / name for name in content}


def rows(cli: Cli, *words: object) -> list[dict[str, Any]]:
    told = cli("evidence", *words, "-o", "json")
    assert told.code == 0, told.err
    document: list[dict[str, Any]] = told.document
    return document


def test_kinds_are_told_by_content(cli: Cli, files: dict[str, Path]) -> None:
    found = rows(cli, *files.values())
    assert [row["kind"] for row in found] == [
        "evtx",
        "event_xml",
        "dump",
        "user_dump",
        "unknown",
        "unknown",
    ]
    assert [row["file"] for row in found] == [str(path) for path in files.values()]
    assert {row["schema"] for row in found} == {1}
    assert not any(row["damaged"] for row in found)


def test_records_have_the_agreed_keys(cli: Cli, files: dict[str, Path]) -> None:
    evtx, xml, dump, user, *_ = rows(cli, *files.values())
    assert all(
        record.keys() >= ISSUE_KEYS for row in (evtx, xml, dump) for record in row["records"]
    )
    (first,) = evtx["records"]
    assert (first["event_id"], first["at"], first["stop_code"]) == (41, "2024-07-19T05:00:00Z", 80)
    one, two = xml["records"]
    assert (one["event_id"], one["at"], one["stop_code"]) == (
        1001,
        "2024-07-19T06:01:02.123456Z",
        80,
    )
    assert one["stop_code_name"] == "PAGE_FAULT_IN_NONPAGED_AREA"
    assert (two["stop_code"], two["stop_code_hex"], two["stop_code_raw"]) == (
        126,
        "0x7E",
        268435582,
    )
    (head,) = dump["records"]
    assert (head["event_id"], head["at"], head["stop_code"]) == (None, "2024-07-19T05:00:00Z", 80)
    assert head["parameters"][0] == "0xFFFF840500000074"
    assert user["records"] == []
    assert "no crash of the machine" in user["meaning"]


def test_records_of_one_crash_are_counted_once(cli: Cli, home: Path) -> None:
    (home / "x.xml").write_text(bugcheck(TIME) + dirty_restart(TIME, code=80))
    (row,) = rows(cli, home / "x.xml")
    assert len(row["records"]) == 2
    (crash,) = row["crashes"]
    assert (crash["at"], crash["stop_code"]) == ("2024-07-19T06:01:02.123456Z", 80)
    assert "tells of 1 crash\n" in cli("evidence", home / "x.xml").out


def test_what_is_no_bug_check_has_no_stop_code(cli: Cli, home: Path) -> None:
    other = event({"Name": "Service Control Manager"}, 7036, TIME, {"param1": "x"})
    (home / "x.xml").write_text(application_report(TIME) + other + dirty_restart(TIME))
    (home / "matt.dmp").write_bytes(dump64(0x5454414D))
    (home / "live.dmp").write_bytes(dump64(0x193))
    xml, matt, live = rows(cli, home / "x.xml", home / "matt.dmp", home / "live.dmp")
    assert [(record["event_id"], record["stop_code"]) for record in xml["records"]] == [(41, None)]
    assert xml["other_events"] == 2
    assert matt["records"][0]["stop_code"] is None
    assert "proves no crash" in matt["records"][0]["meaning"]
    assert live["records"][0]["kind"] == "live_report"


@pytest.mark.parametrize(
    ("data", "machine"), [(dump64(machine=0xAA64), "ARM64"), (dump32(), "x86")]
)
def test_dumps_of_other_machines(cli: Cli, home: Path, data: bytes, machine: str) -> None:
    (home / "x.dmp").write_bytes(data)
    (row,) = rows(cli, home / "x.dmp")
    assert row["records"][0]["machine"] == machine


def test_damaged_files_are_read_as_far_as_they_go(cli: Cli, home: Path) -> None:
    (home / "cut.dmp").write_bytes(dump64()[:100])
    (home / "cut.evtx").write_bytes(EVTX[:5000])
    (home / "cut.xml").write_text(XML[:-200])
    for row in rows(cli, home / "cut.dmp", home / "cut.evtx", home / "cut.xml"):
        assert row["damaged"]
        assert row["problems"]
    dump, _, xml = rows(cli, home / "cut.dmp", home / "cut.evtx", home / "cut.xml")
    assert dump["records"][0]["stop_code"] == 80
    assert [record["stop_code"] for record in xml["records"]] == [80]


def test_files_that_cannot_be_read_do_not_keep_others_from_it(
    cli: Cli, files: dict[str, Path], home: Path
) -> None:
    os.mkfifo(home / "pipe")
    (home / "empty").mkdir()
    given = (home / "none.evtx", files["c"], home / "empty", home / "pipe")
    told = cli("evidence", *given, "-o", "json")
    assert told.code == 2
    assert [row["kind"] for row in told.document] == ["unknown", "dump", "unknown", "unknown"]
    assert told.document[1]["records"][0]["stop_code"] == 80
    assert "none.evtx: cannot be read: no such file" in told.err
    assert "is a folder: name the files in it" in told.err
    assert "triage --offline" in told.err
    assert "pipe: is not a regular file" in told.err


def test_a_dump_of_many_gigabytes_is_read_at_its_head(cli: Cli, home: Path) -> None:
    (home / "MEMORY.DMP").write_bytes(dump64(kind=1))
    os.truncate(home / "MEMORY.DMP", 64 * 1024**3)
    (row,) = rows(cli, home / "MEMORY.DMP", "--incident", "crowdstrike-291")
    assert row["records"][0]["dump_type"] == "full"


def test_modules_of_a_profile_are_mentioned(cli: Cli, home: Path) -> None:
    (home / "a.dmp").write_bytes(dump64(tail="csagent.sys".encode("utf-16-le")))
    (row,) = rows(cli, home / "a.dmp", "--incident", "crowdstrike-291")
    assert row["records"][0]["mentions"] == ["csagent.sys"]
    assert "mentions" not in rows(cli, home / "a.dmp")[0]["records"][0]


def test_standard_input(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(EVTX)))
    (row,) = rows(cli, "-")
    assert (row["file"], row["kind"], len(row["records"])) == ("-", "evtx", 1)


def test_text(cli: Cli, files: dict[str, Path]) -> None:
    told = cli("evidence", *files.values())
    assert told.code == 0
    assert (
        "2024-07-19 05:00:00  event 41  restarted without a clean shutdown after a blue screen"
        in told.out
    )
    assert (
        "2024-07-19 05:00:00  blue screen: stop code 0x50 PAGE_FAULT_IN_NONPAGED_AREA" in told.out
    )
    assert "it is empty" in told.out


def test_names_and_texts_are_inert(cli: Cli, home: Path) -> None:
    path = home / "a\x1b[2J.xml"
    path.write_text(bugcheck(TIME, dump="C:\\\x1b[31m\u202e.dmp"))
    told = cli("evidence", path)
    assert "\x1b" not in told.out
    assert "\u202e" not in told.out


def test_crashes_of_records_without_numbers_are_all_told(cli: Cli, home: Path) -> None:
    text = "".join(dirty_restart(TIME, code=code) for code in (80, 126, 0))
    (home / "x.xml").write_text(text.replace("<EventRecordID>1</EventRecordID>", ""))
    (row,) = rows(cli, home / "x.xml")
    assert [crash["stop_code"] for crash in row["crashes"]] == [80, 126]


@pytest.mark.parametrize("code", ["", "&amp;code;", "n/a", "-1", "9" * 23, "4294967376"])
def test_a_code_that_cannot_be_read_is_not_taken_for_none(cli: Cli, home: Path, code: str) -> None:
    text = dirty_restart(TIME, code=80).replace(">80<", f">{code}<")
    (home / "x.xml").write_text(text)
    (record,) = rows(cli, home / "x.xml")[0]["records"]
    assert record["stop_code"] is None
    assert "cannot be read" in record["meaning"]
    assert "power was cut" not in record["meaning"]


def test_a_dump_that_holds_pieces_of_a_log_is_a_dump(cli: Cli, home: Path) -> None:
    (home / "x.dmp").write_bytes(dump64() + EVTX[4096:])
    (row,) = rows(cli, home / "x.dmp")
    assert (row["kind"], row["records"][0]["stop_code"]) == ("dump", 80)


def test_a_dump_without_a_stop_code_is_no_bug_check(cli: Cli, home: Path) -> None:
    (home / "x.dmp").write_bytes(b"PAGEDU64" + b"PAGE" * 2046)
    (record,) = rows(cli, home / "x.dmp")[0]["records"]
    assert (record["kind"], record["stop_code"], record["at"]) == ("dump", None, None)


def test_crashes_of_several_machines_are_told_apart(cli: Cli, home: Path) -> None:
    other = bugcheck(TIME).replace("ATL-KIOSK-001", "ATL-KIOSK-002")
    (home / "forwarded.xml").write_text(dirty_restart(TIME, code=80) + other)
    (row,) = rows(cli, home / "forwarded.xml")
    told = [(crash["computer"], crash["record"]) for crash in row["crashes"]]
    assert told == [("ATL-KIOSK-001", "kernel_power_41"), ("ATL-KIOSK-002", "wer_1001")]


def test_a_folder_of_pictures_is_read(cli: Cli, home: Path) -> None:
    folder = home / "consoles"
    folder.mkdir()
    crash = screens.png("windows7_bugcheck", (640, 400))
    (folder / "a.png").write_bytes(crash)
    (folder / "b.jpg").write_bytes(screens.encoded(screens.draw("bitlocker"), "JPEG"))
    (folder / "c.png").write_bytes(crash[:3000])
    bugcheck_row, blue, broken = rows(cli, folder, "--ocr", "none")
    assert {row["kind"] for row in (bugcheck_row, blue, broken)} == {"picture"}
    assert bugcheck_row["label"] == "bugcheck"
    assert bugcheck_row["stop_code"] == 0x50
    assert bugcheck_row["stop_code_name"] == "PAGE_FAULT_IN_NONPAGED_AREA"
    assert bugcheck_row["module"] == "csagent.sys"
    assert blue["alternatives"] == ["bugcheck", "recovery_screen", "needs_key"]
    assert (broken["label"], broken["damaged"]) == ("unknown", True)
    said = cli("evidence", folder, "--ocr", "none").out
    assert "blue screen: stop code 0x50 PAGE_FAULT_IN_NONPAGED_AREA, csagent.sys failed" in said
    assert "bugcheck or recovery or key: blue Windows screen" in said
    assert "damaged" in said


def test_a_text_recogniser_that_is_not_there_is_refused(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(home))
    told = cli("evidence", home, "--ocr", "tesseract")
    assert told.code == 2
    assert "tesseract is not installed" in told.err
