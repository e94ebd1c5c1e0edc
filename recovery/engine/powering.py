"""Power cycles of a run: written down before they are done, and looked into where nobody saw how they ended.

A controller that is killed between taking a machine's power and giving it back leaves it off. Whoever takes the run up
reads the state again: a machine that is off gets its power back, and one that is on is not cycled on suspicion.
"""

from __future__ import annotations

from datetime import timedelta

from recovery.detect.screen_rules import screen_text
from recovery.engine.power import Switched, start_shown
from recovery.engine.pursuit import Pursuit
from recovery.model.console import BootDevice, ConsoleAct, PowerAct
from recovery.model.events import PowerFinished, PowerIntended, PowerOutcome
from recovery.model.evidence import MachineReset, PowerSeen, ScreenSeen

_NOW = timedelta(seconds=5)
"""For how long what a screen shows counts."""


async def cycle(pursuit: Pursuit, why: str) -> Switched:
    """Take the host's power and give it back, as far as both are seen. The intent is on the disk before.

    Not of a machine whose screen says that it puts in updates or repairs itself: without power in the middle of that it
    may never start again.
    """
    busy = await _busy(pursuit)
    if busy is not None:
        said = f"it is left its power: {screen_text(busy.reading)}"
        return Switched(done=False, state="unknown", message=said)
    return await _act(pursuit, "cycle", why)


async def _busy(pursuit: Pursuit) -> ScreenSeen | None:
    """The screen that stands there now and says that the machine is not to be switched off; None where none does."""
    context, screen = pursuit.context, pursuit.state.case.screen
    earliest = context.clock.now() - _NOW
    if screen is None or screen.at < earliest:
        seen = await context.eyes.picture(pursuit.host)
        if seen:
            pursuit.observe(*seen)
        screen = pursuit.state.case.screen
    if screen is None or screen.at < earliest or not screen.reading.busy:
        return None
    return screen


async def settle(pursuit: Pursuit) -> None:
    """Examine what is not known of the latest switching of the host's power, and give power back that was taken.

    Where the console does not say how the machine stands, the intent stays open, and is examined again later.
    """
    power, eyes = pursuit.state.power, pursuit.context.eyes
    if isinstance(power, PowerFinished):
        if await _is_without_power(pursuit, power):
            await _act(pursuit, "on", "its power was taken and is not back")
        return
    if power is None:
        return
    if power.act == "boot_once":
        seen = await eyes.power(pursuit.host)
        said = "nobody saw whether its next start was chosen"
        _close(
            pursuit, power.act, "interrupted", Switched(done=False, state=seen.state, message=said)
        )
        return
    if eyes.console_of(pursuit.host) is None:
        lost = Switched(done=False, state="unknown", message="it has no console any more")
        _close(pursuit, power.act, "interrupted", lost)
        return
    seen = await eyes.power(pursuit.host)
    if seen.state == "off":
        found = await eyes.switch(pursuit.host, "on")
        said = f"it was found off; {found.message}"
        _close(pursuit, power.act, _outcome(found), found._replace(message=said))
    elif seen.state != "unknown":
        said = f"it is {seen.state} now, and nothing more was done"
        found = Switched(done=False, state=seen.state, message=said)
        _close(pursuit, power.act, "interrupted", found)


async def _is_without_power(pursuit: Pursuit, power: PowerFinished) -> bool:
    """Whether a cycle, or a try to mend one, has left the host off; where nobody saw that, it is looked at now."""
    if power.act not in ("cycle", "on") or power.outcome == "ok":
        return False
    if power.state != "unknown":
        return power.state == "off"
    return (await pursuit.context.eyes.power(pursuit.host)).state == "off"


async def choose_start(pursuit: Pursuit, device: BootDevice, medium: str) -> Switched:
    """Choose what the host starts from the next time and only then. The intent is on the disk before."""
    context, host = pursuit.context, pursuit.host
    now, why = context.clock.now(), start_shown(device, medium)
    context.emit(PowerIntended(at=now, run=context.run, host=host.name, act="boot_once", why=why))
    await context.recorder.durable()
    chosen = await context.eyes.choose_start(host, device, medium)
    _close(pursuit, "boot_once", _outcome(chosen), chosen)
    return chosen


async def _act(pursuit: Pursuit, act: PowerAct, why: str) -> Switched:
    context, host = pursuit.context, pursuit.host
    now = context.clock.now()
    context.emit(PowerIntended(at=now, run=context.run, host=host.name, act=act, why=why))
    await context.recorder.durable()
    switched = await context.eyes.switch(host, act)
    _close(pursuit, act, _outcome(switched), switched)
    return switched


def _outcome(switched: Switched) -> PowerOutcome:
    return "ok" if switched.done else "failed"


def _close(pursuit: Pursuit, act: ConsoleAct, outcome: PowerOutcome, found: Switched) -> None:
    context = pursuit.context
    now = context.clock.now()
    if found.state != "unknown":
        switched = found.done and act != "boot_once"
        restarted = (MachineReset(at=now, source="console", asked_for=True),) if switched else ()
        pursuit.observe(PowerSeen(at=now, source="console", state=found.state), *restarted)
    context.emit(
        PowerFinished(
            at=now,
            run=context.run,
            host=pursuit.host.name,
            act=act,
            outcome=outcome,
            state=found.state,
            message=found.message,
        )
    )
