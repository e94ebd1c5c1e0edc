"""What happened to one host, in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from recovery.journal.words import happening, seen
from recovery.model.events import AnyEvent, HostObserved, StepFinished
from recovery.ports import Stored


class Line(msgspec.Struct, frozen=True):
    """One line of a host's timeline."""

    at: datetime
    run: str
    what: str
    verdict: str = ""
    """Where it changed."""
    because: tuple[str, ...] = ()
    """What the changed verdict rests on; the last line with a verdict says what the current one rests on."""
    times: int = 1
    """How often the same was seen in a row."""
    until: datetime | None = None
    """When it was last seen, where it was more than once."""


def timeline(events: Iterable[Stored]) -> list[Line]:
    """The lines for the events of one host, oldest first; repetitions in a row are one line."""
    lines: list[Line] = []
    verdict, place = "", -1
    because: tuple[str, ...] = ()
    for stored in events:
        event = stored.event
        line = Line(event.at, event.run, _what(event))
        if isinstance(event, HostObserved | StepFinished):
            if event.verdict.value != verdict:
                verdict = event.verdict.value
                what = f"{line.what} -> {verdict}" + _reasons(event.because)
                line = msgspec.structs.replace(
                    line, what=what, verdict=verdict, because=event.because
                )
                place = len(lines)
            because = event.because
        _add(lines, line)
    if place >= 0:
        lines[place] = msgspec.structs.replace(lines[place], because=because)
    return lines


def _what(event: AnyEvent) -> str:
    said = happening(event)
    if isinstance(event, StepFinished) and event.evidence:
        return f"{said}; {'; '.join(map(seen, event.evidence))}"
    return said


def _reasons(because: tuple[str, ...]) -> str:
    return f" ({'; '.join(because)})" if because else ""


def _add(lines: list[Line], line: Line) -> None:
    last = lines[-1] if lines else None
    if last is None or (last.run, last.what) != (line.run, line.what) or line.verdict:
        lines.append(line)
        return
    lines[-1] = msgspec.structs.replace(last, times=last.times + 1, until=line.at)
