"""`run exposure` and `exposure`, as an operator uses them before an incident."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, write_fleet


@pytest.fixture
def mixed(home: Path) -> Path:
    """Hosts of all three systems."""
    hosts = "w[1-3]: {os: windows, site: A}\n  l1: {os: linux}\n  m1: {os: macos}"
    return write_fleet(home, hosts, "exposed: 0.0")


def test_an_audit_is_a_table_with_its_counts(cli: Cli, mixed: Path) -> None:
    told = cli("run", "exposure", "--mock", "-i", mixed)
    assert told.code == 0
    assert "in kernel mode: a bad update can stop the machine" in told.out
    assert "WOULD NEED HANDS" in told.out
    assert "CrowdStrike Falcon" in told.out


def test_a_fleet_from_standard_input_is_read_once(
    cli: Cli, mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(mixed.read_text()))
    told = cli("run", "exposure", "--mock", "-i", "-")
    (run,) = cli("runs", "list", "-o", "json").document
    assert told.code == run["exit_code"]
    assert "WOULD NEED HANDS" in told.out


def test_it_changes_nothing_and_needs_no_word_of_consent(cli: Cli, mixed: Path) -> None:
    cli("run", "exposure", "--mock", "-i", mixed)
    kinds = {event["kind"] for event in cli("events", "-o", "jsonl").lines}
    assert "step.intended" not in kinds
    assert cli("playbook", "check", "exposure").code == 0


def test_what_was_found_can_be_had_again_in_every_form(cli: Cli, mixed: Path) -> None:
    cli("run", "exposure", "--mock", "-i", mixed)
    found = cli("exposure", "-i", mixed, "-o", "json").document
    assert (found["schema"], found["total"], found["audited"]) == (1, 5, 5)
    assert found["sites"]["A"]["could_take_down"] == 3
    by_name = {row["name"]: row for row in found["hosts"]}
    assert by_name["w1"]["kernel_mode"] == ["CrowdStrike Falcon"]
    assert by_name["l1"]["ebpf_mode"] == ["CrowdStrike Falcon"]
    assert by_name["m1"]["user_mode"] == ["CrowdStrike Falcon"]
    lines = list(csv.DictReader(cli("exposure", "-i", mixed, "-o", "csv").out.splitlines()))
    assert [line["name"] for line in lines] == ["w1", "w2", "w3", "l1", "m1"]
    narrow = cli("exposure", "-i", mixed, "-l", "l1", "-o", "jsonl").lines
    assert [row["name"] for row in narrow] == ["l1"]


def test_hosts_that_no_audit_met_are_unknown(cli: Cli, mixed: Path) -> None:
    cli("run", "exposure", "--mock", "-i", mixed, "-l", "w1")
    rows = cli("exposure", "-i", mixed, "-o", "json").document["hosts"]
    assert [row["could_take_down"] for row in rows] == ["yes", *["unknown"] * 4]


def test_a_journal_without_an_audit_knows_nothing(cli: Cli, mixed: Path) -> None:
    assert cli("exposure", "-i", mixed).code == 2
    cli("run", "triage", "--mock", "-i", mixed)
    rows = cli("exposure", "-i", mixed, "-o", "json").document["hosts"]
    assert {row["could_take_down"] for row in rows} == {"unknown"}
