"""QEMU's monitor (QMP): picture, run state, power, and the events of crashes and restarts.

A monitor talks to one program at a time, so one connection for each host is kept and shared. Its address is the path
of a socket, or `HOST:PORT`. QEMU has no power switch: a machine is off when it is reset and held before its first
instruction (run state `prelaunch`), as it also is when it has shut itself down under `-no-shutdown`.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from recovery.consoles.extras import load
from recovery.errors import (
    DeadlineError,
    SessionLostError,
    TransportError,
    UnreachableError,
    UnsupportedError,
)
from recovery.model.console import BootDevice, Power
from recovery.model.host import Host
from recovery.ports import PICTURE_LIMIT, Credentials, News

if TYPE_CHECKING:
    from qemu.qmp import QMPClient

_STATES: Mapping[str, Power] = {
    "running": "on",
    "prelaunch": "off",
    "shutdown": "off",
    "guest-panicked": "crashed",
    "internal-error": "crashed",
    "io-error": "paused",
    "paused": "paused",
    "suspended": "paused",
    "watchdog": "paused",
}
"""QEMU's run states (its QAPI schema, `RunState`); those of migrations are unknown."""

_EVENTS = ("GUEST_PANICKED", "RESET", "SHUTDOWN", "RESUME")
_PENDING = 256
"""Events of one machine that may wait to be taken; the oldest are dropped beyond that."""


class QmpConsole:
    """`recovery.ports.Console` to QEMU."""

    name = "qmp"

    def __init__(self, _credentials: Credentials | None = None) -> None:
        """No machine is connected to yet. A monitor asks for no credential."""
        self._lines: dict[str, _Line] = {}

    async def picture(self, host: Host, timeout: float) -> bytes:
        """As QEMU writes it to a file, so QEMU has to run on this machine, or share the console's option `folder`."""
        folder = _folder(host)
        line = self._line(host)

        def scratch() -> tuple[str, str]:
            place = tempfile.mkdtemp(prefix="recovery-screen-", dir=folder)
            return place, str(Path(place) / "screen")

        place, file = await asyncio.to_thread(scratch)
        try:
            async with _deadline(timeout, host):
                try:
                    await line.execute("screendump", {"filename": file, "format": "png"})
                except UnsupportedError:
                    await line.execute("screendump", {"filename": file})  # PPM, before QEMU 7.1
            return await asyncio.to_thread(_read, file, host)
        finally:
            await asyncio.to_thread(_remove, place, file)

    async def crash_picture(self, host: Host, timeout: float) -> None:
        """QEMU keeps none."""

    async def power(self, host: Host, timeout: float) -> Power:
        """By the run state."""
        async with _deadline(timeout, host):
            found = await self._line(host).execute("query-status", {})
        return _STATES.get(str(found.get("status")), "unknown")

    async def switch(self, host: Host, *, on: bool, timeout: float) -> None:
        """Hold it in reset, or let it go."""
        line = self._line(host)
        async with _deadline(timeout, host):
            status = str((await line.execute("query-status", {})).get("status"))
            if not on:
                await line.execute("stop", {})
                await line.execute("system_reset", {})
                return
            if status not in ("prelaunch", "paused", "running"):
                await line.execute("system_reset", {})
            await line.execute("cont", {})

    async def boot_once(self, host: Host, device: BootDevice, medium: str, timeout: float) -> None:
        """QEMU takes the boot order when it is started, and cannot be told to use another one once."""
        del device, medium, timeout
        raise UnsupportedError(
            f"{host.name}: QEMU's monitor cannot choose the device of one start (start QEMU with `-boot once=`)"
        )

    async def news(self, host: Host) -> AsyncIterator[News]:
        """Panics, restarts, and changes of power."""
        line = self._line(host)
        client = await line.client()
        queue: asyncio.Queue[Mapping[str, Any] | None] = asyncio.Queue(_PENDING)
        line.listeners.add(queue)
        try:
            while True:
                message = await queue.get()
                if message is None:
                    raise SessionLostError(f"{host.name}: QEMU closed its monitor")
                found = read_event(message)
                if found is not None:
                    yield found
        finally:
            line.listeners.discard(queue)
            del client

    async def aclose(self) -> None:
        """Hang up."""
        for line in self._lines.values():
            await line.aclose()
        self._lines.clear()

    def _line(self, host: Host) -> _Line:
        if host.console is None or not host.console.address:
            raise UnreachableError(f"{host.name}: its console has no address")
        return self._lines.setdefault(host.name, _Line(host.name, host.console.address))


class _Line:
    """The connection to one monitor; made again when it was lost."""

    def __init__(self, host: str, address: str) -> None:
        self._host = host
        self._address: str | tuple[str, int] = _address(address)
        self._lock = asyncio.Lock()
        self._client: QMPClient | None = None
        self._pump: asyncio.Task[None] | None = None
        self.listeners: set[asyncio.Queue[Mapping[str, Any] | None]] = set()

    async def client(self) -> QMPClient:
        async with self._lock:
            return await self._connected()

    async def execute(self, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """One command. Raises `UnsupportedError` when QEMU refuses it, `TransportError` when the line is down."""
        qmp = load("qemu.qmp", "qmp", "qemu")
        async with self._lock:
            client = await self._connected()
            try:
                found = await client.execute(command, arguments or None)
            except qmp.ExecuteError as error:
                words = str(error)[:300]
                raise UnsupportedError(f"{self._host}: QEMU refused {command}: {words}") from None
            except (qmp.QMPError, OSError, EOFError) as error:
                await self._hang_up()
                self._raise(error)
        return found if isinstance(found, dict) else {}

    async def aclose(self) -> None:
        async with self._lock:
            await self._hang_up()

    async def _connected(self) -> QMPClient:
        if self._client is not None and self._pump is not None and not self._pump.done():
            return self._client
        await self._hang_up()
        qmp = load("qemu.qmp", "qmp", "qemu")
        client = qmp.QMPClient(f"recovery-{self._host}")
        client.logger.disabled = True
        listener = qmp.EventListener(_EVENTS)
        client.register_listener(listener)
        try:
            await client.connect(self._address)
        except (qmp.QMPError, OSError, EOFError) as error:
            self._raise(error)
        self._client = client
        self._pump = asyncio.get_running_loop().create_task(self._carry(client, listener))
        return self._client

    async def _carry(self, client: QMPClient, listener: Any) -> None:
        """Hand events on until the line is lost."""
        lost = asyncio.get_running_loop().create_task(_lost(client))
        try:
            while True:
                get = asyncio.get_running_loop().create_task(listener.get())
                await asyncio.wait({get, lost}, return_when=asyncio.FIRST_COMPLETED)
                if not get.done():
                    get.cancel()
                    return
                self._tell(get.result())
        finally:
            lost.cancel()
            self._tell(None)

    def _tell(self, message: Mapping[str, Any] | None) -> None:
        for queue in self.listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(message)

    async def _hang_up(self) -> None:
        client, pump, self._client, self._pump = self._client, self._pump, None, None
        if pump is not None:
            pump.cancel()
            with suppress(asyncio.CancelledError):
                await pump
        if client is not None:
            with suppress(Exception):
                await asyncio.wait_for(client.disconnect(), 2.0)

    def _raise(self, error: BaseException) -> NoReturn:
        cause = error.__cause__ or error
        said = str(cause) or type(cause).__name__
        raise UnreachableError(
            f"{self._host}: QEMU's monitor does not answer: {said[:300]}"
        ) from None


async def _lost(client: QMPClient) -> None:
    """Return when the connection is going down."""
    qmp = load("qemu.qmp", "qmp", "qemu")
    while client.runstate == qmp.Runstate.RUNNING:
        await client.runstate_changed()


@asynccontextmanager
async def _deadline(seconds: float, host: Host) -> AsyncIterator[None]:
    """`asyncio.timeout` that raises `DeadlineError`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise DeadlineError(
            f"{host.name}: QEMU's monitor did not answer within {seconds:g} s (another program may hold it)"
        ) from None


def read_event(message: Mapping[str, Any]) -> News | None:
    """An event of QEMU's (QAPI schema, `run-state.json`); None for one that tells nothing here."""
    at = _time(message.get("timestamp"))
    if at is None:
        return None
    data = message.get("data")
    data = data if isinstance(data, dict) else {}
    match message.get("event"):
        case "GUEST_PANICKED":
            return _panic(at, data.get("info"))
        case "RESET":
            return News(
                kind="reset", at=at, asked_for=str(data.get("reason", "")).startswith("host")
            )
        case "SHUTDOWN":
            return News(kind="power_off", at=at, asked_for=not data.get("guest"))
        case "RESUME":
            return News(kind="power_on", at=at, asked_for=True)
        case _:
            return None


def _time(stamp: Any) -> datetime | None:
    """The clock of QEMU's machine; -1 where QEMU could not read it (its QMP specification)."""
    if not isinstance(stamp, dict):
        return None
    seconds, parts = stamp.get("seconds"), stamp.get("microseconds")
    if not isinstance(seconds, int) or not isinstance(parts, int):
        return None
    if not (0 <= seconds < 2**33 and 0 <= parts < 10**6):
        return None
    return datetime.fromtimestamp(seconds + parts / 1e6, UTC)


def _panic(at: datetime, info: Any) -> News:
    """Windows gives its stop code and parameters through the Hyper-V crash registers."""
    if not isinstance(info, dict) or info.get("type") != "hyper-v":
        return News(kind="panic", at=at)
    numbers = [info.get(f"arg{place}") for place in range(1, 6)]
    if not all(isinstance(number, int) and 0 <= number < 2**64 for number in numbers):
        return News(kind="panic", at=at)
    code, *parameters = [int(number) for number in numbers if number is not None]
    return News(kind="panic", at=at, stop_code=code & 0xFFFFFFFF, parameters=tuple(parameters))


def _address(text: str) -> str | tuple[str, int]:
    host, _, port = text.rpartition(":")
    if "/" not in text and host and port.isdecimal():
        return host.strip("[]"), int(port)
    return text.removeprefix("unix:")


def _folder(host: Host) -> str | None:
    return (host.console.options.get("folder") if host.console else None) or None


def _read(file: str, host: Host) -> bytes:
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise TransportError(
            f"{host.name}: QEMU says that it has written its picture, and it is not there ({error.strerror}): "
            "it has to run on this machine, or share the folder of the console's option `folder`"
        ) from None
    with open(handle, "rb") as picture:  # noqa: PTH123 - opened already, without following links
        data = picture.read(PICTURE_LIMIT + 1)
    if len(data) > PICTURE_LIMIT:
        raise TransportError(f"{host.name}: its picture has more than {PICTURE_LIMIT} bytes")
    return data


def _remove(place: str, file: str) -> None:
    with suppress(OSError):
        Path(file).unlink(missing_ok=True)
        Path(place).rmdir()
