"""What the tests of the dashboard start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.scene import Stage


@pytest.fixture
def stage(tmp_path: Path, home: Path) -> Stage:
    """The fleet before anything has happened."""
    return Stage(tmp_path)
