"""What builds the lab keeps to its own folders and says what it lacks."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest

from tests.lab import tools
from tests.lab.archive import Cpio, load_order
from tests.lab.disk import BAD_MTIME, channel_file, make_disk, read_files
from tests.lab.fleet import Lab
from tests.lab.guest import Guest, GuestSpec
from tests.lab.image import Image, _needed, _place
from tests.lab.tools import LabUnavailableError, check_machine, output

LISTING = """\
\tlinux-vdso.so.1 (0x00007ffd7b5c8000)
\tlibz.so.1 => /cache/unpacked/lib/x86_64-linux-gnu/libz.so.1 (0x00007f0000000000)
\t/lib64/ld-linux-x86-64.so.2 => /cache/unpacked/lib/ld-linux-x86-64.so.2 (0x00007f0000100000)
"""


def test_the_loader_of_a_listing_is_not_taken_for_a_library() -> None:
    found = [("libz.so.1", Path("/cache/unpacked/lib/x86_64-linux-gnu/libz.so.1"))]
    assert list(_needed(LISTING)) == found


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree" / "lib").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "source").write_bytes(b"new")
    return tmp_path / "tree"


@pytest.mark.parametrize("name", ["{outside}/file", "../outside/file", "lib/out/file"])
def test_nothing_is_placed_outside_the_tree(tree: Path, name: str) -> None:
    outside = tree.parent / "outside"
    (tree / "lib" / "out").symlink_to(outside)
    with pytest.raises(ValueError, match="outside the tree"):
        _place(tree.parent / "source", tree, name.format(outside=outside))
    assert list(outside.iterdir()) == []


def test_nothing_that_is_there_is_overwritten_even_behind_a_link(tree: Path) -> None:
    victim = tree.parent / "outside" / "victim"
    victim.write_bytes(b"old")
    (tree / "lib" / "file").symlink_to(victim)
    with pytest.raises(FileExistsError):
        _place(tree.parent / "source", tree, "lib/file")
    assert victim.read_bytes() == b"old"


def test_modules_come_after_what_they_depend_on(tmp_path: Path) -> None:
    folder = tmp_path / "kernel" / "drivers"
    folder.mkdir(parents=True)
    for name, needs in {
        "net": b"failover,ring",
        "failover": b"",
        "ring": b"",
        "other": b"",
    }.items():
        (folder / f"{name}.ko").write_bytes(b"\0license=GPL\0depends=" + needs + b"\0")
    order = [name for name, _ in load_order(tmp_path, ("net", "built_in", "ring"))]
    assert order == ["failover", "ring", "net"]


def test_the_archive_is_one_that_others_read(tmp_path: Path) -> None:
    archive = Cpio()
    archive.directory("folder")
    archive.file("folder/odd", b"12345", 0o755)
    data = archive.finish()
    assert data.startswith(b"070701")
    assert len(data) % 4 == 0
    at = data.index(b"folder/odd\0") - 110
    mode, size, name_size = (int(data[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in (1, 6, 11))
    assert (mode, size, name_size) == (0o100755, 5, 11)
    assert data[at + 124 : at + 129] == b"12345"


def test_a_channel_file_begins_with_magic_one_and_channel() -> None:
    assert struct.unpack("<IHH", channel_file(291)[:8]) == (0xAAAAAAAA, 1, 291)


def test_missing_programs_are_named_by_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "PACKAGES", {"no-such-program": "its-package", "sh": "dash"})
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    with pytest.raises(LabUnavailableError, match=r"packages: its-package$"):
        check_machine()


def test_another_processor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(LabUnavailableError, match="x86-64 Linux, this is aarch64"):
        check_machine()


def test_a_tools_complaint_is_handed_on() -> None:
    with pytest.raises(LabUnavailableError, match="sh: no disk"):
        output(["sh", "-c", "echo first >&2; echo no disk >&2; exit 3"])


@pytest.mark.lab
@pytest.mark.slow
def test_a_disk_belongs_to_root_and_keeps_its_times(lab_image: Image, tmp_path: Path) -> None:
    make_disk(lab_image, tmp_path / "d.ext4", bad=True, own={"etc/hostname": b"me\n"})
    (bad,) = (
        file
        for path, file in read_files(tmp_path / "d.ext4", "/CrowdStrike").items()
        if "291" in path
    )
    assert (bad.uid, bad.gid, bad.mode, bad.mtime_ns) == (0, 0, 0o644, BAD_MTIME * 10**9)
    assert read_files(tmp_path / "d.ext4", "/etc")["/etc/hostname"].mode == 0o600


@pytest.mark.lab
@pytest.mark.slow
def test_a_guest_that_cannot_start_says_why(lab_image: Image, tmp_path: Path) -> None:
    guest = Guest(GuestSpec("none", None), lab_image, tmp_path, "127.77.0.1", 2201)
    with pytest.raises(LabUnavailableError, match=r"none\.ext4"):
        guest.start()


@pytest.mark.lab
@pytest.mark.slow
def test_a_guest_that_hangs_is_ended(
    lab_image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(path: Path) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr("tests.lab.guest.Monitor", hang)
    with pytest.raises(LabUnavailableError, match="QEMU hangs"), Lab(lab_image, tmp_path) as lab:
        pytest.fail(f"{lab} started")
    assert not any(str(tmp_path) in command for command in _commands())


def _commands() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [command for command in found if command.startswith("qemu")]
