"""Restarts: asked for at most once in a boot, believed only when another boot answers."""

from __future__ import annotations

from datetime import timedelta

from recovery.engine.acts import close_failed
from recovery.engine.context import GO, AwaitsAnswer, Parked, Turn
from recovery.engine.looks import RESTARTING
from recovery.engine.powering import cycle, settle
from recovery.engine.pursuit import Pursuit
from recovery.engine.retry import is_retryable
from recovery.engine.steps import allowed, read_evidence
from recovery.errors import TransportError
from recovery.model.case import CaseFile, add_evidence, same_boot
from recovery.model.events import StepIntended, StepOutcome
from recovery.model.evidence import AnyEvidence, BootIdentity, Progress, RebootMark
from recovery.model.playbook import Step

_GOES_DOWN = 2.0
"""Seconds that a host which was asked to restart gets to go down."""


class Reboot:
    """Restart the host, and believe it only when another boot of it answers."""

    async def carry_out(self, pursuit: Pursuit, step: Step) -> Turn:
        """Ask for the restart, or see whether the host is back from it."""
        await settle(pursuit)
        if pursuit.state.intent is not None:
            return await self._watch(pursuit, step, pursuit.state.intent)
        if pursuit.state.failures and pursuit.context.eyes.console_of(pursuit.host) is not None:
            return allowed(pursuit) or await restart_by_power(
                pursuit, step, "its restart did not happen", first=_GOES_DOWN
            )
        return await self._by_request(pursuit, step)

    async def _by_request(self, pursuit: Pursuit, step: Step) -> Turn:
        evidence: tuple[AnyEvidence, ...] | Turn = ()
        if pursuit.boot is None:
            evidence = await read_evidence(pursuit, step, "prove")
        if isinstance(evidence, Turn):
            return evidence
        wait = allowed(pursuit)
        if wait is not None:
            return wait
        boot = pursuit.boot
        if boot is None:
            return pursuit.failed(step, "the host did not say which boot it is in")
        if _restarted(pursuit.state.case, boot):
            message = "it has restarted by itself since the fix"
            pursuit.emit_finished(
                step, "already", message, evidence=evidence, progress=Progress.SETTLING
            )
            return GO
        fix = pursuit.state.case.fix
        if fix is not None and not fix.boot_id:
            # The boots that follow are told from this one.
            pursuit.observe(*evidence)
        return await self._ask_for_it(pursuit, step, boot)

    async def _ask_for_it(self, pursuit: Pursuit, step: Step, boot: BootIdentity) -> Turn:
        intent = await pursuit.intend(step, boot.boot_id)
        try:
            reply = await pursuit.ask(
                step, "reboot", token=intent.intent, settings={"EXPECT_BOOT": boot.boot_id}
            )
        except TransportError as error:
            await pursuit.close()
            if is_retryable(error):
                return await_return(step, 0.0, first=_GOES_DOWN)
            return pursuit.failed(step, str(error))
        if reply.refused or reply.trouble or reply.acted("reboot") is None:
            words = [record.reason for record in reply.refused] + [
                record.reason for record in reply.trouble
            ]
            return close_failed(
                pursuit, step, intent, "refused", f"the restart was refused: {', '.join(words)}", ()
            )
        await pursuit.close()
        return await_return(step, 0.0, first=_GOES_DOWN)

    async def _watch(self, pursuit: Pursuit, step: Step, intent: StepIntended) -> Turn:
        now = pursuit.context.clock.now()
        expired = now > intent.at + timedelta(seconds=step.arguments.wait)
        evidence = await look_again(pursuit, step, "prove")
        if evidence is None:
            if expired:
                why = f"it did not come back within {step.arguments.wait:g} s"
                return pursuit.failed(step, why, _late(pursuit))
            waited = (now - intent.at).total_seconds()
            return await_return(step, waited)
        boot = next((item for item in evidence if isinstance(item, BootIdentity)), None)
        before = BootIdentity(at=intent.at, source="journal", boot_id=intent.boot_id)
        if boot is not None and same_boot(before, boot) == "other":
            pursuit.emit_finished(
                step, "ok", evidence=evidence, progress=Progress.SETTLING, intent=intent
            )
            return GO
        pending = any(
            isinstance(item, RebootMark) and item.intent == intent.intent for item in evidence
        )
        if pending and not expired:
            return Parked(2.0, "waits for it to go down")
        pursuit.emit_finished(
            step,
            "failed",
            "the restart did not happen: still the same boot",
            evidence=evidence,
            intent=intent,
        )
        return GO


async def look_again(pursuit: Pursuit, step: Step, action: str) -> tuple[AnyEvidence, ...] | None:
    """Evidence read by `action` from a host that was restarted, or None while it does not give any."""
    look = await pursuit.look()
    if not look.answers:
        return None
    try:
        session = await pursuit.reach(step)
        if isinstance(session, Turn):
            return None
        return pursuit.evidence(await pursuit.ask(step, action))
    except TransportError:
        await pursuit.close()
        return None


def _late(pursuit: Pursuit) -> StepOutcome:
    """A host that did not come back is out of reach, unless its power can still be cycled."""
    console = pursuit.context.eyes.console_of(pursuit.host)
    return "unreachable" if console is None else "failed"


def _restarted(case: CaseFile, boot: BootIdentity) -> bool:
    """Whether the boot that answers is another than the one in which the fix was carried out."""
    fix = case.fix
    if fix is None or not boot.boot_id:
        return False
    if fix.boot_id:
        return fix.boot_id != boot.boot_id
    return bool(add_evidence(case, boot).boots_since_fix)


async def restart_by_power(pursuit: Pursuit, step: Step, why: str, first: float = 0.0) -> Turn:
    """Take the host's power and give it back, as an act, and see both happen; `first` as in `await_return`."""
    intent = await intend_off_host(pursuit, step)
    switched = await cycle(pursuit, why)
    if not switched.done:
        said = f"its power could not be cycled: {switched.message}"
        return close_failed(pursuit, step, intent, "failed", said, ())
    return await_return(step, 0.0, first)


async def intend_off_host(pursuit: Pursuit, step: Step) -> StepIntended:
    """Write down an act that goes past the host's own system, which is let go of."""
    await pursuit.close()
    boot = pursuit.state.case.boot
    return await pursuit.intend(step, boot.boot_id if boot else "")


def await_return(step: Step, waited: float, first: float = 0.0) -> Turn:
    """Wait for the host to come back, for which it has the step's time."""
    left = max(step.arguments.wait - waited, _GOES_DOWN)
    return AwaitsAnswer(left, RESTARTING, waited, first, "waits for its return")
