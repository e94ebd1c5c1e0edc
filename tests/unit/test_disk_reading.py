"""Disks that fail while they are read: what cannot be read is said, and never taken for clean."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import msgspec
import pytest

from recovery.disk import finding, install, linux, windows
from recovery.disk.finding import entries, folders, link_at, modified, modified_at, root_of
from recovery.disk.install import list_artifact
from recovery.disk.opening import open_file
from recovery.errors import InputError
from recovery.model.incident import Artifact, Incident
from recovery.playbook.incidents import parse_incident
from recovery.playbook.library import read_incident

NOW = datetime(2024, 7, 19, 8, 0, tzinfo=UTC)
INCIDENT: Incident = parse_incident(*read_incident("crowdstrike-291"))
ARTIFACT: Artifact = INCIDENT.platforms["windows"].artifact
NAME = "C-00000291-00000000-00000032.sys"


class FailingEntry:
    """What a directory entry does on a medium that fails."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = str(path), path.name

    def fail(self, **_: Any) -> Any:
        raise OSError(5, "Input/output error", self.path)

    is_file = is_dir = stat = fail


def failing(path: Path) -> os.DirEntry[str]:
    entry: Any = FailingEntry(path)
    found: os.DirEntry[str] = entry
    return found


def test_entries_that_cannot_be_looked_at_are_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = failing(tmp_path / "x")
    assert finding.is_file(broken) is False
    assert modified(broken) == 0.0
    assert modified_at(tmp_path / "gone") == 0.0
    assert entries(tmp_path / "gone") == []
    monkeypatch.setattr(finding, "entries", lambda _: [broken])
    assert list(folders(tmp_path)) == []


def test_no_more_of_a_folder_is_looked_at_than_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        (tmp_path / f"f{number}").touch()
    monkeypatch.setattr(finding, "MOST", 3)
    assert len(entries(tmp_path)) == 3


def test_links_are_told_from_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/B").symlink_to("/etc")
    assert link_at(tmp_path, "a", "b") == tmp_path / "a/B"
    assert link_at(tmp_path, "a", "c") is None
    assert link_at(tmp_path, "a") is None


@pytest.mark.parametrize(
    ("name", "words"),
    [("gone", "no such file"), ("file", "is not a folder"), ("a\0b", "that is no folder's name")],
)
def test_what_is_no_folder_is_refused(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=words):
        root_of(str(tmp_path / name))


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    with open_file(tmp_path / "link") as stream:
        assert stream.read() == b"x"
    for name, follow, words in (
        ("link", False, "cannot be read"),
        ("pipe", True, "is not a regular file"),
        (".", True, "is a folder"),
        ("a\0b", True, "that is no file name"),
    ):
        with pytest.raises(InputError, match=words):
            open_file(tmp_path / name, follow=follow)


def test_an_artifacts_folder_that_hides_something_is_not_called_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed(folder: Path | None = tmp_path) -> Any:
        return list_artifact(ARTIFACT, folder, case=False, at=NOW)

    assert (listed(None).exists, listed(None).bad) == (False, False)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        listed(tmp_path / "gone")
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME.replace("32", "33")).symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / NAME.replace("32", "34"))
    assert [file.state for file in listed().files] == ["directory", "link", "other"]
    monkeypatch.setattr(install, "_MOST_FILES", 2)
    with pytest.raises(InputError, match="more than 2 files have the artifact's name"):
        listed()
    monkeypatch.setattr(install, "_MOST_NAMES", 2)
    with pytest.raises(InputError, match="holds more than 2 files"):
        listed()


def test_a_file_that_fails_while_it_is_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).write_bytes(b"x")

    class Bad:
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing."""

        def read(self, _size: int) -> bytes:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(install, "open_file", lambda *_, **__: Bad())
    with pytest.raises(InputError, match="cannot be read: Input/output error"):
        list_artifact(ARTIFACT, tmp_path, case=False, at=NOW)


def plant(root: Path) -> Path:
    (root / "etc").mkdir(parents=True)
    (root / "etc/os-release").write_text("ID=debian\n")
    return root


def test_a_linux_says_what_it_could_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = plant(tmp_path)
    (root / "etc/hostname").write_text("pc\x1b1\n")
    kept = root / "var/lib/systemd/pstore/a/b"
    kept.mkdir(parents=True)
    for number in range(3):
        (kept / f"dmesg-{number}").write_text("quiet\n")
    (kept / "dmesg-9").write_text("x\nKernel panic - not syncing: \x07here\n")
    monkeypatch.setattr(linux, "_MOST", 3)
    real = open_file

    def broken(path: Path, **words: Any) -> Any:
        if path.name == "dmesg-2":
            raise InputError("cannot be read: input/output error", file=str(path))
        return real(path, **words)

    for number in range(3):
        os.utime(kept / f"dmesg-{number}", (number, number))
    monkeypatch.setattr(linux, "open_file", broken)
    found = linux.examine(root, root, INCIDENT, NOW)
    assert found.name == ""
    assert [crash.text for crash in found.crashes] == ["Kernel panic - not syncing: here"]
    assert "only the newest 3 of 4 kept kernel messages were read" in found.problems
    assert any("input/output error" in problem for problem in found.problems)
    assert len(found.read) == 2


@pytest.mark.parametrize("system", ["linux", "windows"])
def test_an_artifact_that_is_no_file_cannot_be_told_from_a_disk(
    tmp_path: Path, system: str
) -> None:
    name = "kernel-panic-linux" if system == "linux" else "kb5058379"
    incident = parse_incident(*read_incident(name))
    plant(tmp_path / "l")
    (tmp_path / "w/Windows/System32").mkdir(parents=True)
    found = (
        linux.examine(tmp_path / "l", tmp_path, incident, NOW)
        if system == "linux"
        else windows.examine(tmp_path / "w/Windows", tmp_path, incident, NOW, lambda: False)
    )
    assert found.listing is None
    assert any("cannot be told from the disk alone" in problem for problem in found.problems)


def test_a_linked_folder_tells_nothing(tmp_path: Path) -> None:
    root = plant(tmp_path)
    directory = INCIDENT.platforms["linux"].artifact.directory.strip("/")
    (root / directory).parent.mkdir(parents=True, exist_ok=True)
    (root / directory).symlink_to("/etc")
    found = linux.examine(root, root, INCIDENT, NOW)
    assert found.listing is None
    assert any("is a link, which is not followed" in problem for problem in found.problems)


def test_a_windows_says_what_it_could_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "Windows"
    logs = folder / "System32/winevt/Logs"
    logs.mkdir(parents=True)
    (logs / "System.evtx").write_bytes(b"ElfFile")
    (folder / "MEMORY.DMP").mkdir()
    (folder / "Minidump").mkdir()
    (folder / "Minidump/a.dmp").write_bytes(b"PAGEDU64")
    real = open_file

    def broken(path: Path, **words: Any) -> Any:
        if path.suffix in (".evtx", ".dmp"):
            raise InputError("cannot be read: input/output error", file=str(path))
        return real(path, **words)

    monkeypatch.setattr(windows, "open_file", broken)
    found = windows.examine(folder, tmp_path, INCIDENT, NOW, lambda: False)
    said = "; ".join(found.problems)
    assert "System.evtx: cannot be read: input/output error" in said
    assert "a.dmp: cannot be read: input/output error" in said
    assert "MEMORY.DMP: is a folder, and no dump" in said
    assert found.read == ()


@pytest.mark.parametrize(
    ("directory", "place"),
    [
        ("%WINDIR%\\Temp", ("Windows", ["Temp"])),
        ("%ProgramData%\\X", (".", ["ProgramData", "X"])),
        ("C:\\X", (".", ["X"])),
        ("%TEMP%\\X", None),
    ],
)
def test_where_a_folder_of_a_profile_lies_on_a_disk(
    tmp_path: Path, directory: str, place: tuple[str, list[str]] | None
) -> None:
    found = windows.place_of(tmp_path / "Windows", tmp_path, directory)
    assert found == (None if place is None else (tmp_path / place[0], place[1]))
    whole = windows.place_of(tmp_path, tmp_path, directory)
    assert (whole is None) is (place is None)


def test_a_profile_whose_folder_no_disk_has_is_said(tmp_path: Path) -> None:
    (tmp_path / "Windows").mkdir()
    own = INCIDENT.platforms["windows"]
    artifact = msgspec.structs.replace(own.artifact, directory="%TEMP%\\X")
    platforms = {"windows": msgspec.structs.replace(own, artifact=artifact)}
    incident = msgspec.structs.replace(INCIDENT, platforms=platforms)
    found = windows.examine(tmp_path / "Windows", tmp_path, incident, NOW, lambda: False)
    assert found.listing is None
    assert "%TEMP%\\X has no place on a disk that does not run" in found.problems
