"""The guard: the rule that halts a run before it becomes the second outage. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
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

    def _count(self, rule: Rule, state: HostState, site: str) -> None:
        if state.name in self._counted[rule]:
            return
        self._counted[rule].add(state.name)
        self.changed = True
        self._by.update(((rule, "run", ""), (rule, "wave", str(state.wave)), (rule, "site", site)))

    def _check(self, rule: Rule, share: Share, wave: int, wave_size: int) -> Trip | None:
        if not share.percent or share.of == "run":
            return self._compare(
                rule, share, ("run", ""), self._total, f"run ({self._total} hosts)"
            )
        if share.of == "wave":
            return self._compare(
                rule, share, ("wave", str(wave)), wave_size, f"wave {wave} ({wave_size} hosts)"
            )
        for site, size in self._sites.items():
            trip = self._compare(rule, share, ("site", site), size, f"site {site} ({size} hosts)")
            if trip is not None:
                return trip
        return None

    def _compare(
        self, rule: Rule, share: Share, key: tuple[str, str], whole: int, words: str
    ) -> Trip | None:
        count = self._by[(rule, *key)]
        limit = share.hosts(whole)
        return Trip(rule, count, limit, words) if count >= limit else None
