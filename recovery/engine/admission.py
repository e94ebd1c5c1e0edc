"""Who may be changed now: waves, ramp, limits and blockers, as the run's events tell of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from recovery.engine.context import Context
from recovery.engine.holds import Holds
from recovery.engine.schedule import Schedule
from recovery.engine.waves import Waves, slices
from recovery.model.events import HostAdmitted, HostReturned, WaveClosed, WaveOpened
from recovery.model.host import Host
from recovery.model.playbook import STEPS
from recovery.model.state import HostState

_PLACE_LEASE = 600.0
"""Seconds in which an admitted host has to be changed before its place goes to another one."""

_WORD_TIMEOUT = STEPS["approve"].timeout
"""Seconds for which the next wave waits for a person's word: as long as the step `approve`."""


class Admission:
    """Gives places in the open wave to hosts that have answered, first come by rank."""

    def __init__(
        self, context: Context, schedule: Schedule, hosts: Mapping[str, Host], holds: Holds
    ) -> None:
        """Begin before the first wave."""
        self._holds = holds
        self._context = context
        self._schedule = schedule
        self._hosts = hosts
        self._strategy = context.playbook.strategy
        self._waves = Waves(slices(self._strategy.waves, len(hosts)))
        self._since: dict[str, float] = {}
        self._at_site: Counter[str] = Counter()
        self._asked = ""
        self.closed = False
        """Set when nobody is admitted any more: the run was halted."""
        self.soaked_at: float | None = None
        """When the next wave may begin (monotonic seconds)."""
        self.word_until: float | None = None
        """Until when people may let the next wave begin (monotonic seconds)."""

    @property
    def wave(self) -> int:
        """The number of the current wave."""
        return self._waves.number

    @property
    def size(self) -> int:
        """The size of the current wave."""
        return self._waves.size

    def restore(
        self,
        states: Mapping[str, HostState],
        number: int,
        *,
        is_open: bool,
        closed_at: datetime | None = None,
    ) -> None:
        """Take the waves up where the journal ends; a wave that has ended soaks to the end of its time."""
        if closed_at is not None:
            gone = (self._context.clock.now() - closed_at).total_seconds()
            self.soaked_at = self._context.clock.monotonic() + self._strategy.soak - gone
        members = [state for state in states.values() if number and state.wave == number]
        now = self._context.clock.monotonic()
        for state in members:
            if state.outcome is None:
                self._hold(state.name, now)
        self._waves.restore(
            number,
            [state.name for state in members],
            ended=[state.name for state in members if state.outcome is not None],
            good=[state.name for state in members if state.changed],
            is_open=is_open,
        )

    def try_place(self, name: str) -> bool:
        """Admit the host if there is room in the wave and at its site, and nothing speaks against it."""
        if self.closed or self._holds.active or not self._waves.has_room():
            return False
        if self._waves.working >= self._strategy.limits.total:
            return False
        if self._site_is_full(name):
            return False
        self._waves.admit(name)
        self._hold(name, self._context.clock.monotonic())
        context = self._context
        context.emit(
            HostAdmitted(at=context.clock.now(), run=context.run, host=name, wave=self.wave)
        )
        return True

    def advance(self, *, settled: bool) -> None:
        """Close the wave that has ended, open the next, and give its places out.

        `settled`: no host is being worked on or ready, so nobody else can ask for a place in the open wave.
        """
        waves, now = self._waves, self._context.clock.monotonic()
        over = waves.full() or (settled and not self._schedule.placeless)
        if waves.is_open and waves.working == 0 and waves.members and over:
            self.close_wave()
        if not self._schedule.placeless or self.closed or self._holds.active:
            return
        if not waves.is_open:
            self._open_wave(now)
        if waves.has_room():
            self._offer_places()

    def close_wave(self) -> None:
        """Every member of the open wave has ended."""
        context = self._context
        if not self._waves.is_open:
            return
        found = (context.state(name).outcome for name in self._waves.members)
        # In a fixed order: the same seed gives the same events to the letter, and so the same hash chain.
        counts = dict(sorted(Counter(each.value for each in found if each is not None).items()))
        context.emit(
            WaveClosed(at=context.clock.now(), run=context.run, wave=self.wave, counts=counts)
        )
        self._waves.close()
        self.soaked_at = context.clock.monotonic() + self._strategy.soak

    def parked(self, state: HostState) -> None:
        """Take the place of a member back that was not reached in time; it comes after the others then."""
        since = self._since.get(state.name)
        if (
            since is None
            or state.touched
            or self._context.clock.monotonic() - since <= _PLACE_LEASE
        ):
            return
        context = self._context
        reason = "it was not reached in time"
        context.emit(
            HostReturned(
                at=context.clock.now(),
                run=context.run,
                host=state.name,
                wave=state.wave,
                reason=reason,
            )
        )
        self._waves.give_back(state.name)
        self._let_go(state.name)
        self._schedule.put_behind(state.name)

    def lease_of(self, name: str) -> float:
        """Seconds until a member that was not changed yet has to give its place back; infinite for all others."""
        since = self._since.get(name)
        if since is None or self._context.state(name).touched:
            return math.inf
        return since + _PLACE_LEASE + 1.0 - self._context.clock.monotonic()

    def went_well(self, name: str) -> None:
        """The first change of a member was carried out."""
        self._waves.went_well(name)

    def ended(self, name: str) -> None:
        """The pursuit of the host is over."""
        self._waves.ended(name)
        self._let_go(name)

    def _hold(self, name: str, now: float) -> None:
        self._since[name] = now
        self._at_site[self._hosts[name].site] += 1

    def _let_go(self, name: str) -> None:
        if self._since.pop(name, None) is not None:
            site = self._hosts[name].site
            self._at_site[site] -= 1
            self._schedule.bring_back(site)

    def _offer_places(self) -> None:
        """Offer the free places by rank; a host whose site is full does not hold the others up."""
        schedule, now = self._schedule, self._context.clock.monotonic()
        while self._waves.has_room():
            name = schedule.next_placeless()
            if name is None:
                return
            if self._site_is_full(name):
                schedule.set_aside(name, self._hosts[name].site)
            elif self.try_place(name):
                schedule.ready(name)
            else:
                schedule.wait_for_place(name, now)
                return

    def _site_is_full(self, name: str) -> bool:
        host = self._hosts[name]
        limit = self._context.limits.site_limit(host)
        return bool(limit) and self._at_site[host.site] >= limit

    def _open_wave(self, now: float) -> None:
        if self.soaked_at is not None and now < self.soaked_at:
            return
        gate = f"wave:{self.wave + 1}"
        context = self._context
        if self.wave and self._strategy.approve == "waves" and gate not in context.approved:
            self._ask(gate)
            return
        self.word_until = None
        number = self._waves.open_next()
        context.emit(
            WaveOpened(at=context.clock.now(), run=context.run, wave=number, size=self.size)
        )

    def _ask(self, gate: str) -> None:
        if self._asked == gate:
            return
        self._asked = gate
        context = self._context
        question = f"wave {self.wave + 1} of up to {self._waves.next_size} hosts: shall it begin?"
        waited = (context.clock.now() - context.ask(gate, question)).total_seconds()
        self.word_until = context.clock.monotonic() + _WORD_TIMEOUT - waited

    def word_is_late(self) -> bool:
        """Whether nobody has let the next wave begin in time."""
        until = self.word_until
        return until is not None and until <= self._context.clock.monotonic()
