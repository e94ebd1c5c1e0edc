"""A way to simulated machines on which answers are changed: what hosts say that are not as they should be."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from recovery.errors import AuthRefusedError, SessionLostError
from recovery.model.host import Host
from recovery.ports import Command, Completed, Look, Session
from recovery.transports.mock import MockTransport

_ERRORS = {"auth": AuthRefusedError, "lost": SessionLostError}


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of the answers to one action."""

    action: str
    times: int = 1
    """To how many questions of each host; the others are answered as ever."""
    error: str = ""
    """`auth`, `lost`: there is no answer."""
    done: bool = True
    """Whether the machine carries the command out before the answer is lost."""
    hangs: bool = False
    """It never answers, and does not react when it is cancelled."""
    drop: tuple[str, ...] = ()
    """Kinds of records that are left out."""
    put: Mapping[str, Mapping[str, Any]] = {}
    """Kind of record to the fields that are changed in it."""
    add: tuple[Mapping[str, Any], ...] = ()
    """Records before the end."""

    def answer(self, reply: bytes) -> bytes:
        """The changed answer."""
        records = [msgspec.json.decode(line) for line in reply.splitlines()]
        kept = [
            {**record, **self.put.get(record["record"], {})}
            for record in records
            if record["record"] not in self.drop
        ]
        return b"".join(
            msgspec.json.encode(record) + b"\n" for record in (*kept[:-1], *self.add, kept[-1])
        )


class Tampered:
    """`recovery.ports.Transport` to a twin whose answers are changed. It does not say that it never waits."""

    name = "mock"

    def __init__(self, mock: MockTransport, changes: tuple[Change, ...]) -> None:
        self._mock = mock
        self.changes = {change.action: change for change in changes}
        self.asked: Counter[tuple[str, str]] = Counter()
        self.freed = asyncio.Event()

    async def look(self, host: Host) -> Look:
        return await self._mock.look(host)

    async def open(self, host: Host, timeout: float) -> Session:
        return TamperedSession(self, await self._mock.open(host, timeout), host.name)

    async def aclose(self) -> None:
        await self._mock.aclose()


class TamperedSession:
    """One of its sessions."""

    def __init__(self, way: Tampered, session: Session, host: str) -> None:
        self._way = way
        self._session = session
        self._host = host

    async def run(self, command: Command) -> Completed:
        change = self._way.changes.get(command.action)
        self._way.asked[self._host, command.action] += 1
        if change is None or self._way.asked[self._host, command.action] > change.times:
            return await self._session.run(command)
        if change.hangs:
            await self._hang()
        if change.error and not change.done:
            raise _ERRORS[change.error]
        completed = await self._session.run(command)
        if change.error:
            raise _ERRORS[change.error]
        return msgspec.structs.replace(completed, stdout=change.answer(completed.stdout))

    async def _hang(self) -> None:
        while not self._way.freed.is_set():
            try:
                await self._way.freed.wait()
            except asyncio.CancelledError:
                continue

    async def aclose(self) -> None:
        await self._session.aclose()
