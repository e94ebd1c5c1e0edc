"""`recovery fix-disk` on a disk that BitLocker has locked."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.test_cli_fix_disk import ext4, loops, tool, write

KEY = "-".join(["123456"] * 8)


def stand_in(tools: Path, folder: Path, mapper: Path, *, accepts: bool) -> Path:
    """A cryptsetup that notes what it is given, since not every machine has a device mapper."""
    opens = f"ln -s {folder / 'loop'} {mapper}/$name" if accepts else "exit 2"
    script = f"""#!/bin/sh
echo "$@" >>{folder}/words
case $1 in
  close) rm -f {mapper}/$2; exit ;;
esac
cat >{folder}/input
for name; do :; done
{opens}
"""
    return write(tools / "cryptsetup", script.encode(), mode=0o755)


@pytest.mark.parametrize(
    ("accepts", "words"), [(False, "was not accepted"), (True, "fixed, 1 moved")]
)
def test_a_recovery_password_goes_through_standard_input_alone(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accepts: bool, words: str
) -> None:
    loops()
    inner, mapper, tools = ext4(tmp_path), tmp_path / "mapper", tmp_path / "tools"
    mapper.mkdir()
    (mapper / "control").touch()
    program = stand_in(tools, tmp_path, mapper, accepts=accepts)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr("recovery.disk.image.MAPPER", mapper)
    image = tmp_path / "locked.raw"
    image.write_bytes(b"\xeb\x58\x90-FVE-FS-" + bytes(1024 * 1024))
    (tmp_path / "key").write_text(KEY.replace("-", "") + "\n")
    losetup = [tool("losetup", "mount"), "--find", "--show", str(inner)]
    device = subprocess.run(losetup, capture_output=True, text=True, check=True).stdout.strip()
    (tmp_path / "loop").symlink_to(device)
    try:
        with (tmp_path / "key").open() as stdin:
            monkeypatch.setattr("sys.stdin", stdin)
            told = cli("fix-disk", image, "--key-stdin")
    finally:
        subprocess.run([losetup[0], "--detach", device], check=True)
    assert words in told.out + told.err
    assert (tmp_path / "input").read_text() == KEY
    said = (tmp_path / "words").read_text()
    assert said.startswith("open --type bitlk --key-file - /dev/loop")
    assert "123456" not in said + told.out + told.err
    assert not list(mapper.glob("recovery-*"))


def test_a_password_that_takes_too_long_to_try_is_given_up(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops()
    tools = write(tmp_path / "tools/cryptsetup", b"#!/bin/sh\nexec sleep 60\n", mode=0o755).parent
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    mapper = tmp_path / "mapper"
    mapper.mkdir()
    (mapper / "control").touch()
    monkeypatch.setattr("recovery.disk.image.MAPPER", mapper)
    monkeypatch.setattr("recovery.disk.image._UNLOCKING", 0.2)
    image = tmp_path / "locked.raw"
    image.write_bytes(b"\xeb\x58\x90-FVE-FS-" + bytes(1024 * 1024))
    (tmp_path / "key").write_text(KEY)
    with (tmp_path / "key").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        told = cli("fix-disk", image, "--key-stdin")
    assert (told.code, "cryptsetup did not end within 0.2 s" in told.err) == (2, True)
    assert "123456" not in told.out + told.err


def test_a_machine_without_a_device_mapper_refuses_in_words(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops()
    tools = write(tmp_path / "tools/cryptsetup", b"#!/bin/sh\n", mode=0o755).parent
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setattr("recovery.disk.image.MAPPER", tmp_path / "none")
    image = tmp_path / "locked.raw"
    image.write_bytes(b"\xeb\x58\x90-FVE-FS-" + bytes(1024 * 1024))
    (tmp_path / "key").write_text(KEY)
    with (tmp_path / "key").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        told = cli("fix-disk", image, "--key-stdin")
    assert (told.code, "no device mapper" in told.err) == (2, True)
