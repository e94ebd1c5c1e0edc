"""Management boards that take what they are told and do something else: a request is not a result."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
import sushy

from recovery.consoles.redfish import RedfishConsole
from recovery.errors import DeadlineError, TransportError, UnsupportedError
from recovery.model.host import Host
from tests.wire import test_redfish_console as redfish


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redfish.emulation(tmp_path_factory.mktemp("sushy")) as address:
        yield address


class Slot:
    """A slot for virtual media."""

    def __init__(self, *types: str, takes: bool = True) -> None:
        self.media_types = types
        self.inserted = False
        self._takes = takes

    def insert_media(self, _image: str, **_: Any) -> None:
        self.inserted = self._takes

    def eject_media(self) -> None:
        self.inserted = False

    def refresh(self, **_: Any) -> None:
        """As it is."""


class Machine:
    """A system that keeps, or forgets, what its next start is from."""

    def __init__(self, slots: list[Slot] | None, *, keeps: bool = True) -> None:
        self.boot = SimpleNamespace(target=None)
        self._slots = slots
        self._keeps = keeps

    @property
    def virtual_media(self) -> Any:
        if self._slots is None:
            raise UnsupportedError("it has no virtual media")
        return SimpleNamespace(get_members=lambda: self._slots)

    def set_system_boot_options(self, target: Any, _enabled: Any) -> None:
        self.boot.target = target if self._keeps else None

    def refresh(self, **_: Any) -> None:
        """As it is."""


def posing(monkeypatch: pytest.MonkeyPatch, machine: Machine) -> RedfishConsole:
    """A console whose board is this machine's."""
    managers = SimpleNamespace(get_members=list)

    def ask(work: Callable[[], Any]) -> Any:
        return work()

    board = SimpleNamespace(
        system=lambda: machine,
        ask=ask,
        root=SimpleNamespace(get_manager_collection=lambda: managers),
    )

    async def do(_self: Any, _host: Any, _timeout: float, work: Callable[[Any], Any]) -> Any:
        return work(board)

    monkeypatch.setattr(RedfishConsole, "_do", do)
    return RedfishConsole(redfish.Purse())


CD = sushy.VIRTUAL_MEDIA_CD


@pytest.mark.parametrize(
    ("machine", "device", "kind", "words"),
    [
        (Machine([Slot(CD, takes=False)]), "media", TransportError, "does not say that it is"),
        (Machine([Slot(CD)], keeps=False), "media", TransportError, "does not say so"),
        (Machine(None, keeps=False), "network", TransportError, "start from network once"),
        (Machine([Slot("Floppy")]), "media", UnsupportedError, "no slot for virtual media"),
        (Machine(None), "media", UnsupportedError, "no slot for virtual media"),
    ],
)
async def test_what_is_not_seen_is_not_believed(
    monkeypatch: pytest.MonkeyPatch,
    machine: Machine,
    device: Any,
    kind: type[Exception],
    words: str,
) -> None:
    console = posing(monkeypatch, machine)
    medium = "http://127.0.0.1/a.iso" if device == "media" else ""
    with pytest.raises(kind, match=words):
        await console.boot_once(redfish.host(""), device, medium, 20)


async def test_a_medium_goes_out_with_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    slot = Slot("Floppy", CD)
    console = posing(monkeypatch, Machine([Slot("Floppy"), slot]))
    await console.boot_once(redfish.host(""), "media", "http://127.0.0.1/a.iso", 20)
    assert slot.inserted
    await console.boot_once(redfish.host(""), "disk", "", 20)
    assert not slot.inserted


async def test_a_medium_that_is_not_started_from_goes_out_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slot = Slot(CD)
    console = posing(monkeypatch, Machine([slot], keeps=False))
    with pytest.raises(TransportError, match="does not say so"):
        await console.boot_once(redfish.host(""), "media", "http://127.0.0.1/a.iso", 20)
    assert not slot.inserted


async def test_a_password_is_accepted_on_loopback_and_goes_to_no_name_over_http(url: str) -> None:
    purse = redfish.Purse()
    assert await RedfishConsole(purse).power(redfish.host(url, "bmc"), 20) in ("on", "off")
    assert purse.told == ["accepted bmc"]
    with pytest.raises(UnsupportedError, match=r"does not go over http to board\.example"):
        await RedfishConsole(purse).power(redfish.host("http://board.example", "bmc"), 5)


SYSTEM = "/redfish/v1/Systems/1"
SLOW: dict[str, Any] = {
    "/redfish/v1": {
        "Id": "R", "Name": "R", "RedfishVersion": "1.6.0", "@odata.id": "/redfish/v1/",
        "Systems": {"@odata.id": "/redfish/v1/Systems"}, "Links": {"Sessions": {"@odata.id": "/redfish/v1"}},
    },
    "/redfish/v1/Systems": {"Name": "S", "Members": [{"@odata.id": SYSTEM}], "Members@odata.count": 1},
    SYSTEM: {
        "Id": "1", "Name": "S", "@odata.id": SYSTEM, "PowerState": "On",
        "Actions": {"#ComputerSystem.Reset": {
            "target": f"{SYSTEM}/Actions/ComputerSystem.Reset",
            "ResetType@Redfish.AllowableValues": ["On", "ForceOff"],
        }},
    },
    f"{SYSTEM}/Actions/ComputerSystem.Reset": {},
}  # fmt: skip


async def test_a_board_that_answers_late_is_sent_nothing_more() -> None:
    """What was asked for and given up must not come after what was asked for since."""
    gate = threading.Event()

    class Late(dict[str, Any]):
        def get(self, path: str, _: Any = None) -> Any:
            gate.wait(20)
            return super().get(path)

    with redfish.board(Late(SLOW)) as (url, posted):
        console = RedfishConsole(redfish.Purse())
        with pytest.raises(DeadlineError):
            await console.switch(redfish.host(url), on=False, timeout=0.2)
        gate.set()
        for thread in [each for each in threading.enumerate() if each.name == "console"]:
            thread.join(20)
            assert not thread.is_alive()
        assert not posted
        await console.switch(redfish.host(url), on=False, timeout=20)
        assert posted == [(f"{SYSTEM}/Actions/ComputerSystem.Reset", {"ResetType": "ForceOff"})]


async def test_many_boards_that_hang_hold_nobody_else_up() -> None:
    console = RedfishConsole(redfish.Purse())

    async def hang(there: Host) -> None:
        with pytest.raises(DeadlineError):
            await console.power(there, 1)

    with socket.create_server(("127.0.0.1", 0), backlog=128) as silent:
        there = redfish.host(f"http://127.0.0.1:{silent.getsockname()[1]}")
        async with asyncio.TaskGroup() as group:
            hanging = [group.create_task(hang(there)) for _ in range(64)]
            await asyncio.sleep(0)
            done = await asyncio.to_thread(lambda: [one.done() for one in hanging])
            assert not any(done)


async def test_an_answer_that_comes_drop_by_drop_is_given_up() -> None:
    over = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not over.wait(0.05):
                connection.sendall(b" ")

    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = threading.Thread(target=drip, args=(server,))
        dripping.start()
        try:
            there = redfish.host(f"http://127.0.0.1:{server.getsockname()[1]}")
            with pytest.raises(DeadlineError):
                await RedfishConsole(redfish.Purse()).power(there, 0.3)
            for thread in [each for each in threading.enumerate() if each.name == "console"]:
                thread.join(20)
                assert not thread.is_alive()
        finally:
            over.set()
            dripping.join()
