"""`recovery fix-disk` beside a program that writes to the disk as well."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from recovery.disk import vault
from recovery.errors import InputError
from tests.cli.conftest import Cli
from tests.cli.test_cli_fix_disk import NAME, VAULTS, windows, write

REAL = vault.digest_of
SECOND = "C-00000291-00000000-00000033.sys"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    root = tmp_path / "mnt"
    root.mkdir()
    return root


def test_a_file_that_changes_while_it_is_looked_at_stays(
    cli: Cli, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = windows(disk)
    second = write(bad.with_name(SECOND))

    def slow(path: Path) -> tuple[str, os.stat_result]:
        found = REAL(path)
        if path == bad:
            path.write_bytes(b"written meanwhile")
        return found

    monkeypatch.setattr(vault, "digest_of", slow)
    told = cli("fix-disk", disk)
    assert told.code == 4
    assert "refused, 1 moved to quarantine" in told.out
    assert f"{NAME}: it changed while it was looked at" in told.out
    assert bad.read_bytes() == b"written meanwhile"
    assert not second.exists()
    (manifest,) = (disk / VAULTS["windows"]).glob("*/manifest")
    assert manifest.read_text().endswith("end 1\n")
    monkeypatch.undo()
    assert cli("fix-disk", disk, "--undo").code == 0
    assert second.exists()


def test_a_file_that_cannot_be_read_is_said_and_the_others_are_moved(
    cli: Cli, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = windows(disk)
    second = write(bad.with_name(SECOND))

    def broken(path: Path) -> tuple[str, os.stat_result]:
        if path == bad:
            raise InputError("cannot be read: Input/output error", file=str(path))
        return REAL(path)

    monkeypatch.setattr(vault, "digest_of", broken)
    told = cli("fix-disk", disk)
    assert told.code == 4
    assert "cannot be read: Input/output error" in told.out
    assert (bad.exists(), second.exists()) == (True, False)


def test_a_place_in_quarantine_that_is_taken_is_not_written_over(
    cli: Cli, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = windows(disk)
    real = vault.write

    def busy(path: Path, text: str) -> None:
        real(path, text)
        if path.name == "manifest":
            path.with_name("1.file").write_bytes(b"of another")

    monkeypatch.setattr(vault, "write", busy)
    told = cli("fix-disk", disk)
    assert told.code == 4
    assert "its place in quarantine is taken" in told.out
    assert bad.exists()
