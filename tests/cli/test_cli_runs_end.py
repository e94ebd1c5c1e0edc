"""Runs on the mock twin, and the exit codes by which scripts know how they ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Cli, write_fleet

DEMO = ROOT / "inventory" / "demo.yaml"


def test_the_demo_recovers_what_can_be_and_hands_the_rest_over(cli: Cli) -> None:
    told = cli("run", "rollback", "--mock", "-i", DEMO, "--seed", "7")
    assert told.code == 7
    assert told.out.splitlines()[-1].endswith("14 hosts wait for people; exit code 7")
    assert "24" in told.out
    assert "wave 5 ended" in told.err
    assert "wave" not in told.out


def test_the_same_seed_tells_the_same_to_the_letter_in_every_process(home: Path) -> None:
    said = [
        subprocess.run(
            [sys.executable, "-m", "recovery", *words.split(), "-i", DEMO, "-o", "jsonl"],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            cwd=home,
            capture_output=True,
            check=False,
        ).stdout
        for words, seed in (
            ("run rollback --mock --seed 7 --journal a.db", "1"),
            ("run rollback --mock --seed 7 --journal b.db", "2"),
        )
    ]
    assert said[0].count(b"\n") > 400
    assert said[0] == said[1]


def test_json_is_one_document(cli: Cli, fleet: Path) -> None:
    told = cli("run", "rollback", "--mock", "-i", fleet, "-o", "json")
    assert told.code == 0
    assert told.document.pop("run").startswith("r240719-")
    assert told.document["counts"] == {"recovered": 4}
    assert (told.document["schema"], told.document["exit_code"]) == (1, 0)
    assert told.document["exit_reason"] == "all recovered"


def test_jsonl_is_one_event_a_line_and_ends_with_the_end(cli: Cli, fleet: Path) -> None:
    told = cli("run", "rollback", "--mock", "-i", fleet, "-o", "jsonl")
    assert {line["schema"] for line in told.lines} == {1}
    assert all(line["kind"] and line["at"] and line["run"] for line in told.lines)
    assert all("host" in line for line in told.lines)
    assert {line.get("host") for line in told.lines} >= {"h1", "h2", "h3", "h4"}
    assert told.lines[0]["kind"] == "run.started"
    last = told.lines[-1]
    assert (last["kind"], last["exit_code"], last["counts"]) == (
        "run.finished",
        0,
        {"recovered": 4},
    )
    assert last["exit_reason"] == "all recovered"


def test_a_journal_in_memory_is_enough_for_a_rehearsal(cli: Cli, fleet: Path) -> None:
    told = cli("run", "rollback", "--mock", "-i", fleet, "--journal", ":memory:")
    assert told.code == 0, told.err
    assert told.out.splitlines()[-1].endswith("all recovered; exit code 0")


def test_the_same_seed_gives_the_same_lines(cli: Cli) -> None:
    words = ("run", "rollback", "--mock", "-i", DEMO, "-o", "jsonl", "--seed", "3", "--journal")
    first, second = (cli(*words, name) for name in ("a.db", "b.db"))
    assert first.out == second.out


CASES = {
    "healthy fleet": ("h[1-2]: {}", "lucky: 0.0", "[]", (), 0),
    "one fails": (
        "h[1-4]: {kind: server}",
        "exposed: 1.0",
        "[{when: {host: h2}, faults: {quarantine_fails: 1.0}}]",
        ("--set", "strategy.guard.failed=50%", "--set", "strategy.waves=100%"),
        4,
    ),
    "guard": (
        "h[1-9]: {kind: server}",
        "{exposed: 1.0, quarantine_fails: 1.0}",
        "[]",
        (),
        6,
    ),
    "hands": ("h1: {}", "needs_key: 1.0", "[]", ("--set", "strategy.keep_trying=1m"), 7),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_exit_codes(case: str, cli: Cli, home: Path) -> None:
    hosts, faults, rules, more, code = CASES[case]
    if faults.startswith("{"):
        faults = faults[1:-1].replace(", ", "\n  ")
    book = home / "book.yaml"
    text = (ROOT / "playbooks/common/rollback.yaml").read_text()
    if case != "hands":
        text = text.partition("on_failure:")[0]
    book.write_text(text)
    told = cli("run", book, "--mock", "-i", write_fleet(home, hosts, faults, rules), *more)
    assert told.code == code, told.err


def test_dark_hosts_are_unreachable(cli: Cli, home: Path) -> None:
    told = cli("triage", "--mock", "-i", write_fleet(home, "h[1-2]: {}", "dark: 1.0"))
    assert told.code == 5
    assert "2 hosts could not be reached" in told.out


def test_race_wins_against_the_loop(cli: Cli, home: Path) -> None:
    fleet = write_fleet(home, "h[1-2]: {kind: server}", "crash_loop: 1.0")
    told = cli("race", "--mock", "-i", fleet, "-o", "json")
    assert told.document["counts"] == {"recovered": 2}


@pytest.mark.parametrize("playbook", ["rollback", "race"])
def test_a_check_changes_nothing(playbook: str, cli: Cli, fleet: Path) -> None:
    told = cli("run", playbook, "--mock", "--check", "-i", fleet, "-o", "jsonl")
    assert told.code == 0
    kinds = {line["kind"] for line in told.lines}
    assert "step.intended" not in kinds
    assert {line["step"] for line in told.lines if line["kind"] == "step.finished"} == {"triage"}
    rows = cli("hosts", "-o", "json").document
    assert {row["verdict"] for row in rows} == {"exposed"}


def test_list_hosts_lists_and_begins_nothing(cli: Cli, fleet: Path, home: Path) -> None:
    words = ("run", "rollback", "-i", fleet, "-l", "h1,h3", "--list-hosts")
    told = cli(*words)
    assert (told.code, told.out.split()) == (0, ["h1", "h3"])
    assert cli(*words, "-o", "json").document == [
        {"schema": 1, "name": "h1"},
        {"schema": 1, "name": "h3"},
    ]
    assert cli("runs", "list").code == 2


def test_the_plan_of_a_strangers_playbook_hides_nothing(cli: Cli, fleet: Path) -> None:
    book = fleet.parent / "odd.yaml"
    book.write_text(
        'playbook: odd\nsummary: "harmless\\e[2J\\e[1;1H"\nsteps:\n'
        '  - run: {command: [rm, -rf, "/a b\\e[8m"], changes: no}\n'
    )
    plan = cli("plan", book, "-i", fleet).out
    assert "odd: harmless\\x1b[2J\\x1b[1;1H" in plan
    assert "steps: run `rm -rf '/a b\\x1b[8m'`" in plan
    assert "\x1b" not in plan


def test_the_plan_says_what_would_happen(cli: Cli, fleet: Path) -> None:
    told = cli("plan", "rollback", "-i", fleet)
    assert "4 hosts: h[1-4]" in told.out
    assert "cannot be undone" in told.out
    document = cli("plan", "rollback", "-i", fleet, "-o", "json").document
    assert document["total"] == 4
    assert sum(document["waves"]) == 4
    assert sorted(document["order"]) == ["h1", "h2", "h3", "h4"]
    assert document["worst_case_seconds"] > 0


def test_two_thousand_hosts(cli: Cli, home: Path) -> None:
    fleet = write_fleet(home, "h[0001-2000]: {kind: server, site: A}", "exposed: 1.0")
    told = cli("run", "rollback", "--mock", "-i", fleet, "-o", "json")
    assert told.document["counts"] == {"recovered": 2000}


def test_narration_tells_all_when_asked(cli: Cli, fleet: Path) -> None:
    quiet, loud = (cli("triage", "--mock", "-i", fleet, *more) for more in ((), ("-v",)))
    assert "h1: " not in quiet.err
    assert "h1: " in loud.err


def test_the_difference_that_a_run_would_make_and_has_made(cli: Cli, fleet: Path) -> None:
    words = ("run", "rollback", "--mock", "-i", fleet, "--diff")
    would = cli(*words, "--check")
    assert would.out.count("would be moved to quarantine\n") == would.out.count(
        "would be restarted\n"
    )
    assert "CrowdStrike\\C-00000291-" in would.out
    assert "step.intended" not in cli("events", "-o", "jsonl").out
    has = cli(*words, "-o", "json").document["changes"]
    assert sorted(host for change in has for host in change["hosts"]) == ["h1", "h2", "h3", "h4"]
    moved = {change["lines"][0].replace(": moved", ": would be moved") for change in has}
    assert moved == {line.strip() for line in would.out.splitlines() if "be moved" in line}
    assert {change["lines"][1] for change in has} == {"restarted"}
    assert "4 hosts: no change\n" in cli("run", "prove", "--mock", "-i", fleet, "-D").out


def test_no_difference_is_claimed_of_hosts_that_were_not_reached(cli: Cli, home: Path) -> None:
    dark = write_fleet(home, "h[1-2]: {}", "dark: 1.0")
    told = cli("run", "rollback", "--mock", "-i", dark, "-C", "-D")
    assert told.out.startswith("2 hosts: not known, they could not be reached\nOUTCOME")
