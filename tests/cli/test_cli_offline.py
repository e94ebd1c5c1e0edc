"""`recovery triage --offline DIR`: what a mounted disk proves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.unit.detect.dump_writer import dump64
from tests.unit.detect.evtx_writer import Event, log

BAD, GOOD, OLD = 1721362140, 1721366820, 1721000000
"""04:09 UTC and 05:27 UTC of 19 July 2024, and days before."""
HEADER = bytes.fromhex("AAAAAAAA01002301")
CRASHED = datetime(2024, 7, 19, 5, 0, 0, tzinfo=UTC)
FOLDER = "WINDOWS/system32/Drivers/CrowdStrike"


def crashes(count: int, code: int = 80, began: datetime = CRASHED) -> bytes:
    """A system log with so many crashes, 90 s apart."""
    events = []
    for number in range(1, count + 1):
        boot = began + timedelta(seconds=90 * number)
        shown = boot.strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
        events += [
            Event("Microsoft-Windows-Kernel-General", 12, boot, [("StartTime", shown)]),
            Event("Microsoft-Windows-Kernel-Power", 41, boot, [("BugcheckCode", str(code))]),
        ]
    return log(events)


def write(path: Path, data: bytes, mtime: float | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if mtime is not None:
        os.utime(path, (mtime, mtime))
    return path


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A disk with Windows on it, its names in another case, and a bad file."""
    root = tmp_path / "mnt"
    write(root / FOLDER / "C-00000291-00000000-00000032.sys", HEADER + bytes(900), BAD)
    write(root / "WINDOWS/system32/winevt/Logs/System.evtx", crashes(3))
    return root


def look(cli: Cli, root: Path, *words: str) -> list[dict[str, Any]]:
    told = cli("triage", "--offline", root, "-o", "json", *words)
    assert told.code == 0, told.err
    document: list[dict[str, Any]] = told.document
    return document


def test_bad_file_and_crashes(cli: Cli, disk: Path) -> None:
    (row,) = look(cli, disk)
    assert (row["name"], row["verdict"], row["os"]) == ("ATL-KIOSK-001", "crash_loop", "windows")
    assert "1 bad and no good file" in row["because"][0]
    assert "stop code 0x50" in row["because"][1]
    assert (row["schema"], row["stop_code"], row["progress"]) == (1, 80, "untouched")
    assert len(row["crashes"]) == 3
    assert row["read"] == ["WINDOWS/system32/winevt/Logs/System.evtx"]


@pytest.mark.parametrize(
    ("mtimes", "header", "verdict", "words"),
    [
        ([BAD], HEADER, "exposed", "1 bad and no good file"),
        ([BAD, BAD + 600], HEADER, "exposed", "2 bad and no good file"),
        ([BAD - 290], HEADER, "exposed", "1 bad"),
        ([BAD, GOOD], HEADER, "unknown", "1 good file"),
        ([OLD], HEADER, "unknown", "no bad file"),
        ([BAD], b"MZ", "unknown", "no bad file"),
        ([], HEADER, "unknown", "no bad file"),
    ],
)
def test_the_folder_decides(
    cli: Cli, tmp_path: Path, mtimes: list[int], header: bytes, verdict: str, words: str
) -> None:
    folder = tmp_path / "Windows/System32/drivers/CrowdStrike"
    write(folder / "other.sys", b"x", BAD)
    for number, mtime in enumerate(mtimes):
        write(folder / f"c-00000291-0000000{number}.SYS", header, mtime)
    (row,) = look(cli, tmp_path)
    assert row["verdict"] == verdict
    assert words in row["because"][0]


@pytest.mark.parametrize(
    "system", [crashes(2, 0x124), crashes(2, 80, datetime(2024, 7, 1, tzinfo=UTC)), crashes(0)]
)
def test_other_crashes_are_not_this_incidents(cli: Cli, disk: Path, system: bytes) -> None:
    write(disk / "WINDOWS/system32/winevt/Logs/System.evtx", system)
    assert look(cli, disk)[0]["verdict"] == "exposed"


def test_a_disk_never_proves_health(cli: Cli, disk: Path) -> None:
    write(disk / FOLDER / "C-00000291-1.sys", HEADER, GOOD)
    (row,) = look(cli, disk)
    assert row["verdict"] == "unknown"
    assert any("cannot prove more" in reason for reason in row["because"])
    assert any("stop code 0x50" in reason for reason in row["because"])


def test_dumps_are_read_and_live_reports_are_not(cli: Cli, disk: Path) -> None:
    (disk / "WINDOWS/system32/winevt/Logs/System.evtx").unlink()
    write(disk / "WINDOWS/Minidump/071924-1-01.dmp", dump64(tail="csagent.sys".encode("utf-16-le")))
    write(disk / "WINDOWS/LiveKernelReports/a.dmp", dump64(0x7E))
    write(disk / "WINDOWS/Minidump/broken.dmp", b"no dump")
    (row,) = look(cli, disk)
    (crash,) = row["crashes"]
    assert (crash["stop_code"], crash["dump"]) == (80, "WINDOWS/Minidump/071924-1-01.dmp")
    assert "mentions csagent.sys" in crash["meaning"]
    assert row["verdict"] == "crash_loop"
    assert any("no system log" in problem for problem in row["problems"])
    assert any("broken.dmp" in problem for problem in row["problems"])


def test_a_dump_and_the_log_tell_of_one_crash(cli: Cli, disk: Path) -> None:
    write(disk / "WINDOWS/system32/winevt/Logs/System.evtx", crashes(1))
    write(disk / "WINDOWS/MEMORY.DMP", dump64(at=CRASHED + timedelta(seconds=60), kind=1))
    os.truncate(disk / "WINDOWS/MEMORY.DMP", 32 * 1024**3)
    (row,) = look(cli, disk)
    assert [crash["record"] for crash in row["crashes"]] == ["kernel_power_41+dump"]


def test_several_installations_are_each_reported(cli: Cli, disk: Path) -> None:
    write(disk / "second/windows/System32/drivers/CrowdStrike/C-00000291-1.sys", HEADER, GOOD)
    write(disk / "Windows.old/Windows/System32/drivers/CrowdStrike/C-00000291-1.sys", HEADER, BAD)
    found = {row["place"]: row["verdict"] for row in look(cli, disk)}
    assert found == {"WINDOWS": "crash_loop", "second/windows": "unknown"}


def test_the_windows_folder_itself_may_be_named(cli: Cli, disk: Path) -> None:
    (row,) = look(cli, disk / "WINDOWS")
    assert (row["place"], row["verdict"]) == (".", "crash_loop")


def test_links_are_not_followed_out_of_the_disk(cli: Cli, disk: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    write(elsewhere / "C-00000291-1.sys", HEADER, BAD)
    write(elsewhere / "System.evtx", crashes(3))
    folder = disk / FOLDER
    for path in list(folder.iterdir()):
        path.unlink()
    (folder / "C-00000291-9.sys").symlink_to(elsewhere / "C-00000291-1.sys")
    log_file = disk / "WINDOWS/system32/winevt/Logs/System.evtx"
    log_file.unlink()
    log_file.symlink_to(elsewhere / "System.evtx")
    (disk / "other").symlink_to(disk)
    (row,) = look(cli, disk)
    assert (row["verdict"], row["crashes"]) == ("unknown", [])
    assert [file["state"] for file in row["artifact"]["files"]] == ["link"]
    folder.rename(tmp_path / "away")
    folder.symlink_to(elsewhere)
    (row,) = look(cli, disk)
    assert row["artifact"] is None
    assert any("is a link, which is not followed" in problem for problem in row["problems"])


def test_an_artifact_folder_that_cannot_be_listed_is_not_called_clean(
    cli: Cli, disk: Path, tmp_path: Path
) -> None:
    (disk / FOLDER).rename(tmp_path / "away")
    (disk / FOLDER).write_bytes(b"a file in the folder's place")
    (row,) = look(cli, disk)
    assert row["artifact"] is None
    assert any("cannot be read" in problem for problem in row["problems"])
    assert not any("no bad file" in reason for reason in row["because"])


def test_a_bad_file_among_very_many_is_found(cli: Cli, disk: Path) -> None:
    for number in range(20_005):
        (disk / FOLDER / f"A-{number}").touch()
    assert look(cli, disk)[0]["verdict"] == "crash_loop"


def test_nothing_is_written(cli: Cli, disk: Path) -> None:
    def state() -> Iterator[tuple[str, int, float]]:
        for path in sorted(disk.rglob("*")):
            found = path.lstat()
            yield str(path), found.st_size, found.st_mtime

    before = list(state())
    look(cli, disk)
    assert list(state()) == before


def test_a_linux_disk(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path / "etc/os-release", b"ID=debian\n")
    write(tmp_path / "etc/hostname", b"atl-web-01\n")
    panic = b"<0>[ 12.3] x\n<0>[ 12.4] Kernel panic - not syncing: csagent: bad instruction\n"
    write(tmp_path / "var/lib/systemd/pstore/17213/dmesg.txt", panic, CRASHED.timestamp())
    write(tmp_path / "var/crash/202407190500/dmesg.202407190500", b"BUG: unable to handle", GOOD)
    write(tmp_path / "CrowdStrike/C-00000291-1.sys", HEADER, BAD)
    (row,) = look(cli, tmp_path)
    assert (row["name"], row["os"], row["verdict"]) == ("atl-web-01", "linux", "crash_loop")
    assert [crash["record"] for crash in row["crashes"]] == ["pstore", "kdump"]


@pytest.mark.parametrize("name", ["nowhere", "empty", "file"])
def test_what_is_no_disk_is_refused(cli: Cli, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    told = cli("triage", "--offline", tmp_path / name)
    assert told.code == 2
    assert told.err.startswith("error: ")
    assert name in told.err


def test_hosts_and_a_disk_do_not_mix(cli: Cli, disk: Path) -> None:
    told = cli("triage", "--offline", disk, "-i", "h1,h2")
    assert told.code == 2
    assert "--offline looks at one mounted disk" in told.err


def test_text(cli: Cli, disk: Path) -> None:
    told = cli("triage", "--offline", disk)
    assert told.code == 0
    assert "ATL-KIOSK-001  WINDOWS  crash_loop" in told.out


def test_what_was_left_out_is_said(cli: Cli, disk: Path) -> None:
    for number in range(60):
        write(disk / f"WINDOWS/Minidump/0719{number}-1-01.dmp", dump64(), BAD + number)
    (disk / "WINDOWS/MEMORY.DMP").mkdir()
    (row,) = look(cli, disk)
    assert "only the newest 50 of 60 dumps were read" in row["problems"]
    assert "WINDOWS/MEMORY.DMP: is a folder, and no dump" in row["problems"]
