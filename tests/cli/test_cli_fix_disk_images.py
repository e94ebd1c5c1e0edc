"""`recovery fix-disk` on images: with `-C` not a byte changes, and none is touched that a machine has open."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

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
