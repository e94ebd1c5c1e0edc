"""Power over a console: asked for, seen, asked for again, and given up with a reason. A request is not a result."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from recovery.engine.deadline import Supervisor
from recovery.errors import (
    AuthRefusedError,
    CredentialStoppedError,
    HostKeyError,
    TransportError,
    UnsupportedError,
)
from recovery.model.console import BootDevice, Power, PowerAct
from recovery.model.host import Host
from recovery.ports import Console

PATIENCE = 20.0
"""Seconds that a machine gets to follow a request; management boards take 5 to 15."""
ATTEMPTS = 3
"""Requests; beside them a console whose way breaks is asked again for as long as they may take."""
ANSWER = 20.0
"""Seconds that a console gets to answer."""
CHOOSING = 60.0
"""Seconds that a board gets to fetch a medium and to take the device of the next start."""
_PAUSE = 1.0
"""Seconds between two looks at the state."""
_FOR_GOOD = (AuthRefusedError, CredentialStoppedError, HostKeyError)
"""What asking again only makes worse."""


class Switched(NamedTuple):
    """How a switch ended."""

    done: bool
    state: Power
    """As it was read last."""
    message: str
    """What was seen, or why it was given up."""


async def switch(console: Console, host: Host, act: PowerAct, supervisor: Supervisor) -> Switched:
    """Carry `act` out. Whatever happens is in the result; nothing is raised."""
    if act == "cycle":
        off = await _reach(console, host, supervisor, on=False)
        on = await _reach(console, host, supervisor, on=True)
        if (
            not off.done
        ):  # what was asked for may have happened unseen: nobody is left without power
            return Switched(
                done=False, state=on.state, message=f"{off.message}; then: {on.message}"
            )
        return (
            on if not on.done else Switched(done=True, state=on.state, message="seen off, then on")
        )
    return await _reach(console, host, supervisor, on=act == "on")


def start_shown(device: BootDevice, medium: str) -> str:
    """A start in words."""
    return f"from {device}" + (f", {medium}" if medium else "")


async def choose_start(
    console: Console, host: Host, start: tuple[BootDevice, str], supervisor: Supervisor
) -> Switched:
    """Have the host start from a device, with a medium where that is one, the next time and only then.

    It is not started by that. Raises `TransportError`, `UnsupportedError`.
    """
    state = await read_power(console, host, supervisor)
    work = console.boot_once(host, *start, CHOOSING)
    await supervisor.within(CHOOSING + 1.0, work, f"choosing the next start of {host.name}")
    return Switched(done=True, state=state, message=f"its next start is {start_shown(*start)}")


async def read_power(console: Console, host: Host, supervisor: Supervisor) -> Power:
    """The state. Raises `TransportError`, `UnsupportedError`."""
    what = f"the power state of {host.name}"
    return await supervisor.within(ANSWER + 1.0, console.power(host, ANSWER), what)


async def _reach(console: Console, host: Host, supervisor: Supervisor, *, on: bool) -> Switched:
    """Ask for the state until it is seen."""
    wanted: Power = "on" if on else "off"
    state: Power = "unknown"
    reason, asked = "", 0
    loop = asyncio.get_running_loop()
    # A board that goes away while it switches must not cost a machine its power: it is waited for.
    until = loop.time() + ATTEMPTS * PATIENCE
    while asked < ATTEMPTS:
        try:
            state = await read_power(console, host, supervisor)
            if state == wanted:
                return Switched(done=True, state=state, message=f"seen {state}")
            asked += 1
            work = console.switch(host, on=on, timeout=ANSWER)
            await supervisor.within(ANSWER + 1.0, work, f"switching {host.name} {wanted}")
            state = await _watch(console, host, supervisor, wanted)
            if state == wanted:
                return Switched(done=True, state=state, message=f"seen {state}")
            reason = f"it was asked to go {wanted} {asked} times, and is {state}"
        except UnsupportedError as error:
            return Switched(done=False, state=state, message=str(error))
        except TransportError as error:
            state, reason = "unknown", str(error)
            if isinstance(error, _FOR_GOOD) or loop.time() >= until:
                break
            await asyncio.sleep(_PAUSE)
    return Switched(done=False, state=state, message=reason)


async def _watch(console: Console, host: Host, supervisor: Supervisor, wanted: Power) -> Power:
    """The state once it is as wanted, or at the end of the patience."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while True:
        state = await read_power(console, host, supervisor)
        if state == wanted or loop.time() >= until:
            return state
        await asyncio.sleep(_PAUSE)
