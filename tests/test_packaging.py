"""What is shipped: the wheel holds the program and its data, and works without the checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import recovery

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow


def _run(*command: str, cwd: Path, **environ: str) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, as it would be published."""
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    """The files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel was installed, far from the checkout."""
    target = tmp_path_factory.mktemp("installed")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--disable-pip-version-check",
    ]
    _run(*pip, "--target", str(target), str(wheel), cwd=target)
    return target


def test_the_wheel_carries_the_version(wheel: Path) -> None:
    assert wheel.name == f"fleet_recovery-{recovery.__version__}-py3-none-any.whl"


@pytest.mark.parametrize("folder", ["playbooks", "inventory"])
def test_the_wheel_holds_the_data(folder: str, names: set[str]) -> None:
    files = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*") if path.is_file()}
    assert files
    assert {f"recovery/_bundled/{name}" for name in files} <= names
    assert not any(name.startswith(f"{folder}/") for name in names)


@pytest.mark.parametrize(
    "pattern",
    ["recovery/**/*.py", "recovery/remote/posix/*.sh", "recovery/**/*.sql", "recovery/py.typed"],
)
def test_the_wheel_holds_the_program(pattern: str, names: set[str]) -> None:
    files = {str(path.relative_to(ROOT)) for path in ROOT.glob(pattern)}
    assert files
    assert files <= names


def test_the_wheel_holds_nothing_else(names: set[str]) -> None:
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"recovery", f"fleet_recovery-{recovery.__version__}.dist-info"}
    assert not any("__pycache__" in name for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_installed_program_runs(installed: Path) -> None:
    assert recovery.__version__ in _python(installed, "-m", "recovery", "--version")


def test_the_installed_program_finds_its_playbooks(installed: Path) -> None:
    shown = _python(installed, "-m", "recovery", "playbook", "list")
    assert {"triage", "quarantine", "rollback", "race", "reboot", "prove", "undo"} <= set(
        re.findall(r"\w+", shown)
    )


def _python(installed: Path, *arguments: str) -> str:
    return _run(sys.executable, *arguments, cwd=installed, PYTHONPATH=str(installed))


def test_the_requirement_files_name_no_address() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text("utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text
