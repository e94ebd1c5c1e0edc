"""What an operator at a terminal is asked, and what becomes of output that nobody takes or may see."""

from __future__ import annotations

import io
import signal
import sys
from pathlib import Path

import pytest

from recovery.cli import narrate
from recovery.cli.main import main
from recovery.cli.output import documents, inert, say, table
from recovery.cli.shared import user
from recovery.engine.run import Run
from recovery.engine.schedule import Waiting
from recovery.model.secret import Secret
from recovery.redact import register


class Terminal(io.StringIO):
    """A stream that is one."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "begins"), [("4\n", True), ("3\n", False), ("yes\n", False)])
def test_a_change_is_confirmed_by_the_number_of_hosts(
    typed: str, begins: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    monkeypatch.setattr(sys, "stderr", shown)
    assert narrate.confirm("the plan", 4, yes=False) is begins
    assert "the plan" in shown.getvalue()
    assert "(4)" in shown.getvalue()


class Stoppable(Run):
    """A run that only notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def stop(self) -> None:
        self.told.append("stop")

    def abort(self) -> tuple[str, ...]:
        self.told.append("abort")
        return ("h1",)

    def waiting(self) -> tuple[Waiting, ...]:
        return (Waiting(why="waits for an answer", count=3, seconds=5.0, oldest=("h1",)),)


def test_interrupts_stop_then_abort(capsys: pytest.CaptureFixture[str]) -> None:
    run = Stoppable()
    before = signal.getsignal(signal.SIGINT)
    with narrate.Interrupts():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with narrate.Interrupts() as interrupts:
            interrupts.watch(run)
            for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGTERM):
                signal.raise_signal(number)
    assert run.told == ["stop", "abort"]
    said = capsys.readouterr().err
    assert "3 hosts: waits for an answer" in said
    assert "middle of a step may be: h1" in said
    assert signal.getsignal(signal.SIGINT) is before


def test_secrets_are_masked_wherever_text_goes_out(capsys: pytest.CaptureFixture[str]) -> None:
    register(Secret("hush-hush-4711"))
    say("it is hush-hush-4711")
    table(("what",), [("hush-hush-4711",)])
    documents([{"a": "hush-hush-4711"}], "json")
    documents([{"a": "hush-hush-4711", "b": ["hush-hush-4711"]}], "csv")
    said = capsys.readouterr()
    assert "4711" not in said.out + said.err


def test_text_from_outside_is_inert() -> None:
    assert inert("a\x1b[2Jb\n") == "a\\x1b[2Jb\\n"


def test_a_spreadsheet_takes_no_cell_for_a_formula(capsys: pytest.CaptureFixture[str]) -> None:
    documents([{"name": "=cmd()", "list": ["a", "b"], "more": ["@x"], "esc": "\x1b]0;\n"}], "csv")
    lines = ["name,list,more,esc", "'=cmd(),a; b,'@x,\\x1b]0;\\n"]
    assert capsys.readouterr().out.splitlines() == lines


def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError

    monkeypatch.setattr("getpass.getuser", nobody)
    assert user() == ""


def test_an_internal_error_has_its_own_code(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("recovery.service.Service.runs", broken)
    assert main(["runs", "list"]) == 1
    assert "please report it" in capsys.readouterr().err
