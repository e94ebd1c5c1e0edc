"""Charts as inline SVG: small, without scripts or styles of their own, and readable without colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element

import msgspec

from recovery.report.markup import node

COLOURS = {
    "proven": "#2e7d4f",
    "claimed": "#b5831a",
    "people": "#7a4fa3",
    "to_do": "#c0392b",
    "well": "#7b8794",
    "unknown": "#cdd3da",
}
_WIDTH, _HEIGHT = 1000.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 70.0, 150.0, 14.0, 34.0
_STEPS = tuple(
    timedelta(minutes=minutes)
    for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14400, 43200)
)
_TICKS = 8
_BAR, _GAP, _NAME = 20.0, 8.0, 190.0


class Line(msgspec.Struct, frozen=True):
    """One line of a chart over time."""

    name: str
    colour: str
    points: Sequence[tuple[datetime, float]]
    """In the order of time."""
    even: bool = False
    """It goes on evenly from one point to the next; else each holds until the next one."""


class Bar(msgspec.Struct, frozen=True):
    """One bar, of parts in their order."""

    name: str
    parts: Sequence[tuple[str, float]]
    """Name of a colour in `COLOURS` and size."""
    said: str = ""
    """Written behind it."""


def over_time(title: str, lines: Sequence[Line], unit: str = "hosts") -> Element:
    """Lines over time. An empty chart says so."""
    times = [at for line in lines for at, _ in line.points]
    if not times:
        return node("p", "Nothing to draw yet.", kind="faint")
    begin, end = min(times), max(times)
    end = max(end, begin + timedelta(minutes=1))
    highest = max(1.0, *(value for line in lines for _, value in line.points))
    top, rise = _rounded(highest)
    scale = _Scale(begin, end, top)
    parts = [*_grid(scale, rise, unit), *_clock(scale)]
    named: list[float] = []
    for line in lines:
        parts.append(_stepped(scale, line))
        last = scale.y(line.points[-1][1]) if line.points else _TOP
        while any(abs(last - other) < 15.0 for other in named):  # noqa: PLR2004 - a line of text
            last = last - 15.0 if last > _HEIGHT / 2 else last + 15.0
        named.append(last)
        parts.append(_word(_WIDTH - _RIGHT + 8, last + 4, line.name, fill=line.colour))
    return _drawing(title, _HEIGHT, parts)


def bars(title: str, rows: Sequence[Bar]) -> Element:
    """Horizontal bars, one below the other."""
    if not rows:
        return node("p", "Nothing to draw yet.", kind="faint")
    most = max(1.0, *(sum(size for _, size in row.parts) for row in rows))
    wide = _WIDTH - _NAME - _RIGHT
    parts: list[Element] = []
    for number, row in enumerate(rows):
        y = number * (_BAR + _GAP) + _GAP
        shown = row.name if len(row.name) <= 26 else row.name[:25] + "…"  # noqa: PLR2004 - as much as fits
        parts.append(_word(_NAME - 10, y + 15, shown, anchor="end"))
        x = _NAME
        for colour, size in row.parts:
            width = wide * size / most
            parts.append(
                _box(
                    x,
                    y,
                    width,
                    COLOURS[colour],
                    f"{row.name}: {colour.replace('_', ' ')} {size:,.0f}",
                )
            )
            x += width
        parts.append(_word(x + 8, y + 15, row.said))
    return _drawing(title, len(rows) * (_BAR + _GAP) + _GAP, parts)


class _Scale:
    """Where a time and a value are."""

    def __init__(self, begin: datetime, end: datetime, top: float) -> None:
        self.begin, self.end, self.top = begin, end, top

    def x(self, at: datetime) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * ((at - self.begin) / (self.end - self.begin))

    def y(self, value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1.0 - value / self.top)


def _rounded(highest: float) -> tuple[float, float]:
    """A round top, and the distance of the lines below it."""
    size = 10.0 ** math.floor(math.log10(highest / 4))
    rise = next(step * size for step in (1, 2, 2.5, 5, 10, 20) if step * size * 5 >= highest)
    rise = max(1.0, rise)
    return math.ceil(highest / rise) * rise, rise


def _grid(scale: _Scale, rise: float, unit: str) -> list[Element]:
    found = []
    for number in range(round(scale.top / rise) + 1):
        y = scale.y(number * rise)
        found.append(_line(_LEFT, y, _WIDTH - _RIGHT, y))
        found.append(_word(_LEFT - 8, y + 4, _short(number * rise), anchor="end"))
    found.append(_word(_LEFT + 6, _TOP + 10, unit))
    return found


def _clock(scale: _Scale) -> list[Element]:
    whole = scale.end - scale.begin
    step = next((each for each in _STEPS if whole / each <= _TICKS), whole / _TICKS)
    midnight = scale.begin.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + step * math.ceil((scale.begin - midnight) / step)
    found = []
    day = ""
    while at <= scale.end:
        today = f"{at:%d %b}"
        said = f"{at:%H:%M}" + (f" {today}" if today != day else "")
        found.append(_line(scale.x(at), _HEIGHT - _BOTTOM, scale.x(at), _HEIGHT - _BOTTOM + 5))
        found.append(_word(scale.x(at), _HEIGHT - _BOTTOM + 19, said, anchor="middle"))
        day, at = today, at + step
    return found


def _stepped(scale: _Scale, line: Line) -> Element:
    corners: list[str] = []
    before = 0.0
    for number, (at, value) in enumerate(line.points):
        x, y = scale.x(at), scale.y(value)
        corner = "" if line.even or number == 0 else f"L{x:.1f} {before:.1f}"
        corners.append(f"{corner}{'L' if number else 'M'}{x:.1f} {y:.1f}")
        before = y
    return node(
        "path",
        attributes={
            "d": "".join(corners) or "M0 0",
            "fill": "none",
            "stroke": line.colour,
            "stroke-width": "2.5",
            "stroke-linejoin": "round",
        },
    )


def _drawing(title: str, height: float, parts: Sequence[Element]) -> Element:
    return node(
        "svg",
        node("title", title),
        *parts,
        attributes={
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {_WIDTH:.0f} {height:.0f}",
            "role": "img",
        },
    )


def _line(x1: float, y1: float, x2: float, y2: float) -> Element:
    places = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    own = {name: f"{value:.1f}" for name, value in places.items()}
    return node("line", attributes={**own, "stroke": "#d5dbe3"})


def _box(x: float, y: float, width: float, colour: str, said: str) -> Element:
    places = {"x": x, "y": y, "width": max(0.0, width), "height": _BAR}
    own = {name: f"{value:.1f}" for name, value in places.items()}
    return node("rect", node("title", said), attributes={**own, "fill": colour})


def _word(x: float, y: float, said: str, *, anchor: str = "start", fill: str = "") -> Element:
    own = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}
    kind = "strong" if fill else ""
    return node("text", said, attributes={**own, "fill": fill} if fill else own, kind=kind)


def _short(value: float) -> str:
    for size, unit in ((1e9, " bn"), (1e6, " M"), (1e4, "")):
        if value >= size:
            return f"{value / size:g}{unit}" if unit else f"{value:,.0f}"
    return f"{value:g}"
