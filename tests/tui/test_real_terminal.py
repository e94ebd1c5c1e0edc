"""The real program in a pseudo-terminal, as somebody sees it who sits in front of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recovery.journal.lease import holder
from recovery.journal.reader import Reader
from recovery.journal.views import summaries
from recovery.playbook.library import bundled
from tests.tui.terminal import ROOT, Terminal, recovery

DEMO = str(bundled("inventory") / "demo.yaml")
_WIDE, _SMALL = (140, 45), (80, 24)

GREYS = {16, 59, 102, 145, 188, 231, *range(232, 256)}
"""Of the 256 colours."""

Open = Callable[..., Terminal]


@pytest.fixture
def journal(tmp_path: Path) -> str:
    return str(tmp_path / "journal.db")


@pytest.fixture
def opened(tmp_path: Path, journal: str) -> Iterator[Open]:
    """Opens the dashboard on the demo fleet's twin."""
    terminals: list[Terminal] = []

    def start(
        *words: str, size: tuple[int, int] = _SMALL, speed: str = "max", **variables: str
    ) -> Terminal:
        argv = recovery("--journal", journal, "tui", "--mock", "-i", DEMO, "--speed", speed, *words)
        terminals.append(Terminal(argv, tmp_path, size, variables))
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


def ended(journal: str) -> bool:
    with Reader.open(journal) as log:
        return all(run.finished for run in summaries(log.run_events()))


def test_in_the_smallest_window_a_fleet_is_triaged_and_the_way_back_is_told(
    opened: Open, journal: str
) -> None:
    terminal = opened()
    text = terminal.wait_for("60 unknown", "MOCK", "no run yet: press t", "? Help")
    assert all(len(line) <= 80 for line in text.splitlines())
    terminal.press(b"t")
    terminal.wait_for("0 unknown", "over:")
    terminal.press(b"q")
    assert terminal.end() == 0
    said = b"".join(data for _, data in terminal.chunks[-5:]).decode()
    assert f"come back: recovery tui --journal {journal}" in said
    assert f"-i {DEMO} --mock --speed max" in said
    assert ended(journal)


def test_a_window_may_change_its_size(opened: Open) -> None:
    terminal = opened()
    terminal.wait_for("60 unknown")
    assert "Newest events" not in terminal.text
    terminal.resize(_WIDE)
    terminal.wait_for("Newest events", "MOCK: nothing here is real", "Services: hosts to do")
    terminal.resize(_SMALL)
    terminal.wait_for("60 unknown", "? Help")
    assert "Newest events" not in terminal.text


def test_without_colours_everything_has_its_word(opened: Open) -> None:
    terminal = opened(NO_COLOR="1")
    terminal.wait_for("60 unknown", "crash loop", "· unknown 60")
    said = b"".join(data for _, data in terminal.chunks)
    assert {int(colour) for colour in re.findall(rb"[34]8;5;(\d+)", said)} <= GREYS
    assert not re.search(rb"[34]8;2;|\x1b\[[34][1-6]m", said)


@pytest.mark.parametrize("term", ["xterm", "screen", "linux"])
def test_sixteen_colours_are_enough(opened: Open, term: str) -> None:
    terminal = opened(TERM=term)
    terminal.wait_for("60 unknown", "crash loop")
    said = b"".join(data for _, data in terminal.chunks)
    assert not re.search(rb"[34]8;[25];", said)
    assert re.search(rb"[\[;]44[;m]", said), "the banner is blue, not grey"


def test_a_light_look_and_the_other_screens(opened: Open) -> None:
    terminal = opened("--theme", "day", size=_WIDE)
    terminal.wait_for("60 unknown")
    for key, words in (
        (b"5", "words, host:NAME"),
        (b"2", "60"),
        (b"3", "Runs"),
        (b"4", "Hands"),
        (b"?", "Keys"),
    ):
        terminal.press(key)
        terminal.wait_for(words)


def test_a_run_outlives_the_screen_and_a_new_screen_shows_it(
    opened: Open, journal: str, tmp_path: Path
) -> None:
    terminal = opened(size=_WIDE, speed="realtime")
    terminal.wait_for("60 unknown")
    terminal.press(b"t")
    terminal.wait_for("triage on 60 hosts", "goes on")
    terminal.kill()
    with Reader.open(journal) as log:
        (run,) = log.runs()
    assert holder(journal, run)
    again = opened(size=_WIDE, speed="realtime")
    again.wait_for(run, "triage on 60 hosts", "goes on")
    again.press(b"q")
    again.wait_for("Leave the dashboard?")
    again.press(b"q")
    assert again.end() == 0
    assert f"run {run} goes on without this screen" in again.text
    assert holder(journal, run)
    done = subprocess.run(
        recovery("--journal", journal, "runs", "abort", run), cwd=ROOT, env={"HOME": str(tmp_path)}, check=False
    )  # fmt: skip
    assert done.returncode == 0
    while holder(journal, run):
        threading.Event().wait(0.1)
    last = opened(size=_WIDE)
    last.wait_for("nobody carries it out: u takes it up")
    last.press(b"u")
    last.wait_for("Take this run up?", "MOCK")
    last.press(b"y")
    last.wait_for("over:")


def test_a_rollback_whose_process_died_is_seen_behind_a_newer_triage_and_taken_up(
    opened: Open, journal: str
) -> None:
    terminal = opened(size=_SMALL, speed="realtime")
    terminal.wait_for("60 unknown")
    for keys, words in ((b"3", "No run yet"), (b"n", "Hosts     60"), (b"/", "New run")):
        terminal.press(keys)
        terminal.wait_for(words)
    terminal.watch(1.0)  # until the field has the keys
    terminal.press(b"verdict=unknown\r")
    terminal.wait_for("verdict=unknown", "Hosts     60")
    while "rollback: " not in terminal.text:
        terminal.press(b"\x1b[B")
        terminal.watch(0.3)
    terminal.press(b"b")
    terminal.wait_for("MOCK: nothing here is real", "! Cannot be undone", "Type the number")
    terminal.press(b"60\r")
    terminal.wait_for("▸ goes on")
    with Reader.open(journal) as log:
        (run,) = log.runs()
    found = re.search(r"process (\d+)", holder(journal, run))
    assert found is not None
    os.kill(int(found[1]), signal.SIGKILL)
    terminal.wait_for("! nobody carries it out")
    terminal.press(b"p")
    terminal.wait_for("not now: nobody carries run")
    terminal.press(b"1")
    terminal.wait_for("rollback on 60 hosts", "u takes it up")
    terminal.press(b"t")
    terminal.wait_for("triage on 60 hosts", "1 more open: 1 carried out by", seconds=90)
    terminal.press(b"\x11")
    terminal.wait_for("Leave the dashboard?")
    terminal.press(b"\x1b")
    terminal.wait_for("rollback on 60 hosts", "u takes it up")


def test_it_ends_with_its_window_and_the_run_goes_on(opened: Open, journal: str) -> None:
    terminal = opened(size=_WIDE)
    terminal.wait_for("60 unknown")
    terminal.press(b"t")
    terminal.wait_for("triage on 60 hosts")
    assert terminal.hang_up() == -signal.SIGHUP
    while not ended(journal):
        threading.Event().wait(0.1)


def test_what_cannot_be_begun_is_told(opened: Open, tmp_path: Path) -> None:
    terminal = opened("--incident", "no-such", size=_WIDE)
    terminal.wait_for("60 unknown")
    terminal.press(b"t")
    terminal.wait_for("no incident")


def test_without_a_terminal_it_says_what_to_use_instead(tmp_path: Path) -> None:
    done = subprocess.run(
        recovery("tui"),
        cwd=ROOT,
        env={"HOME": str(tmp_path)},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr


def test_an_inventory_from_standard_input_is_refused(opened: Open) -> None:
    terminal = opened("-i", "-")
    assert terminal.end() == 2
    assert "write the inventory to a file" in terminal.text


def test_an_inventory_that_cannot_be_read_is_told_as_other_commands_tell_it(
    opened: Open, tmp_path: Path
) -> None:
    wrong = tmp_path / "fleet.yaml"
    wrong.write_text("hosts:\n  a: {sitee: X}\n")
    terminal = opened("-i", str(wrong))
    assert terminal.end() == 2
    assert f"{wrong}:2" in terminal.text.replace("\n", "")
    assert "there is no field 'sitee' here" in terminal.text


def test_a_key_for_nothing_is_refused_before_the_screen_opens(opened: Open, tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "recovery"
    folder.mkdir(parents=True)
    (folder / "settings.yaml").write_text("tui: {theme: day, keys: {app.hlep: f1}}\n")
    terminal = opened()
    assert terminal.end() == 2
    assert "app.help" in terminal.text
