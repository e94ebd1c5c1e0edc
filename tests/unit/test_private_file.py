"""Files that hold secrets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from recovery import private_file


def test_what_is_written_is_its_owners_alone_and_never_over_another(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    private_file.write(path, b"abc")
    assert path.stat().st_mode & 0o777 == 0o600
    assert private_file.read(path, 2) == b"abc"
    with pytest.raises(FileExistsError):
        private_file.write(path, b"other")


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o601])
def test_a_file_that_others_may_use_is_refused(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    private_file.write(path, b"abc")
    path.chmod(mode)
    with pytest.raises(ValueError, match="chmod 600"):
        private_file.read(path, 9)


def test_a_pipe_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    with pytest.raises(ValueError, match="is not a file"):
        private_file.read(path, 9)
