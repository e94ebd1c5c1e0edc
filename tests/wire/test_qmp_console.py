"""The QMP console against a monitor that answers, refuses, dies, and tells what QEMU tells; QEMU is in the lab."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from recovery.consoles.qmp import QmpConsole, read_event
from recovery.errors import (
    DeadlineError,
    SessionLostError,
    TransportError,
    UnreachableError,
    UnsupportedError,
)
from recovery.model.host import ConsoleRef, Host
from recovery.ports import PICTURE_LIMIT
from tests.wire.qmp_server import Machine, monitor

STAMP = {"seconds": 1721362140, "microseconds": 5}


def host(address: object, **options: str) -> Host:
    return Host(name="h", console=ConsoleRef(kind="qmp", address=str(address), options=options))


@pytest.mark.parametrize("png", [True, False])
async def test_a_picture_is_taken_and_leaves_nothing_behind(tmp_path: Path, png: bool) -> None:
    machine, shared = Machine(), tmp_path / "shared"
    machine.knows_png = png
    shared.mkdir()
    with monitor(machine, tmp_path / "m") as address:
        console = QmpConsole()
        assert await console.picture(host(address, folder=str(shared)), 10) == machine.picture
        await console.aclose()
    assert list(shared.iterdir()) == []


async def test_pictures_that_are_not_there_or_too_large(tmp_path: Path) -> None:
    machine = Machine()
    with monitor(machine, tmp_path / "m") as address:
        console = QmpConsole()
        machine.picture = bytes(PICTURE_LIMIT + 1)
        with pytest.raises(TransportError, match="more than"):
            await console.picture(host(address), 20)
        machine.writes = False
        with pytest.raises(TransportError, match="it has to run on this machine"):
            await console.picture(host(address), 20)
        await console.aclose()


@pytest.mark.parametrize(
    ("state", "power"),
    [("running", "on"), ("prelaunch", "off"), ("guest-panicked", "crashed"), ("paused", "paused"), ("colo", "unknown")],
)  # fmt: skip
async def test_run_states(tmp_path: Path, state: str, power: str) -> None:
    machine = Machine()
    machine.state = state
    with monitor(machine, tmp_path / "m") as address:
        console = QmpConsole()
        assert await console.power(host(address), 10) == power
        await console.switch(host(address), on=True, timeout=10)
        assert machine.state == "running"
        await console.aclose()


async def test_what_it_tells_comes_as_it_happens_until_the_line_is_lost(tmp_path: Path) -> None:
    machine = Machine()
    with monitor(machine, tmp_path / "m") as address:
        console = QmpConsole()
        told = console.news(host(address))
        first = asyncio.ensure_future(anext(told))  # noqa: TID251 - it waits while the machine is asked
        await asyncio.sleep(0.1)
        machine.events = [
            {"event": "NIC_RX_FILTER_CHANGED", "timestamp": STAMP},
            {"event": "GUEST_PANICKED", "timestamp": STAMP, "data": {"action": "run"}},
            {
                "event": "RESET",
                "timestamp": STAMP,
                "data": {"guest": True, "reason": "guest-reset"},
            },
        ]
        await console.power(host(address), 10)
        assert (await first).kind == "panic"
        assert (await anext(told)).kind == "reset"
        machine.dies_at = "query-status"
        with pytest.raises(UnreachableError):
            await console.power(host(address), 10)
        with pytest.raises(SessionLostError):
            await anext(told)
        machine.dies_at = ""
        assert await console.power(host(address), 10) == "on"
        await console.aclose()


async def test_monitors_that_are_not_there_or_say_nothing(tmp_path: Path) -> None:
    console = QmpConsole()
    with pytest.raises(UnreachableError, match="has no address"):
        await console.power(Host(name="h"), 1)
    with pytest.raises(UnreachableError, match="does not answer"):
        await console.power(host(tmp_path / "none"), 5)
    with pytest.raises(UnsupportedError, match="device of one start"):
        await console.boot_once(host(tmp_path), "network", "", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        quiet = Host(name="q", console=ConsoleRef(kind="qmp", address=f"127.0.0.1:{port}"))
        with pytest.raises(DeadlineError, match="another program may hold it"):
            await console.power(quiet, 0.3)
    await console.aclose()


HYPER_V = {"type": "hyper-v", "arg1": 0x50, "arg2": 1, "arg3": 2, "arg4": 3, "arg5": 4}


@pytest.mark.parametrize(
    ("event", "data", "kind", "code"),
    [
        ("GUEST_PANICKED", {"info": HYPER_V}, "panic", 0x50),
        ("GUEST_PANICKED", {"info": {**HYPER_V, "arg5": "x"}}, "panic", None),
        ("GUEST_PANICKED", {"info": {**HYPER_V, "arg1": -1}}, "panic", None),
        ("GUEST_PANICKED", {"info": {"type": "s390"}}, "panic", None),
        ("GUEST_PANICKED", [], "panic", None),
        ("RESET", {"reason": "host-qmp-system-reset"}, "reset", None),
        ("SHUTDOWN", {"guest": True}, "power_off", None),
        ("RESUME", None, "power_on", None),
        ("STOP", {}, "", None),
    ],
)
def test_events(event: str, data: Any, kind: str, code: int | None) -> None:
    found = read_event({"event": event, "timestamp": STAMP, "data": data})
    assert (found.kind if found else "") == kind
    assert (found.stop_code if found else None) == code
    if code:
        assert found is not None
        assert found.parameters == (1, 2, 3, 4)


@pytest.mark.parametrize(
    "stamp", [None, {}, {"seconds": -1, "microseconds": -1}, {"seconds": 2**60, "microseconds": 0}]
)
def test_events_without_a_time_tell_nothing(stamp: Any) -> None:
    assert read_event({"event": "RESET", "timestamp": stamp}) is None
