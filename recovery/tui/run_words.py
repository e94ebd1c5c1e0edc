"""Runs as rows of a table, and one run in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from typing_extensions import override

from recovery.documents import show_duration
from recovery.model.events import GuardTripped
from recovery.tui.plan_words import Line
from recovery.tui.signs import OUTCOMES
from recovery.tui.snapshot import RunLine
from recovery.tui.widgets.columns import Column

RULES = {"failed": "failed", "unreachable": "silent", "new_crashes": "new crashes"}
"""The guard's rules in words."""
_BAR = 20
_WAVES = 8


class State(NamedTuple):
    """Where a run stands."""

    sign: str
    words: str
    tone: str

    @property
    def style(self) -> str:
        """The theme's, for this tone."""
        return f"bold ${_STYLE[self.tone]}"

    @override
    def __str__(self) -> str:
        return f"{self.sign} {self.words}"


class RunRow(NamedTuple):
    """One run."""

    name: str
    line: RunLine


def state_of(line: RunLine) -> State:
    """Where a run stands, the most urgent first."""
    view = line.view
    if view.finished is not None:
        good = view.finished.exit_code == 0
        return State("✓" if good else "✗", view.finished.exit_reason, "good" if good else "warn")
    paused = view.held if view.held.startswith("paused") else "paused"
    found = (
        (not line.carried_by, State("!", "nobody carries it out", "bad")),
        (view.guard is not None, State("■", "HALTED BY THE GUARD", "bad")),
        (view.cancelled or view.aborted, State("‖", "is being stopped", "warn")),
        (view.asked, State("?", "waits for approval", "warn")),
        (view.paused, State("‖", paused, "warn")),
        (view.held, State("‖", f"held: {view.held}", "warn")),
    )
    return next((state for holds, state in found if holds), State("▸", "goes on", "busy"))


def guard_words(trip: GuardTripped) -> str:
    """Which figure halted a run."""
    return f"{RULES[trip.rule]} {trip.count} of {trip.denominator}, limit {trip.limit}"


def columns() -> tuple[Column, ...]:
    """The columns of the list of runs."""

    def of_start(row: RunRow, name: str) -> str:
        return str(getattr(row.line.view.started, name, ""))

    def playbook(row: RunRow) -> str:
        started = row.line.view.started
        return ("look: " if started and started.check else "") + of_start(row, "playbook")

    def began(row: RunRow) -> datetime | None:
        return row.line.view.started.at if row.line.view.started else None

    return (
        Column("run", "Run", 18, 24, lambda row: row.name + (" mock" if row.line.mock else "")),
        Column(
            "state",
            "State",
            24,
            40,
            lambda row: str(state_of(row.line)),
            None,
            lambda row: state_of(row.line).tone,
            1,
        ),
        Column("playbook", "Playbook", 12, 24, playbook, rank=2),
        Column("hosts", "Hosts", 7, 8, lambda row: of_start(row, "total"), rank=3, right=True),
        Column(
            "began",
            "Began",
            11,
            11,
            lambda row: f"{at:%m-%d %H:%M}" if (at := began(row)) else "",
            rank=4,
        ),
        Column("by", "By", 6, 16, lambda row: of_start(row, "by"), rank=5),
    )


def run_lines(line: RunLine) -> Iterator[Line]:
    """Where a run stands, the most urgent first."""
    state = state_of(line)
    yield state.style, str(state)
    if line.view.started is not None and line.view.started.check:
        yield "$accent", "Only a look: hosts that end as done are those that a run would change"
    yield from _urgent(line)
    yield from _counts(line)
    yield from _waves(line)
    for wait in line.waits[:_WAVES]:
        silent = f", {wait.silent} silent" if wait.silent else ""
        oldest = f" ({', '.join(wait.oldest[:2])})" if wait.oldest else ""
        longest = show_duration(round(wait.seconds))
        yield "", f"  {wait.hosts:>6,} wait for {wait.step}{silent}; the longest {longest}{oldest}"
    for notice in line.view.notices[-3:]:
        yield "$muted", f"  {notice.message}"


def _urgent(line: RunLine) -> Iterator[Line]:
    view = line.view
    key = "   (a approves)" if line.is_live else ""
    for asked in view.asked if line.is_open else ():
        yield "bold $warning", f"? {asked.gate}: {asked.question}{key}"
    if view.guard is not None:
        yield "bold $error", f"✗ GUARD: {guard_words(view.guard)}"
    if line.is_open and not line.carried_by:
        yield "$warning", "! u takes it up where it stopped"


def _counts(line: RunLine) -> Iterator[Line]:
    counts = line.view.counts()
    total = sum(counts.values())
    for name, count in sorted(counts.items(), key=lambda item: -item[1]):
        sign = next((sign for outcome, sign in OUTCOMES.items() if outcome == name), None)
        label = f"{sign.symbol} {sign.word}" if sign else "… under way"
        yield sign.style if sign else "$accent", f"{label:<16}{count:>8,}  {_bar(count, total)}"


_STYLE = {"good": "success", "warn": "warning", "bad": "error", "busy": "accent"}


def _bar(count: int, total: int) -> str:
    full = round(_BAR * count / total) if total else 0
    return "█" * full + "░" * (_BAR - full)


def _waves(line: RunLine) -> Iterator[Line]:
    if not line.changes and not line.view.waves:
        return
    for wave in line.view.waves[-_WAVES:]:
        state = "ended" if wave.closed else "▸ open"
        yield (
            "",
            f"  Wave {wave.number}: {wave.ended} of {wave.size} ended, {wave.admitted} begun  {state}",
        )
    view = line.view
    stops = view.cancelled or view.aborted or view.guard is not None
    left = line.waves[len(view.waves) :]
    if left and line.is_open and not stops:
        shown = ", ".join(map(str, left[:_WAVES]))
        yield "$muted", f"  still to come: {shown}{', …' if len(left) > _WAVES else ''}"
