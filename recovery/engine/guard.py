"""The guard: the rule that halts a run before it becomes the second outage. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from recovery.model.events import Outcome
from recovery.model.playbook import Guard, Share
from recovery.model.state import HostState

Rule = Literal["failed", "unreachable", "new_crashes"]


class Trip(msgspec.Struct, frozen=True):
    """Why the guard halts."""

    rule: Rule
    count: int
    limit: int
    denominator: str
    """What a percentage was taken of, in words."""


class GuardWatch:
    """Counts what went wrong with hosts that the run was allowed to change, and says when it is too much.

    A host counts for `failed` when its pursuit failed, even if it was then handed over; for `unreachable` when it
    does not answer any more after it was changed or restarted (one that looped before may fall silent by itself);
    for `new_crashes` when it crashed anew after this run had fixed it.
    """

    def __init__(self, guard: Guard | None, total: int, site_sizes: Mapping[str, int]) -> None:
        """Watch a run over `total` hosts, of which `site_sizes` stand at each site."""
        self._guard = guard or Guard()
        self._total = total
        self._sites = site_sizes
        self._counted: dict[Rule, set[str]] = {
            "failed": set(),
            "unreachable": set(),
            "new_crashes": set(),
        }
        self.changed = True
        """Whether anything was counted since `tripped` was asked."""
        self._by: Counter[tuple[Rule, str, str]] = Counter()

    def see(self, state: HostState, site: str) -> None:
        """Count the host by its state; each host counts once for each rule."""
        if state.wave == 0:
            return
        if state.new_crash:
            self._count("new_crashes", state, site)
        silent = state.outcome is not None and (
            state.outcome == Outcome.UNREACHABLE or state.last == "unreachable"
        )
        if silent and (state.changed or state.reboots):
            self._count("unreachable", state, site)
        elif not silent and state.outcome in (Outcome.FAILED, Outcome.HANDED_OVER):
            self._count("failed", state, site)

    def tripped(self, wave: int, wave_size: int) -> Trip | None:
        """The first rule whose count has reached its figure, if any."""
        self.changed = False
        rules: tuple[tuple[Rule, Share | None], ...] = (
            ("new_crashes", self._guard.new_crashes),
            ("failed", self._guard.failed),
            ("unreachable", self._guard.unreachable),
        )
        for rule, share in rules:
            trip = self._check(rule, share, wave, wave_size) if share is not None else None
            if trip is not None:
                return trip
        return None

    def levels(self, wave: int, wave_size: int) -> tuple[Trip, ...]:
        """How near each rule is to its figure; of a rule for each site, the site that is nearest."""
        rules: tuple[tuple[Rule, Share | None], ...] = (
            ("failed", self._guard.failed),
            ("unreachable", self._guard.unreachable),
            ("new_crashes", self._guard.new_crashes),
        )
        found = []
        for rule, share in rules:
            levels = self._levels(rule, share, wave, wave_size) if share is not None else ()
            nearest = max(levels, key=_nearness, default=None)
            if nearest is not None:
                found.append(nearest)
        return tuple(found)

    def _count(self, rule: Rule, state: HostState, site: str) -> None:
        if state.name in self._counted[rule]:
            return
        self._counted[rule].add(state.name)
        self.changed = True
        self._by.update(((rule, "run", ""), (rule, "wave", str(state.wave)), (rule, "site", site)))

    def _check(self, rule: Rule, share: Share, wave: int, wave_size: int) -> Trip | None:
        levels = self._levels(rule, share, wave, wave_size)
        return next((level for level in levels if level.count >= level.limit), None)

    def _levels(self, rule: Rule, share: Share, wave: int, wave_size: int) -> Iterator[Trip]:
        """Where the rule stands for each whole that its figure is of."""
        if not share.percent or share.of == "run":
            whole, words = self._total, f"run ({_hosts(self._total)})"
            yield Trip(rule, self._by[rule, "run", ""], share.hosts(whole), words)
        elif share.of == "wave":
            words = f"wave {wave} ({_hosts(wave_size)})"
            yield Trip(rule, self._by[rule, "wave", str(wave)], share.hosts(wave_size), words)
        else:
            for site, size in self._sites.items():
                words = f"site {site} ({_hosts(size)})"
                yield Trip(rule, self._by[rule, "site", site], share.hosts(size), words)


def _nearness(trip: Trip) -> float:
    return trip.count / max(1, trip.limit)


def _hosts(count: int) -> str:
    return f"{count} host{'' if count == 1 else 's'}"
