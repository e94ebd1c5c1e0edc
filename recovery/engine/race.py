"""The race: the remedy in the seconds between two crashes."""

from __future__ import annotations

from datetime import timedelta

from recovery.engine.acts import (
    boot_id_of,
    conclude,
    expected,
    left_to_people,
    lost,
    remedy_for,
)
from recovery.engine.context import GO, AwaitsAnswer, Parked, Turn
from recovery.engine.looks import LOOPING
from recovery.engine.powering import cycle, settle
from recovery.engine.pursuit import Pursuit
from recovery.engine.steps import leave_alone, read_evidence
from recovery.errors import TransportError
from recovery.model.console import CRASHED
from recovery.model.events import PowerFinished, StepIntended
from recovery.model.evidence import AnyEvidence, ScreenSeen
from recovery.model.playbook import Step
from recovery.model.remedy import RemedyKind
from recovery.remote import catalog

_LOOK_AGAIN = 120.0
"""Seconds between two looks through the console of a host that is raced for."""
_TICK = 0.001
"""Seconds by which a race has to be over to be lost."""


class Race:
    """The remedy in one round trip, sent in the seconds in which a crash-looping host answers.

    The intent is on the disk before the window opens, and stays the same over all attempts: the endpoint carries one
    intent out at most once.
    """

    async def carry_out(self, pursuit: Pursuit, step: Step) -> Turn:
        """One attempt to get into the window."""
        by_hand = self._remedy(pursuit) == "hand_over_only"
        wait = left_to_people(pursuit, step) if by_hand else pursuit.admission()
        if wait is not None:
            return wait
        await settle(pursuit)
        now = pursuit.context.clock.now()
        intent = pursuit.state.intent or await pursuit.intend(step)
        if now > intent.at + timedelta(seconds=step.arguments.duration):
            return pursuit.failed(
                step, "the race is lost: no window was long enough", "unreachable"
            )
        session = await pursuit.reach(step)
        if isinstance(session, Turn):
            await break_out(pursuit)
            return _keep_racing(pursuit, step, intent, session)
        seen = expected(pursuit)
        action = catalog.racing(pursuit.host, pursuit.context.incident, seen)
        try:
            reply = await pursuit.ask(
                step,
                action,
                token=intent.intent,
                settings={"EXPECT": seen} if action == "strike" else None,
            )
        except TransportError as error:
            await pursuit.close()
            return _keep_racing(pursuit, step, intent, lost(pursuit, step, error))
        remedy = self._remedy(pursuit)
        acted = reply.acted(remedy)
        if acted is None or not acted.nothing or reply.refused:
            return conclude(pursuit, step, intent, reply, remedy)
        return await self._nothing(pursuit, step, intent, pursuit.evidence(reply))

    def _remedy(self, pursuit: Pursuit) -> RemedyKind:
        return remedy_for(pursuit, "boot_window", "full_system").kind

    async def _nothing(
        self, pursuit: Pursuit, step: Step, intent: StepIntended, evidence: tuple[AnyEvidence, ...]
    ) -> Turn:
        """Leave a host alone that has nothing bad, once it is known what it is in: a strike does not say."""
        if not boot_id_of(evidence):
            more = await read_evidence(pursuit, step, "prove")
            if isinstance(more, Turn):
                return _keep_racing(pursuit, step, intent, more)
            evidence = (*evidence, *more)
        what = "file" if self._remedy(pursuit) == "quarantine" else "thing"
        pursuit.emit_finished(
            step,
            "nothing_matched",
            f"nothing to race for: no bad {what}",
            evidence=evidence,
            intent=intent,
        )
        return leave_alone(pursuit, touched=True) or GO


async def break_out(pursuit: Pursuit) -> None:
    """Cycle the power of a host that stays on its crash screen: it never has a window again by itself.

    Only where its console has shown that screen twice, so long apart, and nothing else since; and not more often than
    every few minutes, as a machine that starts needs.
    """
    context, host, case = pursuit.context, pursuit.host, pursuit.state.case
    if context.eyes.console_of(host) is None:
        return
    now, before = context.clock.now(), case.screen
    stood = (
        before is not None and before.reading.label in CRASHED and _stands_since(pursuit, before)
    )
    pursuit.observe(*await context.eyes.see(host))
    screen = pursuit.state.case.screen
    if not stood or before is None or screen is None or screen.reading.label not in CRASHED:
        return
    moved = any(reset.at > before.at for reset in pursuit.state.case.resets)
    moved = moved or screen.reading.percent != before.reading.percent  # it writes its dump
    if moved or (now - before.at).total_seconds() < _LOOK_AGAIN / 2:
        return
    await cycle(pursuit, "it stays on its crash screen")


def _stands_since(pursuit: Pursuit, screen: ScreenSeen) -> bool:
    """Whether the screen was seen after the latest switching of the power, whose outcome is known."""
    power = pursuit.state.power
    return power is None or (isinstance(power, PowerFinished) and screen.at > power.at)


def _keep_racing(pursuit: Pursuit, step: Step, intent: StepIntended, turn: Turn) -> Turn:
    if isinstance(turn, Parked):
        return Parked(min(turn.seconds, LOOPING.longest), "races for its window")
    if not isinstance(turn, AwaitsAnswer):
        return turn
    end = intent.at + timedelta(seconds=step.arguments.duration + _TICK)
    left = (end - pursuit.context.clock.now()).total_seconds()
    if pursuit.context.eyes.console_of(pursuit.host) is not None:
        left = min(left, _LOOK_AGAIN)
    return AwaitsAnswer(min(turn.seconds, left), LOOPING, why="races for its window")
