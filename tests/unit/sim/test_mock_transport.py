"""The way to simulated machines, in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from recovery.errors import (
    AuthRefusedError,
    DeadlineError,
    RecoveryError,
    SessionLostError,
    UnreachableError,
)
from recovery.model.host import Fleet
from recovery.remote.replies import read
from recovery.sim.virtual import VirtualLoop, run
from recovery.sim.world import World
from recovery.transports.mock import MockTransport
from tests.unit.sim.twin_factory import EPOCH, STEADY, command, host, incident, mix

SERVER = host(kind="server")


def played(scene: Any, latency: float = 1.0, **fields: Any) -> Any:
    """What `scene(transport, world)` gives, on a loop that jumps."""

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        waits = msgspec.structs.replace(mix(**fields), latency=latency)
        world = World(Fleet(hosts=(SERVER,)), incident(), waits, 3, clock=loop.clock)
        transport = MockTransport(world)
        try:
            return await scene(transport, world)
        finally:
            await transport.aclose()

    return run(main(), speed="max", epoch=EPOCH)


async def until_open(transport: Any, pause: Any = 0.1) -> None:
    while not (await transport.look(SERVER)).answers:  # noqa: ASYNC110 - the machine tells nobody
        await asyncio.sleep(pause)


def test_a_command_is_answered_after_its_delay() -> None:
    async def scene(transport: Any, world: Any) -> Any:
        opening, working = world.delays(SERVER)
        loop = asyncio.get_running_loop()
        assert (await transport.look(SERVER)).answers
        began = loop.time()
        session = await transport.open(SERVER, 5.0)
        opened = loop.time()
        completed = await session.run(command("triage"))
        answered = loop.time()
        assert opened - began == pytest.approx(opening)
        assert answered - opened == pytest.approx(working)
        await session.aclose()
        with pytest.raises(SessionLostError, match="closed"):
            await session.run(command("triage"))
        return completed

    completed = played(scene)
    assert completed.exit_status == 0
    assert not completed.truncated
    assert read(completed, "t1").records
    assert MockTransport.name == "mock"


@pytest.mark.parametrize("latency", [0.0, 1.0])
@pytest.mark.parametrize(
    ("faulty", "error", "words", "seconds"),
    [
        ({"dark": 1}, UnreachableError, "does not answer", 5.0),
        ({"dark": 1, "open_port": 1}, DeadlineError, "says nothing", 5.0),
        ({"refused": 1}, UnreachableError, "refused the connection", None),
        ({"wrong_credential": 1}, AuthRefusedError, "credential", None),
    ],
)
def test_doors_that_do_not_open(
    latency: Any, faulty: Any, error: Any, words: Any, seconds: Any
) -> None:
    async def scene(transport: Any, world: Any) -> Any:
        loop = asyncio.get_running_loop()
        with pytest.raises(error, match=words) as caught:
            await transport.open(SERVER, 5.0)
        wanted = seconds if latency and seconds else world.delays(SERVER)[0]
        assert loop.time() == pytest.approx(wanted)
        return caught.value, await transport.look(SERVER)

    refusal, look = played(scene, latency, **faulty)
    assert isinstance(refusal, RecoveryError)
    assert look.answers == ("open_port" in faulty or "wrong_credential" in faulty)
    assert bool(look.reason) != look.answers


def test_a_slow_host_runs_into_deadlines() -> None:
    async def scene(transport: Any, world: Any) -> Any:
        opening, working = world.delays(SERVER)
        loop = asyncio.get_running_loop()
        with pytest.raises(DeadlineError, match="says nothing"):
            await transport.open(SERVER, opening / 2)
        assert loop.time() == pytest.approx(opening / 2)
        session = await transport.open(SERVER, opening * 2)
        began = loop.time()
        with pytest.raises(DeadlineError, match="triage on h1 took longer"):
            await session.run(command("triage", timeout=working / 2))
        return loop.time() - began, working / 2

    took, allowed = played(scene, slow=1, slow_by=50)
    assert took == pytest.approx(allowed)


def test_a_machine_that_crashes_takes_its_session_with_it() -> None:
    async def scene(transport: Any, world: Any) -> Any:
        await until_open(transport)
        session = await transport.open(SERVER, 5.0)
        await asyncio.sleep(world.machine("h1").until - world.now)
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(SessionLostError, match="fell silent"):
            await session.run(command("quarantine"))
        return loop.time() - began, world.machine("h1").is_bad

    took, is_bad = played(scene, crash_loop=1, **STEADY)
    assert 3.0 <= took <= 4.0
    assert is_bad


def test_a_crash_after_the_act_loses_the_reply_and_not_the_act() -> None:
    async def scene(transport: Any, world: Any) -> Any:
        await until_open(transport)
        session = await transport.open(SERVER, 5.0)
        working = world.delays(SERVER)[1]
        await asyncio.sleep(world.machine("h1").until - world.now - working * 0.9)
        with pytest.raises(SessionLostError):
            await session.run(command("quarantine", "i1"))
        return world.machine("h1")

    machine = played(scene, crash_loop=1, **STEADY)
    assert [kept.intent for kept in machine.kept] == ["i1"]
    assert not machine.is_bad


def test_a_death_is_noticed_within_the_commands_time() -> None:
    async def scene(transport: Any, world: Any) -> Any:
        await until_open(transport)
        session = await transport.open(SERVER, 5.0)
        await asyncio.sleep(world.machine("h1").until - world.now)
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(SessionLostError):
            await session.run(command("triage", timeout=1.0))
        return loop.time() - began

    assert played(scene, crash_loop=1, **STEADY) <= 1.0 + 1e-6


def test_a_window_that_closes_while_the_door_opens() -> None:
    async def scene(transport: Any, world: Any) -> None:
        await until_open(transport)
        opening = world.delays(SERVER)[0]
        await asyncio.sleep(world.machine("h1").until - world.now - opening / 2)
        with pytest.raises(UnreachableError, match="does not answer"):
            await transport.open(SERVER, 5.0)

    played(scene, crash_loop=1, **STEADY)


@pytest.mark.parametrize("latency", [0.0, 1.0])
def test_resets_are_lost_sessions(latency: Any) -> None:
    async def scene(transport: Any, world: Any) -> None:
        session = await transport.open(SERVER, 5.0)
        with pytest.raises(SessionLostError, match="reset"):
            await session.run(command("triage"))

    played(scene, latency, resets=1)


def test_a_cut_reply_has_no_end_and_no_status() -> None:
    async def scene(transport: Any, world: Any) -> Any:
        session = await transport.open(SERVER, 5.0)
        return await session.run(command("triage"))

    completed = played(scene, cut=1)
    assert completed.exit_status is None
    with pytest.raises(RecoveryError, match="answer"):
        read(completed, "t1")


def test_more_than_the_limit_is_not_read() -> None:
    async def scene(transport: Any, world: Any) -> Any:
        session = await transport.open(SERVER, 5.0)
        limited = msgspec.structs.replace(command("triage"), output_limit=100)
        return await session.run(limited)

    completed = played(scene, latency=0.0)
    assert (len(completed.stdout), completed.truncated) == (100, True)


def test_a_session_of_an_earlier_boot_is_lost_at_once_where_nothing_waits() -> None:
    async def scene(transport: Any, world: Any) -> Any:
        session = await transport.open(SERVER, 5.0)
        world.power_off("h1")
        with pytest.raises(SessionLostError, match="fell silent"):
            await session.run(command("triage"))
        return asyncio.get_running_loop().time()

    assert played(scene, latency=0.0) == 0.0
