"""The time limit of looks: it ends, and it does not blame a host for a loop that stood still."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from recovery.sim.virtual import run
from recovery.transports.patience import listening_for

EPOCH = datetime(2024, 7, 19, tzinfo=UTC)


async def _silent(seconds: float) -> float:
    began = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        async with listening_for(seconds):
            await asyncio.Event().wait()
    return asyncio.get_running_loop().time() - began


def test_a_peer_that_never_answers_is_given_up_in_time() -> None:
    assert run(_silent(2.0), speed="max", epoch=EPOCH) == pytest.approx(2.0)


async def test_an_answer_that_lay_there_while_the_loop_stood_still_is_heard() -> None:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with listening_for(0.4):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            time.sleep(1.0)  # noqa: ASYNC251, TID251 - the loop stands still, which is the point
            heard = await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert heard == b"hello\n"


async def test_work_that_ends_in_time_is_left_alone() -> None:
    async with listening_for(60.0):
        await asyncio.sleep(0)
    assert asyncio.current_task() is not None


async def test_a_cancellation_from_outside_is_no_timeout() -> None:
    async def wait() -> None:
        async with listening_for(60.0):
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
    assert task.cancelled()
