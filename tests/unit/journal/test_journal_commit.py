"""Commits in groups, and what becomes of them when the disk, another process or the own one fails."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest
from typing_extensions import override

from recovery.errors import JournalError
from recovery.journal.chain import Row
from recovery.journal.log import Log
from recovery.journal.reader import Reader
from recovery.sim.virtual import run as run_virtually
from tests.unit.journal.happenings import BEGAN, notice

BOTH = pytest.mark.parametrize("inline", [True, False], ids=["inline", "thread"])


class Watched(Log):
    """A log whose commits can be watched, held up, and made to fail."""

    batches: list[int]
    before: Callable[[], object]

    @classmethod
    def at(cls, path: Path | str, *, inline: bool, before: Callable[[], object] = int) -> Watched:
        log = cls.open(path, inline=inline)
        log.batches = []
        log.before = before
        return log

    @override
    def _commit(self, batch: Sequence[Row]) -> None:
        self.before()
        super()._commit(batch)
        self.batches.append(len(batch))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def waiter(log: Log) -> asyncio.Future[None]:
    """Somebody who waits for durability, to be looked at while he does."""
    return asyncio.ensure_future(log.durable())  # noqa: TID251 - each is looked at by itself


async def under_way(log: Log) -> None:
    """A commit has begun."""
    while not log._in_flight:  # noqa: ASYNC110 - a commit tells nobody that it begins
        await asyncio.sleep(0)


def count(path: Path) -> int:
    with Reader.open(path) as journal:
        return journal.verify().count


@BOTH
async def test_what_is_durable_is_there_for_others(path: Path, inline: bool) -> None:
    async with Watched.at(path, inline=inline) as log:
        log.record(notice(1))
        log.record(notice(2))
        assert log.pressure() == 2
        await log.durable()
        assert log.pressure() == 0
        assert count(path) == 2
        await log.durable()
    assert log.batches == [2]


@BOTH
async def test_one_turn_of_the_loop_shares_a_commit(path: Path, inline: bool) -> None:
    async def act(number: int) -> None:
        log.record(notice(number))
        await log.durable()

    async with Watched.at(path, inline=inline) as log:
        await asyncio.gather(*(act(number) for number in range(100)))
    assert log.batches == [100]


async def test_what_comes_during_a_commit_shares_the_next_one(path: Path) -> None:
    go = threading.Event()
    async with Watched.at(path, inline=False, before=lambda: go.wait(10)) as log:
        log.record(notice(0))
        first = waiter(log)
        await under_way(log)
        idle = waiter(log)
        await asyncio.sleep(0)
        for number in range(1, 51):
            log.record(notice(number))
        assert log.pressure() == 51
        second = waiter(log)
        await asyncio.sleep(0)
        assert not first.done()
        go.set()
        await asyncio.gather(first, idle, second)
    assert log.batches == [1, 50]


async def test_who_waits_without_having_recorded_waits_for_the_commit_under_way(path: Path) -> None:
    go = threading.Event()
    async with Watched.at(path, inline=False, before=lambda: go.wait(10)) as log:
        log.record(notice(0))
        first = waiter(log)
        await under_way(log)
        second = waiter(log)
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(first, second)
    assert log.batches == [1]


async def test_one_who_stops_waiting_stops_nobody_else(path: Path) -> None:
    async with Watched.at(path, inline=False) as log:
        log.record(notice(0))
        waits = [waiter(log) for _ in range(3)]
        await asyncio.sleep(0)
        waits[1].cancel()
        results = await asyncio.gather(*waits, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), asyncio.CancelledError, type(None)]
    assert count(path) == 1


async def test_recorded_events_are_committed_without_being_asked_for(path: Path) -> None:
    loop, committed = asyncio.get_running_loop(), asyncio.Event()
    async with Watched.at(
        path, inline=False, before=lambda: loop.call_soon_threadsafe(committed.set)
    ) as log:
        for number in range(3):
            log.record(notice(number))
            await asyncio.wait_for(committed.wait(), 10)
            committed.clear()
    assert count(path) == 3


async def test_what_was_recorded_during_a_commit_is_committed_without_being_asked_for(
    path: Path,
) -> None:
    loop, begun, go = asyncio.get_running_loop(), asyncio.Semaphore(0), threading.Event()

    def begin() -> None:
        loop.call_soon_threadsafe(begun.release)
        go.wait(10)

    async with Watched.at(path, inline=False, before=begin) as log:
        log._linger = 0.0
        log.record(notice(0))
        await asyncio.wait_for(begun.acquire(), 10)
        log.record(notice(1))
        while log._timer is not None:  # noqa: ASYNC110 - the timer runs out while the commit is under way
            await asyncio.sleep(0)
        go.set()
        await asyncio.wait_for(begun.acquire(), 10)
    assert log.batches == [1, 1]


async def test_appending_takes_along_what_is_about_to_be_committed(path: Path) -> None:
    async with Watched.at(path, inline=False) as log:
        log.record(notice(0))
        waiting = waiter(log)
        await asyncio.sleep(0)
        log.append(notice(1))
        await waiting
    assert log.batches == [2]


async def test_many_events_are_committed_at_once_without_being_asked_for(path: Path) -> None:
    loop, committed = asyncio.get_running_loop(), asyncio.Event()
    async with Watched.at(
        path, inline=False, before=lambda: loop.call_soon_threadsafe(committed.set)
    ) as log:
        log._linger = 3600.0
        for number in range(2000):
            log.record(notice(number))
        await asyncio.wait_for(committed.wait(), 10)
    assert log.batches == [2000]


async def test_a_busy_log_goes_on_committing_in_groups(path: Path) -> None:
    async with Watched.at(path, inline=False) as log:
        log._linger = 3600.0
        for number in range(10_000):
            log.record(notice(number))
            if number % 100 == 0:
                await asyncio.sleep(0)
        await log.durable()
        assert log.pressure() == 0
    assert sum(log.batches) == 10_000
    assert count(path) == 10_000


def test_in_virtual_time_the_timer_is_virtual() -> None:
    async def act() -> list[int]:
        with Watched.at(":memory:", inline=True) as log:
            for number in range(4):
                log.record(notice(number))
                await asyncio.sleep(3)
            return log.batches

    assert run_virtually(act(), speed="max", epoch=BEGAN) == [2, 2]


def test_without_a_loop_events_are_committed_in_order(path: Path) -> None:
    with Watched.at(path, inline=False) as log:
        for number in range(2001):
            log.record(notice(number))
        assert log.pressure() == 1
        log.append(notice(2001))
        assert log.batches == [2000, 2]
        log.record(notice(2002))
    with Reader.open(path) as journal:
        assert [stored.event for stored in journal.read()] == [notice(n) for n in range(2003)]


async def test_appending_comes_behind_what_was_recorded(path: Path) -> None:
    async with Watched.at(path, inline=False) as log:
        log.record(notice(0))
        waiting = waiter(log)
        await under_way(log)
        log.record(notice(1))
        log.append(notice(2))
        await waiting
        log.record(notice(3))
    with Reader.open(path) as journal:
        assert [stored.event for stored in journal.read()] == [notice(n) for n in range(4)]


@BOTH
async def test_closing_commits_what_is_left(path: Path, inline: bool) -> None:
    log = Log.open(path, inline=inline)
    log.record(notice(1))
    log.close()
    await log.aclose()
    assert count(path) == 1


async def test_closing_during_a_commit_waits_for_it(path: Path) -> None:
    log = Watched.at(path, inline=False)
    log.record(notice(1))
    waiting = waiter(log)
    await under_way(log)
    log.record(notice(2))
    log.close()
    await waiting
    assert count(path) == 2


def full(log: Log) -> None:
    """Let the disk be full: no page more."""
    log.append(notice(0))
    writer = log._store._writer
    assert writer is not None
    pages = writer.execute("PRAGMA page_count").fetchone()[0]
    writer.execute(f"PRAGMA max_page_count = {pages}")


@BOTH
async def test_a_full_disk_is_told_to_everybody_from_then_on(path: Path, inline: bool) -> None:
    log = Log.open(path, inline=inline)
    full(log)
    for number in range(1, 500):
        log.record(notice(number))
    waits = await asyncio.gather(log.durable(), log.durable(), return_exceptions=True)
    for error in waits:
        assert isinstance(error, JournalError)
        assert "the disk is full" in str(error)
    with pytest.raises(JournalError, match="the disk is full"):
        log.record(notice(501))
    with pytest.raises(JournalError, match="the disk is full"):
        await log.durable()
    with pytest.raises(JournalError, match="the disk is full"):
        await log.aclose()
    assert count(path) == 1


def test_a_full_disk_is_told_to_who_appends_or_closes(path: Path) -> None:
    log = Log.open(path)
    full(log)
    log.record(notice(0))
    with pytest.raises(JournalError, match="the disk is full"):
        log.append(*(notice(number) for number in range(500)))
    with pytest.raises(JournalError, match="the disk is full"):
        log.close()
    assert count(path) == 1


async def test_a_commit_that_failed_is_told_when_the_log_is_closed_at_once(path: Path) -> None:
    def fail() -> None:
        raise JournalError("no power")

    log = Watched.at(path, inline=False, before=fail)
    log.record(notice(1))
    waiting = waiter(log)
    await under_way(log)
    with pytest.raises(JournalError, match="no power"):
        log.close()
    with pytest.raises(JournalError, match="no power"):
        await waiting


async def test_those_behind_a_failed_commit_are_told_as_well(path: Path) -> None:
    go = threading.Event()

    def fail() -> None:
        go.wait(10)
        raise JournalError("no power")

    log = Watched.at(path, inline=False, before=fail)
    log.record(notice(1))
    first = waiter(log)
    await under_way(log)
    log.record(notice(2))
    second = waiter(log)
    await asyncio.sleep(0)
    go.set()
    results = await asyncio.gather(first, second, return_exceptions=True)
    assert [str(result) for result in results] == ["no power", "no power"]
    with pytest.raises(JournalError):
        log.close()


async def test_an_error_of_the_program_in_a_commit_leaves_nobody_waiting(path: Path) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    log = Watched.at(path, inline=True, before=fail)
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    log.record(notice(1))
    with pytest.raises(JournalError, match="broken off"):
        await log.durable()
    with suppress(JournalError):
        log.close()


def test_another_process_that_keeps_the_lock_is_named_as_the_cause(path: Path) -> None:
    with Log.open(path) as log:
        log.append(notice(1))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        log = Log.open(path, patience=0.01)
        with pytest.raises(JournalError, match="another process keeps it locked"):
            log.append(notice(2))
        with pytest.raises(JournalError):
            log.close()
        with (
            Log.open(path, patience=0.01) as documents,
            pytest.raises(JournalError, match="locked"),
        ):
            documents.put_document(b"plan")


def test_a_journal_that_may_not_be_written_to_says_so(path: Path) -> None:
    log = Log.open(path)
    log.append(notice(1))
    writer = log._store._writer
    assert writer is not None
    writer.execute("PRAGMA query_only = ON")
    with pytest.raises(JournalError, match="may not be written to"):
        log.append(notice(2))
    with suppress(JournalError):
        log.close()
