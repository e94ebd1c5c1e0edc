"""Virtual machines by libvirt's own client, `virsh`: screenshot, run state, power, events.

The client is the sturdier way: it comes with every libvirt in the version that fits it, needs nothing compiled into
this program's environment, and a hang of libvirt's stays in a process that can be ended. A console's address is the URI
(`qemu:///system`, `qemu+ssh://host/system`); its option `domain` names the machine where that is not the host's name.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from recovery import programs
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

_STATES: Mapping[str, Power] = {
    "running": "on",
    "idle": "on",
    "no state": "unknown",
    "in shutdown": "on",
    "paused": "paused",
    "pmsuspended": "paused",
    "shut off": "off",
    "crashed": "crashed",
}
"""What `virsh domstate` says (its manual)."""
_ENGLISH = {"LC_ALL": "C"}
_MOST = 100_000
_URI = re.compile(r"[a-z][a-z0-9+]*://[^\s]*", re.IGNORECASE)
_DOMAIN = re.compile(r"[^\s/-][^\s/]{0,200}")
_EVENT = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+)\+0000: event '(?P<event>[a-z-]+)' for domain '?(?P<domain>[^':]+)'?"
    r"(?P<rest>.*)"
)


class LibvirtConsole:
    """`recovery.ports.Console` to libvirt's machines."""

    name = "libvirt"

    def __init__(self, _credentials: Credentials | None = None) -> None:
        """Virsh signs in as its own configuration says."""

    async def picture(self, host: Host, timeout: float) -> bytes:
        """As the hypervisor draws it: PPM or PNG."""
        folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="recovery-screen-")
        file = Path(folder) / "screen"
        try:
            await _virsh(host, timeout, "screenshot", _domain(host), str(file))
            return await asyncio.to_thread(_read, file, host)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def crash_picture(self, host: Host, timeout: float) -> None:
        """Libvirt keeps none."""

    async def power(self, host: Host, timeout: float) -> Power:
        """By the domain's state."""
        said = await _virsh(host, timeout, "domstate", _domain(host))
        # A line about the way there may stand beside it, such as a warning of ssh's.
        found = [_STATES[line] for line in said.lower().splitlines() if line in _STATES]
        return found[-1] if found else "unknown"

    async def switch(self, host: Host, *, on: bool, timeout: float) -> None:
        """`start`, or `resume` where it is only paused; `destroy`, which takes the power and no data."""
        if not on:
            await _virsh(host, timeout, "destroy", _domain(host))
            return
        state = await self.power(host, timeout)
        if state == "crashed":
            await _virsh(host, timeout, "destroy", _domain(host))
        await _virsh(host, timeout, "resume" if state == "paused" else "start", _domain(host))

    async def boot_once(self, host: Host, device: BootDevice, medium: str, timeout: float) -> None:
        """Libvirt changes the device of every start, and of no single one."""
        del device, medium, timeout
        raise UnsupportedError(
            f"{host.name}: libvirt cannot choose the device of one start; change the domain's <boot>"
        )

    async def news(self, host: Host) -> AsyncIterator[News]:
        """What `virsh event --all` prints, as it comes."""
        command = [*_command(host), "event", _domain(host), "--all", "--loop", "--timestamp"]
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=_MOST,
                env={**os.environ, **_ENGLISH},
            )
        except OSError as error:
            raise TransportError(
                f"{host.name}: virsh cannot be started: {error.strerror}"
            ) from None
        try:
            if process.stdout is None:
                return
            with suppress(ValueError):  # a line without end
                while line := await process.stdout.readline():
                    found = read_event(line.decode("utf-8", "replace"))
                    if found is not None:
                        yield found
            raise SessionLostError(f"{host.name}: virsh tells of no more events")
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def aclose(self) -> None:
        """Nothing is held between two operations."""


def read_event(line: str) -> News | None:
    """One line of `virsh event --timestamp`; None for one that tells nothing here."""
    found = _EVENT.match(line)
    if found is None:
        return None
    at = datetime.strptime(found["at"], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    event, rest = found["event"], found["rest"].lower()
    if event == "reboot":
        return News(kind="reset", at=at)
    if event != "lifecycle":
        return None
    if "crashed" in rest:
        return News(kind="panic", at=at)
    if "started" in rest or "resumed" in rest:
        return News(kind="power_on", at=at, asked_for=True)
    return News(kind="power_off", at=at) if "stopped" in rest else None


async def _virsh(host: Host, timeout: float, *words: str) -> str:
    """What a command of virsh says. Raises `UnsupportedError` for what it refuses, else `TransportError`."""
    command = [*_command(host), *words]
    try:
        ran = await asyncio.to_thread(
            programs.run,
            command,
            timeout=timeout,
            most_bytes=_MOST,
            with_errors=True,
            variables=_ENGLISH,
        )
    except TimeoutError:
        raise DeadlineError(f"{host.name}: virsh did not answer within {timeout:g} s") from None
    except OSError as error:
        raise TransportError(f"{host.name}: virsh cannot be started: {error.strerror}") from None
    said = ran.output.decode("utf-8", "replace")
    if ran.status == 0:
        return said
    words_of_it = " ".join(said.split())[:300]
    if "failed to connect" in said or "Cannot recv data" in said:
        raise UnreachableError(f"{host.name}: libvirt does not answer: {words_of_it}")
    if "not supported" in said:
        raise UnsupportedError(f"{host.name}: libvirt: {words_of_it}")
    raise TransportError(f"{host.name}: virsh {words[0]}: {words_of_it}")


def _command(host: Host) -> list[str]:
    program = shutil.which("virsh")
    if program is None:
        raise UnsupportedError(
            "consoles of the kind `libvirt` need virsh, which is not installed (Debian: libvirt-clients)"
        )
    address = host.console.address if host.console else ""
    if not _URI.fullmatch(address):
        raise UnsupportedError(
            f"{host.name}: a libvirt console's address is a URI such as qemu:///system, not {address!r}"
        )
    return [program, "--quiet", "--connect", address]


def _domain(host: Host) -> str:
    wanted = (host.console.options.get("domain") if host.console else "") or host.name
    if not _DOMAIN.fullmatch(wanted):
        raise UnsupportedError(f"{host.name}: {wanted!r} is no name of a domain")
    if wanted.isdecimal():  # virsh takes it for an id, which another machine may have
        raise UnsupportedError(
            f"{host.name}: virsh takes a number for the id of whichever machine runs under it: "
            "give the domain's UUID in the console's option `domain`"
        )
    return wanted


def _read(file: Path, host: Host) -> bytes:
    try:
        with file.open("rb") as picture:
            data = picture.read(PICTURE_LIMIT + 1)
    except OSError:
        raise TransportError(f"{host.name}: virsh wrote no picture") from None
    if len(data) > PICTURE_LIMIT:
        raise TransportError(f"{host.name}: its picture has more than {PICTURE_LIMIT} bytes")
    return data
