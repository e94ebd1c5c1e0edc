"""The face of SSH: a cheap look, and sessions."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from recovery.errors import DeadlineError, RecoveryError, UnreachableError
from recovery.model.host import Host
from recovery.ports import Credentials, Look
from recovery.remote.launch import Outer
from recovery.transports.patience import listening_for
from recovery.transports.ssh.limits import max_looks
from recovery.transports.ssh.looks import ANSWERS, Looks, greeted
from recovery.transports.ssh.place import Place, Places
from recovery.transports.ssh.settings import SshSettings

if TYPE_CHECKING:
    from asyncssh import SSHClientConnection

    from recovery.transports.ssh.dial import Dialer
    from recovery.transports.ssh.gateways import Gateways
    from recovery.transports.ssh.session import SshSession


class SshTransport:
    """The way to hosts over SSH. Implements `recovery.ports.Transport`."""

    name = "ssh"

    def __init__(
        self, settings: SshSettings, credentials: Credentials, gateway_of: Callable[[Host], str]
    ) -> None:
        """Sign in with `credentials`; `gateway_of` names the jump host of a host, `[user@]host[:port]`, or nothing."""
        self._settings = settings
        self._credentials = credentials
        self._places = Places(settings.config, gateway_of)
        self._looks = Looks(settings.look_timeout)
        self._behind = asyncio.Semaphore(max_looks())
        self._shells: dict[str, Outer] = {}
        self._loading = asyncio.Lock()
        self._means: tuple[Dialer, Gateways] | None = None

    async def look(self, host: Host) -> Look:
        """Connect and wait for the server's identification (RFC 4253, 4.2). Never raises.

        An open port alone proves nothing: NAT, load balancers and hypervisors accept for machines that are dead. What
        is reached through a program of the client's configuration cannot be looked at, so it is said to answer. Behind
        a jump host the look goes through the connection to it. Where the inventory names no place, `open` says why.
        """
        try:
            place = self._places.of(host)
        except RecoveryError:
            return ANSWERS
        try:
            if place.by_command:
                return ANSWERS
            if place.gateway:
                return await self._look_behind(place, host)
        except (RecoveryError, ValueError, OSError) as error:
            return Look(answers=False, reason=str(error))
        return await self._looks.at(place)

    async def open(self, host: Host, timeout: float) -> SshSession:
        """Open a session within `timeout` seconds. Raises `TransportError`."""
        dialer, gateways = await self._with_library()
        place = self._places.of(host)
        clock = asyncio.get_running_loop().time
        until = clock() + timeout
        tunnel = None
        if place.gateway:
            try:
                async with asyncio.timeout_at(until):
                    tunnel = await gateways.tunnel(place.gateway, self._entry(host), timeout)
                    await gateways.pace(place.gateway)
            except TimeoutError:
                message = f"{host.name} could not be reached in time through {place.gateway}"
                raise DeadlineError(message) from None
        link = None if tunnel else self._looks.take(place)
        if link is not None:
            # The server may have given up waiting: then it is called again.
            with contextlib.suppress(UnreachableError):
                connection = await dialer.connect(place, host.credential, until - clock(), link)
                return self._session(connection, host)
        connection = await dialer.connect(place, host.credential, until - clock(), tunnel)
        return self._session(connection, host)

    def _session(self, connection: SSHClientConnection, host: Host) -> SshSession:
        from recovery.transports.ssh.session import SshSession
        from recovery.transports.ssh.windows import WindowsSession

        if host.os == "windows":
            return WindowsSession(connection, host.name, self._shells)
        return SshSession(connection, host.name)

    async def aclose(self) -> None:
        """Close the connections to jump hosts, and those that wait for a session."""
        self._looks.close()
        if self._means is not None:
            await self._means[1].aclose()

    async def _with_library(self) -> tuple[Dialer, Gateways]:
        """The parts that need asyncssh, which takes half a second to load: looks that are in flight go on meanwhile."""
        if self._means is None:
            async with self._loading:
                if self._means is None:
                    self._means = await asyncio.to_thread(self._load)
        return self._means

    def _load(self) -> tuple[Dialer, Gateways]:
        from recovery.transports.ssh import session  # noqa: F401 - what sessions need belongs to it
        from recovery.transports.ssh.dial import Dialer
        from recovery.transports.ssh.gateways import Gateways

        dialer = Dialer(self._settings, self._credentials)
        return dialer, Gateways(dialer, self._places, self._settings.gateway_rate)

    def _entry(self, host: Host) -> str:
        """The credential for the jump hosts in front of `host`."""
        return self._settings.gateway_credential or host.credential

    async def _look_behind(self, place: Place, host: Host) -> Look:
        timeout = max(self._settings.look_timeout, 10.0)
        gateways = (await self._with_library())[1]
        import asyncssh

        tunnel = await gateways.tunnel(place.gateway, self._entry(host), timeout)
        try:
            async with self._behind, listening_for(self._settings.look_timeout):
                reader, writer = await tunnel.open_connection(
                    place.address, place.port, encoding=None
                )
                try:
                    return await greeted(reader.read)
                finally:
                    writer.channel.abort()
        except (TimeoutError, OSError, asyncssh.Error):
            return Look(answers=False, reason=f"no answer through {place.gateway}")
