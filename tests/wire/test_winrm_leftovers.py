"""Nothing stays open on hosts: whoever is killed, whenever it is, the shells are closed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from recovery.errors import SessionLostError, TransportError, UnreachableError
from recovery.remote import replies
from recovery.sim.wire.fleet import WireFleet
from recovery.sim.wire.shells import Quotas
from recovery.transports.winrm import worker
from recovery.transports.winrm.messages import (
    Cancel,
    Failed,
    Frames,
    Open,
    Way,
    packed,
    read_reply,
)
from tests.wire import fakes
from tests.wire.peers import HOST, Talk, talker

ROOT = Path(__file__).resolve().parents[2]
_SLOW = fakes.mix(0.05, w={"slow": 1.0, "slow_by": 400.0})


@pytest.fixture(autouse=True)
async def _failsafe() -> AsyncIterator[None]:
    async with asyncio.timeout(90):
        yield


async def _no_shells(served: WireFleet) -> None:
    async with asyncio.timeout(30):
        while True:
            if served.counts.shells == 0:
                return
            await asyncio.sleep(0.05)


async def test_a_worker_that_is_killed_is_replaced_and_its_shells_are_closed(
    tmp_path: Path,
) -> None:
    hosts = [fakes.winrm_host(f"w{number}", https=number % 2 == 0) for number in range(4)]
    async with fakes.fakes(tmp_path, *hosts, faults=_SLOW) as served, fakes.winrm(tmp_path) as way:
        sessions = [await way.open(host, 20) for host in hosts]
        async with asyncio.TaskGroup() as group:
            runs = [
                group.create_task(_fails(session.run(fakes.ask(host))))
                for session, host in zip(sessions, hosts, strict=True)
            ]
            await asyncio.sleep(0.3)
            assert served.counts.shells == len(hosts)
            os.kill(way.crew.pids[0], signal.SIGKILL)
            errors = [await run for run in runs]
        assert {type(error) for error in errors} == {SessionLostError}
        assert all(error.retryable for error in errors)
        for session in sessions:
            await session.aclose()
        again = await way.open(hosts[0], 20)
        assert replies.read(await again.run(fakes.ask(hosts[0], timeout=60)), "t1").records
        await again.aclose()
        await _no_shells(served)
        assert served.counts.shells_opened == len(hosts) + 1


async def test_a_worker_that_is_killed_last_leaves_nothing_either(tmp_path: Path) -> None:
    host = fakes.winrm_host("h")
    async with fakes.fakes(tmp_path, host) as served:
        async with fakes.winrm(tmp_path) as way:
            session = await way.open(host, 20)
            os.kill(way.crew.pids[0], signal.SIGKILL)
            await _fails(session.run(fakes.ask(host)))
            await session.aclose()
            assert served.counts.shells == 1
        assert served.counts.shells == 0


async def test_a_worker_that_is_killed_while_sessions_are_opened(tmp_path: Path) -> None:
    hosts = [fakes.winrm_host(f"h{number}") for number in range(6)]
    async with fakes.fakes(tmp_path, *hosts, quotas=Quotas(idle=5.0)) as served:
        async with fakes.winrm(tmp_path) as way:
            await way.look(hosts[0])
            async with asyncio.TaskGroup() as group:
                opening = [group.create_task(_opened(way.open(host, 20))) for host in hosts]
                while served.counts.shells_opened == 0:  # noqa: ASYNC110 - the fakes tell nobody
                    await asyncio.sleep(0)
                for pid in way.crew.pids:
                    os.kill(pid, signal.SIGKILL)
            errors = [task.result() for task in opening]
            assert any(isinstance(error, UnreachableError) for error in errors)
        # A shell whose name died with the worker is closed by the host, which was told to do so soon.
        await _no_shells(served)


async def test_a_controller_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    hosts = [fakes.winrm_host(f"w{number}", https=number % 2 == 0) for number in range(3)]
    async with fakes.fakes(tmp_path, *hosts, faults=_SLOW) as served:
        program = _CONTROLLER.format(folder=str(tmp_path), hosts=hosts)
        controller = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program), cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert controller.stdout is not None
        assert await controller.stdout.readline() == b"open\n"
        assert served.counts.shells == len(hosts)
        controller.kill()
        await controller.wait()
        await _no_shells(served)


_CONTROLLER = """
import asyncio
from pathlib import Path
from recovery.model.host import Host
from recovery.transports.winrm import worker
from recovery.transports.winrm.messages import (
    Cancel,
    Failed,
    Frames,
    Open,
    Way,
    packed,
    read_reply,
)
from tests.wire import fakes
from tests.wire.peers import HOST, Talk, talker

async def main():
    async with fakes.winrm(Path({folder!r})) as way:
        hosts = {hosts!r}
        sessions = [await way.open(host, 20) for host in hosts]
        async with asyncio.TaskGroup() as group:
            for session, host in zip(sessions, hosts):
                group.create_task(session.run(fakes.ask(host)))
            await asyncio.sleep(0.3)
            print("open", flush=True)

asyncio.run(main())
"""


async def test_opening_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    hosts = [fakes.winrm_host(f"h{number}", https=False) for number in range(6)]
    async with fakes.fakes(tmp_path, *hosts) as served, fakes.winrm(tmp_path) as way:
        await way.look(hosts[0])
        for after in (0.0, 0.01, 0.02, 0.04, 0.08, 0.16):
            tasks = [asyncio.ensure_future(way.open(host, 20)) for host in hosts]  # noqa: TID251
            await asyncio.sleep(after)
            opened = [task for task in tasks if not task.cancel()]
            await asyncio.wait(tasks)
            for task in opened:
                await task.result().aclose()
        await _no_shells(served)


async def test_what_nobody_waits_for_any_more_is_not_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Behind many dead hosts a worker would else open sessions long after their owners gave up."""
    monkeypatch.setattr(worker, "_THREADS", 1)
    met: list[str] = []

    def silent(name: str) -> Talk:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            met.append(name)
            await reader.read()

        return talk

    def opening(number: int, port: int, timeout: float) -> bytes:
        way = Way(name=f"w{number}", endpoint=f"http://{HOST}:{port}/wsman", auth="ntlm")
        way = msgspec.structs.replace(way, user="u", password="p")
        return packed(Open(id=number, session=number, way=way, timeout=timeout))

    source, into = os.pipe()
    out, sink = os.pipe()
    async with talker(silent("first")) as first, talker(silent("second")) as second:
        os.write(into, opening(1, first, 1.5) + opening(2, second, 60.0) + packed(Cancel(id=2)))
        os.write(into, opening(3, second, 0.5))
        os.close(into)
        made = worker.Worker(source, sink)
        await asyncio.to_thread(made.work)
        failed = await asyncio.to_thread(_failures, out, 3)
        await asyncio.to_thread(made.leave)
    for end in (source, out, sink):
        os.close(end)
    assert met == ["first"]
    assert {number: error for number, error, _ in failed} == dict.fromkeys(
        (1, 2, 3), "DeadlineError"
    )


def _failures(out: int, number: int) -> list[tuple[int, str, str]]:
    """What a worker says went wrong, in order."""
    frames = Frames()
    found: list[tuple[int, str, str]] = []
    while len(found) < number:
        for frame in frames.feed(os.read(out, 65_536)):
            reply = read_reply(frame)
            if isinstance(reply, Failed):
                found.append((reply.id, reply.error, reply.message))
    return found


async def test_a_machine_that_crashes_in_the_middle_is_a_lost_session(tmp_path: Path) -> None:
    host = fakes.winrm_host("w")
    async with fakes.fakes(tmp_path, host, faults=_SLOW) as served, fakes.winrm(tmp_path) as way:
        session = await way.open(host, 20)
        async with asyncio.TaskGroup() as group:
            run = group.create_task(_fails(session.run(fakes.ask(host))))
            await asyncio.sleep(0.3)
            served.world.power_off("w")
            served.machines["w"].refresh()
            assert isinstance(await run, SessionLostError)
        assert not (await way.look(host)).answers
        await session.aclose()


async def _opened(opening: object) -> TransportError | None:
    try:
        await (await opening).aclose()  # type: ignore[misc]
    except TransportError as error:
        return error
    return None


async def _fails(work: object) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await work  # type: ignore[misc]
    return caught.value
