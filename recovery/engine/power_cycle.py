"""A restart by the power, as asked for: of a machine that hangs, or whose system cannot be asked."""

from __future__ import annotations

from datetime import timedelta

from recovery.engine.acts import close_failed
from recovery.engine.context import GO, Turn
from recovery.engine.once import is_other, left_alone
from recovery.engine.powering import settle
from recovery.engine.pursuit import Pursuit
from recovery.engine.reboot import await_return, look_again, restart_by_power
from recovery.model.events import PowerFinished, StepIntended
from recovery.model.evidence import Progress
from recovery.model.playbook import Step


class PowerCycle:
    """Take the host's power and give it back by its console, and believe it only when another boot answers."""

    async def carry_out(self, pursuit: Pursuit, step: Step) -> Turn:
        """Look, then cycle; or see whether the host is back from it."""
        await settle(pursuit)
        if pursuit.state.intent is not None:
            return await self._go_on(pursuit, step, pursuit.state.intent)
        apart = await left_alone(pursuit, step, "cycle its power")
        return apart or await restart_by_power(pursuit, step, "the playbook says so")

    async def _go_on(self, pursuit: Pursuit, step: Step, intent: StepIntended) -> Turn:
        """Wait for another boot. Where nobody saw the power go, one that is on is not cycled again on suspicion."""
        power = pursuit.state.power
        if not isinstance(power, PowerFinished) or power.at < intent.at or power.state != "on":
            return _interrupted(pursuit, step, intent)
        seen = power.outcome == "ok"
        evidence = await look_again(pursuit, step, "prove")
        if evidence is not None and is_other(intent, evidence) and (seen or intent.boot_id):
            pursuit.emit_finished(
                step, "ok", evidence=evidence, progress=Progress.SETTLING, intent=intent
            )
            return GO
        if evidence is not None and not seen:
            return _interrupted(pursuit, step, intent)
        now = pursuit.context.clock.now()
        if now <= intent.at + timedelta(seconds=step.arguments.wait):
            await pursuit.close()
            return await_return(step, (now - intent.at).total_seconds())
        why = f"it did not come back within {step.arguments.wait:g} s"
        return close_failed(pursuit, step, intent, "failed", why, evidence or ())


def _interrupted(pursuit: Pursuit, step: Step, intent: StepIntended) -> Turn:
    said = "nobody saw its power go and come back"
    pursuit.emit_finished(step, "interrupted", said, intent=intent)
    return GO
