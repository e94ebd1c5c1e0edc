"""`recovery fix-disk` with images that are broken, and on machines that lack a part of what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.test_cli_fix_disk import ext4, loops, tool, windows, write
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


@pytest.mark.parametrize(("head", "code"), [(b"hibr", 4), (b"HIBR", 4), (b"wake", 0), (b"", 0)])
def test_a_windows_that_has_hibernated_is_left_alone(
    cli: Cli, tmp_path: Path, head: bytes, code: int
) -> None:
    """It goes on from its memory, which knows of the disk as it was."""
    bad = windows(tmp_path / "c")
    write(tmp_path / "c" / "Hiberfil.sys", head.ljust(4096, b"\0"))
    told = cli("fix-disk", tmp_path)
    assert (told.code, bad.exists()) == (code, code == 4)
    if code:
        assert "has hibernated (Fast Startup)" in told.out
        assert cli("fix-disk", tmp_path, "-C").code == 0
        assert not list((tmp_path / "c" / "ProgramData").iterdir())


def test_nothing_is_put_back_into_a_windows_that_has_hibernated(cli: Cli, tmp_path: Path) -> None:
    bad = windows(tmp_path / "c")
    assert cli("fix-disk", tmp_path).code == 0
    asleep = write(tmp_path / "c" / "hiberfil.sys", b"hibr".ljust(4096, b"\0"))
    told = cli("fix-disk", tmp_path, "--undo")
    assert (told.code, bad.exists()) == (4, False)
    assert "has hibernated (Fast Startup)" in told.out
    asleep.unlink()
    assert cli("fix-disk", tmp_path, "--undo").code == 0
    assert bad.exists()


def test_the_system_that_runs_here_is_no_disk_of_another_machine(cli: Cli) -> None:
    for act in ((), ("--undo",)):
        told = cli("fix-disk", "/", *act)
        assert (told.code, "is the system that runs here" in told.err) == (2, True)
