"""Runs that are stopped, taken up again, approved and told things by other processes."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast

import pytest

from recovery.errors import JournalError
from recovery.journal.chain import Row
from recovery.journal.store import Store
from tests.cli.conftest import ROOT, Cli, Spawn, Told, write_fleet


def until(stream: IO[str] | None, kind: str) -> dict[str, object]:
    """The first event of that kind which the process prints."""
    for line in cast("IO[str]", stream):
        event: dict[str, object] = json.loads(line)
        if event["kind"] == kind:
            return event
    raise AssertionError(f"ended without {kind}")


def ended(process: subprocess.Popen[str]) -> Told:
    out, err = process.communicate(timeout=60)
    return Told(process.returncode, out, err)


@pytest.fixture
def stopped(spawn: Spawn, fleet: Path, home: Path) -> Path:
    """The journal of a run that was interrupted in its first wave."""
    journal = home / "j.db"
    words = ("run", "rollback", "--mock", "-i", fleet, "--speed", "realtime", "-o", "jsonl")
    process = spawn((*words, "--journal", journal))
    until(process.stdout, "wave.opened")
    process.send_signal(signal.SIGINT)
    told = ended(process)
    assert told.code == 130, told.err
    assert told.lines[-1]["exit_code"] == 130
    assert f"runs resume {told.lines[-1]['run']}" in told.err
    return journal


def test_what_nobody_hears_is_told_as_such(stopped: Path, cli: Cli) -> None:
    told = cli("runs", "pause", "last", "--journal", stopped)
    assert told.code == 0
    assert "is told to pause\nnobody carries it out: `recovery runs resume r" in told.err


def test_ctrl_c_writes_a_checkpoint_and_resume_finishes(stopped: Path, cli: Cli) -> None:
    shown = cli("runs", "show", "last", "-o", "json", "--journal", stopped).document
    assert shown["finished"] is None
    told = cli("runs", "resume", "last", "--speed", "max", "-o", "jsonl", "--journal", stopped)
    assert told.code == 0, told.err
    assert told.lines[0]["kind"] == "run.resumed"
    assert told.lines[-1]["counts"] == {"recovered": 4}
    assert cli("events", "--verify", "--journal", stopped).code == 0
    again = cli("runs", "resume", "last", "--journal", stopped)
    assert again.code == 2
    assert "has finished" in again.err


def test_ctrl_c_does_not_wait_for_sessions_that_are_being_opened(
    home: Path, cli: Cli, spawn: Spawn
) -> None:
    """Nothing was asked of such a host yet. Its silence is no evidence: it was not waited for."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        line = f"{{os: linux, address: 127.0.0.1, port: {port}, credential: c}}"
        (home / "real.yaml").write_text(f"hosts:\n  h1: {line}\n")
        (home / "secret").touch(0o600)
        (home / "secret").write_text("x")
        means = {"provider": "file", "user": "u", "path": str(home / "secret")}
        (home / "s.json").write_text(json.dumps({"credentials": {"c": means}}))
        words = ("--config", home / "s.json", "run", "triage", "-i", home / "real.yaml")
        process = spawn((*words, "-o", "jsonl", "--journal", home / "j.db"))
        until(process.stdout, "run.started")
        with listener.accept()[0] as look:
            look.sendall(b"SSH-2.0-silent\r\n")
            look.recv(100)
        opening = listener.accept()[0]
        with opening:
            opening.sendall(b"SSH-2.0-silent\r\n")
            opening.recv(100)
            process.send_signal(signal.SIGINT)
            told = ended(process)
    assert told.code == 130, told.err
    assert not [line for line in told.lines if line.get("host")]
    assert cli("runs", "show", "last", "-o", "json", "--journal", home / "j.db").code == 0


def test_a_cancel_before_the_resume_is_obeyed(stopped: Path, cli: Cli) -> None:
    assert cli("runs", "cancel", "last", "--journal", stopped).code == 0
    told = cli("runs", "resume", "last", "--speed", "max", "-o", "json", "--journal", stopped)
    assert told.document["counts"].get("cancelled", 0) >= 3
    late = cli("runs", "cancel", "last", "--journal", stopped)
    assert (late.code, "has finished" in late.err) == (2, True)


def test_an_abort_before_the_resume_is_obeyed_once(stopped: Path, cli: Cli) -> None:
    cli("runs", "abort", "last", "--journal", stopped)
    words = ("runs", "resume", "last", "--speed", "max", "--journal", stopped)
    assert cli(*words).code == 130
    assert cli(*words).code == 0


def test_a_pause_before_the_resume_holds_until_it_is_taken_back(
    stopped: Path, cli: Cli, spawn: Spawn
) -> None:
    cli("runs", "pause", "last", "--journal", stopped)
    words = ("runs", "resume", "last", "--speed", "2000x", "-o", "jsonl", "--journal", stopped)
    process = spawn(words)
    until(process.stdout, "run.held")
    assert (
        cli("runs", "show", "last", "--journal", stopped).out.splitlines()[-1].startswith("paused")
    )
    cli("runs", "unpause", "last", "--journal", stopped)
    told = ended(process)
    assert told.code == 0, told.err


def test_waves_are_approved_from_another_process(
    spawn: Spawn, fleet: Path, home: Path, cli: Cli
) -> None:
    journal = home / "j.db"
    more = ("--set", "strategy.approve=waves", "--set", "strategy.waves=1,100%")
    words = ("run", "rollback", "--mock", "-i", fleet, "--speed", "2000x", "-o", "jsonl", *more)
    process = spawn((*words, "--journal", journal))
    gate = until(process.stdout, "approval.asked")["gate"]
    assert gate == "wave:2"
    wrong = cli("runs", "approve", "last", "wave:9", "--journal", journal)
    assert (wrong.code, "wave:2" in wrong.err) == (2, True)
    assert "runs approve" in cli("runs", "show", "last", "--journal", journal).out
    assert cli("runs", "approve", "last", gate, "--journal", journal).code == 0
    told = ended(process)
    assert told.code == 0, told.err
    assert told.lines[-1]["counts"] == {"recovered": 4}


def test_retry_takes_the_hosts_that_are_left(cli: Cli, fleet: Path) -> None:
    cli("run", "rollback", "--mock", "-i", fleet)
    assert cli("runs", "retry", "last").code == 3
    wrong = cli("runs", "retry", "last", "--only", "recoverd")
    assert (wrong.code, "'recovered'" in wrong.err) == (2, True)
    told = cli("runs", "retry", "last", "--only", "recovered", "-o", "json")
    assert told.code == 0
    rows = cli("runs", "list", "-o", "json").document
    assert [row["total"] for row in rows] == [4, 4]


def test_nobody_reading_does_not_stop_a_run(
    spawn: Spawn, fleet: Path, cli: Cli, home: Path
) -> None:
    journal = home / "j.db"
    words = ("run", "rollback", "--mock", "-i", fleet, "-o", "jsonl", "--speed", "1000x")
    process = spawn((*words, "--journal", journal))
    cast("IO[str]", process.stdout).readline()
    cast("IO[str]", process.stdout).close()
    assert "nobody reads" in cast("IO[str]", process.stderr).read()
    process.wait(60)
    cast("IO[str]", process.stderr).close()
    assert cli("runs", "list", "-o", "json", "--journal", journal).document[0]["exit_code"] == 0


def test_a_reader_that_has_enough_ends_a_command_as_sigpipe_would(spawn: Spawn) -> None:
    process = spawn(("schema", "playbook"))
    cast("IO[str]", process.stdout).close()
    assert cast("IO[str]", process.stderr).read() == ""
    assert process.wait(60) == 141
    cast("IO[str]", process.stderr).close()


@pytest.mark.parametrize("shape", ["text", "json"])
def test_a_run_whose_reader_has_gone_keeps_its_own_exit_code(
    shape: str, spawn: Spawn, home: Path
) -> None:
    dark = write_fleet(home, "h[1-2]: {}", "dark: 1.0")
    words = ("run", "triage", "--mock", "-i", dark, "-o", shape, "--journal", home / "j.db")
    process = spawn(words)
    cast("IO[str]", process.stdout).close()
    assert "internal error" not in cast("IO[str]", process.stderr).read()
    assert process.wait(60) == 5
    cast("IO[str]", process.stderr).close()


@pytest.mark.parametrize("shape", ["text", "json", "jsonl"])
def test_a_full_disk_under_the_output_takes_no_run_down(
    shape: str, home: Path, fleet: Path, cli: Cli
) -> None:
    journal = home / "j.db"
    words = ("run", "rollback", "--mock", "-i", fleet, "-o", shape, "--journal", journal)
    told = with_streams(words, home, stdout="/dev/full")
    assert told.returncode == 0, told.stderr
    assert "No space left" in told.stderr
    assert cli("runs", "list", "-o", "json", "--journal", journal).document[0]["exit_code"] == 0
    looking = with_streams(("runs", "list", "--journal", journal), home, stdout="/dev/full")
    assert looking.returncode == 1
    assert "error: the output cannot be written: No space left" in looking.stderr


def with_streams(
    words: tuple[object, ...], home: Path, *, stdout: str
) -> subprocess.CompletedProcess[str]:
    with Path(stdout).open("w") as sink:
        return subprocess.run(
            [sys.executable, "-m", "recovery", *map(str, words)],
            cwd=ROOT,
            env={**os.environ, "HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )


def test_missing_streams_are_no_error(home: Path, fleet: Path, cli: Cli) -> None:
    journal = home / "j.db"
    words = ("run", "rollback", "--mock", "-i", fleet, "-o", "jsonl", "--journal", journal)
    line = shlex.join([sys.executable, "-m", "recovery", *map(str, words)])
    code = subprocess.run(
        ["sh", "-c", f"exec {line} <&- >&- 2>&-"], cwd=ROOT, timeout=60, check=False
    ).returncode
    assert code == 0
    assert cli("events", "--verify", "--journal", journal).code == 0


def test_a_journal_that_is_full_breaks_the_run_off_and_says_how_to_go_on(
    home: Path, fleet: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("run", "rollback", "--mock", "-i", fleet, "-o", "json", "--journal", home / "j.db")
    whole, commits = Store.insert, 0

    def full(store: Store, rows: Sequence[Row]) -> None:
        nonlocal commits
        commits += 1
        if commits > 4:
            raise JournalError("journal j.db: the disk is full")
        whole(store, rows)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "insert", full)
        told = cli(*words)
    assert told.code == 1
    assert "error: journal j.db: the disk is full" in told.err
    assert "internal error" not in told.err
    run = cli("runs", "list", "-o", "json", "--journal", home / "j.db").document[0]["run"]
    assert f"runs resume {run}" in told.err
    again = cli("runs", "resume", run, "-o", "json", "--journal", home / "j.db")
    assert again.document["counts"] == {"recovered": 4}


def test_a_journal_that_is_full_before_the_run_begins_nothing(
    home: Path, fleet: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_store: Store, _rows: Sequence[Row]) -> None:
        raise JournalError("journal j.db: the disk is full")

    monkeypatch.setattr(Store, "insert", full)
    told = cli("run", "rollback", "--mock", "-i", fleet, "--journal", home / "j.db")
    assert (told.code, "runs resume" in told.err) == (2, False)


def test_a_run_is_carried_out_by_one_process_at_a_time(
    spawn: Spawn, cli: Cli, fleet: Path, home: Path
) -> None:
    journal = home / "j.db"
    words = ("run", "rollback", "--mock", "-i", fleet, "--speed", "realtime", "-o", "jsonl")
    process = spawn((*words, "--journal", journal))
    until(process.stdout, "wave.opened")
    second = cli("runs", "resume", "last", "--speed", "max", "--journal", journal)
    assert second.code == 2
    assert f"is being carried out by process {process.pid}" in second.err
    assert "runs abort" in second.err
    assert f"process {process.pid} on " in cli("runs", "list", "--journal", journal).out
    assert (
        f"carried out by process {process.pid}"
        in cli("runs", "show", "last", "--journal", journal).out
    )
    process.kill()
    process.communicate(timeout=60)
    run = cli("runs", "list", "-o", "json", "--journal", journal).document[0]
    assert run["carried_out_by"] == ""
    shown = cli("runs", "show", "last", "--journal", journal).out
    assert f"open: recovery runs resume {run['run']}" in shown
    third = cli("runs", "resume", "last", "--speed", "max", "-o", "json", "--journal", journal)
    assert third.document["counts"] == {"recovered": 4}, third.err
    assert not list(home.glob("*.lock"))


def test_runs_that_begin_at_one_moment_are_told_apart(
    spawn: Spawn, cli: Cli, fleet: Path, home: Path
) -> None:
    journal = home / "j.db"
    words = ("run", "rollback", "--mock", "-i", fleet, "-o", "json", "--journal", journal)
    told = [ended(process) for process in [spawn(words) for _ in range(4)]]
    assert [one.code for one in told] == [0] * 4, told
    assert len({one.document["run"] for one in told}) == 4
    runs = cli("runs", "list", "-o", "json", "--journal", journal).document
    assert [run["counts"] for run in runs] == [{"recovered": 4}] * 4


def test_a_blocker_holds_the_run_until_it_says_yes_also_after_a_resume(
    home: Path, fleet: Path, cli: Cli, spawn: Spawn
) -> None:
    asked, journal = home / "asked", home / "j.db"
    script = home / "blocker.sh"
    script.write_text(
        f"#!/bin/sh\n[ -e {home}/open ] && exit 0\necho x >> {asked}\necho CHG-1\nexit 1\n"
    )
    script.chmod(0o755)
    words = ("run", "rollback", "--mock", "-i", fleet, "--blocker", script, "-o", "jsonl")
    process = spawn((*words, "--journal", journal))
    assert until(process.stdout, "run.held")["reason"] == "not now, says the blocker: CHG-1"
    process.send_signal(signal.SIGTERM)
    told = ended(process)
    assert told.code == 130, told.err
    assert not [line for line in told.lines if line["kind"] == "step.intended"]
    process = spawn(("runs", "resume", "last", "-o", "jsonl", "--journal", journal))
    until(process.stdout, "run.held")
    (home / "open").touch()
    told = ended(process)
    assert (told.code, told.lines[-1]["counts"]) == (0, {"recovered": 4}), told.err


def test_a_paused_run_whose_time_jumps_goes_on_when_it_is_told(
    home: Path, fleet: Path, cli: Cli, spawn: Spawn
) -> None:
    journal = home / "j.db"
    words = ("run", "rollback", "--mock", "-i", fleet, "--speed", "realtime", "-o", "jsonl")
    process = spawn((*words, "--journal", journal))
    until(process.stdout, "run.started")
    process.send_signal(signal.SIGINT)
    ended(process)
    cli("runs", "pause", "last", "--journal", journal)
    resume = ("runs", "resume", "last", "--speed", "max", "-o", "jsonl", "--journal", journal)
    process = spawn(resume)
    until(process.stdout, "run.held")
    cli("runs", "unpause", "last", "--journal", journal)
    assert ended(process).lines[-1]["counts"] == {"recovered": 4}


def test_hosts_that_another_process_is_changing_are_left_to_it(
    home: Path, cli: Cli, spawn: Spawn
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]  # nobody listens there afterwards
    line = f"{{os: linux, address: 127.0.0.1, port: {port}}}"
    (home / "real.yaml").write_text(f"hosts:\n  h[1-3]: {line}\n")
    (home / "other.yaml").write_text(f"hosts:\n  h3: {line}\n  x: {line}\n")
    words = ("rollback", "--yes", "-o", "jsonl", "--journal", home / "j.db")
    process = spawn(("run", *words, "-i", home / "real.yaml"))
    run = until(process.stdout, "run.started")["run"]
    second = cli("run", *words, "-i", "other.yaml")
    assert second.code == 2
    assert f"run {run} (rollback, process {process.pid} on " in second.err
    assert "under way on 1 of these hosts: h3;" in second.err
    assert cli("run", "triage", "-i", "other.yaml", "--journal", home / "j.db").code == 5
    process.send_signal(signal.SIGTERM)
    assert ended(process).code == 130
    later = spawn(("run", *words, "-i", home / "other.yaml"))
    until(later.stdout, "run.started")
    resumed = cli("runs", "resume", run, "--journal", home / "j.db")
    assert (resumed.code, "under way on 1 of these hosts" in resumed.err) == (2, True)
    later.send_signal(signal.SIGTERM)
    assert ended(later).code == 130
