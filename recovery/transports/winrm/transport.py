"""The face of WinRM: a cheap look, and sessions, which worker processes carry."""

from __future__ import annotations

import asyncio

from recovery.errors import AuthRefusedError, DeadlineError, TransportError
from recovery.model.host import Host
from recovery.ports import Credential, Credentials, Look
from recovery.transports.ssh.limits import max_looks
from recovery.transports.winrm.crew import Crew, Worker
from recovery.transports.winrm.look import Looks
from recovery.transports.winrm.messages import Open, Way
from recovery.transports.winrm.place import place_of
from recovery.transports.winrm.session import WinrmSession
from recovery.transports.winrm.settings import WinrmSettings

_ANSWERS = Look(answers=True)
_NOBODY = Credential(name="")
_AHEAD = 0.1
"""Share of its time by which a worker gives up earlier than its owner, since it knows better why."""


class WinrmTransport:
    """The way to hosts over WinRM. Implements `recovery.ports.Transport`."""

    name = "winrm"

    def __init__(self, settings: WinrmSettings, credentials: Credentials) -> None:
        """Sign in with `credentials`."""
        self._settings = settings
        self._credentials = credentials
        self._looks = Looks(settings.look_timeout)
        self._at_once = asyncio.Semaphore(max_looks())
        self.crew = Crew(settings.workers)

    async def look(self, host: Host) -> Look:
        """Connect, ask what kind of server it is, and hang up. Never raises.

        What cannot be looked at, because it is behind a proxy or its variables are wrong, is said to answer: opening a
        session tells what is the matter.
        """
        try:
            place = place_of(host, self._settings)
        except TransportError:
            return _ANSWERS
        look = _ANSWERS
        if not place.proxy:
            async with self._at_once:
                look = await self._looks.at(place)
        if look.answers:
            await self.crew.warm()
        return look

    async def open(self, host: Host, timeout: float) -> WinrmSession:
        """Open a session within `timeout` seconds. Raises `TransportError`."""
        place = place_of(host, self._settings)
        try:
            async with asyncio.timeout(timeout):
                credential = await self._credential(host)
                way = place.way(credential)
                worker = await self.crew.worker()
                return await self._opened(host, way, worker, timeout)
        except TimeoutError:
            message = f"{host.name} did not let us in in time"
            raise DeadlineError(message) from None
        except OSError as error:
            message = f"no worker process can be started: {error.strerror}"
            raise TransportError(message) from None

    async def aclose(self) -> None:
        """Close every session, and end the workers."""
        await self.crew.aclose()

    async def _credential(self, host: Host) -> Credential:
        """An empty name is nobody's: Kerberos has its own cache."""
        return await self._credentials.get(host.credential) if host.credential else _NOBODY

    async def _opened(self, host: Host, way: Way, worker: Worker, timeout: float) -> WinrmSession:
        number, session = self.crew.number(), self.crew.number()
        request = Open(id=number, session=session, way=way, timeout=timeout * (1 - _AHEAD))
        try:
            await worker.ask(request, host.name, opening=True)
        except AuthRefusedError:
            worker.forget(session)
            self._credentials.refused(host.credential)
            raise
        except TransportError:
            worker.forget(session)
            raise
        except asyncio.CancelledError:
            self.crew.cancel(worker, number)
            self.crew.abandon(worker, session, host.name)
            raise
        self._credentials.accepted(host.credential)
        return WinrmSession(self.crew, worker, session, host.name)
