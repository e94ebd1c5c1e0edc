"""Runs in processes of their own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recovery.cli.main import main
from recovery.errors import RefusedError
from recovery.planning import Prepared, Request
from recovery.service import Service
from recovery.tui.children import Child, words_for, words_to_resume

WHOLE = Request(
    playbook="-odd name",
    inventory=("fleet one.yaml", "two.csv"),
    incident="kb5058379",
    limits=("site in (ATL, MSP) and verdict=dark", "-x"),
    overrides={"strategy.soak": "0s", "settle.for": "10 s"},
    parameters={"kb": "KB5058379"},
    mock=True,
    speed="60x",
    seed=7,
    mix="a mix.yaml",
    check=True,
    concurrency=9,
    blocker=("may we", "--now", "it's"),
    run="r240719-060000",
    plan="ab" * 32,
    by="",
)
CASES = [WHOLE, Request(playbook="rollback", inventory=("f.yaml",), incident="x", run="r1")]


@pytest.mark.parametrize("request_", CASES)
def test_the_command_line_says_the_whole_request(
    request_: Request, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Request] = []

    def prepare(_service: Service, request: Request) -> Prepared:
        asked.append(request)
        raise RefusedError("enough")

    monkeypatch.setattr(Service, "prepare", prepare)
    words = words_for(request_, str(home / "j.db"), "")
    assert words[:3] == [sys.executable, "-m", "recovery"]
    main(words[3:])
    assert [msgspec.structs.replace(found, by="") for found in asked] == [request_]


def test_settings_and_pace_go_along() -> None:
    words = words_to_resume("r1", "/j.db", "/s.yaml", "60x")
    assert words[3:] == [
        "--config=/s.yaml",
        "--journal=/j.db",
        "runs",
        "resume",
        "--speed=60x",
        "--",
        "r1",
    ]
    assert "--config=/s.yaml" in words_for(CASES[1], "/j.db", "/s.yaml")
    assert not any(word.startswith("--speed") for word in words_to_resume("r1", "/j.db", "", ""))


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def said(tmp_path: Path, program: str) -> tuple[Child, str]:
    child = Child(python(program), tmp_path / "deep" / "log")
    child.wait()
    return child, child.said()


def test_what_it_says_in_the_end_is_why_it_failed(tmp_path: Path) -> None:
    words = "warning: x\nerror: no such \x1b[31mplaybook\n  it is [bold]so[/]"
    program = f"import sys; print({words!r}, file=sys.stderr); sys.exit(2)"
    child, words = said(tmp_path, program)
    assert (child.code, words) == (2, "no such \\x1b[31mplaybook it is [bold]so[/]")


def test_without_an_error_the_last_lines_are_told(tmp_path: Path) -> None:
    program = "import sys\nfor n in range(2000): print('line', n, file=sys.stderr)"
    assert said(tmp_path, program)[1] == "line 1997 line 1998 line 1999"
    assert said(tmp_path, "")[1] == ""


def test_only_its_owner_reads_what_it_says_and_no_terminal_reaches_it(tmp_path: Path) -> None:
    program = "import os, sys; print(os.getsid(0) == os.getpid(), sys.stdin.read() == '', file=sys.stderr)"
    child, words = said(tmp_path, program)
    assert words == "True True"
    assert child.log.stat().st_mode & 0o777 == 0o600


def test_options_of_commands_in_the_environment_do_not_reach_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RECOVERY_LIMIT", "RECOVERY_RUN_MOCK", "RECOVERY_SSH_CONFIG", "RECOVERY_CONFIG"):
        monkeypatch.setenv(name, "x")
    program = "import os, sys; print(*sorted(n for n in os.environ if n.startswith('RECOVERY_')), file=sys.stderr)"
    assert said(tmp_path, program)[1].split() == ["RECOVERY_CONFIG", "RECOVERY_SSH_CONFIG"]


def test_it_can_be_stopped(tmp_path: Path) -> None:
    child: Any = Child(python("import time; time.sleep(600)"), tmp_path / "log")
    assert child.code is None
    child.stop()
    child.wait()
    assert child.code != 0
    child.stop()
