"""One host's power by its console, written down before it is switched."""

from __future__ import annotations

import asyncio
from contextlib import closing

from recovery.credentials.store import CredentialStore
from recovery.engine.deadline import Supervisor
from recovery.engine.power import Switched, read_power, switch
from recovery.errors import TransportError, UnsupportedError, UsageError
from recovery.journal.log import Log
from recovery.model.console import PowerAct
from recovery.model.events import PowerFinished, PowerIntended
from recovery.model.host import ConsoleRef, Fleet, Host
from recovery.redact import scrub
from recovery.settings import Settings
from recovery.worlds import SystemClock, open_consoles


def power(settings: Settings, host: Host, act: PowerAct | None) -> Switched:
    """Switch a host by its console, written down; without `act` read its state. Raises `UsageError`."""
    if host.console is None:
        raise UsageError(f"{host.name} has no console in the inventory")
    if act is None:
        return asyncio.run(_switch_power(settings, host, host.console, None))
    with closing(Log.open(settings.journal)) as log:
        log.append(PowerIntended(at=SystemClock().now(), host=host.name, act=act))
        found = asyncio.run(_switch_power(settings, host, host.console, act))
        log.append(
            PowerFinished(
                at=SystemClock().now(),
                host=host.name,
                act=act,
                outcome="ok" if found.done else "failed",
                state=found.state,
                message=scrub(found.message),
            )
        )
    return found


async def _switch_power(
    settings: Settings, host: Host, way: ConsoleRef, act: PowerAct | None
) -> Switched:
    """Carry `act` out over the host's console, and see it happen; without one read the state. Raises `UsageError`."""
    credentials = CredentialStore(settings.credentials)
    consoles = open_consoles(Fleet(hosts=(host,)), credentials)
    await credentials.prepare([way.credential])
    console, supervisor = consoles[way.kind], Supervisor()
    try:
        if act is not None:
            return await switch(console, host, act, supervisor)
        state = await read_power(console, host, supervisor)
        return Switched(done=True, state=state, message=f"seen {state}")
    except (TransportError, UnsupportedError) as error:
        return Switched(done=False, state="unknown", message=str(error))
    finally:
        await console.aclose()
