"""People by figures: shifts, minutes, and what is refused."""

from __future__ import annotations

import random

import pytest

from recovery.errors import UsageError
from recovery.forecast.crew import HOUR, MINUTES, Crew, minutes_of


@pytest.mark.parametrize(
    ("shifts", "hours", "at", "expected"),
    [
        (3, 8.0, 3.0, 3.0),  # somebody is always there
        (1, 8.0, 6.0, 6.0),  # the shift begins
        (1, 8.0, 13.9, 13.9),
        (1, 8.0, 14.0, 30.0),  # it is over: the next day's
        (1, 8.0, 0.0, 6.0),
        (2, 8.0, 21.0, 21.0),
        (2, 8.0, 23.0, 30.0),
        (1, 8.0, 40.0, 54.0),
    ],
)
def test_somebody_is_on_duty_from_then_on(
    shifts: int, hours: float, at: float, expected: float
) -> None:
    crew = Crew(shifts=shifts, hours=hours)
    assert crew.on_duty(at * HOUR) == pytest.approx(expected * HOUR)


@pytest.mark.parametrize(
    ("texts", "changed"),
    [
        ([], {}),
        (["15"], dict.fromkeys(MINUTES, (15.0, 15.0))),
        (["server=20"], {"server": (20.0, 20.0)}),
        (["server=10-30", "5-6"], {**dict.fromkeys(MINUTES, (5.0, 6.0)), "server": (10.0, 30.0)}),
    ],
)
def test_minutes_by_kind(texts: list[str], changed: dict[str, tuple[float, float]]) -> None:
    assert minutes_of(texts) == {**MINUTES, **changed}


@pytest.mark.parametrize("text", ["", "x", "0", "20-5", "5-", "mainframe=3", "1441", "nan"])
def test_minutes_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--minutes-per-machine"):
        minutes_of([text])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"technicians": 0}, "at least one"),
        ({"shifts": 4}, "one, two or three"),
        ({"shifts": 3, "hours": 9.0}, "a day has 24"),
        ({"hours": 0.0}, "a day has 24"),
        ({"comes_back": 0.95}, "from 0 to 0.9"),
        ({"comes_back": -0.1}, "from 0 to 0.9"),
        ({"travel": -1.0}, "travel"),
        ({"key_minutes": -1.0}, "key"),
        ({"begins": 24.0}, "hour of the day"),
    ],
)
def test_crews_that_are_none(fields: dict[str, float], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Crew(**fields)  # type: ignore[arg-type]


def test_a_visit_takes_minutes_of_its_span_and_more_where_a_key_is_asked_for() -> None:
    crew = Crew(minutes={"server": (10.0, 20.0), "desktop": (4.0, 4.0)}, key_minutes=3.0)
    draw = random.Random(1)  # noqa: S311
    drawn = [crew.seconds_for("server", draw, asks_for_key=False) for _ in range(200)]
    assert 600.0 <= min(drawn) < 700.0
    assert 1100.0 < max(drawn) <= 1200.0
    assert crew.seconds_for("desktop", draw, asks_for_key=True) == pytest.approx(420.0)
    assert crew.expected("server") == pytest.approx(900.0 / 0.95)
