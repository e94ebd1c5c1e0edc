"""One host's power and next start by its console, written down before they are changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from urllib.parse import urlsplit

from recovery.credentials.store import CredentialStore
from recovery.engine.deadline import Supervisor
from recovery.engine.power import Switched, read_power, switch
from recovery.errors import TransportError, UnsupportedError, UsageError
from recovery.journal.log import Log
from recovery.model.console import BootDevice, ConsoleAct, PowerAct
from recovery.model.events import PowerFinished, PowerIntended
from recovery.model.host import ConsoleRef, Fleet, Host
from recovery.ports import Console
from recovery.redact import scrub
from recovery.settings import Settings
from recovery.worlds import SystemClock, open_consoles

_Work = Callable[[Console, Supervisor], Awaitable[Switched]]

_CHOOSING = 60.0
"""Seconds that a board gets to fetch a medium and to take the device of the next start."""
_LONGEST_MEDIUM = 2000
_MEDIA = ("http", "https", "nfs", "cifs")
"""Ways by which management boards fetch media (DMTF DSP0268, `VirtualMedia.TransferProtocolType`)."""


def power(settings: Settings, host: Host, act: PowerAct | None) -> Switched:
    """Switch a host by its console, written down; without `act` read its state. Raises `UsageError`."""

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
    _check_medium(device, medium)
    said = f"from {device}" + (f", {medium}" if medium else "")

    async def choose(console: Console, supervisor: Supervisor) -> Switched:
        state = await read_power(console, host, supervisor)
        work = console.boot_once(host, device, medium, _CHOOSING)
        await supervisor.within(_CHOOSING + 1.0, work, f"choosing the next start of {host.name}")
        return Switched(done=True, state=state, message=f"its next start is {said}")

    return _written(settings, host, "boot_once", said, choose)


def _check_medium(device: BootDevice, medium: str) -> None:
    if bool(medium) is not (device == "media"):
        raise UsageError(
            "a medium is given for a start from a CD, and for no other: --device cd --media URL"
        )
    try:
        parts = urlsplit(medium)
    except ValueError:
        parts = urlsplit("")
    if medium and (
        parts.scheme not in _MEDIA or not parts.hostname or len(medium) > _LONGEST_MEDIUM
    ):
        raise UsageError(f"the medium is no URL that a board can fetch ({', '.join(_MEDIA)})")
    if parts.username is not None or parts.password is not None:
        raise UsageError("the medium's URL names a user or a password, which would be written down")


def _way(host: Host) -> ConsoleRef:
    if host.console is None:
        raise UsageError(f"{host.name} has no console in the inventory")
    return host.console


def _written(settings: Settings, host: Host, act: ConsoleAct, why: str, work: _Work) -> Switched:
    _way(host)
    with closing(Log.open(settings.journal)) as log:
        log.append(PowerIntended(at=SystemClock().now(), host=host.name, act=act, why=scrub(why)))
        found = asyncio.run(_at_console(settings, host, work))
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
