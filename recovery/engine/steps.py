"""The steps that read, wait and talk to people: triage, settle, prove, hand over, approve, freeze, notify."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from recovery.detect.rules import interrupted_by_hand
from recovery.engine.context import GO, Parked, Turn, WaitsForGate
from recovery.engine.pursuit import Pursuit
from recovery.errors import TransportError
from recovery.model.case import SeenBoot, same_boot
from recovery.model.events import HandedOver, Notice, Outcome
from recovery.model.evidence import (
    AnyEvidence,
    ArtifactListing,
    BootIdentity,
    Progress,
    Reachability,
    Verdict,
)
from recovery.model.playbook import Step
from recovery.remote import replies

_SHOWN = (Verdict.CRASH_LOOP, Verdict.RECOVERY_SCREEN, Verdict.NEEDS_KEY)
"""Verdicts that a console decides at once; a blue screen may yet turn out to be one of a loop."""
_LOOK_AGAIN = 5.0
"""Seconds between two looks through a console."""
_HEALTHY = (Verdict.HEALTHY, Verdict.RECOVERED)


async def read_evidence(
    pursuit: Pursuit, step: Step, action: str, settings: Mapping[str, str] | None = None
) -> tuple[AnyEvidence, ...] | Turn:
    """Evidence read from the host by `action`, or what to do while it cannot be had."""
    reply = await read_reply(pursuit, step, action, settings)
    return reply if isinstance(reply, Turn) else pursuit.evidence(reply)


async def read_reply(
    pursuit: Pursuit, step: Step, action: str, settings: Mapping[str, str] | None = None
) -> replies.Reply | Turn:
    """The host's answer to `action`, which only reads; or what to do while it cannot be had."""
    session = await pursuit.reach(step)
    if isinstance(session, Turn):
        return session
    try:
        return await pursuit.ask(step, action, settings=settings)
    except TransportError as error:
        await pursuit.close()
        return pursuit.failed_contact(step, error)


def not_concerned(pursuit: Pursuit) -> Turn | None:
    """End the pursuit of a host on whose platform the incident does not happen; None where it does."""
    incident, os = pursuit.context.incident, pursuit.host.os
    if os in incident.platforms:
        return None
    pursuit.observe()
    return pursuit.finish(Outcome.HEALTHY, f"{incident.name} does not concern {os}")


class Triage:
    """Gather evidence, and leave hosts alone that the playbook is not for."""

    async def carry_out(self, pursuit: Pursuit, step: Step) -> Turn:
        """One round trip."""
        apart = not_concerned(pursuit)
        if apart is not None:
            return apart
        seen = await look_through_console(pursuit, step)
        if seen is not None:
            return seen
        reply = await read_reply(pursuit, step, "triage")
        if isinstance(reply, Turn):
            return reply
        message = replies.why_not(reply)
        pursuit.emit_finished(step, "ok", message, evidence=pursuit.evidence(reply))
        return leave_alone(pursuit) or GO


async def look_through_console(pursuit: Pursuit, step: Step) -> Turn | None:
    """What the console of a host that does not answer shows; None where it still has to be asked in-band.

    A run that only reads is done with a host whose console says what it is in, and watches one that does not say it
    yet for as long as the step has time. A run that changes hosts goes on to wait for an answer.
    """
    context, host = pursuit.context, pursuit.host
    if context.eyes.console_of(host) is None or (await pursuit.look()).answers:
        return None
    case, now = pursuit.state.case, context.clock.now()
    if case.power is None or (now - case.power.at).total_seconds() >= _LOOK_AGAIN:
        silent = Reachability(at=now, source="look", answers=False, reason="")
        seen = await context.eyes.see(host)
        pursuit.observe(*((silent,) if case.silent_since is None else ()), *seen)
    if context.playbook.changes:
        return None
    since = pursuit.state.since or context.taken_up
    left = step.timeout - (context.clock.now() - since).total_seconds()
    verdict = pursuit.now_judged().verdict
    if verdict in _SHOWN or (verdict == Verdict.BLUE_SCREEN and left <= 0):
        pursuit.emit_finished(step, "ok", "seen through its console")
        return GO
    return Parked(min(left, _LOOK_AGAIN), "watches its console") if left > 0 else None


def leave_alone(pursuit: Pursuit, *, touched: bool = False) -> Turn | None:
    """End the pursuit of a host that the playbook is not for; None where it is.

    A host that was changed is never left alone; one of which an act was only tried may be, with `touched`.
    """
    context, state = pursuit.context, pursuit.state
    if (
        state.changed
        or (state.touched and not touched)
        or context.targets(pursuit.host, state, context.clock.now())
    ):
        return None
    if state.verdict in _HEALTHY:
        outcome = Outcome.RECOVERED if state.verdict == Verdict.RECOVERED else Outcome.HEALTHY
        return pursuit.finish(outcome, "nothing to do")
    reason = "; ".join(filter(None, (*state.because, state.message)))
    outcome = (
        Outcome.UNREACHABLE if state.verdict in (Verdict.UNKNOWN, Verdict.DARK) else Outcome.FAILED
    )
    return pursuit.finish(
        outcome, f"left alone, {context.playbook.name} is not for {state.verdict}: {reason}"
    )


def allowed(pursuit: Pursuit) -> Turn | None:
    """None when the host may be changed now; else what becomes of it.

    A controller that was killed may have left no more than the finished triage of a host that nothing is to be done
    for. A verdict of silence says nothing of that: the host has been heard since, or nobody would ask.
    """
    state = pursuit.state
    heard = state.index > 0 and state.case.silent_since is None
    return (leave_alone(pursuit) if heard else None) or pursuit.admission()


class Settle:
    """The host has to stay up in one boot for the settle time."""

    async def carry_out(self, pursuit: Pursuit, step: Step) -> Turn:
        """One look at the boot, then wait for the rest of the time."""
        apart = not_concerned(pursuit)
        if apart is not None:
            return apart
        platform = pursuit.context.incident.platforms[pursuit.host.os]
        span = step.arguments.duration or platform.proof.settle
        before = pursuit.state.case.boots[-1] if pursuit.state.case.boots else None
        evidence = await read_evidence(pursuit, step, "prove")
        if isinstance(evidence, Turn):
            return evidence
        boot = next((item for item in evidence if isinstance(item, BootIdentity)), None)
        if boot is None:
            return pursuit.failed(step, "the host did not say which boot it is in")
        case = pursuit.case_with(evidence)
        if (
            before is not None
            and _crashed_anew(before, boot, pursuit)
            and not interrupted_by_hand(case, pursuit.context.incident)
        ):
            message = "it restarted again by itself while it should have settled"
            pursuit.emit_finished(step, "new_crash", message, evidence=evidence)
            return GO
        left = span - case.boots[-1].up_for
        if left > 0:
            pursuit.observe(*evidence)
            return Parked(min(left + 0.5, max(2.0, span / 3)), "settles")
        pursuit.emit_finished(step, "ok", evidence=evidence, progress=Progress.SETTLING)
        return GO


def _crashed_anew(before: SeenBoot, boot: BootIdentity, pursuit: Pursuit) -> bool:
    """Whether the host came back in a boot that nobody asked for, after the boot that followed the fix."""
    case = pursuit.state.case
    if (
        same_boot(before.identity, boot) != "other"
        or case.reboot_asked == before.identity.boot_id != ""
    ):
        return False
    return case.fix is None or any(
        boot.identity.boot_id == before.identity.boot_id for boot in case.boots_since_fix
    )


class Prove:
    """The verdict decides, and nothing else."""

    async def carry_out(self, pursuit: Pursuit, step: Step) -> Turn:
        """Read all the evidence once more. What an earlier step saw proves nothing about now."""
        apart = not_concerned(pursuit)
        if apart is not None:
            return apart
        reply = await read_reply(pursuit, step, "prove")
        if isinstance(reply, Turn):
            return reply
        evidence = pursuit.evidence(reply)
        judged = pursuit.now_judged(evidence)
        seen = any(isinstance(item, ArtifactListing) for item in evidence)
        if judged.verdict in _HEALTHY and seen:
            progress = (
                Progress.DONE if judged.verdict == Verdict.RECOVERED else pursuit.state.progress
            )
            pursuit.emit_finished(step, "ok", evidence=evidence, progress=progress)
            return GO
        crashed = judged.verdict == Verdict.CRASH_LOOP and pursuit.state.case.fix is not None
        why = replies.why_not(reply) or "the answer does not say"
        unseen = f"what is left of the bad update could not be read: {why}"
        message = f"not proven, {judged.verdict}: {'; '.join(judged.because) if seen else unseen}"
        pursuit.emit_finished(
            step, "new_crash" if crashed else "failed", message, evidence=evidence
        )
        return (
            GO if pursuit.exhausted(step) else Parked(step.retry.first, "tries to prove it again")
        )


class HandOver:
    """Give the host to people."""

    async def carry_out(self, pursuit: Pursuit, step: Step) -> Turn:
        """Write it down; the desk takes it from there."""
        reason = pursuit.state.message or "; ".join(pursuit.state.because)
        context = pursuit.context
        if not pursuit.state.runbook:
            context.emit(
                HandedOver(
                    at=context.clock.now(),
                    run=context.run,
                    host=pursuit.host.name,
                    runbook=step.arguments.runbook,
                    reason=reason,
                )
            )
        return pursuit.finish(Outcome.HANDED_OVER, reason)


class Notify:
    """Write a notice."""

    async def carry_out(self, pursuit: Pursuit, step: Step) -> Turn:
        """Once for each host."""
        context = pursuit.context
        context.emit(
            Notice(
                at=context.clock.now(),
                run=context.run,
                host=pursuit.host.name,
                message=step.arguments.message,
            )
        )
        pursuit.emit_finished(step, "ok", step.arguments.message)
        return GO


class Gate:
    """Wait until a person has said that the run may go on; one word is enough for all hosts."""

    def __init__(self, question: Callable[[Pursuit, Step], str]) -> None:
        """Ask what `question` gives."""
        self._question = question

    async def carry_out(self, pursuit: Pursuit, step: Step) -> Turn:
        """Pass when the gate was opened."""
        gate = f"step:{pursuit.index_of(step)}"
        if gate in pursuit.context.approved:
            pursuit.emit_finished(step, "ok", "approved")
            return GO
        context = pursuit.context
        until = context.asked.get(gate, context.clock.now()) + timedelta(seconds=step.timeout)
        return WaitsForGate(gate, self._question(pursuit, step), until)


def approve_question(_pursuit: Pursuit, step: Step) -> str:
    """What `approve` asks."""
    return str(step.arguments.question)


def freeze_question(pursuit: Pursuit, _step: Step) -> str:
    """What `freeze` asks: that the vendor's feed is stopped, in the profile's words."""
    freeze = pursuit.context.incident.freeze
    if freeze is None:
        return f"stop the feed of {pursuit.context.incident.title}, then approve"
    return f"{freeze.title}: " + " ".join(
        f"{place}. {text}" for place, text in enumerate(freeze.steps, 1)
    )
