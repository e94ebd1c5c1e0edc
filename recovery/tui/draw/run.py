"""Where a run stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from textual.content import Content

from recovery.tui.draw.figures import count, gauge, lines, some, span
from recovery.tui.inert import plain
from recovery.tui.run_words import RULES, guard_words, state_of
from recovery.tui.snapshot import RunLine, Snapshot

_GAUGE = 12
_WAITS = 4
_OTHERS = 3
"""Other open runs that are named."""
_GOES_ON = "under way"


def run(snapshot: Snapshot, width: int, height: int) -> Content:
    """The run that people look at: its waves, its guard, what it waits for."""
    line = snapshot.focus
    if line is None:
        return _nothing(snapshot)
    rows = [
        _title(line),
        *_state(line),
        *_others(snapshot.others),
        *_waves(line),
        *_guard(line, width),
    ]
    rows += _waits(line, max(1, height - len(rows)))
    return lines([row.truncate(width, ellipsis=True) for row in rows])


def _nothing(snapshot: Snapshot) -> Content:
    words = " no run yet: press t to find out what state the hosts are in"
    if snapshot.stage != "live":
        words = " one moment…"
    return Content.styled(words, "$muted")


def _title(line: RunLine) -> Content:
    started = line.view.started
    look = "only a look: " if started and started.check else ""
    hosts = some(started.total, "host") if started else ""
    words = f" {look}{plain(started.playbook, 40)} on {hosts}" if started else " ?"
    return Content.assemble((words, "bold"), (f"   {plain(line.run, 40)}", "$muted"))


def _state(line: RunLine) -> list[Content]:
    state, trip = state_of(line), line.view.guard
    words = f"over: {state.words}" if line.view.finished is not None else state.words
    if line.is_open and not line.carried_by:
        words += ": u takes it up"
    elif line.is_live and line.view.asked and state.sign == "?":
        asked = line.view.asked[0]
        words += f" of {asked.gate}: {asked.question}"
    rows = [Content.styled(f" {state.sign} {plain(words, 160)}", state.style)]
    if trip is not None and line.is_open:
        rows.append(Content.styled(f"   {plain(guard_words(trip), 120)}", "bold $error"))
    return rows


def _others(others: Sequence[RunLine]) -> list[Content]:
    """The other open runs in one line, so that none goes on unseen: what they need first, then which they are."""
    if not others:
        return []
    needs = Counter(_need(other) for other in others)
    found = ", ".join(f"{count(number)} {need}" for need, number in needs.items())
    named = ", ".join(other.run for other in others[:_OTHERS])
    more = ", …" if len(others) > _OTHERS else ""
    look = "$muted" if set(needs) == {_GOES_ON} else "bold $warning"
    return [
        Content.styled(f" + {len(others)} more open: {found}   {plain(named, 120)}{more}", look)
    ]


def _need(line: RunLine) -> str:
    if not line.carried_by:
        return "carried out by nobody"
    return "asks" if line.view.asked else _GOES_ON


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


def _guard(line: RunLine, width: int) -> list[Content]:
    """Each rule's figure and limit, on as many lines as they need."""
    if not line.guard or not line.is_open or not line.view.waves:
        return []
    rows = [Content(" guard")]
    for trip in line.guard:
        near = trip.count * 2 >= trip.limit and trip.count > 0
        part = Content.assemble(
            f"  {RULES[trip.rule]} ",
            (f"{count(trip.count)}, limit {count(trip.limit)}", "bold $error" if near else "bold"),
        )
        if rows[-1].cell_length + part.cell_length > width:
            rows.append(Content("      "))
        rows[-1] = Content.assemble(rows[-1], part)
    return rows


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
