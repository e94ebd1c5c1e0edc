"""The way to simulated machines. It waits, answers and fails as a network does; what machines do is the twin's part."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Literal, NoReturn, Protocol

from recovery.errors import AuthRefusedError, DeadlineError, SessionLostError, UnreachableError
from recovery.model.host import Host
from recovery.ports import Command, Completed, Look, Session

_LOOK_TIME = 2.0
"""Seconds after which a look gives up."""

_LOST_AFTER = 3.0
"""Seconds until a connection to a machine that has died is given up (its keepalives stay unanswered)."""

_ON_THE_WAY = 0.75
"""Share of a command's time that is over when the machine carries it out."""

_ANSWERS = Look(answers=True)
_CLOSED = Look(answers=False, reason="connection refused")
_SILENT = Look(answers=False, reason="no answer")


class Twin(Protocol):
    """The simulated fleet. All of it answers at once, for the present moment of its clock."""

    def contact(
        self, host: Host
    ) -> tuple[Literal["open", "closed", "silent", "hangs", "denied"], int]:
        """What somebody meets who connects to the host, and the number of the boot that answers."""

    def doors(
        self, hosts: Sequence[Host]
    ) -> list[Literal["open", "closed", "silent", "hangs", "denied"]]:
        """What somebody meets who connects to each of the hosts, as of `contact`."""

    @property
    def prompt(self) -> bool:
        """Whether nothing ever waits."""

    def delays(self, host: Host) -> tuple[float, float]:
        """Seconds to open a connection, and to carry a command out; zeros where nothing ever waits."""

    def alive(self, host: Host, boot: int) -> bool:
        """Whether that boot of the host still answers."""

    def answer(
        self, host: Host, boot: int, command: Command
    ) -> tuple[Literal["whole", "cut", "reset", "gone"], bytes]:
        """What comes of a command that arrives on a connection to that boot, and the reply."""

    def close(self) -> None:
        """Nobody leads to it any more."""


class MockTransport:
    """`recovery.ports.Transport` to a twin."""

    name = "mock"

    def __init__(self, world: Twin) -> None:
        """Lead to the machines of `world`."""
        self._world = world
        self.prompt = world.prompt

    async def look(self, host: Host) -> Look:
        """A connection attempt that gives up soon."""
        door, _ = self._world.contact(host)
        if not self.prompt:
            delay, _ = self._world.delays(host)
            await asyncio.sleep(_LOOK_TIME if door == "silent" else delay / 2)
        return _SILENT if door == "silent" else _CLOSED if door == "closed" else _ANSWERS

    async def sweep(self, hosts: Sequence[Host]) -> AsyncIterator[tuple[Look, Sequence[Host]]]:
        """As `look` at each of them at once: the quickest answers first, the silent ones together at the end."""
        silent: list[Host] = []
        others: list[tuple[float, int, Look]] = []
        for place, door in enumerate(self._world.doors(hosts)):
            if door == "silent":
                silent.append(hosts[place])
            else:
                wait = 0.0 if self.prompt else self._world.delays(hosts[place])[0] / 2
                others.append((wait, place, _CLOSED if door == "closed" else _ANSWERS))
        waited = 0.0
        for wait, place, look in sorted(others):
            if wait > waited:
                await asyncio.sleep(wait - waited)
                waited = wait
            yield look, (hosts[place],)
        if silent:
            if waited < _LOOK_TIME and not self.prompt:
                await asyncio.sleep(_LOOK_TIME - waited)
            yield _SILENT, silent

    async def open(self, host: Host, timeout: float) -> Session:
        """Connect and sign in. Raises `TransportError`."""
        delay, command_delay = self._world.delays(host)
        door, boot = self._world.contact(host)
        if delay:
            await asyncio.sleep(timeout if door in ("silent", "hangs") else min(delay, timeout))
        if door == "hangs" or (delay > timeout and door != "silent"):
            message = f"{host.target} accepts connections but says nothing"
            raise DeadlineError(message)
        if door == "silent" or (delay and boot and not self._world.alive(host, boot)):
            message = f"{host.target} does not answer"
            raise UnreachableError(message)
        if door == "closed":
            message = f"{host.target} refused the connection"
            raise UnreachableError(message)
        if door == "denied":
            message = f"{host.target} refused the credential"
            raise AuthRefusedError(message)
        return MockSession(self._world, host, boot, command_delay)

    async def aclose(self) -> None:
        """Close the twin."""
        self._world.close()


class MockSession:
    """`recovery.ports.Session` to one boot of a simulated machine."""

    __slots__ = ("_boot", "_delay", "_host", "_open", "_world")

    def __init__(self, world: Twin, host: Host, boot: int, delay: float) -> None:
        """Talk to boot number `boot`; each command takes `delay` seconds."""
        self._world = world
        self._host = host
        self._boot = boot
        self._delay = delay
        self._open = True

    async def run(self, command: Command) -> Completed:
        """Send the command and wait for its reply. Raises `TransportError`."""
        if not self._open:
            message = f"the session to {self._host.target} is closed"
            raise SessionLostError(message)
        delay = self._delay
        if delay > command.timeout:
            await asyncio.sleep(command.timeout)
            message = (
                f"{command.action} on {self._host.target} took longer than {command.timeout:g} s"
            )
            raise DeadlineError(message)
        if delay:
            await asyncio.sleep(delay * _ON_THE_WAY)
        fate, reply = self._world.answer(self._host, self._boot, command)
        if delay:
            await asyncio.sleep(delay * (1.0 - _ON_THE_WAY))
        if fate == "gone" or (delay and not self._world.alive(self._host, self._boot)):
            await self._die(command.timeout - delay)
        if fate == "reset":
            message = f"{self._host.target} reset the connection"
            raise SessionLostError(message)
        return Completed(
            stdout=reply[: command.output_limit],
            exit_status=0 if fate == "whole" else None,
            truncated=len(reply) > command.output_limit,
        )

    async def aclose(self) -> None:
        """Nothing more can be sent."""
        self._open = False

    async def _die(self, left: float) -> NoReturn:
        if self._delay:
            await asyncio.sleep(min(_LOST_AFTER, left))
        message = f"{self._host.target} fell silent"
        raise SessionLostError(message)
