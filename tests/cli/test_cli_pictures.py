"""Pictures of screens: where a run keeps them, where `explain` finds them, and who reads their text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli, write_fleet

MOCK = ("--mock", "--speed", "max", "--seed", "1")


@pytest.fixture
def blue(home: Path) -> Path:
    """A server that stays on its blue screen, with a console."""
    return write_fleet(home, "h1: {kind: server, console: {kind: mock}}", "blue_screen: 1.0")


def kept(cli: Cli, host: str = "h1") -> list[Path]:
    return [Path(path) for path in cli("explain", host, "-o", "json").document["pictures"]]


def test_pictures_of_a_mock_run_are_found(cli: Cli, home: Path, blue: Path) -> None:
    journal = home / "a.twin.db"
    cli("--journal", journal, "triage", "-i", blue, *MOCK)
    found = cli("--journal", journal, "explain", "h1", "-o", "json").document["pictures"]
    assert [Path(path).name.partition("-")[0] for path in found] == ["crash", "newest"]
    assert all(Path(path).read_bytes().startswith(b"\x89PNG") for path in found)
    assert "picture of its screen, first crash: " in cli("--journal", journal, "explain", "h1").out


def test_a_simulated_hosts_pictures_are_not_taken_for_the_real_ones(
    cli: Cli, home: Path, blue: Path
) -> None:
    cli("triage", "-i", blue, *MOCK)
    assert len(kept(cli)) == 2
    real = home / "real.yaml"
    real.write_text("hosts: {h1: {address: 127.0.0.1, port: 9, transport: ssh}}\n")
    cli("triage", "-i", real)
    assert kept(cli) == []
    cli("triage", "-i", blue, *MOCK)
    assert len(kept(cli)) == 2


def test_a_journal_in_memory_keeps_no_pictures(cli: Cli, home: Path, blue: Path) -> None:
    told = cli("--journal", ":memory:", "triage", "-i", blue, *MOCK)
    assert "blue_screen" in told.out + told.err
    assert not list(home.rglob("*pictures*"))


@pytest.fixture
def bare(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings that name a text recogniser which is not there."""
    monkeypatch.setenv("PATH", str(home))
    file = home / "own.yaml"
    file.write_text("ocr: tesseract\n")
    return file


def test_who_reads_a_runs_pictures_is_a_setting(cli: Cli, blue: Path, bare: Path) -> None:
    refused = cli("--config", bare, "triage", "-i", blue, *MOCK)
    assert refused.code == 2
    assert "tesseract is not installed" in refused.err
    bare.write_text("ocr: none\n")
    assert "tesseract" not in cli("--config", bare, "triage", "-i", blue, *MOCK).err


def test_a_run_without_consoles_needs_nobody_who_reads_pictures(
    cli: Cli, fleet: Path, bare: Path
) -> None:
    told = cli("--config", bare, "triage", "-i", fleet, *MOCK)
    assert "tesseract" not in told.err


def test_who_reads_real_consoles_pictures_is_the_same_setting(
    cli: Cli, home: Path, bare: Path
) -> None:
    real = home / "real.yaml"
    real.write_text(
        "hosts: {h1: {address: 127.0.0.1, port: 9, transport: ssh, "
        f"console: {{kind: qmp, address: {home}/nothing}}}}}}\n"
    )
    refused = cli("--config", bare, "triage", "-i", real)
    assert refused.code == 2
    assert "tesseract is not installed" in refused.err


def test_evidence_reads_the_settings_that_are_named(cli: Cli, home: Path, bare: Path) -> None:
    refused = cli("--config", bare, "evidence", home)
    assert refused.code == 2
    assert "tesseract is not installed" in refused.err
    assert cli("--config", bare, "evidence", bare, "--ocr", "none").code == 0
    assert "cannot be read" in cli("--config", home / "gone.yaml", "evidence", bare).err
