"""Where a run stands."""

from __future__ import annotations

from textual.content import Content

from recovery.tui.draw.figures import count, gauge, lines, span
from recovery.tui.inert import plain
from recovery.tui.snapshot import RunLine, Snapshot

_GAUGE = 12
_WAITS = 4
_RULES = {"failed": "failed", "unreachable": "silent", "new_crashes": "new crashes"}


def run(snapshot: Snapshot, width: int, height: int) -> Content:
    """The run that people look at: its waves, its guard, what it waits for."""
    line = snapshot.focus
    if line is None:
        return _nothing(snapshot)
    rows = [_title(line), _state(line), *_waves(line), *_guard(line)]
    rows += _waits(line, max(1, height - len(rows)))
    return lines([row.truncate(width, ellipsis=True) for row in rows])


def _nothing(snapshot: Snapshot) -> Content:
    words = " no run yet: press t to find out what state the hosts are in"
    if snapshot.stage != "live":
        words = " one moment…"
    return Content.styled(words, "$muted")


def _title(line: RunLine) -> Content:
    started = line.view.started
    words = f" {plain(started.playbook, 40)} on {count(started.total)} hosts" if started else " ?"
    return Content.assemble((words, "bold"), (f"   {plain(line.run, 40)}", "$muted"))


def _state(line: RunLine) -> Content:
    view = line.view
    if view.finished is not None:
        fine = view.finished.exit_code == 0
        sign = ("✓ ", "$success") if fine else ("✗ ", "$warning")
        return Content.assemble(" ", sign, f"over: {plain(view.finished.exit_reason, 120)}")
    if view.guard is not None:
        trip = view.guard
        words = f"{_RULES[trip.rule]} {trip.count} of {plain(trip.denominator, 60)}"
        return Content.styled(f" ■ HALTED BY THE GUARD: {words}, limit {trip.limit}", "bold $error")
    if not line.carried_by:
        return Content.styled(
            " ‖ open, but nobody carries it out: press u to go on", "bold $warning"
        )
    if view.held or view.paused:
        return Content.styled(f" ‖ held: {plain(view.held or 'paused', 120)}", "bold $warning")
    if view.cancelled or view.aborted:
        return Content.styled(" ‖ is being stopped", "bold $warning")
    return Content.assemble((" ▸ ", "$success"), "goes on")


def _waves(line: RunLine) -> list[Content]:
    view = line.view
    if not view.waves or not line.is_open:
        return []
    wave = view.waves[-1]
    planned = max(len(line.waves), wave.number)
    word = "" if view.wave_open else ", ended"
    return [
        Content.assemble(
            f" wave {wave.number} of {planned}{word}: ",
            gauge(wave.admitted, wave.size, _GAUGE, "$accent"),
            f" {count(wave.admitted)} of {count(wave.size)} admitted, {count(wave.ended)} ended",
        )
    ]


def _guard(line: RunLine) -> list[Content]:
    if not line.guard or not line.is_open or not line.view.waves:
        return []
    parts: list[Content] = [Content(" guard  ")]
    for trip in line.guard:
        near = trip.count * 2 >= trip.limit and trip.count > 0
        figure = f"{trip.count} of {trip.limit}"
        parts += [
            Content(f"{_RULES[trip.rule]} "),
            Content.styled(figure, "bold $error" if near else "bold"),
            Content("   "),
        ]
    return [Content.assemble(*parts)]


def _waits(line: RunLine, room: int) -> list[Content]:
    rows = []
    for wait in line.waits[: min(room, _WAITS)]:
        silent = f", {count(wait.silent)} silent" if wait.silent else ""
        hosts = plain(", ".join(wait.oldest[:3]), 120)
        rows.append(
            Content.assemble(
                (f" {count(wait.hosts):>7}", "bold"),
                f" before {plain(wait.step, 30)}{silent}, longest {span(wait.seconds)}",
                (f"  {hosts}", "$muted"),
            )
        )
    return rows
