"""What is wrong is said in a sentence, before anything begins, with an exit code of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli

WRONG = {
    "no inventory": (("run", "rollback", "--mock"), 2, "give an inventory"),
    "inventory that is not there": (("run", "rollback", "-i", "no.yaml"), 2, "no.yaml"),
    "playbook": (("run", "rolback", "-i", "{fleet}"), 2, "did you mean 'rollback'?"),
    "incident": (
        ("run", "rollback", "-i", "{fleet}", "--incident", "crowdstrike-292"),
        2,
        "did you mean 'crowdstrike-291'?",
    ),
    "option": (("run", "rollback", "--mok"), 2, "--mok"),
    "command": (("rum",), 2, "rum"),
    "field": (("run", "rollback", "-i", "{fleet}", "-l", "sit=A"), 2, "site"),
    "empty selection": (("run", "rollback", "-i", "{fleet}", "-l", "h1 and h2"), 3, "no host"),
    "no hosts": (("run", "rollback", "-i", "{empty}"), 3, ""),
    "duplicate": (("inventory", "check", "{twice}"), 2, "h1"),
    "speed": (("run", "rollback", "--mock", "-i", "{fleet}", "--speed", "warp"), 2, "warp"),
    "set": (("run", "rollback", "-i", "{fleet}", "--set", "soak"), 2, "NAME=VALUE"),
    "set of nothing": (("run", "rollback", "-i", "{fleet}", "--set", "setle.for=1s"), 2, "settle"),
    "output": (("run", "rollback", "-i", "{fleet}", "-o", "xml"), 2, "-o xml"),
    "unguarded": (("run", "{unguarded}", "--mock", "-i", "{fleet}"), 2, "guard"),
    "transport": (("triage", "-i", "{pigeon}"), 2, "'pigeon'"),
    "credential": (("triage", "-i", "{secret}"), 2, "no credential is named 'nobody'"),
    "schema": (("schema", "inventry"), 2, "inventory"),
    "form": (("inventory", "convert", "{fleet}", "-t", "xml"), 2, "xml"),
    "journal": (("runs", "list"), 2, "journal"),
    "limit alone": (("hosts", "-l", "h1"), 2, "inventory"),
    "confirm": (("run", "rollback", "-i", "{fleet}"), 2, "--yes"),
}

FILES = {
    "empty": "hosts: {}\n",
    "twice": "hosts:\n  h1: {}\n  h[1-2]: {}\n",
    "pigeon": "hosts: {h1: {transport: pigeon}}\n",
    "secret": "hosts: {h1: {credential: nobody, address: 127.0.0.1, port: 1}}\n",
    "unguarded": "playbook: bold\nsteps:\n  - triage\n  - rollback\n",
}


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_wrong_use(case: str, cli: Cli, fleet: Path, home: Path) -> None:
    paths = {"fleet": str(fleet)}
    for name, text in FILES.items():
        path = home / f"{name}.yaml"
        path.write_text(text)
        paths[name] = str(path)
    words, code, part = WRONG[case]
    told = cli(*(word.format(**paths) for word in words))
    assert told.code == code, told.err
    assert part in told.err
    assert told.out == ""
    assert "Traceback" not in told.err
    journal = home / ".local/state/recovery/journal.db"
    if journal.exists():
        assert cli("runs", "list", "-o", "json").document == []


def test_credentials_come_before_the_run(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = home / "s.yaml"
    settings.write_text("credentials: {ad: {provider: env, variable: RECOVERY_TEST_AD}}\n")
    hosts = home / "one.yaml"
    hosts.write_text("hosts: {h1: {credential: ad, address: 127.0.0.1, port: 1}}\n")
    words = ("--config", settings, "triage", "-i", hosts)
    told = cli(*words)
    assert told.code == 2
    assert "RECOVERY_TEST_AD is not set" in told.err
    assert cli("runs", "list", "-o", "json").document == []
    monkeypatch.setenv("RECOVERY_TEST_AD", "tell-nobody")
    told = cli(*words, "-o", "jsonl")
    assert told.code == 5
    assert "tell-nobody" not in told.out + told.err


def test_an_altered_journal_is_told(cli: Cli, fleet: Path, home: Path) -> None:
    cli("triage", "--mock", "-i", fleet, "--journal", "j.db")
    held = cli("events", "--verify", "--journal", "j.db", "-o", "json")
    assert held.code == 0
    head = held.document["head"]
    assert cli("events", "--verify", "--head", head, "--journal", "j.db").code == 0
    whole = (home / "j.db").read_bytes()
    (home / "j.db").write_bytes(whole.replace(b'"playbook":"triage"', b'"playbook":"triagf"'))
    told = cli("events", "--verify", "--journal", "j.db")
    assert told.code == 2
    assert "was altered" in told.err


@pytest.mark.parametrize("words", [("triage", "--mock", "-i", ""), ("inventory", "show", " ")])
def test_a_variable_that_is_not_set_selects_no_folder(words: tuple[str, ...], cli: Cli) -> None:
    told = cli(*words)
    assert (told.code, "it is empty; is a variable not set?" in told.err) == (2, True)


def test_a_user_without_a_home_is_told_so(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(*_: object, **__: object) -> Path:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("platformdirs.user_config_path", homeless)
    told = cli("runs", "list")
    assert (told.code, "set HOME" in told.err) == (2, True)


@pytest.mark.parametrize(
    "window", ["nonsense", "9-17", "09:00", "09:00+02:00 - 17:00", "25:00-26:00"]
)
def test_a_freeze_window_that_cannot_be_read_begins_nothing(
    window: str, cli: Cli, home: Path
) -> None:
    (home / "f.yaml").write_text(
        f'sites: {{A: {{freeze: ["{window}"]}}}}\nhosts: {{a: {{site: A, os: linux}}}}\n'
    )
    told = cli("run", "rollback", "--mock", "-i", "f.yaml")
    assert (told.code, "site A: a freeze window is written HH:MM-HH:MM in UTC" in told.err) == (
        2,
        True,
    )
