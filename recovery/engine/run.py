"""One execution of a playbook on a fleet: waves, guard, commands, and one task for each host in flight."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import cast

import msgspec

from recovery.engine.admission import Admission
from recovery.engine.context import (
    AwaitsAnswer,
    Context,
    Finished,
    Parked,
    Rest,
    WaitsForGate,
    WaitsForPlace,
)
from recovery.engine.guard import GuardWatch
from recovery.engine.holds import Holds
from recovery.engine.looks import Looks
from recovery.engine.outcome import Ending, ending
from recovery.engine.pursuit import Action, Pursuit
from recovery.engine.schedule import Schedule, Waiting
from recovery.engine.scouts import Scouts
from recovery.engine.watch import Watch
from recovery.engine.windows import frozen_for
from recovery.model.case import CaseFile
from recovery.model.events import (
    Command,
    GuardTripped,
    HostFinished,
    Notice,
    Outcome,
    RunFinished,
)
from recovery.model.host import Host
from recovery.model.state import HostState
from recovery.ports import Look

_FRESH = 2.0
"""Seconds for which a look counts."""

_PRESSURE = 20_000
"""Events that may wait for their commit before the run waits for the journal."""


class Run:
    """Carries a playbook out, from wherever the states stand."""

    def __init__(
        self,
        context: Context,
        order: tuple[str, ...],
        actions: Mapping[str, Action],
        states: Mapping[str, HostState],
    ) -> None:
        """Work on the hosts in `order`, from `states` (hosts without one begin at the beginning)."""
        self.context = context
        self._order = order
        self._actions = actions
        self._hosts = {host.name: host for host in context.fleet.hosts}
        context.states.update(states)
        self._schedule = Schedule({name: rank for rank, name in enumerate(order)})
        self._holds = Holds(context)
        self._looks = Looks(context.options.looks_per_second)
        self._scouts = Scouts(context.transports, self._saw, context.options.looks)
        self._watch = Watch(context, self._looks)
        self._seen: dict[str, tuple[float, Look]] = {}
        self._admission = Admission(context, self._schedule, self._hosts, self._holds)
        sites = Counter(host.site for host in context.fleet.hosts)
        self._guard = GuardWatch(context.playbook.strategy.guard, len(order), sites)
        self._active: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unfinished = 0
        self._halt = ""
        self._untouched = ""
        """Once set, hosts that were not begun are not begun any more, for this reason."""
        self._counts: Counter[str] = Counter()
        self._last_poll = float("-inf")
        context.place_for = self._admission.try_place
        context.on_change = self._changed
        context.wake = self._wake.set

    async def go(self) -> Ending:
        """Work until every host has ended, the guard halts, or the run is stopped. The ending is in the journal."""
        self._loop = asyncio.get_running_loop()
        self._restore()
        async with asyncio.TaskGroup() as group:
            self._watch.begin(group, self._order, self._hosts)
            await self._holds.ask()
            while self._unfinished and self.context.phase != "stopping":
                self._poll_commands()
                self._check_guard()
                self._holds.ask_when_due(group, at_once=self._only_held())
                idle = not (self._active or self._scouts.active or self._schedule.has_ready())
                self._admission.advance(settled=idle)
                if self._admission.word_is_late():
                    self._cancel("nobody approved in time")
                self._start_ready(group)
                if not self._unfinished and not self._active:
                    break
                await self._wait()
            self._holds.stop_asking()
            self._watch.end()
        if self.context.phase == "stopping":
            await self.context.recorder.durable()
            return Ending("interrupted", 130, dict(self._counts))
        return await self._finish()

    def stop(self) -> None:
        """Begin nothing more, open no session; what is in flight ends at its next point of rest."""
        self.context.phase = "stopping"
        self._from_anywhere(self.context.supervisor.break_off)
        self._from_anywhere(self._wake.set)

    def pause(self, reason: str) -> None:
        """Begin nothing new until somebody says to go on; what is under way goes on."""
        self._holds.hold("person", reason)

    def abort(self) -> tuple[str, ...]:
        """Stop at once; the names of the hosts that may be in the middle of a step."""
        self.stop()
        self._from_anywhere(self._scouts.cancel)
        self._from_anywhere(self._watch.end)
        for task in self._active.values():
            self._from_anywhere(task.cancel)
        return tuple(name for name in self._active if self.state(name).intent is not None)

    def _from_anywhere(self, act: Callable[[], object]) -> None:
        """Do it in the event loop: who stops a run may be a signal handler, in the middle of whatever the loop does."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and the run with it
                self._loop.call_soon_threadsafe(act)

    def waiting(self) -> tuple[Waiting, ...]:
        """What the run waits for now."""
        return self._schedule.waiting(self.context.clock.monotonic())

    def state(self, name: str) -> HostState:
        """The state of a host."""
        return self.context.state(name)

    def _restore(self) -> None:
        for name in self._order:
            state = self.state(name)
            self._guard.see(state, self._hosts[name].site)
            if state.outcome is not None:
                self._counts[state.outcome.value] += 1
                continue
            self._unfinished += 1
            self._schedule.ready(name)

    def restore_waves(
        self, number: int, *, is_open: bool, closed_at: datetime | None = None
    ) -> None:
        """Take the waves up where the journal ends; the latest was `closed_at` if it has ended."""
        self._admission.restore(self.context.states, number, is_open=is_open, closed_at=closed_at)

    def _start_ready(self, group: asyncio.TaskGroup) -> None:
        schedule, now = self._schedule, self.context.clock.monotonic()
        schedule.wake(now)
        for late in schedule.take_late(now):
            self._end(late, Outcome.CANCELLED, "nobody approved in time")
        if self._holds.active:
            return
        due = self._looks.take_due(now)
        if due:
            self._scouts.send(group, [self._hosts[name] for name in due])
        while len(self._active) < self.context.options.looks:
            name = schedule.next_ready()
            if name is None:
                return
            if not self._is_frozen(name, now):
                self._active[name] = group.create_task(self._slice(name))

    def _is_frozen(self, name: str, now: float) -> bool:
        windows = self.context.fleet.site_of(self._hosts[name]).freeze
        if not windows or not self.context.playbook.changes:
            return False
        left = frozen_for(windows, self.context.clock.now())
        if left:
            why = "waits for the end of its site's freeze"
            self._schedule.park(name, now + min(left, 3600.0), why, now)
        return left > 0.0

    def _saw(self, look: Look, hosts: Sequence[Host]) -> None:
        names, now = [host.name for host in hosts], self.context.clock.monotonic()
        if look.answers or self._untouched:
            for name in names:
                self._looks.answered(name, now)
        else:
            names = self._looks.still_silent(names, now)
        for name in names:
            if not self._end_untouched(name):
                self._seen[name] = (now, look)
                self._schedule.ready(name)
        if names or self._scouts.active:
            self._wake.set()

    async def _slice(self, name: str) -> None:
        at, look = self._seen.pop(name, (0.0, None))
        if self.context.clock.monotonic() - at > _FRESH:
            look = None
        pursuit = Pursuit(self.context, self._hosts[name], self._actions, look)
        turn: Rest = Parked(0.0, "stopped")
        try:
            if self.context.recorder.pressure() > _PRESSURE:
                await self.context.recorder.durable()
            turn = await pursuit.advance()
        finally:
            del self._active[name]
            self._after(name, turn)
            self._wake.set()

    def _after(self, name: str, turn: Rest) -> None:
        now = self.context.clock.monotonic()
        if isinstance(turn, Finished) or self._end_untouched(name):
            return
        match turn:
            case Parked(seconds, why):
                self._admission.parked(self.state(name))
                self._schedule.park(name, now + seconds, why, now)
            case AwaitsAnswer():
                self._await_answer(name, turn, now)
            case WaitsForPlace():
                self._schedule.wait_for_place(name, now)
            case WaitsForGate(gate, question, until):
                left = (until - self.context.clock.now()).total_seconds()
                if self._schedule.wait_at_gate(name, gate, now, now + left):
                    self.context.ask(gate, question)

    def _await_answer(self, name: str, turn: AwaitsAnswer, now: float) -> None:
        self._admission.parked(self.state(name))
        seconds = min(turn.seconds, self._admission.lease_of(name))
        self._schedule.note(name, turn.why, now)
        self._looks.await_answer(
            name, turn.cadence, now, now + seconds, waited=turn.waited, first=turn.first
        )

    def _check_guard(self) -> None:
        if self._halt or not self._guard.changed:
            return
        trip = self._guard.tripped(self._admission.wave, self._admission.size)
        if trip is None:
            return
        self._admission.closed = True
        self._halt = f"{trip.rule}: {trip.count} of {trip.denominator}, limit {trip.limit}"
        self.context.emit(
            GuardTripped(
                at=self.context.clock.now(),
                run=self.context.run,
                rule=trip.rule,
                count=trip.count,
                limit=trip.limit,
                denominator=trip.denominator,
            )
        )
        self._cancel_untouched("halted by the guard")

    def _cancel_untouched(self, reason: str) -> None:
        """End every host that was not begun, now or when its slice ends; those in the middle go on to their end."""
        self._untouched = reason
        for name in self._schedule.in_order((*self._schedule.drain(), *self._looks.drain())):
            if self.state(name).touched:
                self._schedule.ready(name)
            else:
                self._end(name, Outcome.CANCELLED, reason)

    def _end_untouched(self, name: str) -> bool:
        """End a host that was not begun if none is begun any more; whether that is so."""
        if not self._untouched or self.state(name).touched:
            return False
        self._end(name, Outcome.CANCELLED, self._untouched)
        return True

    def _end(self, name: str, outcome: Outcome, message: str) -> None:
        state = self.state(name)
        self.context.emit(
            HostFinished(
                at=self.context.clock.now(),
                run=self.context.run,
                host=name,
                outcome=outcome,
                message=message,
                verdict=state.verdict,
                progress=state.progress,
            )
        )

    def _changed(self, before: HostState, state: HostState) -> None:
        """Keep the counts right after an event about a host."""
        if state.changed and not before.changed:
            self._admission.went_well(state.name)
        if state.new_crash or state.outcome is not None:
            self._guard.see(state, self._hosts[state.name].site)
        if state.outcome is not None and before.outcome is None:
            self._ended(state.name, state)

    def _ended(self, name: str, state: HostState) -> None:
        self._unfinished -= 1
        self._counts[cast("Outcome", state.outcome).value] += 1
        self._admission.ended(name)
        self._watch.leave(name)
        self.context.states[name] = msgspec.structs.replace(
            state, case=CaseFile(), intent=None, failures=0, attempts=0, since=None
        )

    def _poll_commands(self) -> None:
        now = self.context.clock.monotonic()
        if now - self._last_poll < self.context.options.poll_commands:
            return
        self._last_poll = now
        for event in self.context.recorder.commands(self.context.run):
            if isinstance(event, Command):
                self._obey(event)

    def _obey(self, command: Command) -> None:
        match command.verb:
            case "pause":
                self.pause(f"paused{' by ' + command.by if command.by else ''}")
            case "resume":
                self._holds.release("person")
            case "approve":
                self.context.approved.add(command.gate)
                self._schedule.open_gate(command.gate)
            case "abort":
                self.stop()
            case "cancel":
                self._cancel("the run was cancelled")

    def _cancel(self, reason: str) -> None:
        self._halt = self._halt or "cancelled"
        self._admission.closed = True
        self._admission.word_until = None
        self._cancel_untouched(reason)

    def _only_held(self) -> bool:
        """Whether nothing happens until people or the blocker release the run, although its time could jump on."""
        return (
            self.context.options.rest is not None
            and self._holds.active
            and not (self._active or self._scouts.active)
        )

    async def _wait(self) -> None:
        """Until something happens, the next host is due, or it is time to look for commands."""
        now, rest = self.context.clock.monotonic(), self.context.options.rest
        if rest is not None and self._only_held():
            await rest()
            self._last_poll = float("-inf")
            return
        ends = (
            *(self._schedule.due(), self._looks.due(), self._holds.due),
            *(self._admission.soaked_at, self._admission.word_until),
        )
        times = [time for time in ends if time is not None and time > now]
        if self.context.options.poll_commands:
            times.append(now + self.context.options.poll_commands)
        alarm = None
        if times:
            alarm = asyncio.get_running_loop().call_later(min(times) - now, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            if alarm is not None:
                alarm.cancel()
        self._wake.clear()

    async def _finish(self) -> Ending:
        self._admission.close_wave()
        abandoned = len(self.context.supervisor.abandoned)
        now = self.context.clock.now()
        if abandoned:
            message = f"{abandoned} operations did not react to their deadline and were abandoned"
            self.context.emit(Notice(at=now, run=self.context.run, message=message))
        end = ending(self._counts, self._halt)
        self.context.emit(
            RunFinished(
                at=now,
                run=self.context.run,
                exit_reason=end.reason,
                exit_code=end.code,
                counts=dict(sorted(end.counts.items())),
            )
        )
        await self.context.recorder.durable()
        return end
