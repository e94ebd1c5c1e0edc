"""A start from something else than the disk, once: chosen by the console, and brought about by the power.

What the machine starts from, such as an image that carries the remedy out on its disk, has to restart it; the step
ends when the machine's own system answers in another boot, and says what it found there.
"""

from __future__ import annotations

from datetime import timedelta

from recovery.engine.acts import close_failed
from recovery.engine.context import GO, Parked, Turn
from recovery.engine.powering import choose_start, cycle, settle
from recovery.engine.pursuit import Pursuit
from recovery.engine.reboot import await_return, intend_off_host, look_again
from recovery.engine.retry import is_retryable
from recovery.engine.steps import leave_alone, not_concerned
from recovery.errors import TransportError
from recovery.model.case import same_boot
from recovery.model.console import BOOT_DEVICES
from recovery.model.events import PowerFinished, PowerIntended, StepIntended
from recovery.model.evidence import (
    AnyEvidence,
    ArtifactListing,
    BootIdentity,
    FixApplied,
    Progress,
    Reachability,
    Verdict,
)
from recovery.model.playbook import Step

_LOOK_AGAIN = 5.0
"""Seconds between two looks through a console."""


class BootOnce:
    """Start the host from another device once, as far as the evidence says that it is one to act on."""

    async def carry_out(self, pursuit: Pursuit, step: Step) -> Turn:
        """Choose and cycle, or see whether the host is back from it."""
        await settle(pursuit)
        if pursuit.state.intent is not None:
            return await self._go_on(pursuit, step, pursuit.state.intent)
        apart = await left_alone(pursuit, step, "choose its next start")
        if apart is not None:
            return apart
        intent = await intend_off_host(pursuit, step)
        device = BOOT_DEVICES[step.arguments.device]
        chosen = await choose_start(pursuit, device, step.arguments.media)
        if not chosen.done:
            why = f"its next start could not be chosen: {chosen.message}"
            return close_failed(pursuit, step, intent, "failed", why, ())
        return await self._start(pursuit, step, intent)

    async def _start(self, pursuit: Pursuit, step: Step, intent: StepIntended) -> Turn:
        switched = await cycle(pursuit, f"to start from {step.arguments.device} once")
        if switched.done:
            return await_return(step, 0.0)
        back = await choose_start(pursuit, "disk", "")
        left = "" if back.done else f"; it may yet start from {step.arguments.device} the next time"
        why = f"its power could not be cycled: {switched.message}{left}"
        return close_failed(pursuit, step, intent, "failed", why, ())

    async def _go_on(self, pursuit: Pursuit, step: Step, intent: StepIntended) -> Turn:
        """Where a controller was killed: what was done before tells what is left to do."""
        power = pursuit.state.power
        if power is None or power.at < intent.at or _is_open(power):
            pursuit.emit_finished(step, "interrupted", "it was not started", intent=intent)
            return GO
        if power.act == "boot_once":
            return await self._start(pursuit, step, intent)
        return await self._watch(pursuit, step, intent)

    async def _watch(self, pursuit: Pursuit, step: Step, intent: StepIntended) -> Turn:
        now = pursuit.context.clock.now()
        evidence = await look_again(pursuit, step, "triage")
        if evidence is None or not is_other(intent, evidence):
            if now <= intent.at + timedelta(seconds=step.arguments.wait):
                await pursuit.close()
                return await_return(step, (now - intent.at).total_seconds())
            why = f"its own system did not come back within {step.arguments.wait:g} s"
            await self._tidy(pursuit, step)
            return close_failed(pursuit, step, intent, "failed", why, evidence or ())
        await self._tidy(pursuit, step)
        fix = _fix(intent, evidence)
        pursuit.emit_finished(
            step,
            "ok",
            "its bad files are in quarantine" if fix else "nothing in quarantine tells of a remedy",
            evidence=(*fix, *evidence),
            progress=Progress.SETTLING,
            intent=intent,
        )
        return GO

    async def _tidy(self, pursuit: Pursuit, step: Step) -> None:
        """A medium that stays inserted may be started from again."""
        if step.arguments.media:
            await choose_start(pursuit, "disk", "")


async def left_alone(pursuit: Pursuit, step: Step, deed: str) -> Turn | None:
    """Whether nothing is done to the host by its console, the `deed` of this step; None where it may be done."""
    if pursuit.context.eyes.console_of(pursuit.host) is None:
        pursuit.emit_finished(step, "refused", f"it has no console that could {deed}")
        return GO
    return not_concerned(pursuit) or await _examined(pursuit, step) or pursuit.admission()


async def _examined(pursuit: Pursuit, step: Step) -> Turn | None:
    """Gather evidence, in-band or through the console; None where it says that the host is one to act on."""
    context, host = pursuit.context, pursuit.host
    found: tuple[AnyEvidence, ...] | None = None
    if (await pursuit.look()).answers:
        try:
            await pursuit.contact()
            found = pursuit.evidence(await pursuit.ask(step, "triage"))
        except TransportError as error:
            await pursuit.close()
            if not is_retryable(error):
                return pursuit.failed_contact(step, error)
    # A port that answers for a system that does not is silence: a machine that hangs is like that.
    if found is not None:
        pursuit.observe(*found)
    else:
        silent = Reachability(at=context.clock.now(), source="look", answers=False, reason="")
        first = (silent,) if pursuit.state.case.silent_since is None else ()
        pursuit.observe(*first, *await context.eyes.see(host))
        since = pursuit.state.since or context.taken_up
        left = step.timeout - (context.clock.now() - since).total_seconds()
        if pursuit.state.verdict in (Verdict.UNKNOWN, Verdict.DARK) and left > 0:
            return Parked(min(left, _LOOK_AGAIN), "watches its console")
    return leave_alone(pursuit, touched=True)


def _is_open(power: PowerIntended | PowerFinished) -> bool:
    """Whether nobody saw the next start chosen."""
    return power.act == "boot_once" and not (
        isinstance(power, PowerFinished) and power.outcome == "ok"
    )


def is_other(intent: StepIntended, evidence: tuple[AnyEvidence, ...]) -> bool:
    """Whether another boot answers than the one that the power was taken of.

    Of a host that did not answer before no boot is known: whatever answers began after its power was seen to go.
    """
    boot = next((item for item in evidence if isinstance(item, BootIdentity)), None)
    if boot is None:
        return False
    before = BootIdentity(at=intent.at, source="journal", boot_id=intent.boot_id)
    return not intent.boot_id or same_boot(before, boot) == "other"


def _fix(intent: StepIntended, evidence: tuple[AnyEvidence, ...]) -> tuple[FixApplied, ...]:
    """What the machine's own quarantine shows to have been done on its disk."""
    listing = next((item for item in evidence if isinstance(item, ArtifactListing)), None)
    if listing is None or listing.bad or not listing.quarantined:
        return ()
    return (
        FixApplied(
            at=intent.at,
            source=listing.source,
            intent=listing.intents[-1] if listing.intents else intent.intent,
            files=listing.quarantined,
            boot_id=intent.boot_id,
        ),
    )
