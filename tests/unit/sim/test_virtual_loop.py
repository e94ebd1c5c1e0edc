"""Event loops whose clock can be moved."""

from __future__ import annotations

import asyncio
import os
import selectors
import signal
import socket
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from recovery.errors import UsageError
from recovery.sim.virtual import (
    LoopClock,
    StalledError,
    VirtualLoop,
    parse_speed,
    run,
    virtual_loop,
)

EPOCH = datetime(2024, 7, 19, 4, 9, tzinfo=UTC)


def virtual() -> VirtualLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


def test_days_pass_by_jumps() -> None:
    async def main() -> Any:
        clock = virtual().clock
        await asyncio.sleep(5 * 86400)
        return clock.now(), clock.monotonic()

    now, seconds = run(main(), speed="max", epoch=EPOCH)
    assert now == EPOCH + timedelta(days=5)
    assert seconds == pytest.approx(5 * 86400)


def test_the_clock_stands_still_while_code_runs() -> None:
    async def main() -> Any:
        clock = virtual().clock
        before = clock.now()
        for _ in range(1000):
            await asyncio.sleep(0)
        return before, clock.now()

    before, after = run(main(), speed="max", epoch=EPOCH)
    assert before == after == EPOCH


async def _noted(log: list[tuple[str, float]], name: str, *pauses: float) -> None:
    for pause in pauses:
        await asyncio.sleep(pause)
        log.append((name, asyncio.get_running_loop().time()))


def test_tasks_wake_in_the_order_of_their_times_every_time() -> None:
    async def main() -> Any:
        log: list[tuple[str, float]] = []
        async with asyncio.TaskGroup() as group:
            group.create_task(_noted(log, "a", 3, 3))
            group.create_task(_noted(log, "b", 2, 3, 2))
            group.create_task(_noted(log, "c", 1000.5))
        return log

    first = run(main(), speed="max", epoch=EPOCH)
    assert [(name, round(at, 6)) for name, at in first] == [
        ("b", 2),
        ("a", 3),
        ("b", 5),
        ("a", 6),
        ("b", 7),
        ("c", 1000.5),
    ]
    assert run(main(), speed="max", epoch=EPOCH) == first


def test_timeouts_go_by_the_virtual_clock() -> None:
    async def main() -> Any:
        loop = virtual()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.Event().wait()
        async with asyncio.timeout(30):
            await asyncio.sleep(29)
        return loop.time()

    assert run(main(), speed="max", epoch=EPOCH) == pytest.approx(59)


def test_work_in_threads_is_not_overtaken_by_timers() -> None:
    async def main() -> Any:
        order: list[str] = []
        release = threading.Event()

        async def in_thread() -> None:
            await asyncio.to_thread(release.wait, 30)
            order.append("thread")

        async def on_timer() -> None:
            await asyncio.sleep(3600)
            order.append("timer")

        async with asyncio.TaskGroup() as group:
            group.create_task(in_thread())
            group.create_task(on_timer())
            await asyncio.sleep(0)
            threading.Timer(0.05, release.set).start()
        return order, virtual().time()

    order, seconds = run(main(), speed="max", epoch=EPOCH)
    assert order == ["thread", "timer"]
    assert seconds == pytest.approx(3600)


def test_work_that_a_program_starts_by_itself_is_held_by_outstanding() -> None:
    async def main() -> Any:
        loop = virtual()
        done = asyncio.Event()
        thread = threading.Timer(0.05, loop.call_soon_threadsafe, (done.set,))
        timer = loop.create_task(asyncio.sleep(3600))
        with loop.outstanding():
            held = loop.busy
            thread.start()
            await done.wait()
            now = loop.time()
        let_go = not loop.busy
        await timer
        return held, let_go, now

    assert run(main(), speed="max", epoch=EPOCH) == (True, True, 0.0)


def test_a_failed_job_lets_the_clock_go_again() -> None:
    async def main() -> Any:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 / 0)
        await asyncio.sleep(10)
        return virtual().time()

    assert run(main(), speed="max", epoch=EPOCH) == pytest.approx(10)


def test_a_program_in_which_nothing_can_happen_ends_with_an_error() -> None:
    async def main() -> None:
        await asyncio.sleep(5)
        await asyncio.Event().wait()

    with pytest.raises(StalledError, match="no timer is set"):
        run(main(), speed="max", epoch=EPOCH)


def test_input_is_waited_for_and_comes_before_a_jump() -> None:
    async def main() -> Any:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        loop = virtual()
        with ours, theirs:
            threading.Timer(0.05, theirs.send, (b"late",)).start()
            late = await loop.sock_recv(ours, 10)
            waiting = loop.create_task(loop.sock_recv(ours, 10))
            await asyncio.sleep(0)
            theirs.send(b"there")
            there = await asyncio.wait_for(waiting, 0.001)
        return late, there, loop.time()

    assert run(main(), speed="max", epoch=EPOCH) == (b"late", b"there", 0.0)


def test_signals_reach_a_loop_that_jumps() -> None:
    async def main() -> Any:
        loop = virtual()
        seen = asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, seen.set)
        os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.wait_for(seen.wait(), 1)
        loop.remove_signal_handler(signal.SIGUSR1)
        return loop.time()

    assert run(main(), speed="max", epoch=EPOCH) == 0.0


def test_keyboard_interrupt_ends_a_run() -> None:
    async def main() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(3600)

    with pytest.raises(KeyboardInterrupt):
        run(main(), speed="max", epoch=EPOCH)


def test_sixty_fold_is_sixty_seconds_for_each_real_one() -> None:
    async def main() -> Any:
        loop, began = virtual(), time.monotonic()
        await asyncio.sleep(6)
        real, shown = time.monotonic() - began, loop.time()
        return real, shown, loop.clock.now()

    real, shown, now = run(main(), speed=60, epoch=EPOCH)
    assert 6 <= shown <= (real + 0.5) * 60
    assert real >= 0.09
    assert now >= EPOCH + timedelta(seconds=6)


def test_real_time_goes_at_the_pace_of_the_wall() -> None:
    async def main() -> Any:
        loop, began = virtual(), time.monotonic()
        await asyncio.sleep(0.05)
        await asyncio.to_thread(lambda: None)
        return time.monotonic() - began, loop.time()

    real, shown = run(main(), speed="realtime", epoch=EPOCH)
    assert real >= 0.049
    assert shown >= 0.05


def test_work_takes_its_own_time_however_fast_waiting_goes() -> None:
    async def main() -> list[float]:
        loop, seen = virtual(), [virtual().time()]
        threading.Event().wait(0.05)
        await asyncio.sleep(0)
        seen.append(loop.time())
        await asyncio.to_thread(threading.Event().wait, 0.05)
        seen.append(loop.time())
        await asyncio.sleep(7200)
        return [*seen, loop.time()]

    start, worked, threaded, waited = run(main(), speed=3600, epoch=EPOCH)
    assert 0.04 <= worked - start < 90
    assert 0.04 <= threaded - worked < 90
    assert waited - threaded >= 7200


def test_a_clock_that_fell_behind_catches_up_while_it_waits(monkeypatch: Any) -> None:
    wall = [0.0]
    waits: list[float] = []

    def select(_: object, timeout: float | None = None) -> list[Any]:
        waits.append(timeout or 0.0)
        wall[0] += waits[-1]
        return []

    async def main() -> float:
        wall[0] += 0.5
        await asyncio.sleep(30)
        assert not any(waits)
        await asyncio.sleep(60)
        return virtual().time()

    monkeypatch.setattr(time, "monotonic", lambda: wall[0])
    monkeypatch.setattr(selectors.DefaultSelector, "select", select)
    assert run(main(), speed=60, epoch=EPOCH) == pytest.approx(90, abs=1)
    assert sum(waits) == pytest.approx(1, abs=0.02)


async def test_a_clock_on_a_loop_of_another_kind_begins_at_its_epoch() -> None:
    loop = asyncio.get_running_loop()
    clock = LoopClock(loop, EPOCH.astimezone(timezone(timedelta(hours=5))))
    assert EPOCH <= clock.now() <= EPOCH + timedelta(seconds=60)
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= loop.time()


@pytest.mark.parametrize(
    ("text", "speed"),
    [("max", "max"), ("realtime", "realtime"), ("60x", 60.0), ("0.5", 0.5)],
)
def test_speeds_are_read(text: Any, speed: Any) -> None:
    assert parse_speed(text) == speed
    virtual_loop(parse_speed(text), EPOCH).close()


@pytest.mark.parametrize("text", ["fast", "0", "-1x", "nan", "", "x", "1e9"])
def test_what_is_no_speed_is_refused(text: Any) -> None:
    with pytest.raises(UsageError, match="60x"):
        parse_speed(text)
