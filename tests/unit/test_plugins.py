"""Plug-ins of other distributions: seen without being imported, and harmless when they are broken."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from recovery import plugins
from recovery.errors import UnknownNameError, UsageError

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed distributions: a plug-in that works, one that fails, one that comes too late."""
    monkeypatch.syspath_prepend(str(tmp_path))
    install(
        tmp_path, "carrier-pigeon", "pigeon = pigeon_plugin:Pigeon\nsmoke = smoke_plugin:Signal"
    )
    install(tmp_path, "zz-other", "pigeon = smoke_plugin:Signal")
    (tmp_path / "pigeon_plugin.py").write_text("class Pigeon:\n    name = 'pigeon'\n")
    (tmp_path / "smoke_plugin.py").write_text("raise RuntimeError('no fire')\n")
    monkeypatch.delitem(sys.modules, "pigeon_plugin", raising=False)
    return tmp_path


def install(site: Path, name: str, entries: str) -> None:
    folder = site / f"{name.replace('-', '_')}-1.2.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(METADATA.format(name=name))
    (folder / "entry_points.txt").write_text(f"[recovery.transports]\n{entries}\n")


@pytest.mark.usefixtures("site")
def test_names_are_listed_without_importing() -> None:
    assert plugins.names("recovery.transports") == ("pigeon", "smoke")
    assert "pigeon_plugin" not in sys.modules


@pytest.mark.usefixtures("site")
def test_one_is_loaded() -> None:
    assert plugins.load("recovery.transports", "pigeon").name == "pigeon"


@pytest.mark.usefixtures("site")
def test_a_broken_one_is_an_error_when_it_is_wanted() -> None:
    with pytest.raises(UsageError, match=r"'smoke' of carrier-pigeon 1\.2 .*RuntimeError: no fire"):
        plugins.load("recovery.transports", "smoke")


@pytest.mark.usefixtures("site")
def test_a_broken_one_is_a_warning_among_all() -> None:
    loaded = plugins.load_all("recovery.transports")
    assert list(loaded.plugins) == ["pigeon"]
    [warning] = loaded.warnings
    assert "no fire" in warning


@pytest.mark.usefixtures("site")
def test_an_unknown_name_lists_the_installed() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'pigeon'"):
        plugins.load("recovery.transports", "pigeom")


def test_without_any_there_are_no_names() -> None:
    assert plugins.names("recovery.consoles") == ()
