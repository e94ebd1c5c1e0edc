"""Numbers, times and bars as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from textual.content import Content

Part = tuple[float, str, str]
"""Amount, glyph and style of one part of a bar."""

FINE = ("█", "$success")
AT_RISK = ("▒", "$warning")
DOWN = ("░", "$error")
UNKNOWN = ("·", "$muted")

_LARGE = ((1e9, "billion"), (1e6, "million"))
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def lines(parts: Sequence[Content]) -> Content:
    """One below the other."""
    return Content("\n").join(parts)


def count(number: float) -> str:
    """`12,345`."""
    return f"{number:,.0f}"


def some(number: float, what: str) -> str:
    """`1 host`, `12,345 hosts`."""
    return f"{count(number)} {what}{'' if number == 1 else 's'}"


def money(amount: float) -> str:
    """An amount in the fleet's currency: `86,875`, `1.24 million`."""
    for size, word in _LARGE:
        if amount >= size:
            return f"{amount / size:,.2f} {word}"
    return f"{amount:,.0f}"


def span(seconds: float) -> str:
    """How long: `40 s`, `12 min`, `3 h 05`, `2 d 4 h`."""
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02}"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def between(least: timedelta, most: timedelta) -> str:
    """From when to when, in one unit: `in 3-25 h`."""
    first, last = max(0.0, least.total_seconds()), max(0.0, most.total_seconds())
    size, unit = next(
        (
            (size, unit)
            for size, unit in ((_DAY, "d"), (_HOUR, "h"))
            if first >= 2 * size or last >= 10 * size
        ),
        (_MINUTE, "min"),
    )
    low, high = f"{first / size:.0f}", f"{last / size:.0f}"
    return f"in {low} {unit}" if low == high else f"in {low}-{high} {unit}"


def clock(at: datetime, now: datetime) -> str:
    """The time of day, with the date where it is another day's."""
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%b %d %H:%M}"


def bar(parts: Sequence[Part], width: int) -> Content:
    """A bar of `width` cells. What is there at all gets a cell, so that nothing small is lost."""
    whole = sum(amount for amount, _, _ in parts)
    if whole <= 0 or width <= 0:
        return Content(" " * max(0, width))
    cells = [max(1, round(amount * width / whole)) if amount > 0 else 0 for amount, _, _ in parts]
    while sum(cells) != width:
        largest = max(range(len(cells)), key=cells.__getitem__)
        step = 1 if sum(cells) < width else -1
        if step < 0 and cells[largest] <= 1:
            break
        cells[largest] += step
    return Content.assemble(
        *((glyph * size, style) for size, (_, glyph, style) in zip(cells, parts, strict=True))
    )


def gauge(value: float, limit: float, width: int, style: str) -> Content:
    """How far `value` has come towards `limit`."""
    filled = min(width, round(width * value / limit)) if limit > 0 else 0
    if value > 0:
        filled = max(1, filled)
    return Content.assemble(("█" * filled, style), ("░" * (width - filled), "$muted"))


def columns(values: Sequence[float], height: int, style: str) -> list[Content]:
    """A filled chart, one column a value, from the top row down; the highest value fills the height."""
    top = max(values, default=0.0)
    eighths = [
        max(1 if value > 0 else 0, round(value * height * 8 / top)) if top else 0
        for value in values
    ]
    rows = []
    for row in range(height - 1, -1, -1):
        text = "".join(_EIGHTHS[min(8, max(0, filled - row * 8))] for filled in eighths)
        rows.append(Content.styled(text, style))
    return rows


_EIGHTHS = " ▁▂▃▄▅▆▇█"
