"""What an operator is told of a run while it goes: many hosts that end alike are counted, not named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from recovery.cli.narrate import observer
from recovery.cli.output import documents
from recovery.model.events import AnyEvent, HostFinished, Notice, Outcome
from recovery.model.evidence import Progress, Verdict

if TYPE_CHECKING:
    import pytest

BEGAN = datetime(2024, 7, 19, tzinfo=UTC)


def _finished(number: int, outcome: Outcome, seconds: float) -> AnyEvent:
    return HostFinished(
        at=BEGAN + timedelta(seconds=seconds),
        run="r",
        host=f"h{number}",
        outcome=outcome,
        message="no answer",
        verdict=Verdict.UNKNOWN,
        progress=Progress.GAVE_UP,
    )


def test_a_hundred_thousand_dark_hosts_fit_on_a_screen(capsys: pytest.CaptureFixture[str]) -> None:
    see = observer("text", 0)
    for number in range(100_000):
        see(_finished(number, Outcome.UNREACHABLE, number / 100))
    see(_finished(1, Outcome.FAILED, 1001.0))
    see(Notice(at=BEGAN + timedelta(seconds=1002), run="r", message="that was all"))
    told = capsys.readouterr().err.splitlines()
    named = [line for line in told if "no answer" in line]
    counted = [int(line.split()[1]) for line in told if "more hosts: unreachable" in line]
    assert len(named) == 21
    assert "h1: " in named[-1], "an outcome that is new is named"
    assert len(counted) < 10
    assert sum(counted) == 100_000 - 20
    assert told[-1].endswith("that was all")


def test_who_asks_for_more_is_told_of_each(capsys: pytest.CaptureFixture[str]) -> None:
    see = observer("text", 1)
    for number in range(100):
        see(_finished(number, Outcome.UNREACHABLE, number))
    assert len(capsys.readouterr().err.splitlines()) == 100


def test_a_csv_without_rows_has_its_header(capsys: pytest.CaptureFixture[str]) -> None:
    documents([], "csv", ("schema", "name"))
    assert capsys.readouterr().out == "schema,name\n"
