"""`recovery fix-disk` with images that are broken, and on machines that lack a part of what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.test_cli_fix_disk import ext4, loops, tool, write
from tests.needs import missing


def test_a_broken_qcow2_image_is_said_to_be_one(cli: Cli, tmp_path: Path) -> None:
    loops()
    if not Path("/dev/fuse").exists():
        missing("FUSE")
    tool("qemu-storage-daemon", "qemu-utils")
    image = tmp_path / "broken.qcow2"
    image.write_bytes(b"QFI\xfb" + bytes(4096))
    told = cli("fix-disk", image)
    assert told.code == 2
    assert "QEMU cannot open it: " in told.err


def test_a_file_system_that_cannot_be_mounted_is_left_alone(cli: Cli, tmp_path: Path) -> None:
    loops()
    image = ext4(tmp_path)
    with image.open("r+b") as file:
        file.seek(1024 + 1024)  # behind the superblock: the group descriptors
        file.write(b"\xff" * 8192)
    before = image.read_bytes()
    told = cli("fix-disk", image)
    assert told.code == 2
    assert "ext4 cannot be mounted: " in told.err
    assert image.read_bytes() == before


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("echo no more devices >&2; exit 1", "gives no loop device: no more devices"),
        ("exit 0", "gives no loop device"),
    ],
)
def test_a_machine_without_loop_devices_says_so(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, words: str
) -> None:
    loops()
    image = ext4(tmp_path)
    tools = tmp_path / "tools"
    tools.mkdir()
    program = tools / "losetup"
    program.write_text(f"#!/bin/sh\n{said}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin")
    told = cli("fix-disk", image)
    assert told.code == 2
    assert words in told.err


def test_a_disk_that_cannot_be_unmounted_is_not_to_be_used_yet(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops()
    image = ext4(tmp_path)
    tools = tmp_path / "tools"
    real = tool("umount", "mount")
    # The real one ends the mount, so that nothing is left behind.
    write(tools / "umount", f'#!/bin/sh\n{real} "$@"; echo target is busy; exit 32\n'.encode())
    (tools / "umount").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin")
    told = cli("fix-disk", image, "--host", "pc1")
    assert told.code == 2
    assert "could not be unmounted, so the image is not to be used yet: target is busy" in told.err
    assert "could not be unmounted" in cli("explain", "pc1").out


def test_a_program_that_does_not_end_is_given_up(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops()
    image = ext4(tmp_path)
    write(tmp_path / "tools/blkid", b"#!/bin/sh\nexec sleep 60\n", mode=0o755)
    monkeypatch.setattr("recovery.disk.image._TIME", 2.0)
    monkeypatch.setenv("PATH", f"{tmp_path / 'tools'}:/usr/sbin:/usr/bin:/sbin:/bin")
    told = cli("fix-disk", image)
    assert told.code == 2
    assert "holds no file system" in told.err
