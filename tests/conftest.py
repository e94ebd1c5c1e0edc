"""Every test begins in a clean environment: nothing of the user's settings, keys or state is seen or changed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.windows.wine import Wine

IN_CI = os.environ.get("RECOVERY_CI") == "1"

# CI repeats the same examples, so that it says the same of the same tree; people's machines look for new ones.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, max_examples=100)
hypothesis.settings.register_profile("user", deadline=None, max_examples=100)
hypothesis.settings.load_profile("ci" if IN_CI else "user")

# A shell's background job ignores Ctrl-C, and what it starts would too: programs under test are ended by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_FOREIGN = (
    "SSH_AUTH_SOCK",
    "SSH_ASKPASS",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "LINES",
)


@pytest.fixture(scope="session", autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No variable from outside decides how a test ends."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name in _FOREIGN or (
                name.startswith(("RECOVERY_", "ANSIBLE_", "XDG_")) and name != "RECOVERY_CI"
            ):
                patch.delenv(name)
        _settle_in(patch, tmp_path_factory.mktemp("home"))
        patch.setenv("LC_ALL", "C.UTF-8")
        patch.setenv("TZ", "UTC")
        yield


@pytest.fixture(scope="session")
def wine_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    """One Wine for all tests of the session's worker."""
    made = Wine(tmp_path_factory.mktemp("wine"))
    yield made
    made.close()


@pytest.fixture
def wine(wine_of_session: Wine) -> Iterator[Wine]:
    """Wine without what the test before it has left."""
    yield wine_of_session
    wine_of_session.clean()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory of this test alone; journal and settings stand in it by default."""
    folder = tmp_path / "home"
    folder.mkdir()
    _settle_in(monkeypatch, folder)
    return folder


def _settle_in(patch: pytest.MonkeyPatch, home: Path) -> None:
    patch.setenv("HOME", str(home))
    for kind, folder in (
        ("CONFIG", ".config"),
        ("STATE", ".local/state"),
        ("CACHE", ".cache"),
        ("DATA", ".local/share"),
    ):
        patch.setenv(f"XDG_{kind}_HOME", str(home / folder))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How pictures of consoles were read, wherever they were."""
    from tests.pictures import score  # noqa: PLC0415 - asked for by few runs

    reports = [it for kind in ("passed", "failed") for it in terminalreporter.getreports(kind)]
    for report in reports:
        for name, value in getattr(report, "user_properties", ()):
            if name == "pictures" and getattr(report, "when", "") == "call":
                read_by, pairs = value
                terminalreporter.section(f"console pictures, read {read_by}")
                counted = score.matrix((true, called) for true, called in pairs)
                terminalreporter.write_line("\n".join(score.shown(counted)))
