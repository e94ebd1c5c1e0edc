"""Recovery keys on a real terminal; afterwards no byte of one is anywhere."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from tests.cli.conftest import ROOT, Cli
from tests.unit.desk.key_cases import key_ids, key_text, write_keys
from tests.wire.test_no_secret_leaks import forms

IDS = key_ids(3)
KEYS = {key_id: key_text(number) for number, key_id in enumerate(IDS)}
PHRASE = "seven owls under a tin roof"


class Screen(msgspec.Struct, frozen=True):
    """What stood on the terminal."""

    code: int
    text: str


def terminal(home: Path, words: Sequence[str], typed: Sequence[tuple[str, str]]) -> Screen:
    """Run the program on a terminal; each text is typed once what it waits for was shown."""
    mine, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "recovery", *words],
        cwd=ROOT,
        env={**os.environ, "HOME": str(home), "RECOVERY_CONFIG": str(home / "settings.yaml")},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    text, left, until = "", list(typed), time.monotonic() + 60
    try:
        while time.monotonic() < until:
            if select.select([mine], [], [], 0.1)[0]:
                try:
                    text += os.read(mine, 65536).decode()
                except OSError:
                    break
            if left and left[0][0] in text:
                os.write(mine, f"{left.pop(0)[1]}\n".encode())
        return Screen(process.wait(30), text)
    finally:
        process.kill()
        os.close(mine)


@pytest.fixture
def desk(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Ann holds a ticket, and there is a table of keys."""
    table = write_keys(home / "keys.csv", KEYS)
    settings = home / "settings.yaml"
    settings.write_text(
        f"keys: {{show_for: 1m, sources: [{{kind: csv, path: {table}}}]}}\n"
        f"journal: {home / 'journal.db'}\n"
    )
    monkeypatch.setenv("RECOVERY_CONFIG", str(settings))
    assert cli("desk", "add", "h1", "h2").code == 0
    assert cli("desk", "claim", "h1", "--tech", "ann").code == 0
    return cli


def show(home: Path, key_id: str, host: str = "h1") -> Screen:
    words = ("desk", "keys", "show", host, "--key-id", key_id, "--tech", "ann")
    return terminal(home, words, [("Enter takes it away", "")])


def test_a_key_is_on_the_screen_for_a_while_and_nowhere_else(desk: Cli, home: Path) -> None:
    shown = show(home, IDS[0][:8])
    key = KEYS[IDS[0]]
    assert shown.code == 0, shown.text
    page = shown.text.partition("\x1b[?1049h")[2].partition("\x1b[?1049l")[0]
    assert key in page
    assert key.replace("-", "") in page
    assert key not in shown.text.replace(page, "")
    assert page.endswith("\x1b[2J\x1b[3J")
    assert desk("desk", "keys", "failed", "h1", "--key-id", IDS[0], "--tech", "ann").code == 0
    show(home, IDS[1])
    desk("desk", "keys", "unlocked", "h1", "--key-id", IDS[1], "--tech", "ann")
    told = [
        desk("desk", "keys", "list", "-o", "json"),
        desk("events", "-o", "json"),
        desk("explain", "h1"),
        desk("desk", "keys", "list"),
        desk("desk", "show", "h1"),
        desk("config"),
    ]
    states = [(use["key_id"], use["state"]) for use in told[0].document]
    assert states == [(IDS[0], "did_not_unlock"), (IDS[1], "unlocked")]
    assert [event["kind"] for event in told[1].document][-6:] == [
        "key.asked",
        "key.shown",
        "key.tried",
        "key.asked",
        "key.shown",
        "key.tried",
    ]
    found = {
        p.name: p.read_bytes() for p in home.rglob("*") if p.is_file() and p.name != "keys.csv"
    }
    assert "journal.db" in found
    found["output"] = "".join(each.out + each.err for each in told).encode()
    for place, content in found.items():
        for spelling in (key, key.replace("-", "")):
            assert not [name for name, form in forms(spelling) if form in content], place


def test_who_may_not_gets_nothing_on_the_screen(desk: Cli, home: Path) -> None:
    refused = show(home, IDS[0], "h2")
    assert refused.code == 2
    assert "ann has to hold the ticket of h2" in refused.text
    assert "\x1b[?1049h" not in refused.text


def test_a_pipe_gets_none(desk: Cli) -> None:
    told = desk("desk", "keys", "show", "h1", "--key-id", IDS[0], "--tech", "ann")
    assert told.code == 2
    assert "on a terminal only" in told.err


@pytest.mark.parametrize("verb", ["show", "failed", "unlocked"])
def test_a_key_in_place_of_its_id_is_not_repeated(
    verb: str, desk: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    told = desk("desk", "keys", verb, "h1", "--key-id", KEYS[IDS[0]], "--tech", "ann")
    assert told.code == 2
    assert "that is a recovery key, not its id" in told.err
    assert KEYS[IDS[0]][:13] not in told.err + told.out


def test_keys_to_rotate(desk: Cli, home: Path) -> None:
    show(home, IDS[0])
    assert IDS[0] in desk("desk", "keys", "list", "--rotate").out
    assert desk("desk", "keys", "rotated", IDS[0], "--tech", "lea").code == 0
    assert IDS[0] not in desk("desk", "keys", "list", "--rotate").out
    assert IDS[0] in desk("desk", "keys", "list").out


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (KEYS[IDS[0]], 0, "every group is right"),
        ("000011-000012-720896", 2, "wrong groups: 2, 3"),
        ("000011", 2, "1 of 8 groups"),
        ("abc", 2, "digits and dashes only"),
    ],
)
def test_a_key_that_is_typed_is_checked_unseen(
    typed: str, code: int, said: str, home: Path
) -> None:
    (home / "settings.yaml").write_text("")
    found = terminal(home, ("desk", "keys", "check"), [("dashes: ", typed)])
    assert (found.code, said in found.text) == (code, True), found.text
    assert typed not in found.text


def test_an_export_is_packed_with_a_passphrase_that_is_asked_twice(desk: Cli, home: Path) -> None:
    target = home / "keys.sealed"
    words = ("desk", "keys", "pack", str(target))
    wrong = terminal(home, words, [("export: ", PHRASE), ("Again: ", PHRASE + "x")])
    assert "the two are not the same" in wrong.text
    assert not target.exists()
    packed = terminal(home, words, [("export: ", PHRASE), ("Again: ", PHRASE)])
    assert "3 keys are sealed" in packed.text
    assert PHRASE not in packed.text
    assert json.loads(target.read_bytes().partition(b"\n")[0])["recovery_keys"] == 1
