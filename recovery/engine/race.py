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
from recovery.engine.pursuit import Pursuit
from recovery.engine.steps import leave_alone, read_evidence
from recovery.errors import TransportError
from recovery.model.events import StepIntended
from recovery.model.evidence import AnyEvidence
from recovery.model.playbook import Step
from recovery.model.remedy import RemedyKind
from recovery.remote import catalog

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
        now = pursuit.context.clock.now()
        intent = pursuit.state.intent or await pursuit.intend(step)
        if now > intent.at + timedelta(seconds=step.arguments.duration):
            return pursuit.failed(
                step, "the race is lost: no window was long enough", "unreachable"
            )
        session = await pursuit.reach(step)
        if isinstance(session, Turn):
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


def _keep_racing(pursuit: Pursuit, step: Step, intent: StepIntended, turn: Turn) -> Turn:
    if isinstance(turn, Parked):
        return Parked(min(turn.seconds, LOOPING.longest), "races for its window")
    if not isinstance(turn, AwaitsAnswer):
        return turn
    end = intent.at + timedelta(seconds=step.arguments.duration + _TICK)
    left = (end - pursuit.context.clock.now()).total_seconds()
    return AwaitsAnswer(min(turn.seconds, left), LOOPING, why="races for its window")
