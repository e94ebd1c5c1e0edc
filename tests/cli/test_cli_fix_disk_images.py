"""`recovery fix-disk` on images: with `-C` not a byte changes, and none is touched that a machine has open."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from recovery.disk.image import mounted
from tests.cli.conftest import Cli
from tests.cli.test_cli_fix_disk import NAME, ext4, listed, loops, qcow2, tool


@pytest.mark.parametrize("make", [ext4, qcow2])
def test_a_check_does_not_write_a_byte_of_an_image(
    cli: Cli, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    loops()
    image = make(tmp_path)
    before = hashlib.sha256(image.read_bytes()).hexdigest()
    told = cli("fix-disk", image, "-C")
    assert told.code == 0, told.err
    assert "1 would be moved" in told.out
    assert hashlib.sha256(image.read_bytes()).hexdigest() == before
    assert cli("fix-disk", image).code == 0
    assert hashlib.sha256(image.read_bytes()).hexdigest() != before


def test_an_image_that_a_machine_has_open_is_refused(cli: Cli, tmp_path: Path) -> None:
    loops()
    image = ext4(tmp_path)
    node = f"driver=raw,node-name=disk,file.driver=file,file.filename={image}"
    export = "type=vhost-user-blk,id=x,node-name=disk,writable=on,addr.type=unix,addr.path="
    with subprocess.Popen(
        [
            *(tool("qemu-storage-daemon", "qemu-utils"), "--blockdev", node),
            *("--export", f"{export}{tmp_path / 'socket'}"),
            *("--pidfile", str(tmp_path / "pid")),
        ],
        stderr=subprocess.PIPE,
    ) as daemon:
        try:
            while not (tmp_path / "pid").exists():
                with pytest.raises(subprocess.TimeoutExpired):
                    daemon.wait(0.05)
            told = cli("fix-disk", image)
            assert told.code == 2
            assert "is open in a virtual machine" in told.err
            assert cli("fix-disk", image, "--held-off").code == 0
        finally:
            daemon.terminate()
    assert NAME not in listed(image, "/CrowdStrike")


def test_an_image_that_is_mounted_elsewhere_is_refused(cli: Cli, tmp_path: Path) -> None:
    """Two mounts that write destroy what is on it."""
    loops()
    image, place = ext4(tmp_path), tmp_path / "mnt"
    place.mkdir()
    subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=True)
    try:
        told = cli("fix-disk", image)
        assert told.code == 2
        assert "is attached to /dev/loop" in told.err
        assert "name the folder" in told.err
        device = told.err.partition("losetup --detach ")[2].split()[0]
        disk = cli("fix-disk", device)
        assert disk.code == 2
        assert "is in use on this machine" in disk.err
        assert (place / "CrowdStrike" / NAME).exists()
    finally:
        subprocess.run(["umount", str(place)], check=True)
    checked = subprocess.run(["e2fsck", "-fn", str(image)], check=False, capture_output=True)
    assert checked.returncode == 0, checked.stdout
    assert cli("fix-disk", image).code == 0


def test_a_disk_that_nobody_uses_is_fixed(cli: Cli, tmp_path: Path) -> None:
    loops()
    image = ext4(tmp_path)
    attach = ["losetup", "--find", "--show", str(image)]
    device = subprocess.run(attach, check=True, capture_output=True, text=True).stdout.strip()
    try:
        told = cli("fix-disk", device)
        assert told.code == 0, told.err
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)
    assert NAME not in listed(image, "/CrowdStrike")


def test_no_machine_gets_the_image_while_it_is_worked_on(cli: Cli, tmp_path: Path) -> None:
    loops()
    image = ext4(tmp_path)
    starts = [tool("qemu-io", "qemu-utils"), "-f", "raw", "-c", "quit", str(image)]
    with mounted(str(image)):
        started = subprocess.run(starts, check=False, capture_output=True, text=True)
    assert started.returncode != 0
    assert "lock" in started.stderr
    assert subprocess.run(starts, check=False, capture_output=True).returncode == 0
