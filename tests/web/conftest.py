"""The page, and people in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recovery.model.field_events import Role
from recovery.service.field_desk import FieldDesk
from recovery.settings import load
from tests.unit.desk.key_cases import write_keys
from tests.web.field_scene import KEYS, Browser, Scene
from tests.web.served import Served


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


@pytest.fixture
def office(home: Path) -> Path:
    """A home with settings, a table of keys, and two machines at the desk."""
    table = write_keys(home / "keys.csv", KEYS)
    settings = home / "settings.yaml"
    settings.write_text(
        f"journal: {home / 'journal.db'}\n"
        f"keys: {{show_for: 2m, sources: [{{kind: csv, path: {table}}}]}}\n"
    )
    desk = FieldDesk(load(str(settings)).settings)
    desk.add(["atl-kiosk-03", "atl-kiosk-04"], "blue screen", site="ATL", location="T3 gate A")
    return home


@pytest.fixture
def serve(office: Path) -> Iterator[Callable[..., Served]]:
    """Starts pages; none outlives its test."""
    begun: list[Served] = []

    def start(*words: str) -> Served:
        begun.append(Served(office, *words))
        return begun[-1]

    yield start
    for served in begun:
        served.end()
