"""The event log: appended to by several processes, committed in groups, chained by hashes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self

from typing_extensions import override

from recovery.errors import JournalError
from recovery.journal.chain import Row, row_of
from recovery.journal.reader import Reader
from recovery.journal.store import MEMORY, Store, Sync
from recovery.model.events import AnyEvent
from recovery.ports import Stored

_BATCH = 2000
"""Events at which a commit begins without being asked for."""

_LINGER = 0.05
"""Seconds after which a commit begins without being asked for."""

_INLINE_LINGER = 5.0
"""The same in virtual time, where a second may pass in no time."""


class Log(Reader):
    """One open journal, to append to and to read from.

    `record` and `durable` belong to one event loop. Whatever is recorded while a commit is under way, or in the same
    turn of the loop, shares the next commit. A commit that fails closes the log for writing: `durable` raises, and
    so does everything that would append later. All methods raise `JournalError`.
    """

    def __init__(self, store: Store, *, inline: bool) -> None:
        """Use `Log.open`."""
        super().__init__(store)
        self._worker = None if inline else ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._linger = _INLINE_LINGER if inline else _LINGER
        self._pending: list[Row] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._flight: Future[None] | None = None
        self._in_flight = 0
        self._timer: asyncio.Handle | None = None
        self._begins = False
        self._failure = ""
        self._closed = False
        self._opened_at = store.last_seq()
        self._commands: dict[str, tuple[tuple[int, int], int]] = {}
        """Run to the mark of the latest look for its commands, and the last number that was given out."""
        self._appended = 0

    @override
    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        inline: bool = False,
        create: bool = True,
        sync: Sync = "full",
        patience: float = 30.0,
    ) -> Self:
        """Open the journal at `path`, and make it unless `create` is off; `:memory:` is one for this object alone.

        `inline` commits in the event loop's own thread, so that a run in virtual time is the same every time. With
        `sync="normal"` a commit outlives the process but not a power cut: for what is only simulated. `patience` is
        how many seconds a commit waits for other processes.
        """
        store = Store.open(path, create=create, sync=sync, patience=patience)
        return cls(store, inline=inline or str(path) == MEMORY)

    def record(self, event: AnyEvent) -> None:
        """Append; order is kept, durability comes with the next commit, which is at most 50 ms away."""
        self._check()
        self._pending.append(row_of(event))
        if self._timer is None:
            self._wait_for_more()
        elif len(self._pending) >= _BATCH:
            self._begin_soon()

    async def durable(self) -> None:
        """Return when all that was recorded before this call is on the disk."""
        self._check()
        if not self._pending and self._flight is None:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._begin_soon()
        await waiter

    def pressure(self) -> int:
        """How many recorded events wait for their commit."""
        return len(self._pending) + self._in_flight

    def append(self, *events: AnyEvent) -> None:
        """Append and commit before returning, behind everything that was recorded; needs no event loop."""
        self._check()
        self._pending.extend([row_of(event) for event in events])
        self._appended += 1
        self._commit_pending()

    def decide(self, choose: Callable[[], Sequence[AnyEvent]]) -> tuple[AnyEvent, ...]:
        """Append what `choose` returns, and return it; nobody else appends between what it reads and that.

        `choose` may read this journal. What it raises is raised here, and then nothing is appended.
        """
        self._check()
        self._commit_pending()
        chosen: tuple[AnyEvent, ...] = ()

        def rows() -> list[Row]:
            nonlocal chosen
            chosen = tuple(choose())
            return [row_of(event) for event in chosen]

        self._store.decide(rows)
        self._appended += 1
        return chosen

    def commands(self, run: str) -> Iterable[AnyEvent]:
        """Commands to `run` that anybody appended since the last call, or since this log was opened."""
        mark, after = self._commands.get(run, ((-1, -1), self._opened_at))
        now = (self._store.change_mark(), self._appended)
        if now == mark:
            return ()
        found = tuple(
            Stored(seq, self._event(seq, body))
            for seq, body in self._store.marks(after=after, kind="command", run=run)
        )
        self._commands[run] = (now, found[-1].seq if found else after)
        return tuple(stored.event for stored in found)

    def skip_commands(self, run: str) -> None:
        """Commands that are in the journal now are not given out by `commands`."""
        self._commands[run] = ((-1, -1), self.last_seq())

    def put_document(self, body: bytes) -> str:
        """Keep a document, durably, and return its SHA-256."""
        sha256 = hashlib.sha256(body).hexdigest()
        self._store.put_document(sha256, body)
        return sha256

    @override
    def close(self) -> None:
        """Commit what is left and let go. Raises `JournalError` when events could not be written."""
        if self._closed:
            return
        try:
            self._commit_pending()
        finally:
            self._closed = True
            self._stop_timer()
            if self._worker is not None:
                self._worker.shutdown()
            self._store.close()

    async def aclose(self) -> None:
        """As `close`, without holding the event loop up while a commit is under way."""
        try:
            if not self._closed:
                await self.durable()
        finally:
            self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _commit(self, batch: Sequence[Row]) -> None:
        """Write a batch in one transaction. Every write of events goes through here, in whatever thread it happens."""
        self._store.insert(batch)

    def _check(self) -> None:
        if self._failure:
            raise JournalError(self._failure)
        if self._closed:
            message = f"journal {self.path}: it was closed"
            raise JournalError(message)

    def _wait_for_more(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no loop that could commit later
            if len(self._pending) >= _BATCH:
                self._commit_pending()
            return
        self._timer = loop.call_later(self._linger, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._begin_soon()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin_soon(self) -> None:
        """Begin a commit behind everything that is ready to run in this turn of the loop."""
        if not self._begins and self._flight is None:
            self._begins = True
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        self._begins = False
        self._stop_timer()
        if self._closed or self._flight is not None or not self._pending:
            return
        if self._worker is None:
            self._commit_inline()
            return
        batch, waiters = self._take()
        self._in_flight = len(batch)
        self._flight = self._worker.submit(self._commit, batch)
        landed = asyncio.wrap_future(self._flight)
        landed.add_done_callback(lambda done: self._land(done.exception(), waiters))

    def _take(self) -> tuple[list[Row], list[asyncio.Future[None]]]:
        taken = self._pending, self._waiters
        self._pending, self._waiters = [], []
        return taken

    def _commit_inline(self) -> None:
        batch, waiters = self._take()
        failure: Exception | None = JournalError("the commit was broken off")
        try:
            self._commit(batch)
            failure = None
        except JournalError as error:
            failure = error
        finally:
            self._settle(failure, waiters)

    def _land(self, failure: BaseException | None, waiters: list[asyncio.Future[None]]) -> None:
        """A commit in the journal's thread has ended."""
        self._flight = None
        self._in_flight = 0
        if not self._pending:  # who came meanwhile waits for nothing but this commit
            waiters += self._take()[1]
        self._settle(failure, waiters)
        if self._failure or self._closed or not self._pending:
            return
        if self._waiters or len(self._pending) >= _BATCH:
            self._begin_soon()
        elif self._timer is None:
            self._wait_for_more()

    def _settle(self, failure: BaseException | None, waiters: list[asyncio.Future[None]]) -> None:
        """Tell those who wait. After a failure nothing that was recorded later can be written either."""
        if failure is not None:
            self._failure = self._failure or str(failure) or repr(failure)
            waiters = waiters + self._waiters
            self._waiters = []
        for waiter in waiters:
            if waiter.done():
                continue
            if self._failure:
                waiter.set_exception(JournalError(self._failure))
            else:
                waiter.set_result(None)

    def _commit_pending(self) -> None:
        """Commit in the caller's thread, behind the commit that is under way."""
        if self._flight is not None:
            error = self._flight.exception()
            if error is not None:
                self._failure = self._failure or str(error) or repr(error)
        if self._failure:
            raise JournalError(self._failure)
        if self._pending:
            self._commit_inline()
        if self._failure:
            raise JournalError(self._failure)
