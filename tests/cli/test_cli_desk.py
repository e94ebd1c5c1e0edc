"""`recovery desk` as leads and technicians use it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, write_fleet

STALE = "these are SIMULATED hosts: the latest run was on the mock twin\n"


@pytest.fixture
def desk(cli: Cli, home: Path) -> Cli:
    """Four kiosks at a recovery screen, handed over by a run on the mock twin."""
    fleet = write_fleet(
        home,
        'h[1-4]: {kind: kiosk, site: A, location: "T3 gate A", tags: [ladder]}',
        "recovery_screen: 1.0",
    )
    told = cli(
        "run", "rollback", "--mock", "--yes", "-i", fleet, "--set", "strategy.keep_trying=1m"
    )
    assert told.code == 7
    return cli


def test_a_ticket_from_next_to_done(desk: Cli) -> None:
    shown = desk("desk", "next", "--tech", "ann", "--site", "A", "--near", "T3 gate B", "--claim")
    assert shown.code == 0
    lines = shown.out.splitlines()
    host = lines[0].split()[0]
    assert lines[0] == f"{host}  claimed  A, T3 gate A"
    assert lines[1].startswith("held by ann until ")
    assert lines[3].endswith("minutes; take along: keyboard, wired network, local administrator's "
                             "password, BitLocker recovery key, ladder")  # fmt: skip
    assert lines[4].startswith("  [ ] 1. ")
    assert desk("desk", "onsite", host, "--tech", "ann").code == 0
    tried = desk("desk", "tried", host, "--tech", "ann", "--reason", "no stick", "--restarts", 2)
    assert tried.err.startswith(f"{STALE}{host}: on site, ann until ")
    done = desk("desk", "done", host, "--tech", "ann")
    assert done.err == (
        f"{STALE}{host}: says done, ann\nnot proven yet: recovery run prove -i INVENTORY -l {host}\n"
    )
    document = desk("desk", "show", host, "-o", "json").document
    assert (document["stage"], document["tries"], document["attempts"][0]["reason"]) == (
        "says_done",
        1,
        "no stick",
    )
    board = desk("desk", "board", "-o", "json").document
    assert (board["waiting"], board["says_done"], board["total"], board["sites"]) == (
        3,
        1,
        4,
        {"A": 4},
    )
    assert f"{host}: " not in desk("desk", "board").out
    explained = desk("explain", host).out
    assert "ann tried, restarted 2 times: no stick" in explained
    assert "ann says that it is done; not proven yet" in explained


def test_who_may_not_is_told_why(desk: Cli) -> None:
    assert desk("desk", "claim", "h1", "--tech", "ann", "--for", "2h").code == 0
    told = desk("desk", "claim", "h1", "--tech", "bob")
    assert told.code == 2
    assert "error: h1 is held by ann until " in told.err
    assert desk("desk", "claim", "h1", "--tech", "bob", "--lead", "lea").code == 0
    assert desk("desk", "release", "h1", "--lead", "lea", "--reason", "lunch").code == 0
    assert (
        desk("desk", "escalate", "h1", "--lead", "lea", "--to", "vendor", "--reason", "x").code == 0
    )
    rows = desk("desk", "list", "--stage", "escalated", "-o", "json").document
    assert [(row["host"], row["owner"], row["reason"]) for row in rows] == [("h1", "vendor", "x")]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("claim", "h9", "--tech", "ann"), 2, "no ticket is named 'h9'; known: h1, h2, h3, h4"),
        (("claim", "h1", "--tech", " "), 2, "which technician? the name is empty"),
        (("claim", "h1", "--tech", "a", "--for", "soon"), 2, "--for"),
        (("claim", "h1", "--tech", "a", "--for", "0s"), 2, "ends at once"),
        (("list", "--stage", "wating"), 2, "--stage wating: expected one of waiting, claimed"),
        (("next", "--tech", "ann", "--site", "B"), 3, "no ticket waits at B"),
        (("add",), 2, "which hosts? name them"),
        (("add", "two words"), 2, "'two words' is not the name of one host"),
        (("add", "h1"), 2, "h1 has a ticket already: waiting"),
        (("import", "none.csv"), 2, "none.csv: cannot be read"),
    ],
)
def test_wrong_use(words: tuple[str, ...], code: int, message: str, desk: Cli) -> None:
    told = desk("desk", *words)
    assert (told.code, message in told.err) == (code, True), told.err


def test_machines_that_no_inventory_knew_and_those_of_a_query(desk: Cli, home: Path) -> None:
    assert desk("desk", "add", "attic-1", "--site", "A", "--location", "attic").err.endswith(
        "1 tickets opened, 0 hosts had one\n"
    )
    shown = desk("desk", "show", "attic-1").out
    assert shown.startswith("attic-1  waiting  A, attic\n")
    assert "found by a person" in shown
    told = desk("desk", "add", "-i", home / "fleet.yaml", "-l", "h*", "--reason", "again")
    assert told.err.endswith("0 tickets opened, 4 hosts had one\n")


def test_a_sticker_that_shouts_is_no_other_machine(desk: Cli, home: Path) -> None:
    assert desk("desk", "add", "H1", "--reason", "x").err.endswith(
        "h1 has a ticket already: waiting\n"
    )
    told = desk("desk", "add", "PC-9", "pc-9", "H2", "--reason", "x")
    assert "1 tickets opened" in told.err
    names = [each["host"] for each in desk("desk", "list", "-o", "json").document]
    assert sorted(names) == ["PC-9", "h1", "h2", "h3", "h4"]
    again = desk("desk", "add", "pc-9", "--reason", "x")
    assert again.err.endswith("PC-9 has a ticket already: waiting\n")


def test_before_any_run_the_desk_is_there(cli: Cli) -> None:
    assert cli("desk", "list").out.splitlines()[0].startswith("HOST")
    assert cli("desk", "claim", "pc-7", "--tech", "ann").err == (
        "error: pc-7 has no ticket: `recovery desk add pc-7 --reason ...` opens one\n"
    )
    assert cli("desk", "add", "pc-7").code == 0
    assert cli("desk", "list", "-o", "jsonl").lines[0]["host"] == "pc-7"


def test_a_spreadsheet_goes_in_once_and_comes_out_with_its_columns(desk: Cli, home: Path) -> None:
    sheet = home / "sheet.csv"
    sheet.write_text(
        "Computer;Status;Technician;Asset tag\nH1;done;zoe;=4711\nh2;wat;;\nattic-9;;;77\n"
    )
    told = desk("desk", "import", sheet)
    assert told.code == 2
    assert f"{sheet}:3: what does 'wat' mean?" in told.err
    assert "so nothing was taken over" in told.err
    assert desk("desk", "list", "--stage", "says_done", "-o", "json").document == []
    told = desk("desk", "import", sheet, "--skip-dubious", "-o", "json")
    assert (told.document["opened"], told.document["changed"]) == (1, 1)
    assert "1 hosts that no inventory knows: attic-9" in told.err
    again = desk("desk", "import", sheet, "--skip-dubious").err.splitlines()[-1]
    assert again == "3 rows: 0 tickets opened, 0 changed, 2 as they were, 1 left out"
    out = desk("desk", "export").out
    rows = {row["host"]: row for row in csv.DictReader(io.StringIO(out))}
    assert rows["h1"]["Asset tag"] == "'=4711"
    assert (rows["h1"]["stage"], rows["h1"]["owner"]) == ("says_done", "zoe")
    (home / "own.csv").write_text(out)
    assert desk("desk", "import", home / "own.csv").code == 0
    twice = desk("desk", "import", home / "own.csv").err.splitlines()[-1]
    assert twice == "5 rows: 0 tickets opened, 0 changed, 5 as they were, 0 left out"
    assert desk("desk", "export").out == out


def test_restarts_are_told_one_by_one(cli: Cli, home: Path) -> None:
    fleet = write_fleet(home, "h[1-2]: {kind: server, site: A}", "exposed: 1.0")
    assert cli("run", "rollback", "--mock", "--yes", "-i", fleet).code == 0
    found = cli("desk", "reboots", "-o", "json").document
    assert {(r["host"], r["number"], r["cause"], r["proven"]) for r in found} == {
        ("h1", 1, "planned", True),
        ("h2", 1, "planned", True),
    }
    assert cli("desk", "reboots", "h1").out.splitlines()[1].split()[3:5] == ["planned", "run"]
    assert "1/15" in cli("desk", "reboots").out


def test_a_run_that_proves_a_machine_closes_its_ticket(cli: Cli, home: Path) -> None:
    ill = write_fleet(home, "h1: {kind: kiosk, site: A}", "recovery_screen: 1.0")
    short = ("--set", "strategy.keep_trying=1m")
    assert cli("run", "rollback", "--mock", "--yes", "-i", ill, *short).code == 7
    cli("desk", "claim", "h1", "--tech", "ann")
    cli("desk", "done", "h1", "--tech", "ann")
    well = write_fleet(home, "h1: {kind: kiosk, site: A}", "exposed: 0.0")
    assert cli("run", "prove", "--mock", "--yes", "-i", well).code == 0
    row = cli("desk", "list", "-o", "json").document[0]
    assert (row["stage"], row["verdict"]) == ("proven", "healthy")
    assert "proven well since" in cli("desk", "claim", "h1", "--tech", "bob").err


def test_what_the_desk_exports_it_takes_back(cli: Cli, home: Path) -> None:
    ill = write_fleet(home, "h[1-2]: {kind: kiosk, site: A}", "recovery_screen: 1.0")
    short = ("--set", "strategy.keep_trying=1m")
    assert cli("run", "rollback", "--mock", "--yes", "-i", ill, *short).code == 7
    well = write_fleet(home, "h[1-2]: {kind: kiosk, site: A}", "exposed: 0.0")
    assert cli("run", "prove", "--mock", "--yes", "-i", well, "-l", "h1").code == 0
    sheet = home / "out.csv"
    sheet.write_text(cli("desk", "export").out)
    assert "h1,proven,," in sheet.read_text()
    assert cli("desk", "import", sheet).code == 0
    assert cli("--journal", home / "new.db", "desk", "import", sheet).code == 0
