"""`recovery fix-disk` is written down: what was about to happen, what came of it, and what nobody saw the end of."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recovery.cli.main import main
from recovery.disk import fixing
from recovery.journal.lease import take_alone
from recovery.service import disks
from tests.cli.conftest import Cli
from tests.cli.test_cli_fix_disk import NAME, ext4, listed, loops, tool, windows, write

SECOND = "C-00000291-00000000-00000033.sys"
Told = tuple[str, str, str, str | None, int]


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    root = tmp_path / "mnt"
    root.mkdir()
    return root


def written(cli: Cli) -> list[Told]:
    return [
        (
            event["kind"],
            event.get("host", ""),
            event["act"],
            event.get("outcome"),
            event.get("files", 0),
        )
        for event in cli("events", "-o", "jsonl").lines
        if event["kind"].startswith("disk.")
    ]


def test_a_fix_and_its_undo_are_told_of_their_host(cli: Cli, disk: Path) -> None:
    windows(disk)
    assert cli("fix-disk", disk, "--host", "pc1").code == 0
    assert cli("fix-disk", disk, "--host", "pc1", "--undo").code == 0
    assert written(cli) == [
        ("disk.intended", "pc1", "fix", None, 0),
        ("disk.finished", "pc1", "fix", "ok", 1),
        ("disk.intended", "pc1", "undo", None, 0),
        ("disk.finished", "pc1", "undo", "ok", 1),
    ]
    told = cli("explain", "pc1").out
    assert f"disk: about to fix {disk}, incident crowdstrike-291" in told
    assert f"disk fix of {disk}: done: windows in WINDOWS: fixed, 1 moved to quarantine" in told
    assert f"disk: about to take back the fix of {disk}" in told
    assert "1 put back" in told


def test_who_only_looks_is_not_written_down(cli: Cli, home: Path, disk: Path) -> None:
    windows(disk)
    assert cli("fix-disk", disk, "-C", "--journal", home / "j.db").code == 0
    assert not (home / "j.db").exists()


@pytest.mark.parametrize(
    ("prepare", "outcome"),
    [
        (lambda disk: windows(disk).unlink(), "nothing_matched"),
        (lambda disk: (windows(disk), (disk / "ProgramData/FleetRecovery").symlink_to("/tmp")), "refused"),
        (lambda _: None, "failed"),
    ],
    ids=["nothing", "refused", "no system"],
)  # fmt: skip
def test_what_does_not_come_of_it_is_written_down_too(
    cli: Cli, disk: Path, prepare: Callable[[Path], Any], outcome: str
) -> None:
    prepare(disk)
    cli("fix-disk", disk)
    assert [(kind, came) for kind, _, _, came, _ in written(cli)] == [
        ("disk.intended", None),
        ("disk.finished", outcome),
    ]


def test_what_was_killed_in_the_middle_is_said_and_goes_on(
    cli: Cli, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = windows(disk)
    second = write(bad.with_name(SECOND))
    child = os.fork()
    if not child:  # pragma: no cover - the process that is killed
        real = fixing._move

        def die(*words: Any) -> str:
            real(*words)
            os._exit(9)

        monkeypatch.setattr(fixing, "_move", die)
        main(["fix-disk", str(disk), "--host", "pc1"])
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert [bad.exists(), second.exists()].count(True) == 1
    assert [kind for kind, *_ in written(cli)] == ["disk.intended"]
    assert cli("fix-disk", disk, "--host", "pc1").code == 0
    assert [bad.exists(), second.exists()] == [False, False]
    assert written(cli)[1:] == [
        ("disk.finished", "pc1", "fix", "interrupted", 0),
        ("disk.intended", "pc1", "fix", None, 0),
        ("disk.finished", "pc1", "fix", "ok", 1),
    ]
    assert "was interrupted, nobody saw its outcome: " in cli("explain", "pc1").out


def test_a_program_that_breaks_says_that_nobody_saw_the_end(
    cli: Cli, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows(disk)

    def broken(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(disks, "fix_disk", broken)
        assert cli("fix-disk", disk).code != 0
    assert written(cli)[-1][3] == "interrupted"


def test_two_at_one_disk_are_refused(cli: Cli, home: Path, disk: Path) -> None:
    bad = windows(disk)
    journal = home / "j.db"
    with take_alone(str(journal), "disk", str(disk.resolve()), "worked on"):
        told = cli("fix-disk", disk, "--journal", journal)
    assert (told.code, bad.exists()) == (2, True)
    assert "is being worked on by process" in told.err
    assert cli("fix-disk", disk, "--journal", journal).code == 0


def test_a_host_that_the_inventory_does_not_know_is_refused(
    cli: Cli, home: Path, disk: Path
) -> None:
    bad = windows(disk)
    known = home / "fleet.yaml"
    known.write_text("hosts: {pc1: {}}\n")
    told = cli("fix-disk", disk, "--host", "pc2", "-i", known)
    assert (told.code, bad.exists()) == (2, True)
    assert "no host is named 'pc2'" in told.err
    assert cli("fix-disk", disk, "--host", "pc1\x1b[2J").code == 2
    assert cli("fix-disk", disk, "--host", "pc1", "-i", known).code == 0


def test_a_disk_that_is_attached_here_is_fixed(cli: Cli, tmp_path: Path) -> None:
    """As the volume of a cloud's instance is at its helper."""
    loops()
    image = ext4(tmp_path)
    losetup = tool("losetup", "mount")
    found = [losetup, "--find", "--show", str(image)]
    device = subprocess.run(found, capture_output=True, text=True, check=True).stdout.strip()
    try:
        told = cli("fix-disk", device)
    finally:
        subprocess.run([losetup, "--detach", device], check=True)
    assert told.code == 0, told.err
    assert NAME not in listed(image, "/CrowdStrike")
