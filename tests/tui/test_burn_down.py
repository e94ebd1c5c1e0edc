"""The burn-down: whatever the width, no line of it wraps, and the goals stay legible."""

from __future__ import annotations

from datetime import timedelta

import pytest

from recovery.report.course import Sample, Standing
from recovery.report.estimate import Goal
from recovery.tui.draw.course import burn_down
from recovery.tui.draw.figures import between
from recovery.tui.snapshot import Snapshot
from tests.tui.scene import at

DAY = 86_400.0


def drawn(width: int, *goals: Goal) -> list[str]:
    samples = (Sample(at(0), 100_000, 0), Sample(at(2 * DAY), 61_234, 38_766))
    standing = Standing(total=100_000, samples=samples, since=at(0))
    snapshot = Snapshot(now=at(2 * DAY), standing=standing, goals=goals)
    return burn_down(snapshot, width, 10).plain.split("\n")


GOALS = (
    Goal("half", 50_000, reached=at(DAY)),
    Goal("90 %", 90_000, earliest=at(3 * DAY), latest=at(5 * DAY)),
    Goal("all", 100_000, why="1,204 dark, 12,345 wait for hands"),
)


@pytest.mark.parametrize("width", range(20, 130, 3))
def test_no_line_is_wider_than_its_room(width: int) -> None:
    assert max(map(len, drawn(width, *GOALS))) <= width


@pytest.mark.parametrize(
    ("width", "goal", "line"),
    [
        (70, GOALS[1], " 90 %   90,000  about Jul 22 06:00 to Jul 24 06:00"),
        (43, GOALS[1], " 90 %  90,000  Jul 22 06:00-Jul 24 06:00"),
        (28, GOALS[1], " 90 %  90,000  in 24-72 h"),
        (28, GOALS[0], " half  50,000  ✓ Jul 20"),
        (60, GOALS[0], " half   50,000  ✓ Jul 20 06:00"),
        (28, GOALS[2], " all   100,000  1,204 dark,…"),
        (60, GOALS[2], " all   100,000  1,204 dark, 12,345 wait for hands"),
        (70, GOALS[2], " all   100,000  no estimate: 1,204 dark, 12,345 wait for hands"),
    ],
)
def test_what_is_left_out_where_there_is_no_room(width: int, goal: Goal, line: str) -> None:
    assert drawn(width, goal)[-1] == line


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [(600, 2700, "in 10-45 min"), (9000, 90_000, "in 2-25 h"), (2 * DAY, 2 * DAY, "in 2 d")],
)
def test_a_span_is_told_in_one_unit(first: float, last: float, words: str) -> None:
    assert between(timedelta(seconds=first), timedelta(seconds=last)) == words
