"""One host's power and next start by its console, written down before they are changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing

from recovery.credentials.store import CredentialStore
from recovery.engine.deadline import Supervisor
from recovery.engine.power import Switched, choose_start, read_power, start_shown, switch
from recovery.errors import TransportError, UnsupportedError, UsageError
from recovery.journal.lease import take_alone
from recovery.journal.log import Log
from recovery.model.console import BootDevice, ConsoleAct, PowerAct, medium_problem
from recovery.model.events import PowerFinished, PowerIntended, PowerOutcome
from recovery.model.host import ConsoleRef, Fleet, Host
from recovery.ports import Console
from recovery.redact import scrub
from recovery.settings import Settings
from recovery.worlds import SystemClock, open_consoles

_LOST = "it was broken off: the host may be without power"
_Work = Callable[[Console, Supervisor], Awaitable[Switched]]


def power(settings: Settings, host: Host, act: PowerAct | None) -> Switched:
    """Switch a host by its console, written down; without `act` read its state.

    Raises `UsageError`, and `RefusedError` while another process switches it.
    """

    async def read(console: Console, supervisor: Supervisor) -> Switched:
        state = await read_power(console, host, supervisor)
        return Switched(done=True, state=state, message=f"seen {state}")

    if act is None:
        return asyncio.run(_at_console(settings, host, read))
    return _written(
        settings, host, act, "", lambda console, supervisor: switch(console, host, act, supervisor)
    )


def boot_once(settings: Settings, host: Host, device: BootDevice, medium: str = "") -> Switched:
    """Choose what a host starts from the next time and only then, written down. It is not started by that.

    `medium` is the URL of an image, for the device `media` alone. Raises `UsageError`.
    """
    problem = medium_problem(device, medium)
    if problem:
        raise UsageError(f"{problem}: --device cd --media URL")
    return _written(
        settings,
        host,
        "boot_once",
        start_shown(device, medium),
        lambda console, supervisor: choose_start(console, host, (device, medium), supervisor),
    )


def _way(host: Host) -> ConsoleRef:
    if host.console is None:
        raise UsageError(f"{host.name} has no console in the inventory")
    return host.console


def _written(settings: Settings, host: Host, act: ConsoleAct, why: str, work: _Work) -> Switched:
    _way(host)
    # Two who switch one host undo what the other sees.
    alone = take_alone(settings.journal, "power", host.name, "switched")
    with alone, closing(Log.open(settings.journal)) as log:
        log.append(PowerIntended(at=SystemClock().now(), host=host.name, act=act, why=scrub(why)))
        found = Switched(done=False, state="unknown", message=_LOST)
        outcome: PowerOutcome = "interrupted"
        try:
            found = asyncio.run(_at_console(settings, host, work))
            outcome = "ok" if found.done else "failed"
        finally:
            log.append(
                PowerFinished(
                    at=SystemClock().now(),
                    host=host.name,
                    act=act,
                    outcome=outcome,
                    state=found.state,
                    message=scrub(found.message),
                )
            )
    return found


async def _at_console(settings: Settings, host: Host, work: _Work) -> Switched:
    """What comes of `work` at the host's console; a way that fails is a result. Raises `UsageError`."""
    way = _way(host)
    credentials = CredentialStore(settings.credentials)
    consoles = open_consoles(Fleet(hosts=(host,)), credentials)
    await credentials.prepare([way.credential])
    console = consoles[way.kind]
    try:
        return await work(console, Supervisor())
    except (TransportError, UnsupportedError) as error:
        return Switched(done=False, state="unknown", message=str(error))
    finally:
        await console.aclose()
