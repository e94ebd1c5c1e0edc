"""Machines for the tests of the scripts, in each of the shells."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.needs import need
from tests.unit.remote.shells import Machine, Shell


@pytest.fixture(params=["dash", "bash", "busybox"])
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    """A `sh` as endpoints have it."""
    need("linux")
    return Shell(request.param, tmp_path / "tools")


@pytest.fixture
def machine(shell: Shell, tmp_path: Path) -> Machine:
    """A machine whose two folders are on one file system."""
    return Machine(shell, tmp_path)


@pytest.fixture(params=["same file system", "other file system"])
def any_machine(shell: Shell, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Machine]:
    """Machines that can rename into quarantine, and such that have to copy."""
    if request.param == "same file system":
        yield Machine(shell, tmp_path)
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        assert Path(other).stat().st_dev != tmp_path.stat().st_dev
        yield Machine(shell, tmp_path, Path(other) / "quarantine")
