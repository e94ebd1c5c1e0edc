"""One simulated machine on the network: what its port is like, who is connected, and what comes of commands."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from recovery.model.host import Host
from recovery.ports import Command
from recovery.remote.launch import PROBE
from recovery.sim.wire.gate import Gate, State, linger, reset
from recovery.sim.wire.scripts import Scripts
from recovery.sim.wire.shells import ConnectionCutError, Outcome, Quotas, Shells, Work
from recovery.sim.wire.signing import Account, SignIn
from recovery.sim.wire.winrm import Conversation
from recovery.sim.world import World

if TYPE_CHECKING:
    from recovery.sim.wire.papers import Certificate
    from recovery.sim.wire.ssh import SshDoor

_SOONEST = 0.02
"""Seconds after which a machine is looked at again at the earliest."""
_HANDSHAKE = 30.0
_CMD = Outcome(stdout=b"fleet-recovery=C:\\Windows\\system32\\cmd.exe=$PSHOME\r\n")
"""What cmd, the default shell of OpenSSH's server on Windows, makes of the probe."""
_NOT_RECOGNISED = Outcome(stderr=b"not recognised\n", exit_code=1)


class Surroundings(Protocol):
    """What machines share."""

    world: World
    scripts: Scripts
    account: Account
    speed: float
    """Seconds of the world in one of the system's."""

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Carry a coroutine out beside the others."""


class WireMachine:
    """A machine, and the connections to it."""

    def __init__(self, host: Host, shared: Surroundings, port: int, quotas: Quotas) -> None:
        """Stand at the host's address. Raises `OSError` when it is taken."""
        self.host = host
        self._shared = shared
        self._gate = Gate(host.target, port, self._arrive)
        self._links: set[socket.socket] = set()
        self._boot = 0
        self._timer: asyncio.TimerHandle | None = None
        self.shells = Shells(self._plan_winrm, quotas)
        self.connections = 0
        self.refusals = 0
        self.ssh: SshDoor | None = None
        self.tls: tuple[Certificate, ssl.SSLContext] | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._gate.port

    @property
    def denies(self) -> bool:
        """Whether it lets nobody in."""
        return self._shared.world.contact(self.host)[0] == "denied"

    def refresh(self) -> None:
        """Become what the world says the machine is now, and look again when that ends by itself."""
        world = self._shared.world
        machine = world.machine(self.host.name)
        if self._boot and not world.alive(self.host, self._boot):
            self._go_down()
        self._boot = machine.boot if machine.answers else 0
        self._gate.become(self._door(answers=machine.answers, traits=machine.traits))
        if self._timer is not None:
            self._timer.cancel()
        if machine.until < float("inf"):
            wait = max(_SOONEST, (machine.until - world.now) / self._shared.speed)
            self._timer = asyncio.get_running_loop().call_later(wait, self.refresh)

    def close(self) -> None:
        """Let go of the port and all connections."""
        if self._timer is not None:
            self._timer.cancel()
        self._go_down()
        self._gate.close()

    def _door(self, *, answers: bool, traits: frozenset[str]) -> State:
        if not answers:
            return "open" if "open_port" in traits else "silent"
        return "closed" if "refused" in traits else "open"

    def _go_down(self) -> None:
        self.shells.clear()
        for link in list(self._links):
            with contextlib.suppress(OSError):
                linger(link)
                link.shutdown(socket.SHUT_RDWR)
        self._links.clear()

    # --- connections ---

    def _arrive(self, connected: socket.socket) -> None:
        self.connections += 1
        door, _ = self._shared.world.contact(self.host)
        if door == "closed":
            reset(connected)
        else:
            self._shared.begin(self._meet(connected, hangs=door in ("hangs", "silent")))

    async def _meet(self, connected: socket.socket, *, hangs: bool) -> None:
        link = connected.dup()  # to end the connection by, whoever owns the other one by then
        self._links.add(link)
        try:
            if hangs:
                await self._hang(connected)
            elif self.ssh is not None:
                await self.ssh.serve(connected)
            else:
                await self._serve_winrm(connected)
        except (OSError, TimeoutError):
            pass
        finally:
            self._links.discard(link)
            link.close()
            connected.close()

    async def _hang(self, connected: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while await loop.sock_recv(connected, 4096):
            pass

    async def _serve_winrm(self, connected: socket.socket) -> None:
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        timeout = {"ssl_handshake_timeout": _HANDSHAKE} if self.tls else {}
        transport, protocol = await loop.connect_accepted_socket(
            lambda: asyncio.StreamReaderProtocol(reader),
            connected,
            ssl=self.tls[1] if self.tls else None,
            **timeout,
        )
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        certificate = self.tls[0].der if self.tls else b""
        sign_in = SignIn(self._shared.account, certificate, denied=self.denies)
        conversation = Conversation(reader, writer, self.shells, sign_in, tls=self.tls is not None)
        try:
            await conversation.go_on()
        except ConnectionCutError:
            linger(writer.get_extra_info("socket"))
        finally:
            self.refusals += sign_in.refusals
            transport.abort()

    # --- commands ---

    def plan_ssh(self, line: str, stdin: bytes) -> Work:
        """What comes of a command line that came over SSH, with its complete standard input."""
        scripts = self._shared.scripts
        if self.host.os == "windows" and line == PROBE:
            return Work(carry_out=lambda: _CMD)
        if self.host.os == "windows":
            return self._work(scripts.windows(line, stdin))
        return self._work(scripts.posix(stdin) if line.endswith("/bin/sh -s") else None)

    def _plan_winrm(self, line: str, stdin: bytes | None) -> Work | None:
        scripts = self._shared.scripts
        if stdin is None and scripts.waits_for_input(line):
            return None
        return self._work(scripts.windows(line, stdin or b""))

    def _work(self, command: Command | None) -> Work:
        if command is None:
            return Work(carry_out=lambda: _NOT_RECOGNISED)
        boot = self._boot
        delay = self._shared.world.delays(self.host)[1] / self._shared.speed

        def carry_out() -> Outcome:
            fate, reply = self._shared.world.answer(self.host, boot, command)
            self.refresh()
            code = 0 if fate == "whole" else 1
            return Outcome(fate=fate, stdout=reply, exit_code=code)

        return Work(carry_out=carry_out, after=delay)
