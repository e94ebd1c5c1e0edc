"""`recovery fix-disk DISK`: the remedy on the disk of a machine that is off."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.needs import missing

BAD, GOOD = 1721362140, 1721366820
"""04:09 UTC and 05:27 UTC of 19 July 2024."""
CONTENT = bytes.fromhex("AAAAAAAA01002301") + bytes(900)
NAME = "C-00000291-00000000-00000032.sys"
WINDOWS = "WINDOWS/system32/Drivers/CrowdStrike"
VAULTS = {
    "windows": "ProgramData/FleetRecovery/quarantine",
    "linux": "var/lib/fleet-recovery/quarantine",
}


def write(path: Path, data: bytes = CONTENT, mtime: float = BAD, mode: int = 0o640) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)
    os.utime(path, (mtime, mtime))
    return path


def windows(root: Path) -> Path:
    (root / "Users").mkdir(parents=True)
    (root / "ProgramData").mkdir()
    return write(root / WINDOWS / NAME)


def linux(root: Path) -> Path:
    write(root / "etc/os-release", b"ID=debian\n")
    return write(root / "CrowdStrike" / NAME)


MAKERS = {"windows": windows, "linux": linux}


def about(path: Path) -> tuple[bytes, int, int, int, int]:
    found = path.stat()
    return path.read_bytes(), found.st_mode, found.st_uid, found.st_gid, found.st_mtime_ns


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    root = tmp_path / "mnt"
    root.mkdir()
    return root


@pytest.mark.parametrize("system", ["windows", "linux"])
def test_bad_files_go_to_the_machines_own_quarantine_and_come_back(
    cli: Cli, disk: Path, system: str
) -> None:
    bad = MAKERS[system](disk)
    other = write(bad.with_name("C-00000285-1.sys"))
    before = about(bad)
    told = cli("fix-disk", disk)
    assert told.code == 0, told.err
    assert f"{system} in" in told.out
    assert "fixed, 1 moved to quarantine" in told.out
    assert not bad.exists()
    assert other.exists()
    (held,) = (disk / VAULTS[system]).glob("*/1.file")
    assert about(held) == before
    again = cli("fix-disk", disk, "-o", "json").document
    assert [(item["outcome"], item["message"]) for item in again] == [
        ("already", "nothing bad, 1 in quarantine already")
    ]
    back = cli("fix-disk", disk, "--undo")
    assert (back.code, about(bad)) == (0, before)
    assert "undone, 1 put back" in back.out
    assert "NOTHING TO UNDO" in cli("fix-disk", disk, "--undo").out


def test_a_check_changes_nothing(cli: Cli, disk: Path) -> None:
    bad = windows(disk)
    told = cli("fix-disk", disk, "-C")
    assert (told.code, bad.exists()) == (0, True)
    assert "exposed, 1 would be moved" in told.out
    assert list((disk / "ProgramData").iterdir()) == []


def test_both_systems_of_a_disk_are_fixed(cli: Cli, disk: Path) -> None:
    windows(disk / "c")
    linux(disk / "d")
    found = cli("fix-disk", disk, "-o", "json").document
    assert [(item["os"], item["place"], item["outcome"]) for item in found] == [
        ("windows", "c/WINDOWS", "fixed"),
        ("linux", "d", "fixed"),
    ]


def test_an_undo_that_was_cut_short_comes_to_its_end(cli: Cli, disk: Path) -> None:
    bad = windows(disk)
    other = write(bad.with_name("C-00000291-2.sys"))
    assert cli("fix-disk", disk).code == 0
    write(other, b"in the way")
    assert cli("fix-disk", disk, "--undo").code == 4
    other.unlink()
    back = cli("fix-disk", disk, "--undo")
    assert (back.code, bad.exists(), other.exists()) == (0, True, True)
    assert "NOTHING TO UNDO" in cli("fix-disk", disk, "--undo").out


def test_a_good_file_means_that_nothing_is_done(cli: Cli, disk: Path) -> None:
    bad = windows(disk)
    write(bad.with_name("C-00000291-1.sys"), mtime=GOOD)
    told = cli("fix-disk", disk)
    assert (told.code, bad.exists()) == (0, True)
    assert "NOTHING MATCHED: a good file is there" in told.out


def test_a_disk_without_bad_files_says_so_aloud(cli: Cli, disk: Path) -> None:
    windows(disk).unlink()
    assert "NOTHING MATCHED: no bad file is there" in cli("fix-disk", disk).out


@pytest.mark.parametrize("link", [WINDOWS, "ProgramData/FleetRecovery"])
def test_links_are_not_followed_out_of_the_disk(
    cli: Cli, disk: Path, tmp_path: Path, link: str
) -> None:
    bad = windows(disk)
    elsewhere = tmp_path / "elsewhere"
    if link == WINDOWS:
        bad.parent.rename(elsewhere)
    else:
        elsewhere.mkdir()
    (disk / link).symlink_to(elsewhere)
    told = cli("fix-disk", disk)
    assert told.code == 4
    assert "is a link, which is not followed" in told.out
    assert [path.name for path in elsewhere.iterdir()] == ([NAME] if link == WINDOWS else [])


def test_undo_never_writes_over_anything(cli: Cli, disk: Path) -> None:
    bad = windows(disk)
    cli("fix-disk", disk)
    write(bad, b"newer")
    told = cli("fix-disk", disk, "--undo")
    assert (told.code, bad.read_bytes()) == (4, b"newer")
    assert "something stands in its place" in told.out
    bad.unlink()
    assert cli("fix-disk", disk, "--undo").code == 0
    assert bad.read_bytes() == CONTENT


def test_undo_refuses_what_was_altered_in_quarantine(cli: Cli, disk: Path) -> None:
    bad = windows(disk)
    cli("fix-disk", disk)
    (held,) = (disk / VAULTS["windows"]).glob("*/1.file")
    held.write_bytes(b"something else")
    told = cli("fix-disk", disk, "--undo")
    assert (told.code, bad.exists()) == (4, False)
    assert "is not what was moved there" in told.out
    held.unlink()
    assert "cannot be read" in cli("fix-disk", disk, "--undo").out


@pytest.mark.parametrize(
    "path",
    [r"C:\Windows\System32\config\SAM", r"%WINDIR%\System32\drivers\CrowdStrike\..\evil", "/etc/passwd"],
)  # fmt: skip
def test_a_manifest_that_names_another_place_leads_nowhere(cli: Cli, disk: Path, path: str) -> None:
    windows(disk)
    cli("fix-disk", disk)
    (manifest,) = (disk / VAULTS["windows"]).glob("*/manifest")
    octal = "".join(f"\\0{byte:03o}" for byte in path.encode())
    text = manifest.read_text()
    manifest.write_text(re.sub(r"\\0.*", lambda _: octal, text))
    told = cli("fix-disk", disk, "--undo")
    assert told.code == 4
    assert "did not come from the artifact's folder" in told.out


@pytest.mark.parametrize("damage", ["", "fleet-recovery 1 00\nend 0\n", "x" * 2000, "\xff"])
def test_a_manifest_that_is_damaged_or_of_others_is_left_alone(
    cli: Cli, disk: Path, damage: str
) -> None:
    windows(disk)
    cli("fix-disk", disk)
    (manifest,) = (disk / VAULTS["windows"]).glob("*/manifest")
    first = manifest.read_text().splitlines()[0]
    manifest.write_text(damage or f"{first}\nnonsense\nend 1\n")
    assert "NOTHING TO UNDO" in cli("fix-disk", disk, "--undo").out


def test_what_is_no_disk_is_refused(cli: Cli, disk: Path) -> None:
    told = cli("fix-disk", disk)
    assert (told.code, "holds neither a Windows folder nor a Linux" in told.err) == (2, True)
    assert cli("fix-disk", disk / "nothing").code == 2
    (disk / "small").write_bytes(b"x")
    assert "is no disk image" in cli("fix-disk", disk / "small").err


def test_a_profile_without_a_file_remedy_is_refused(cli: Cli, disk: Path) -> None:
    windows(disk)
    told = cli(
        "fix-disk",
        disk,
        "--incident",
        "sentinelone",
        "--param",
        "version=1.2.3.4",
        "--param",
        "began=2026-01-15T09:00:00Z",
    )
    assert told.code == 2
    assert "no remedy for windows that moves files away" in told.err


def test_a_key_that_is_none_is_refused_and_not_repeated(
    cli: Cli, disk: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    windows(disk)
    given = tmp_path / "key"
    given.write_text("12345-not-a-key\n")
    with given.open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        told = cli("fix-disk", disk, "--key-stdin")
    assert told.code == 2
    assert "eight groups of six digits" in told.err
    assert "12345" not in told.err


# --- images -----------------------------------------------------------------------------------------------------------


def tool(name: str, package: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        missing(f"{name} of the package {package}")
    return found


def loops() -> None:
    """Images are mounted by root, where there are loop devices."""
    if os.geteuid() != 0 or not Path("/dev/loop-control").exists():
        missing("root and loop devices")
    done = subprocess.run([tool("losetup", "mount"), "--find"], capture_output=True, check=False)
    if done.returncode != 0:
        missing("a free loop device")


def ext4(tmp_path: Path, size: str = "16M") -> Path:
    tree, image = tmp_path / "tree", tmp_path / "disk.raw"
    linux(tree)
    command = [tool("mkfs.ext4", "e2fsprogs"), "-q", "-F", "-d", str(tree), str(image), size]
    subprocess.run(command, check=True)
    return image


def listed(image: Path, folder: str) -> str:
    command = [tool("debugfs", "e2fsprogs"), "-R", f"ls -p {folder}", str(image)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_raw_image_is_fixed_and_let_go_of(cli: Cli, tmp_path: Path) -> None:
    loops()
    image = ext4(tmp_path)
    told = cli("fix-disk", image)
    assert told.code == 0, told.err
    assert NAME not in listed(image, "/CrowdStrike")
    assert "offline-" in listed(image, "/var/lib/fleet-recovery/quarantine")
    assert cli("fix-disk", image, "--undo").code == 0
    assert NAME in listed(image, "/CrowdStrike")
    held = [one.read_text() for one in Path("/sys/block").glob("loop*/loop/backing_file")]
    assert not [name for name in held if str(tmp_path) in name]


def test_a_partition_of_an_image_is_found(cli: Cli, tmp_path: Path) -> None:
    loops()
    inner = ext4(tmp_path)
    image = tmp_path / "whole.raw"
    start, sectors = 2048, inner.stat().st_size // 512
    record = bytearray(512)
    record[446 + 4] = 0x83
    record[446 + 8 : 446 + 16] = start.to_bytes(4, "little") + sectors.to_bytes(4, "little")
    record[510:] = b"\x55\xaa"
    image.write_bytes(bytes(record) + bytes((start - 1) * 512) + inner.read_bytes())
    told = cli("fix-disk", image)
    assert told.code == 0, told.err
    assert "fixed, 1 moved" in told.out


def qcow2(tmp_path: Path, name: str = "disk.qcow2") -> Path:
    """The same volume in a form that only QEMU reads."""
    if not Path("/dev/fuse").exists():
        missing("FUSE")
    tool("qemu-storage-daemon", "qemu-utils")
    inner, image = ext4(tmp_path), tmp_path / name
    program = tool("qemu-img", "qemu-utils")
    subprocess.run([program, "convert", "-O", "qcow2", str(inner), str(image)], check=True)
    return image


@pytest.mark.parametrize("name", ["disk.qcow2", "disk,force-share=on,,.qcow2"])
def test_a_qcow2_image_is_fixed(cli: Cli, tmp_path: Path, name: str) -> None:
    loops()
    image = qcow2(tmp_path, name)
    told = cli("fix-disk", image)
    assert told.code == 0, told.err
    back = tmp_path / "back.raw"
    convert = [tool("qemu-img", "qemu-utils"), "convert", "-O", "raw"]
    subprocess.run([*convert, str(image), str(back)], check=True)
    assert NAME not in listed(back, "/CrowdStrike")


def test_a_windows_volume_is_fixed(cli: Cli, tmp_path: Path) -> None:
    loops()
    image, place = tmp_path / "c.raw", tmp_path / "c"
    with image.open("wb") as file:
        file.truncate(32 * 1024 * 1024)
    make = [tool("mkntfs", "ntfs-3g"), "-q", "-F", str(image)]
    subprocess.run(make, check=True, capture_output=True)
    place.mkdir()
    subprocess.run([tool("ntfs-3g", "ntfs-3g"), str(image), str(place)], check=True)
    try:
        windows(place)
    finally:
        subprocess.run([tool("umount", "mount"), str(place)], check=True)
    told = cli("fix-disk", image)
    assert told.code == 0, told.err
    assert "windows in WINDOWS: fixed, 1 moved" in told.out
    assert cli("fix-disk", image, "--undo").code == 0


def test_an_image_without_a_system_says_what_is_on_it(cli: Cli, tmp_path: Path) -> None:
    loops()
    image = tmp_path / "empty.raw"
    image.write_bytes(bytes(4 * 1024 * 1024))
    assert "holds no file system" in cli("fix-disk", image).err
    command = [tool("mkfs.ext4", "e2fsprogs"), "-q", "-F", str(image)]
    subprocess.run(command, check=True)
    assert "no Windows and no Linux on it" in cli("fix-disk", image).err


def test_a_bitlocker_volume_without_a_key_is_refused(cli: Cli, tmp_path: Path) -> None:
    loops()
    image = tmp_path / "locked.raw"
    header = b"\xeb\x58\x90-FVE-FS-\x00\x02\x08\x00"
    sector = bytearray(512)
    sector[: len(header)] = header
    sector[510:] = b"\x55\xaa"
    image.write_bytes(bytes(sector) + bytes(8 * 1024 * 1024))
    told = cli("fix-disk", image)
    assert told.code == 2
    assert "is locked by BitLocker: give its recovery password" in told.err


@pytest.mark.parametrize(
    ("number", "words"),
    [(30, "mounted read-only"), (18, "another file system"), (5, "Input/output")],
)
def test_a_disk_that_takes_nothing_says_why(
    cli: Cli, disk: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    bad = windows(disk)

    def refuse(self: Path, target: Path) -> Path:
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "rename", refuse)
    told = cli("fix-disk", disk)
    assert (told.code, bad.exists()) == (4, True)
    assert words in told.out


def test_an_image_needs_root(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = tmp_path / "disk.raw"
    image.write_bytes(bytes(4096))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert "only root can mount an image" in cli("fix-disk", image).err
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "losetup is not installed (Debian: mount)" in cli("fix-disk", image).err
