"""The supervisor deadline holds whatever the work does."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime

import pytest

from recovery.engine.deadline import Supervisor
from recovery.engine.retry import again, is_retryable, pause_before
from recovery.errors import AuthRefusedError, DeadlineError, SessionLostError, UnreachableError
from recovery.model.playbook import Retry
from recovery.sim.virtual import run

EPOCH = datetime(2024, 7, 19, tzinfo=UTC)


def test_quick_work_gives_its_result() -> None:
    async def work() -> int:
        await asyncio.sleep(1)
        return 7

    assert run(Supervisor().within(5, work(), "work"), speed="max", epoch=EPOCH) == 7


def test_slow_work_is_ended_and_named() -> None:
    supervisor = Supervisor()
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append(True)

    with pytest.raises(DeadlineError, match="opening a took longer than 5 s"):
        run(supervisor.within(5, work(), "opening a"), speed="max", epoch=EPOCH)
    assert ended == [True]
    assert not supervisor.abandoned


def test_work_that_swallows_its_cancellation_is_abandoned() -> None:
    async def main() -> tuple[float, int, int]:
        supervisor = Supervisor()
        free = asyncio.Event()

        async def work() -> None:
            while not free.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await free.wait()

        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(DeadlineError):
            await supervisor.within(5, work(), "work")
        waited, left = loop.time() - began, len(supervisor.abandoned)
        free.set()
        await asyncio.sleep(1)
        return waited, left, len(supervisor.abandoned)

    waited, left, after = run(main(), speed="max", epoch=EPOCH)
    assert waited == pytest.approx(10.0)
    assert (left, after) == (1, 0)


def test_an_error_of_the_work_comes_through() -> None:
    async def work() -> None:
        raise UnreachableError

    with pytest.raises(UnreachableError):
        run(Supervisor().within(5, work(), "work"), speed="max", epoch=EPOCH)


def test_a_cancellation_from_outside_ends_the_work() -> None:
    async def main() -> list[str]:
        seen: list[str] = []

        async def work() -> None:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

        task = asyncio.get_running_loop().create_task(Supervisor().within(500, work(), "work"))
        await asyncio.sleep(1)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return seen

    assert run(main(), speed="max", epoch=EPOCH) == ["cancelled"]


@pytest.mark.parametrize(("failures", "expected"), [(2, "done"), (3, "UnreachableError")])
def test_trying_again_is_bounded(failures: int, expected: str) -> None:
    async def main() -> tuple[str, float, int]:
        calls = 0

        async def work() -> str:
            nonlocal calls
            calls += 1
            if calls < failures:
                raise UnreachableError
            return "done"

        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            result = await again(UnreachableError(), Retry(attempts=3, first=1, longest=8), work)
        except UnreachableError as error:
            result = type(error).__name__
        return result, loop.time() - began, calls

    result, waited, calls = run(main(), speed="max", epoch=EPOCH)
    assert result == expected
    assert calls == 2
    assert waited == pytest.approx(3.0)


@pytest.mark.parametrize("error", [AuthRefusedError(), SessionLostError()])
def test_what_cannot_help_is_not_tried_again(error: SessionLostError | AuthRefusedError) -> None:
    async def work() -> str:
        pytest.fail("it was tried again")

    with pytest.raises(type(error)):
        run(again(error, Retry(attempts=1), work), speed="max", epoch=EPOCH)


def test_cancellation_is_never_retried() -> None:
    assert not is_retryable(asyncio.CancelledError())
    assert is_retryable(UnreachableError())
    assert not is_retryable(AuthRefusedError())


def test_pauses_double_up_to_the_longest() -> None:
    rule = Retry(attempts=9, first=1, longest=10)
    assert [pause_before(rule, failures) for failures in range(6)] == [0, 1, 2, 4, 8, 10]


def test_what_is_being_opened_ends_with_the_run_and_no_more_is_opened() -> None:
    async def main() -> tuple[list[str], str]:
        supervisor, told = Supervisor(), list[str]()

        async def hang() -> None:
            try:
                await asyncio.sleep(1000)
            finally:
                told.append("ended")

        async def opening() -> None:
            try:
                await supervisor.opening(2000, hang(), "opening a")
            except DeadlineError as error:
                told.append(str(error))

        async with asyncio.TaskGroup() as group:
            group.create_task(opening())
            act = group.create_task(supervisor.within(10, asyncio.sleep(5, "done"), "an act"))
            await asyncio.sleep(1)
            supervisor.break_off()
        await opening()
        return told, await act

    told, act = run(main(), speed="max", epoch=EPOCH)
    assert told == ["ended", "the run stops", "the run stops"]
    assert act == "done"


def test_an_opening_that_is_cancelled_from_outside_is_cancelled() -> None:
    async def main() -> None:
        supervisor = Supervisor()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await supervisor.opening(2000, asyncio.sleep(1000), "opening a")
        assert not supervisor.abandoned

    run(main(), speed="max", epoch=EPOCH)
