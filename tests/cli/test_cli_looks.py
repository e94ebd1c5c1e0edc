"""Commands that only look: what they print, and in which form."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from recovery.cli.output import bold
from recovery.journal.log import Log
from tests.cli.conftest import Cli, Spawn, write_fleet


@pytest.fixture
def after(cli: Cli, fleet: Path) -> Path:
    """The fleet, after a run over it."""
    assert cli("run", "rollback", "--mock", "-i", fleet).code == 0
    return fleet


def test_hosts(cli: Cli, after: Path) -> None:
    rows = cli("hosts", "-i", after, "-o", "json").document
    assert [row["name"] for row in rows] == ["h1", "h2", "h3", "h4"]
    for row in rows:
        assert (row["schema"], row["verdict"], row["progress"], row["site"]) == (
            1, "recovered", "done", "A",
        )  # fmt: skip
        assert row["because"]
    assert [row["name"] for row in cli("hosts", "-o", "jsonl").lines] == ["h1", "h2", "h3", "h4"]
    assert len(list(csv.DictReader(cli("hosts", "-o", "csv").out.splitlines()))) == 4
    assert cli("hosts").out.startswith("HOST")
    narrow = cli("hosts", "-i", after, "-l", "h2", "-o", "json").document
    assert [row["name"] for row in narrow] == ["h2"]


def test_hosts_of_an_inventory_need_no_journal(cli: Cli, fleet: Path) -> None:
    rows = cli("hosts", "-i", fleet, "-o", "json").document
    assert {row["verdict"] for row in rows} == {"unknown"}


def test_status(cli: Cli, after: Path) -> None:
    found = cli("status", "-i", after, "-o", "json").document
    assert (found["schema"], found["total"], found["verdicts"]["recovered"]) == (1, 4, 4)
    assert found["progress"]["done"] == 4
    assert "verdicts: 4 recovered" in cli("status").out


def test_simulated_hosts_are_never_shown_as_real_ones(cli: Cli, after: Path, home: Path) -> None:
    assert cli("status", "-o", "json").document["mock"] is True
    for words in (("status",), ("hosts",), ("explain", "h1")):
        assert "SIMULATED" in cli(*words).err
    (home / "real.yaml").write_text("hosts: {r: {os: linux, address: 127.0.0.1, port: 9}}\n")
    assert cli("triage", "-i", "real.yaml").code == 5
    assert cli("status", "-o", "json").document["mock"] is False
    assert "SIMULATED" not in cli("hosts").err


def test_explain(cli: Cli, after: Path) -> None:
    found = cli("explain", "h1", "-o", "json").document
    assert (found["schema"], found["name"], found["verdict"]) == (1, "h1", "recovered")
    assert found["because"]
    assert len(found["timeline"]) > 3
    assert "because" in cli("explain", "h1").out
    wrong = cli("explain", "h11")
    assert (wrong.code, "'h1'" in wrong.err) == (2, True)


def test_events(cli: Cli, after: Path) -> None:
    lines = cli("events", "-o", "jsonl").lines
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert {line["schema"] for line in lines} == {1}
    assert cli("events", "-o", "json").document == lines
    assert cli("runs", "export", "last").lines == lines
    own = cli("events", "--run", "last", "--host", "h1", "-o", "jsonl").lines
    assert own == [line for line in lines if line.get("host") == "h1"]
    assert len(cli("events").out.splitlines()) == len(lines)
    assert "the chain holds" in cli("events", "--verify").out


def test_runs(cli: Cli, after: Path) -> None:
    [row] = cli("runs", "list", "-o", "json").document
    assert (row["schema"], row["playbook"], row["mock"]) == (1, "rollback", True)
    assert "(mock)" in cli("runs", "list").out
    shown = cli("runs", "show", row["run"][:4], "-o", "json").document
    assert (shown["schema"], shown["total"], shown["counts"]) == (1, 4, {"recovered": 4})
    assert "all recovered" in cli("runs", "show", "last").out
    assert cli("runs", "show", "nothing").code == 2


def test_inventories(cli: Cli, fleet: Path, home: Path) -> None:
    assert "4 hosts, 1 sites" in cli("inventory", "check", fleet).out
    rows = cli("inventory", "show", fleet, "-l", "h1,h2", "-o", "json").document
    assert [(row["schema"], row["name"]) for row in rows] == [(1, "h1"), (1, "h2")]
    assert "h4" in cli("inventory", "show", fleet).out
    for form in ("yaml", "csv", "json", "jsonl"):
        other = home / f"other.{form}"
        other.write_text(cli("inventory", "convert", fleet, "-t", form).out)
        assert cli("inventory", "show", other, "-o", "json").document[3]["name"] == "h4"


@pytest.mark.parametrize("kind", ["playbook", "incident"])
def test_the_library(kind: str, cli: Cli, home: Path) -> None:
    names = [line.split()[0] for line in cli(kind, "list").out.splitlines()[1:]]
    assert names
    for name in names:
        assert cli(kind, "show", name).out.startswith((f"{kind}:", "#"))
    told = cli(kind, "check", *names)
    assert (told.code, told.out.count("in order")) == (0, len(names))


def test_a_refused_playbook_is_named_with_its_line(cli: Cli, home: Path) -> None:
    (home / "bold.yaml").write_text("playbook: bold\nsteps:\n  - rollback\n")
    told = cli("playbook", "check", "bold.yaml")
    assert told.code == 2
    assert "REFUSED" in told.out
    assert "bold.yaml:3" in told.err


@pytest.mark.parametrize("kind", ["inventory", "incident", "playbook"])
def test_schemas(kind: str, cli: Cli) -> None:
    assert "properties" in json.dumps(cli("schema", kind).document)


def test_settings_say_where_they_come_from(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOVERY_JOURNAL", "from-env.db")
    rows = {row["name"]: row for row in cli("config", "-o", "json").document["settings"]}
    assert rows["journal"] == {
        "name": "journal",
        "value": "from-env.db",
        "from": "RECOVERY_JOURNAL",
    }
    rows = cli("--journal", "flag.db", "config", "-o", "json").document["settings"]
    assert rows[0]["value"] == "flag.db"
    assert "from-env.db" in cli("config").out


def test_every_option_has_a_variable(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_fleet(home, "h[1-4]: {kind: server}\n  k1: {kind: kiosk}", "exposed: 1.0")
    for name, value in {
        "INVENTORY": "fleet.yaml",
        "MOCK": "1",
        "LIMIT": "kind = server\nnot h4",
        "RUN_LIST_HOSTS": "yes",
        "OUTPUT": "csv",
        "RUN_OUTPUT": "jsonl",
    }.items():
        monkeypatch.setenv(f"RECOVERY_{name}", value)
    told = cli("run", "triage")
    assert [line["name"] for line in told.lines] == ["h1", "h2", "h3"], told.err
    assert cli("hosts", "-i", "fleet.yaml").out.startswith("schema,name,")
    monkeypatch.setenv("RECOVERY_YES", "perhaps")
    assert cli("run", "triage").code == 2


def test_the_journal_is_where_it_was_said(
    cli: Cli, fleet: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOVERY_JOURNAL", str(home / "env.db"))
    monkeypatch.setenv("RECOVERY_INVENTORY", str(fleet))
    cli("triage", "--mock")
    assert (home / "env.db").exists()
    cli("--journal", "root.db", "triage", "--mock")
    cli("triage", "--mock", "--journal", "own.db")
    assert (home / "root.db").exists()
    assert (home / "own.db").exists()


def test_doctor(cli: Cli) -> None:
    out = cli("doctor").out
    assert "open files" in out
    assert "credentials: none" in out


def test_no_colour_where_nobody_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert bold("x") == "\x1b[1mx\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "")
    assert bold("x") == "x"


def test_the_program_as_a_process(spawn: Spawn) -> None:
    process = spawn(("--version",))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out.split()[0], err) == (0, "recovery", "")


@pytest.mark.parametrize(
    ("verify", "mock", "warned"), [(False, False, True), (True, False, False), (False, True, False)]
)
def test_certificates_that_nobody_checks_are_warned_of(
    home: Path, cli: Cli, *, verify: bool, mock: bool, warned: bool
) -> None:
    (home / "s.json").write_text(json.dumps({"winrm": {"verify": verify}}))
    (home / "w.yaml").write_text("hosts: {w1: {transport: winrm, address: 127.0.0.1}}\n")
    words = ("run", "triage", "--mock") if mock else ("plan", "triage")
    told = cli("--config", home / "s.json", *words, "-i", home / "w.yaml")
    assert ("could relay a sign-in by NTLM" in told.err) is warned


@pytest.mark.parametrize(
    ("words", "columns"),
    [(("hosts",), "schema,name,verdict,progress,site"), (("runs", "list"), "schema,run,")],
)
def test_a_journal_without_anything_in_it_is_a_table_without_rows(
    words: tuple[str, ...], columns: str, home: Path, cli: Cli
) -> None:
    Log.open(home / "j.db").close()
    told = cli(*words, "-o", "csv", "--journal", home / "j.db")
    assert told.code == 0, told.err
    (header,) = told.out.splitlines()
    assert header.startswith(columns)
