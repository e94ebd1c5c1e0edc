"""How many hosts were left over time, and when it will be over."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from textual.content import Content

from recovery.report.course import Sample
from recovery.report.estimate import Goal
from recovery.tui.draw.figures import between, clock, columns, count, lines, span
from recovery.tui.inert import plain
from recovery.tui.snapshot import Snapshot

_ROOMY = 44
"""Cells from which on there is room for whole words."""
_MOST_ROWS = 14


def burn_down(snapshot: Snapshot, width: int, height: int) -> Content:
    """The hosts that were left, from the first event to now, and the goals."""
    samples = snapshot.standing.samples
    if not samples or not any(sample.left or sample.proven for sample in samples):
        return Content.styled(" nothing is known to be hit yet", "$muted").truncate(
            width, ellipsis=True
        )
    goals = [_goal(goal, snapshot, width) for goal in snapshot.goals]
    goals += _outlook(snapshot, width)
    top = count(max(sample.left for sample in samples))
    room = max(8, width - len(top) - 3)
    rows = min(_MOST_ROWS, max(2, height - len(goals) - 1))
    chart = columns(_resampled(samples, room), rows, "$accent")
    margin = [top, *[""] * (rows - 2), "0"]
    drawn = [
        Content.assemble((f" {label:>{len(top)}} ", "$muted"), row)
        for label, row in zip(margin, chart, strict=True)
    ]
    found = [*drawn, _axis(samples, snapshot, len(top) + 2, room), *goals]
    return lines([row.truncate(width, ellipsis=True) for row in found])


def _axis(samples: Sequence[Sample], snapshot: Snapshot, margin: int, width: int) -> Content:
    begin, end = clock(samples[0].at, snapshot.now), clock(samples[-1].at, snapshot.now)
    room = width - len(begin) - len(end)
    middle = "hosts left".center(room) if room > len("hosts left") else " " * max(1, room)
    return Content.styled(f"{' ' * margin}{begin}{middle}{end}", "$muted")


def _resampled(samples: Sequence[Sample], width: int) -> list[float]:
    """One value a column: what was left at its end."""
    times = [sample.at.timestamp() for sample in samples]
    begin, seconds = times[0], max(1e-9, times[-1] - times[0])
    ends = (begin + seconds * (column + 1) / width for column in range(width - 1))
    places = [bisect_right(times, end) - 1 for end in ends]
    return [float(samples[place].left) for place in places] + [float(samples[-1].left)]


def _goal(goal: Goal, snapshot: Snapshot, width: int) -> Content:
    figure = 7 if width >= _ROOMY else 6
    head = f" {goal.name:<5} {count(goal.hosts):>{figure}}  "
    if goal.reached is None and (goal.earliest is None or goal.latest is None):
        whole = f"no estimate: {goal.why}"
        why = whole if len(head) + len(whole) <= width else goal.why
        return Content.assemble(head, (why, "$warning"))
    said = list(_when(goal, snapshot.now))
    fitting = (text for text in said if len(head) + text.cell_length <= width)
    return Content.assemble(head, next(fitting, said[-1]))


def _when(goal: Goal, now: datetime) -> Iterator[Content]:
    """When it is reached, each time in fewer cells."""
    if goal.reached is not None:
        for text in (clock(goal.reached, now), f"{goal.reached:%b %d}"):
            yield Content.assemble(("✓ ", "$success"), text)
    elif goal.earliest is not None and goal.latest is not None:
        begin, end = clock(goal.earliest, now), clock(goal.latest, now)
        yield Content.assemble("about ", (begin if begin == end else f"{begin} to {end}", "bold"))
        yield Content.styled(begin if begin == end else f"{begin}-{end}", "bold")
        yield Content.styled(between(goal.earliest - now, goal.latest - now), "bold")


def _outlook(snapshot: Snapshot, width: int) -> list[Content]:
    """What many simulated courses say, with what they rest on; or why there are none."""
    found = snapshot.outlook
    if found is None:
        why = plain(snapshot.no_outlook, 200)
        return [Content.styled(f" no forecast: {why}", "$muted")] if why else []
    first, last = (
        found.begins + timedelta(hours=hours) for hours in found.spans.get("all", (0.0, 0.0))
    )
    begin, end = clock(first, snapshot.now), clock(last, snapshot.now)
    told = (
        Content.assemble(" forecast: all ", (f"{begin} to {end}", "bold"), " (10-90 %)"),
        Content.assemble(" all ", (f"{begin}-{end}", "bold"), " 10-90 %"),
        Content.assemble(
            " all ", (between(first - snapshot.now, last - snapshot.now), "bold"), " 10-90 %"
        ),
    )
    age = span(max(0.0, (snapshot.clock - found.made).total_seconds()))
    people = f"{found.technicians} technicians"
    rests_on = (
        f" played {age} ago: {count(found.down)} down, {people}, {found.shifts} shifts",
        f" {age} ago, {people}",
        f" {age} ago, {found.technicians} people",
    )
    return [
        next((text for text in told if text.cell_length <= width), told[-1]),
        Content.styled(
            next((text for text in rests_on if len(text) <= width), rests_on[-1]), "$muted"
        ),
    ]
