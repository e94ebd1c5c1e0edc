"""The people who go from machine to machine: how many, when they work, how long a machine takes them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import get_args

import msgspec

from recovery.errors import UsageError
from recovery.model.host import Kind

DAY = 86400.0
HOUR = 3600.0
MINUTES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "desktop": (5.0, 20.0),
        "laptop": (5.0, 20.0),
        "kiosk": (5.0, 20.0),
        "server": (10.0, 30.0),
        "appliance": (10.0, 30.0),
    }
)
"""Minutes for one machine by hand, from and to. Desktops: 5 to 20 (Providence, July 2024); servers: about 20 (Grant
Thornton Australia, July 2024), with a spread of our own."""
_MOST_MINUTES = 24 * 60.0
_SHIFTS = (1, 2, 3)
_KINDS: tuple[str, ...] = get_args(Kind)


class Crew(msgspec.Struct, frozen=True, kw_only=True):
    """People, by figures alone."""

    technicians: int = 40
    """On duty in each shift, over all sites."""
    shifts: int = 3
    """A day, each of them `hours` long, one behind the other."""
    hours: float = 8.0
    begins: float = 6.0
    """Hour of the day (UTC) at which the first shift begins."""
    minutes: Mapping[str, tuple[float, float]] = msgspec.field(
        default_factory=lambda: dict(MINUTES)
    )
    """By kind of host: from and to, walking included."""
    key_minutes: float = 3.0
    """More for a machine that asks for its recovery key: look it up, type 48 digits."""
    comes_back: float = 0.05
    """Share of the visits after which the machine needs another one."""
    travel: float = 2.0
    """Hours from one site to another."""

    def __post_init__(self) -> None:
        if self.technicians < 1:
            raise UsageError(f"--technicians {self.technicians}: at least one is needed")
        if self.shifts not in _SHIFTS:
            raise UsageError(f"--shifts {self.shifts}: a day has one, two or three")
        if not 0 < self.hours * self.shifts <= DAY / HOUR:
            raise UsageError(f"{self.shifts} shifts of {self.hours:g} hours: a day has 24")
        if not 0 <= self.begins < DAY / HOUR:
            raise UsageError(f"--day-begins {self.begins:g}: an hour of the day, below 24")
        if not (self.travel >= 0 and self.key_minutes >= 0):
            raise UsageError("--travel-hours and --key-minutes are at least 0")
        if not 0 <= self.comes_back <= 0.9:  # noqa: PLR2004 - beyond it nothing ever ends
            raise UsageError(f"--comes-back {self.comes_back:g}: a share from 0 to 0.9")

    def on_duty(self, at: float) -> float:
        """The first moment from `at` on (seconds since a midnight, UTC) at which a shift is at work."""
        if self.hours * self.shifts >= DAY / HOUR:
            return at
        since = (at - self.begins * HOUR) % DAY
        return at if since < self.hours * self.shifts * HOUR else at + DAY - since

    def seconds_for(self, kind: str, draw: random.Random, *, asks_for_key: bool) -> float:
        """How long one visit to such a machine takes, drawn evenly from its span."""
        low, high = self.minutes[kind]
        more = self.key_minutes if asks_for_key else 0.0
        return 60.0 * (low + (high - low) * draw.random() + more)

    def expected(self, kind: str) -> float:
        """Seconds that a machine of this kind takes on the average, visits that have to be repeated included."""
        low, high = self.minutes[kind]
        return 60.0 * (low + high) / 2.0 / (1.0 - self.comes_back)


def minutes_of(texts: list[str]) -> dict[str, tuple[float, float]]:
    """Minutes by kind from `15`, `5-20`, `server=20` or `server=10-30`; one without a kind is for all kinds.

    Raises `UsageError`.
    """
    found = dict(MINUTES)
    for text in sorted(texts, key=lambda each: "=" in each):
        kind, _, span = text.rpartition("=")
        if kind and kind not in _KINDS:
            kinds = ", ".join(_KINDS)
            raise UsageError(f"--minutes-per-machine {text}: a kind of host is one of {kinds}")
        low, high = _span(span, text)
        found.update(dict.fromkeys([kind] if kind else MINUTES, (low, high)))
    return found


def _span(span: str, text: str) -> tuple[float, float]:
    low, dash, high = span.partition("-")
    try:
        found = (float(low), float(high if dash else low))
    except ValueError:
        found = (0.0, 0.0)
    if not 0 < found[0] <= found[1] <= _MOST_MINUTES:
        message = "expected minutes such as 15, 5-20, server=20 or server=10-30, up to a day"
        raise UsageError(f"--minutes-per-machine {text}: {message}")
    return found
