"""How many hosts were left over time, and when it will be over."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from textual.content import Content

from recovery.report.course import Sample
from recovery.report.estimate import Goal
from recovery.tui.draw.figures import clock, columns, count, lines
from recovery.tui.snapshot import Snapshot

_ROOMY = 44
"""Cells from which on there is room for whole words."""
_MOST_ROWS = 14


def burn_down(snapshot: Snapshot, width: int, height: int) -> Content:
    """The hosts that were left, from the first event to now, and the goals."""
    samples = snapshot.standing.samples
    if not samples or not any(sample.left or sample.proven for sample in samples):
        return Content.styled(" nothing is known to be hit yet", "$muted")
    goals = [_goal(goal, snapshot, width) for goal in snapshot.goals]
    top = count(max(sample.left for sample in samples))
    room = max(8, width - len(top) - 3)
    rows = min(_MOST_ROWS, max(2, height - len(goals) - 1))
    chart = columns(_resampled(samples, room), rows, "$accent")
    margin = [top, *[""] * (rows - 2), "0"]
    drawn = [
        Content.assemble((f" {label:>{len(top)}} ", "$muted"), row)
        for label, row in zip(margin, chart, strict=True)
    ]
    return lines([*drawn, _axis(samples, snapshot, len(top) + 2, room), *goals])


def _axis(samples: Sequence[Sample], snapshot: Snapshot, margin: int, width: int) -> Content:
    begin, end = clock(samples[0].at, snapshot.now), clock(samples[-1].at, snapshot.now)
    middle = "hosts left".center(max(0, width - len(begin) - len(end)))
    return Content.styled(f"{' ' * margin}{begin}{middle}{end}", "$muted")


def _resampled(samples: Sequence[Sample], width: int) -> list[float]:
    """One value a column: what was left at its end."""
    times = [sample.at.timestamp() for sample in samples]
    begin, seconds = times[0], max(1e-9, times[-1] - times[0])
    ends = (begin + seconds * (column + 1) / width for column in range(width - 1))
    places = [bisect_right(times, end) - 1 for end in ends]
    return [float(samples[place].left) for place in places] + [float(samples[-1].left)]


def _goal(goal: Goal, snapshot: Snapshot, width: int) -> Content:
    roomy = width >= _ROOMY
    head = f" {goal.name:<5} {count(goal.hosts):>{7 if roomy else 6}}  "
    if goal.reached is not None:
        return Content.assemble(head, ("✓ ", "$success"), clock(goal.reached, snapshot.now))
    if goal.earliest is None or goal.latest is None:
        return Content.assemble(head, (goal.why, "$warning")).truncate(width, ellipsis=True)
    begin, end = clock(goal.earliest, snapshot.now), clock(goal.latest, snapshot.now)
    when = begin if begin == end else f"{begin} to {end}" if roomy else f"{begin}-{end}"
    return Content.assemble(head, "about " if roomy else "", (when, "bold"))
