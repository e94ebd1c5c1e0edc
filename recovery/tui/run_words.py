"""Runs as rows of a table, and one run in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from recovery.documents import show_duration
from recovery.tui.plan_words import Line
from recovery.tui.signs import OUTCOMES
from recovery.tui.snapshot import RunLine
from recovery.tui.widgets.columns import Column

_BAR = 20
_WAVES = 8


class RunRow(NamedTuple):
    """One run."""

    name: str
    line: RunLine


def state_of(line: RunLine) -> tuple[str, str]:
    """Symbol and word for where a run stands, and the tone."""
    view = line.view
    if view.finished is not None:
        good = view.finished.exit_code == 0
        return ("✓ " if good else "✗ ") + view.finished.exit_reason, "good" if good else "warn"
    if not line.carried_by:
        return "! nobody carries it out", "bad"
    if view.asked:
        return "? waits for approval", "warn"
    if view.paused:
        return "= paused", "warn"
    if view.held:
        return f"= held: {view.held}", "warn"
    return "▸ goes on", "busy"


def columns() -> tuple[Column, ...]:
    """The columns of the list of runs."""

    def of_start(row: RunRow, name: str) -> str:
        return str(getattr(row.line.view.started, name, ""))

    def began(row: RunRow) -> datetime | None:
        return row.line.view.started.at if row.line.view.started else None

    return (
        Column("run", "Run", 18, 24, lambda row: row.name + (" mock" if row.line.mock else "")),
        Column(
            "state",
            "State",
            24,
            40,
            lambda row: state_of(row.line)[0],
            None,
            lambda row: state_of(row.line)[1],
            1,
        ),
        Column("playbook", "Playbook", 12, 24, lambda row: of_start(row, "playbook"), rank=2),
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
    words, tone = state_of(line)
    yield f"bold ${_STYLE[tone]}", words
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
    for asked in view.asked if line.is_open else ():
        yield "bold $warning", f"? {asked.gate}: {asked.question}   (a approves)"
    if view.guard is not None:
        trip = view.guard
        yield (
            "bold $error",
            f"✗ GUARD: {trip.rule} {trip.count} of {trip.denominator}, limit {trip.limit}",
        )
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
    left = line.waves[len(line.view.waves) :]
    if left and line.is_open:
        shown = ", ".join(map(str, left[:_WAVES]))
        yield "$muted", f"  still to come: {shown}{', …' if len(left) > _WAVES else ''}"
