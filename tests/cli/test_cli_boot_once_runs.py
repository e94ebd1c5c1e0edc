"""Playbooks with the step `boot_once`: what their plan says, who cannot take part, and a real board's emulator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Spawn
from tests.cli.test_cli_goes_on import ended, until
from tests.wire import test_redfish_console as redfish

BOOK = """\
playbook: rescue
targets: verdict in (exposed, crash_loop, blue_screen, dark, unknown)
strategy: {waves: [1, 100%], guard: {failed: 40%}}
steps:
  - approve: {question: Has the rescue image been tried?}
  - boot_once: {device: pxe, wait: 3s, timeout: 3s}
  - settle
  - prove
"""


@pytest.fixture
def book(home: Path) -> Path:
    path = home / "rescue.yaml"
    path.write_text(BOOK)
    return path


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with redfish.emulation(tmp_path) as address:
        yield address


def inventory(home: Path, *consoles: str) -> Path:
    hosts = ", ".join(
        f"h{number}: {{address: 127.0.0.1, port: 9, transport: ssh, console: {console}}}"
        for number, console in enumerate(consoles, 1)
    )
    path = home / "fleet.yaml"
    path.write_text(f"hosts: {{{hosts}}}\n")
    return path


def test_the_plan_says_what_is_started_from(cli: Cli, home: Path, book: Path) -> None:
    book.write_text(BOOK.replace("pxe,", "cd, media: 'https://10.0.0.1/fix.iso',"))
    known = inventory(home, "{kind: redfish, address: 'https://127.0.0.1'}", "{kind: qmp}")
    told = cli("plan", book, "-i", known)
    assert told.code == 0, told.err
    assert "steps: approve, boot_once from cd https://10.0.0.1/fix.iso, settle, prove" in told.out
    assert "nothing undoes boot_once" in told.out
    assert "boot_once (line 6) needs a console that can choose the next start" in told.err
    assert "1 hosts have none: h2" in told.err


def test_where_nobody_can_be_started_so_nothing_begins(cli: Cli, home: Path, book: Path) -> None:
    refused = cli("run", book, "-i", inventory(home, "{kind: qmp, address: /x}"), "--yes")
    assert refused.code == 2
    assert "no host of the selection has one" in refused.err
    bare = cli("run", book, "-i", "h1,h2", "--yes")
    assert (bare.code, "no host of the selection has one" in bare.err) == (2, True)


def test_a_board_is_told_and_what_does_not_come_back_has_failed(
    cli: Cli, spawn: Spawn, home: Path, book: Path, url: str
) -> None:
    known, journal = inventory(home, f"{{kind: redfish, address: '{url}'}}"), home / "j.db"
    words = ("--journal", journal, "run", book, "-i", known, "--yes", "-o", "jsonl")
    process = spawn(words)
    gate = until(process.stdout, "approval.asked")["gate"]
    # What is printed reaches the journal a moment later.
    while cli("runs", "approve", "last", gate, "--journal", journal).code:
        assert process.poll() is None
    told = ended(process)
    assert told.code == 4, told.err
    powers = [
        (event["kind"], event["act"], event.get("outcome", event.get("why")))
        for event in cli("events", "-o", "jsonl", "--journal", journal).lines
        if event["kind"].startswith("power.")
    ]
    assert powers == [
        ("power.intended", "boot_once", "from network"),
        ("power.finished", "boot_once", "ok"),
        ("power.intended", "cycle", "to start from pxe once"),
        ("power.finished", "cycle", "ok"),
    ]
    said = cli("explain", "h1", "--journal", journal).out
    assert "its own system did not come back within 3 s" in said
