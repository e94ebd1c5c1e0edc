"""The shape of the house: sizes, names, and what starting the program costs. Layers are import-linter's."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recovery.settings import SshSection, WinrmSection
from recovery.transports.ssh import SshSettings
from recovery.transports.winrm import WinrmSettings

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "recovery").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 40
CATCH_ALLS = {"utils", "util", "helpers", "helper", "manager", "base", "common", "handler", "misc"}

HEAVY = (
    "asyncssh",
    "textual",
    "rich",
    "winrm",
    "requests",
    "PIL",
    "keyring",
    "h11",
    "boto3",
    "nats",
    "ldap3",
)
"""What `--help` and `--version` do without; each takes tens to hundreds of milliseconds to import."""


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (
                f"{_name(path)}:{node.lineno} {node.name}",
                (node.end_lineno or node.lineno) - node.lineno + 1,
            )


def _loaded(statement: str) -> set[str]:
    """The top-level modules that are loaded after `statement`, in a process of its own."""
    program = f"{statement}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=60,
    )
    return set(done.stdout.split())


def test_the_modules_are_found() -> None:
    assert "recovery/errors.py" in map(_name, MODULES)


def test_no_file_is_too_long() -> None:
    counts = {_name(path): len(path.read_text("utf-8").splitlines()) for path in [*MODULES, *TESTS]}
    long = {name: count for name, count in counts.items() if count > MOST_LINES_OF_A_FILE}
    assert long == {}, f"more than {MOST_LINES_OF_A_FILE} lines"


def test_no_function_is_too_long() -> None:
    sizes = (size for path in [*MODULES, *TESTS] for size in _functions(path))
    long = {name: lines for name, lines in sizes if lines > MOST_LINES_OF_A_FUNCTION}
    assert long == {}, f"more than {MOST_LINES_OF_A_FUNCTION} lines"


def test_no_module_is_a_catch_all() -> None:
    names = {
        _name(path)
        for path in MODULES
        if {part.removesuffix(".py") for part in path.parts} & CATCH_ALLS
    }
    assert names == set()


def test_every_module_says_what_it_is() -> None:
    silent = [
        _name(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


def test_test_files_have_names_of_their_own() -> None:
    names = [
        path.name
        for path in TESTS
        if path.name not in ("conftest.py", "__init__.py", "__main__.py")
    ]
    assert sorted(names) == sorted(set(names))


def test_data_folders_hold_no_python() -> None:
    assert [
        _name(path)
        for folder in ("playbooks", "inventory")
        for path in (ROOT / folder).rglob("*.py")
    ] == []


@pytest.mark.parametrize("module", HEAVY)
def test_starting_loads_nothing_heavy(module: str, started: set[str]) -> None:
    assert "recovery" in started
    assert module not in started


@pytest.fixture(scope="module")
def started() -> set[str]:
    """What is loaded once the program has shown its version."""
    return _loaded(
        "import contextlib, io, recovery.cli.main as program\n"
        "with contextlib.redirect_stdout(io.StringIO()): program.main(['--version'])"
    )


def test_finding_plugins_loads_none_of_them() -> None:
    assert "asyncssh" not in _loaded("import recovery.plugins as p; p.names('recovery.transports')")


@pytest.mark.parametrize(
    ("section", "taken"), [(SshSection, SshSettings), (WinrmSection, WinrmSettings)]
)
def test_what_can_be_set_is_what_the_transport_takes(section: Any, taken: Any) -> None:
    given = {field.name: field.default for field in msgspec.structs.fields(section)}
    assert given.keys() == {field.name for field in msgspec.structs.fields(taken)}


def test_the_settings_for_winrm_are_the_transports_own() -> None:
    assert msgspec.structs.asdict(WinrmSection()) == msgspec.structs.asdict(WinrmSettings())
