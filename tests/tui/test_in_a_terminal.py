"""The dashboard as people meet it: the real program in a real (pseudo-)terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from recovery.journal.lease import holder
from recovery.journal.reader import Reader
from recovery.model.events import RunFinished
from recovery.playbook.library import bundled
from tests.tui.terminal import Terminal

_COLOUR = re.compile(rb"\x1b\[[0-9;]*[34]8;[25];")
"""A colour of the 256, or a true one."""


@pytest.fixture
def journal(tmp_path: Path, home: Path) -> Path:
    return tmp_path / "journal.db"


Open = Callable[..., Terminal]


@pytest.fixture
def opened(journal: Path) -> Open:
    def open_it(
        columns: int = 100, lines: int = 30, speed: str = "600x", **environment: str
    ) -> Terminal:
        fleet = str(bundled("inventory") / "demo.yaml")
        words = ("--journal", str(journal), "tui", "--mock", "-i", fleet, "--speed", speed)
        return Terminal(words, columns, lines, environment)

    return open_it


def shows(*parts: str) -> Callable[[str], bool]:
    return lambda text: all(part in text for part in parts)


def test_at_eighty_by_twenty_four_everything_that_matters_is_there(opened: Open) -> None:
    with opened(80, 24) as terminal:
        text = terminal.until(shows("1 Situation", "of 60 hosts"), "the start screen")
        assert "MOCK" in text
        assert "60 unknown" in text
        for key, name in (("2", "Query"), ("5", "kind:"), ("1", "60 unknown")):
            terminal.type(key)
            terminal.until(shows(name), f"screen {key}")
        terminal.type("?")
        terminal.until(shows("Esc closes"), "the help")


def test_the_window_may_change_its_size(opened: Open) -> None:
    with opened(80, 24) as terminal:
        terminal.until(shows("of 60 hosts"), "the start screen")
        terminal.resize(200, 60)
        text = terminal.until(shows("Newest events", "Services"), "the large screen")
        assert max(len(line) for line in text.splitlines()) > 100
        terminal.resize(80, 24)
        terminal.until(lambda text: "of 60 hosts" in text and "q Quit" in text, "the small one")


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "linux"}, False)],
)
def test_words_and_symbols_do_without_colours(
    opened: Open, environment: dict[str, str], coloured: bool
) -> None:
    with opened(120, 40, **environment) as terminal:
        text = terminal.until(shows("of 60 hosts", "? unknown"), "the start screen")
        assert "↻ crash loop" in text
        if environment.get("NO_COLOR"):
            assert _colours(terminal) <= 1, "grey shades only"
        else:
            assert bool(_COLOUR.search(terminal.raw)) or not coloured


def _colours(terminal: Terminal) -> int:
    """How many colours stand on the screen that are no shade of grey."""
    found = {
        cell.fg
        for line in terminal.screen.buffer.values()
        for cell in line.values()
        if cell.data.strip()
    }
    return len({colour for colour in found if not _is_grey(colour)})


def _is_grey(colour: str) -> bool:
    if not re.fullmatch(r"[0-9a-f]{6}", colour):
        return colour in ("default", "white", "black", "brightblack", "brightwhite")
    red, green, blue = (int(colour[place : place + 2], 16) for place in (0, 2, 4))
    return max(red, green, blue) - min(red, green, blue) < 24


def test_a_run_goes_on_when_the_screen_is_killed_and_one_comes_back(
    opened: Open, journal: Path
) -> None:
    with opened(120, 40, speed="3x") as terminal:
        terminal.until(shows("of 60 hosts"), "the start screen")
        terminal.type("t")
        terminal.until(shows("triage on 60 hosts", "goes on"), "the run")
        terminal.process.kill()
    with closing(Reader.open(journal)) as log:
        (run,) = log.runs()
    assert holder(str(journal), run), "nobody carries the run out any more"
    with opened(120, 40) as terminal:
        terminal.until(shows(run, "triage on 60 hosts"), "the same run, again")
        terminal.until(shows("over:"), "its end")
    with closing(Reader.open(journal)) as log:
        assert any(isinstance(stored.event, RunFinished) for stored in log.read(run=run))


def test_who_quits_is_told_what_goes_on_and_how_to_come_back(opened: Open, journal: Path) -> None:
    with opened(120, 40, speed="2x") as terminal:
        terminal.until(shows("of 60 hosts"), "the start screen")
        terminal.type("t")
        terminal.until(shows("triage on 60 hosts", "goes on"), "the run")
        terminal.type("q")
        terminal.until(shows("Nothing is stopped by leaving"), "the question")
        terminal.type("q")
        assert terminal.until_it_ends() == 0
        said = terminal.raw.decode("utf-8", "replace")
        assert "goes on without this screen" in said
        assert f"--journal {journal}" in said
        with closing(Reader.open(journal)) as log:
            (run,) = log.runs()
        assert holder(str(journal), run)
    with opened(120, 40) as terminal:
        terminal.until(shows(run, "goes on"), "the run that was left")
        terminal.type("X")
        terminal.until(shows("Cancel this run?"), "the question")
        terminal.type("y")
        terminal.until(shows("over:"), "its end")
