"""`recovery fix-disk` with images that are broken, and on machines that lack a part of what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.test_cli_fix_disk import ext4, loops, tool
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
