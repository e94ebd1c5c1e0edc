"""Which host is next, and what the others wait for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from recovery.engine.outcome import ExitCode, ending
from recovery.engine.schedule import Schedule
from recovery.engine.windows import frozen_for
from recovery.errors import UsageError

RANKS = {"a": 0, "b": 1, "c": 2, "d": 3}


def test_ready_hosts_come_by_rank() -> None:
    schedule = Schedule(RANKS)
    for name in "cab":
        schedule.ready(name)
    assert [schedule.next_ready() for _ in range(4)] == ["a", "b", "c", None]


def test_parked_hosts_wake_at_their_time() -> None:
    schedule = Schedule(RANKS)
    schedule.park("a", 10.0, "waits", 0.0)
    schedule.park("b", 5.0, "waits", 0.0)
    assert schedule.due() == 5.0
    schedule.wake(6.0)
    assert schedule.next_ready() == "b"
    assert schedule.next_ready() is None
    assert schedule.parked == 1


def test_a_gate_lets_all_through_at_once() -> None:
    schedule = Schedule(RANKS)
    assert schedule.wait_at_gate("b", "wave:2", 0.0, 9.0)
    assert not schedule.wait_at_gate("a", "wave:2", 0.0, 9.0)
    assert schedule.at_gates == 2
    schedule.open_gate("wave:3")
    assert not schedule.has_ready()
    schedule.open_gate("wave:2")
    assert [schedule.next_ready(), schedule.next_ready()] == ["a", "b"]


def test_waiting_names_the_oldest() -> None:
    schedule = Schedule(RANKS)
    schedule.park("c", 100.0, "waits for an answer", 1.0)
    schedule.park("a", 100.0, "waits for an answer", 4.0)
    schedule.wait_for_place("b", 2.0)
    answer, place = schedule.waiting(10.0)
    assert (answer.why, answer.count, answer.oldest, answer.seconds) == (
        "waits for an answer",
        2,
        ("c", "a"),
        9.0,
    )
    assert place.count == 1
    schedule.wake(100.0)
    schedule.next_ready()
    assert {wait.count for wait in schedule.waiting(101.0)} == {1}


def test_drain_takes_everybody_by_rank() -> None:
    schedule = Schedule(RANKS)
    schedule.ready("d")
    schedule.park("b", 1.0, "x", 0.0)
    schedule.wait_for_place("c", 0.0)
    schedule.wait_at_gate("a", "step:1", 0.0, 9.0)
    assert schedule.drain() == ["a", "b", "c", "d"]
    assert schedule.placeless == schedule.parked == schedule.at_gates == 0


@pytest.mark.parametrize(
    ("counts", "halt", "code"),
    [
        ({}, "", ExitCode.OK),
        ({"recovered": 3, "healthy": 1}, "", ExitCode.OK),
        ({"recovered": 3, "failed": 1, "unreachable": 5}, "", ExitCode.FAILED),
        ({"recovered": 3, "unreachable": 5, "handed_over": 2}, "", ExitCode.UNREACHABLE),
        ({"handed_over": 2}, "", ExitCode.WAITING),
        ({"failed": 9}, "new_crashes: 1", ExitCode.HALTED),
        ({"cancelled": 9}, "cancelled", ExitCode.WAITING),
        ({"failed": 0, "healthy": 2}, "", ExitCode.OK),
    ],
)
def test_exit_codes(counts: dict[str, int], halt: str, code: ExitCode) -> None:
    assert ending(counts, halt).code == code


@pytest.mark.parametrize(
    ("windows", "time", "seconds"),
    [
        (["08:00-10:00"], "09:00", 3600),
        (["08:00-10:00"], "10:00", 0),
        (["22:00-02:00"], "23:00", 3 * 3600),
        (["22:00-02:00"], "01:00", 3600),
        (["22:00-02:00"], "12:00", 0),
        (["08:00-10:00", "09:00-12:00"], "09:30", 2.5 * 3600),
        ([], "09:30", 0),
    ],
)
def test_freeze_windows(windows: list[str], time: str, seconds: float) -> None:
    now = datetime.fromisoformat(f"2024-07-19T{time}:00").replace(tzinfo=UTC)
    assert frozen_for(windows, now) == seconds


def test_a_window_that_cannot_be_read_says_the_form() -> None:
    with pytest.raises(UsageError, match="HH:MM-HH:MM"):
        frozen_for(["from eight"], datetime(2024, 7, 19, tzinfo=UTC))
