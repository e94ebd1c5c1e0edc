"""When it will be over, and when nobody can say so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from recovery.report.course import Sample
from recovery.report.estimate import goals

BEGAN = datetime(2024, 7, 19, 6, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def course(*points: tuple[float, int, int]) -> list[Sample]:
    return [Sample(at(minutes), left, proven) for minutes, left, proven in points]


STEADY = course(*((minute, 100 - minute, minute) for minute in range(41)))
"""A host a minute of a hundred, for forty minutes."""


def test_a_steady_pace_is_carried_on() -> None:
    half, most, whole = goals(STEADY)
    assert [(goal.name, goal.hosts) for goal in (half, most, whole)] == [
        ("half", 50),
        ("90 %", 90),
        ("all", 100),
    ]
    assert (half.earliest, half.latest) == (at(50), at(50))
    assert (whole.earliest, whole.latest) == (at(100), at(100))


def test_between_the_pace_of_late_and_that_of_the_whole_time_lies_the_estimate() -> None:
    slower = course(
        *((m, 100 - m, m) for m in range(31)),
        *((30 + m, 70 - m // 3, 30 + m // 3) for m in range(1, 31)),
    )
    whole = goals(slower)[2]
    assert whole.earliest is not None
    assert whole.latest is not None
    assert at(60) + timedelta(minutes=88) < whole.earliest < whole.latest <= at(60 + 180)


def test_what_was_reached_is_told_with_its_time() -> None:
    half = goals(course(*((m, 100 - 2 * m, 2 * m) for m in range(41))))[0]
    assert (half.reached, half.earliest, half.why) == (at(25), None, "")


def test_what_was_reached_and_lost_again_is_reached_when_it_is_for_good() -> None:
    half = goals(course((0, 10, 0), (1, 4, 6), (2, 8, 2), (3, 5, 5), (4, 4, 6)))[0]
    assert half.reached == at(3)


def test_hosts_that_wait_for_people_are_in_no_estimate() -> None:
    half, most, whole = goals(STEADY, hands=15)
    assert half.earliest is not None
    assert (most.earliest, most.why) == (None, "15 wait for hands")
    assert whole.why == "15 wait for hands"


def test_nor_are_hosts_that_do_not_answer() -> None:
    most = goals(STEADY, dark=1500)[1]
    assert (most.earliest, most.why) == (None, "1,500 dark")
    assert goals(STEADY, hands=1, dark=20)[2].why == "20 dark, 1 waits for hands"


def test_without_a_pace_nothing_is_promised() -> None:
    assert {goal.why for goal in goals(course((0, 9, 0), (30, 9, 0)))} == {"none proven of late"}
    stands = course((0, 9, 0), (1, 8, 1), (10, 8, 1), (60, 8, 1))
    assert goals(stands)[2].why == "none proven of late"


def test_what_would_take_months_is_called_far_off() -> None:
    crawls = course((0, 1_000_000, 0), (60, 999_999, 1), (70, 999_998, 2))
    assert {goal.why for goal in goals(crawls)} == {"far off at this pace"}


def test_where_nothing_is_hit_there_is_no_goal() -> None:
    assert goals(()) == ()
    assert goals(course((0, 0, 0))) == ()


def test_when_all_are_proven_all_goals_are_reached() -> None:
    assert [goal.reached for goal in goals(course((0, 2, 0), (5, 0, 2)))] == [at(5)] * 3
