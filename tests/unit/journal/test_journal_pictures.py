"""Pictures beside the journal: bounded, named by what they hold, and never taken for another."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from recovery.errors import JournalError
from recovery.journal.pictures import Pictures
from recovery.ports import PICTURE_LIMIT

PNG = b"\x89PNG\r\n\x1a\n"


def names(pictures: Pictures, host: str) -> list[str]:
    return [path.name.partition("-")[0] for path in pictures.find(host)]


def test_the_first_crash_and_the_newest_picture_stay(tmp_path: Path) -> None:
    pictures = Pictures(str(tmp_path / "j.db"))
    first = pictures.keep("a", PNG + b"boot", crash=False)
    crash = pictures.keep("a", PNG + b"crash", crash=True)
    pictures.keep("a", PNG + b"crash again", crash=True)
    newest = pictures.keep("a", b"\xff\xd8\xffsign in", crash=False)
    found = pictures.find("a")
    assert names(pictures, "a") == ["crash", "newest"]
    assert [path.read_bytes() for path in found] == [PNG + b"crash", b"\xff\xd8\xffsign in"]
    assert [path.suffix for path in found] == [".png", ".jpg"]
    assert crash in found[0].name
    assert newest in found[1].name
    assert pictures.find("a", crash) == found[:1]
    assert pictures.find("a", first) == []
    assert newest == hashlib.sha256(b"\xff\xd8\xffsign in").hexdigest()


def test_hosts_do_not_share_pictures_and_their_names_are_no_paths(tmp_path: Path) -> None:
    pictures = Pictures(str(tmp_path / "j.db"))
    pictures.keep("../../evil", PNG, crash=False)
    pictures.keep("b", PNG, crash=False)
    assert {path.parent.parent for path in pictures.find("../../evil")} == {pictures.folder}
    assert pictures.find("c") == []
    assert len(list(pictures.folder.iterdir())) == 2


def test_the_same_picture_again_changes_nothing(tmp_path: Path) -> None:
    pictures = Pictures(str(tmp_path / "j.db"))
    pictures.keep("a", PNG, crash=True)
    before = [path.stat().st_mtime_ns for path in pictures.find("a")]
    pictures.keep("a", PNG, crash=True)
    assert [path.stat().st_mtime_ns for path in pictures.find("a")] == before


def test_a_picture_that_was_altered_is_not_shown(tmp_path: Path) -> None:
    pictures = Pictures(str(tmp_path / "j.db"))
    pictures.keep("a", PNG, crash=False)
    (path,) = pictures.find("a")
    path.write_bytes(PNG + b"!")
    assert pictures.find("a") == []
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert pictures.find("a") == []
    path.unlink()
    path.symlink_to(tmp_path / "nothing")
    assert pictures.find("a") == []


def test_what_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "j.db.pictures").write_text("in the way")
    with pytest.raises(JournalError, match="a picture of a cannot be kept"):
        Pictures(str(tmp_path / "j.db")).keep("a", PNG, crash=False)
    with pytest.raises(JournalError, match="more than"):
        Pictures(str(tmp_path / "k.db")).keep("a", b"\0" * (PICTURE_LIMIT + 1), crash=False)


def test_a_picture_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = Pictures(str(tmp_path / "j.db"))
    pictures.keep("a", PNG, crash=False)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        with pytest.raises(JournalError, match="No space left"):
            pictures.keep("a", PNG + b"more", crash=False)
    assert [path.read_bytes() for path in pictures.find("a")] == [PNG]
    assert not [path for path in pictures.folder.rglob("*") if path.name.startswith(".partial")]


def test_a_picture_that_goes_away_while_it_is_looked_at_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = Pictures(str(tmp_path / "j.db"))
    pictures.keep("a", PNG, crash=False)

    def gone(path: Path) -> bytes:
        raise FileNotFoundError(2, "No such file", str(path))

    monkeypatch.setattr(Path, "read_bytes", gone)
    assert pictures.find("a") == []
