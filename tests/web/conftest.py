"""The page, and people in front of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from recovery.model.field_events import Role
from tests.web.field_scene import Browser, Scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def ann(scene: Scene) -> Browser:
    return scene.browser("ann")


@pytest.fixture
def bob(scene: Scene) -> Browser:
    return scene.browser("bob")


@pytest.fixture
def lea(scene: Scene) -> Browser:
    return scene.browser("lea", Role.LEAD)


@pytest.fixture
def vic(scene: Scene) -> Browser:
    return scene.browser("vic", Role.VIEWER)
