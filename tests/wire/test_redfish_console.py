"""The Redfish console against sushy-tools' emulator, and against a board of Dell's form."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from recovery.consoles.redfish import RedfishConsole
from recovery.engine.deadline import Supervisor
from recovery.engine.power import switch
from recovery.errors import (
    AuthRefusedError,
    DeadlineError,
    TransportError,
    UnreachableError,
    UnsupportedError,
)
from recovery.model.host import ConsoleRef, Host
from recovery.model.secret import Secret
from recovery.ports import Credential

PNG = b"\x89PNG\r\n\x1a\nscreen"


class Purse:
    """`recovery.ports.Credentials` with one of them."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def get(self, name: str) -> Credential:
        return Credential(name=name, user="root", password=Secret("calvin-of-the-test"))

    def refused(self, name: str) -> None:
        self.told.append(f"refused {name}")

    def accepted(self, name: str) -> None:
        self.told.append(f"accepted {name}")


def host(url: str, credential: str = "", **options: str) -> Host:
    ref = ConsoleRef(kind="redfish", address=url, credential=credential, options=options)
    return Host(name="h", console=ref)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulation(tmp_path_factory.mktemp("sushy")) as address:
        yield address


@contextmanager
def emulation(folder: Path) -> Iterator[str]:
    """The address of sushy-tools' emulator, which writes into `folder`."""
    port = free_port()
    program = Path(sys.executable).with_name("sushy-emulator")
    log = folder / "log"
    config = log.with_name("emulator.conf")
    config.write_text(f"SUSHY_EMULATOR_STATE_DIR = {str(log.parent)!r}\n")
    command = [str(program), "--fake", "-i", "127.0.0.1", "-p", str(port), "--config", str(config)]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, "TMPDIR": str(log.parent)}
        ) as process,
    ):
        try:
            until = time.monotonic() + 60
            while not answers(port):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until
                threading.Event().wait(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@contextmanager
def board(answers: dict[str, Any], status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    """A server with these documents, and what was posted to it."""
    posted: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(answers.get(self.path.rstrip("/")))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posted.append((self.path, json.loads(body)))
            found = answers.get(self.path)
            self._answer(found(json.loads(body)) if callable(found) else found)

        def _answer(self, document: Any) -> None:
            body = json.dumps({"error": {}} if document is None else document).encode()
            self.send_response(404 if document is None else status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", posted
        finally:
            server.shutdown()
            thread.join()


def dell(place: str, files: dict[str, str]) -> dict[str, Any]:
    root = "/redfish/v1"
    idrac = f"{root}/Managers/iDRAC.Embedded.1"
    return {
        root: {
            "Id": "R", "Name": "R", "RedfishVersion": "1.6.0", "@odata.id": f"{root}/",
            "Managers": {"@odata.id": f"{root}/Managers"}, "Links": {"Sessions": {"@odata.id": root}},
        },
        f"{root}/Managers": {"Name": "M", "Members": [{"@odata.id": idrac}], "Members@odata.count": 1},
        idrac: {"Id": "iDRAC.Embedded.1", "Name": "M", "@odata.id": idrac},
        place: lambda body: {"ServerScreenshotFile": files.get(body["FileType"], "")},
    }  # fmt: skip


PLACES = (
    "/redfish/v1/Managers/iDRAC.Embedded.1/Oem/Dell/DellLCService/Actions/DellLCService.ExportServerScreenShot",
    "/redfish/v1/Dell/Managers/iDRAC.Embedded.1/DellLCService/Actions/DellLCService.ExportServerScreenShot",
)


async def test_power_is_switched_and_seen(emulator: str) -> None:
    console, supervisor = RedfishConsole(Purse()), Supervisor()
    on = await switch(console, host(emulator), "on", supervisor)
    assert (on.done, on.state) == (True, "on")
    cycled = await switch(console, host(emulator), "cycle", supervisor)
    assert cycled == (True, "on", "seen off, then on")
    off = await switch(console, host(emulator), "off", supervisor)
    assert (off.done, await console.power(host(emulator), 20)) == (True, "off")


async def test_one_start_from_the_network_and_back(emulator: str) -> None:
    console = RedfishConsole(Purse())
    await console.boot_once(host(emulator), "network", "", 30)
    await console.boot_once(host(emulator), "disk", "", 30)


async def test_a_machine_of_several_is_named(emulator: str) -> None:
    console = RedfishConsole(Purse())
    known = "27946b59-9e44-4fa7-8e91-f3527a1ef094"
    assert await console.power(host(emulator, system=known), 20) in ("on", "off")
    with pytest.raises(UnsupportedError, match="name one in the console's option `system`"):
        await console.power(host(emulator, system="another"), 20)


async def test_a_board_without_screens_says_so(emulator: str) -> None:
    console = RedfishConsole(Purse())
    with pytest.raises(UnsupportedError, match="shows no screen over Redfish"):
        await console.picture(host(emulator), 30)
    assert await console.crash_picture(host(emulator), 30) is None
    with pytest.raises(UnsupportedError, match="do not tell"):
        console.news(host(emulator))


@pytest.mark.parametrize("place", PLACES)
async def test_dells_screens_now_and_of_the_last_crash(place: str) -> None:
    files = {
        "ServerScreenShot": base64.b64encode(PNG).decode(),
        "LastCrashScreenShot": base64.b64encode(PNG + b"crash").decode(),
    }
    with board(dell(place, files)) as (url, posted):
        console = RedfishConsole(Purse())
        assert await console.picture(host(url), 30) == PNG
        assert await console.crash_picture(host(url), 30) == PNG + b"crash"
    assert (place, {"FileType": "LastCrashScreenShot"}) in posted


async def test_a_board_without_a_crash_has_no_picture_of_one() -> None:
    with board(dell(PLACES[0], {})) as (url, _):
        assert await RedfishConsole(Purse()).crash_picture(host(url), 30) is None


async def test_a_refused_password_counts_and_is_not_repeated() -> None:
    purse = Purse()
    with (
        board({"/redfish/v1": {"error": {"message": "no"}}}, status=401) as (url, _),
        pytest.raises(AuthRefusedError) as caught,
    ):
        await RedfishConsole(purse).power(host(url, "bmc"), 20)
    assert purse.told == ["refused bmc"]
    assert "calvin" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "credential", "words"),
    [
        ("http://192.0.2.1", "bmc", "does not go over http"),
        ("ftp://127.0.0.1", "", "https://HOST"),
        ("https://u:p@127.0.0.1", "", "holds no password"),
    ],
)
async def test_ways_that_are_refused(address: str, credential: str, words: str) -> None:
    with pytest.raises(UnsupportedError, match=words):
        await RedfishConsole(Purse()).power(host(address, credential), 5)


async def test_boards_that_are_not_there_lie_or_say_nothing() -> None:
    console = RedfishConsole(Purse())
    with pytest.raises(UnreachableError, match="does not answer"):
        await console.power(host(f"http://127.0.0.1:{free_port()}"), 20)
    with board({"/redfish/v1": ["not", "a", "board"]}) as (url, _), pytest.raises(TransportError):
        await console.power(host(url), 20)
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as silent,
        pytest.raises(DeadlineError, match="within 1 s"),
    ):
        await console.power(host(f"http://127.0.0.1:{silent.getsockname()[1]}"), 1)
    with pytest.raises(UnreachableError, match="has no address"):
        await console.power(Host(name="h"), 1)


async def test_a_medium_is_inserted_for_one_start_and_taken_out(emulator: str) -> None:
    console = RedfishConsole(Purse())
    with board({"/rescue.iso": "an image"}) as (url, _):
        await console.boot_once(host(emulator), "media", f"{url}/rescue.iso", 60)
        await console.boot_once(host(emulator), "disk", "", 60)
    with pytest.raises(UnsupportedError, match="no image to insert"):
        await console.boot_once(host(emulator), "media", "", 30)
    with pytest.raises(TransportError):
        await console.boot_once(host(emulator), "media", f"http://127.0.0.1:{free_port()}/x", 30)


@pytest.mark.parametrize(
    ("answer", "words"), [("***", "not base64"), ("A" * 23_000_000, "more than")]
)
async def test_pictures_that_are_none(answer: str, words: str) -> None:
    with (
        board(dell(PLACES[0], {"ServerScreenShot": answer})) as (url, _),
        pytest.raises(TransportError, match=words),
    ):
        await RedfishConsole(Purse()).picture(host(url), 30)


async def test_a_flood_is_cut_off() -> None:
    with (
        board({"/redfish/v1": "x" * 33_000_000}) as (url, _),
        pytest.raises(TransportError, match="more than"),
    ):
        await RedfishConsole(Purse()).power(host(url), 30)
