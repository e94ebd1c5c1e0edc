"""The worker processes, and who does what. One that dies is replaced, and what it left on hosts is taken away."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys
from collections.abc import Callable
from typing import Any

from typing_extensions import override

from recovery.errors import SessionLostError, TransportError, UnreachableError
from recovery.redact import scrub
from recovery.transports.winrm.messages import (
    ERRORS,
    Answer,
    Cancel,
    Close,
    Done,
    Failed,
    Frames,
    Open,
    Ready,
    Reap,
    Request,
    ShellOpened,
    Way,
    packed,
    read_reply,
)

_MOST_WORKERS = 8
_SHARED_FROM = 4
"""Sessions that a worker has before another one is started."""
_CLOSING = 5.0
"""Seconds for closing a shell on a host."""
_LEAVING = 8.0
"""Seconds for a worker to end by itself."""

Outcome = Done | Answer
_Waiting = asyncio.Future[Outcome]


class Worker(asyncio.SubprocessProtocol):
    """One worker process."""

    def __init__(self, left_behind: Callable[[Way, str], None]) -> None:
        """`left_behind` hears of shells that stay open on hosts when the process dies."""
        self._left_behind = left_behind
        self._pipe: asyncio.WriteTransport | None = None
        self._process: asyncio.SubprocessTransport | None = None
        self._frames = Frames()
        self._waiting: dict[int, tuple[str, bool, _Waiting]] = {}
        self._ways: dict[int, Way] = {}
        self._shells: dict[int, str] = {}
        self._over = asyncio.Event()
        self.ready = asyncio.Event()
        """It has loaded what it needs, or has died."""
        self.alive = True

    @property
    def load(self) -> int:
        """Sessions that it has."""
        return len(self._ways)

    @property
    def pid(self) -> int:
        """Of the process."""
        pid = self._process.get_pid() if self._process is not None else None
        return pid or 0

    @override
    def connection_made(self, transport: Any) -> None:
        """The process runs."""
        self._process = transport
        self._pipe = transport.get_pipe_transport(0)

    @override
    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """It says something."""
        try:
            for frame in self._frames.feed(data):
                self._hear(read_reply(frame))
        except ValueError:
            self.kill()

    @override
    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """It has closed an end: it is over, or as good as that."""
        self._die()

    @override
    def process_exited(self) -> None:
        """It has ended."""
        self._die()
        self._over.set()
        if self._process is not None:
            self._process.close()

    def ask(self, request: Request, name: str, *, opening: bool = False) -> _Waiting:
        """What comes of the request, some time. `name` is the host's, for errors."""
        future: _Waiting = asyncio.get_running_loop().create_future()
        if not self.alive:
            future.set_exception(_lost(name, opening=opening))
            return future
        self._waiting[request.id] = name, opening, future
        self.tell(request)
        return future

    def tell(self, request: Request) -> None:
        """Say something that is not answered, or whose answer nobody waits for."""
        if isinstance(request, Open):
            self._ways[request.session] = request.way
        if self.alive and self._pipe is not None:
            self._pipe.write(packed(request))

    def forget(self, session: int) -> None:
        """The session is closed."""
        self._ways.pop(session, None)
        self._shells.pop(session, None)

    async def leave(self) -> None:
        """Let it close what it has, and end; by force if it does not."""
        if self._pipe is not None:
            self._pipe.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LEAVING):
                await self._over.wait()
        self.kill()
        await self._over.wait()

    def kill(self) -> None:
        """End it."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    def _hear(self, reply: Any) -> None:
        match reply:
            case Ready():
                self.ready.set()
            case ShellOpened(session=session, shell=shell):
                if shell:
                    self._shells[session] = shell
                else:
                    self._shells.pop(session, None)
            case Failed(id=number, error=error, message=message):
                kind = ERRORS.get(error, TransportError)
                self._settle(number, kind(scrub(message)))
            case _:
                self._settle(reply.id, reply)

    def _settle(self, number: int, outcome: Outcome | TransportError) -> None:
        _, _, future = self._waiting.pop(number, ("", False, None))
        if future is None or future.done():
            return
        if isinstance(outcome, TransportError):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    def _die(self) -> None:
        if not self.alive:
            return
        self.alive = False
        self.ready.set()
        for name, opening, future in self._waiting.values():
            if not future.done():
                future.set_exception(_lost(name, opening=opening))
                future.exception()  # nobody has to wait for it
        self._waiting.clear()
        for session, shell in self._shells.items():
            if session in self._ways:
                self._left_behind(self._ways[session], shell)


def _heard(done: asyncio.Future[Outcome]) -> None:
    """However it went."""
    if not done.cancelled():
        done.exception()


def _lost(name: str, *, opening: bool) -> TransportError:
    message = f"the process that spoke with {name} has ended"
    return UnreachableError(message) if opening else SessionLostError(message)


class Crew:
    """All workers."""

    def __init__(self, size: int) -> None:
        """At most `size` processes; 0 is one for each processor. None is started before it is needed."""
        self._size = size or min(_MOST_WORKERS, os.cpu_count() or 1)
        self._workers: list[Worker] = []
        self._starting = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._orphans: list[tuple[Way, str]] = []
        self._closings: set[asyncio.Future[Outcome]] = set()

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the processes that run."""
        return tuple(worker.pid for worker in self._workers if worker.alive)

    def number(self) -> int:
        """A number that nothing else has."""
        return next(self._numbers)

    async def worker(self) -> Worker:
        """The one with the least to do; another one is started where that is worth it."""
        async with self._starting:
            self._workers = [worker for worker in self._workers if worker.alive]
            least = min(self._workers, key=lambda worker: worker.load, default=None)
            if least is None or (least.load >= _SHARED_FROM and len(self._workers) < self._size):
                least = await self._started()
            self._reap(least)
            return least

    async def warm(self) -> None:
        """Have a worker that is ready, so that no session's time goes by while one starts."""
        if not any(worker.alive for worker in self._workers):
            with contextlib.suppress(OSError):
                await (await self.worker()).ready.wait()

    def close(self, worker: Worker, session: int, name: str) -> asyncio.Future[Outcome]:
        """Have the session closed."""
        closing = worker.ask(Close(id=self.number(), session=session), name)
        self._closings.add(closing)

        def closed(done: asyncio.Future[Outcome]) -> None:
            self._closings.discard(done)
            if not done.cancelled() and done.exception() is None:
                worker.forget(session)

        closing.add_done_callback(closed)
        return closing

    def abandon(self, worker: Worker, session: int, name: str) -> None:
        """Have the session closed, and wait for nothing."""
        self.close(worker, session, name).add_done_callback(_heard)

    async def aclose(self) -> None:
        """Close everything, as far as the hosts let us within a few seconds."""
        with contextlib.suppress(OSError):
            if self._orphans:
                await self.worker()
        if self._closings:
            await asyncio.wait(self._closings, timeout=_CLOSING)
        await asyncio.gather(*(worker.leave() for worker in self._workers))
        self._workers.clear()

    def cancel(self, worker: Worker, number: int) -> None:
        """Nobody waits for that any more."""
        worker.tell(Cancel(id=number))

    def _reap(self, worker: Worker) -> None:
        orphans, self._orphans = self._orphans, []
        for way, shell in orphans:
            reaping = worker.ask(Reap(id=self.number(), way=way, shell=shell), way.name)
            self._closings.add(reaping)
            reaping.add_done_callback(self._closings.discard)

    async def _started(self) -> Worker:
        loop = asyncio.get_running_loop()
        _, worker = await loop.subprocess_exec(
            lambda: Worker(lambda way, shell: self._orphans.append((way, shell))),
            *(sys.executable, "-m", "recovery.transports.winrm.worker"),
            stderr=asyncio.subprocess.DEVNULL,
            # Ctrl-C is for the program, which closes what is open; a worker that died of it could not.
            start_new_session=True,
        )
        self._workers.append(worker)
        return worker
