"""What the engine asks of the world. Each adapter is one of these; only the service picks them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import msgspec

from recovery.model.console import BootDevice, Power
from recovery.model.events import AnyEvent
from recovery.model.host import Host
from recovery.model.reading import Reading
from recovery.model.secret import Secret

Shell = Literal["posix", "powershell", "cmd"]


class Clock(Protocol):
    """Time. The engine sleeps by asyncio alone, so that a virtual event loop can move it."""

    def now(self) -> datetime:
        """The wall clock, UTC, aware."""

    def monotonic(self) -> float:
        """Seconds that never go back."""


class Look(msgspec.Struct, frozen=True, gc=False):
    """Answer of a cheap look: does a server answer there? An answer is a claim, not evidence of a healthy host."""

    answers: bool
    reason: str = ""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One script to carry out on an endpoint. Rendered to bytes by `recovery.remote.catalog.render`."""

    action: str
    """`triage`, `quarantine`, `undo`, `reboot`, `prove`, `run`, ...: what the script is for."""
    shell: Shell
    script: bytes
    """Shared by all hosts; arguments are not pasted into it."""
    settings: Mapping[str, str]
    """Arguments by name, quoted when rendered."""
    token: str
    """Answer of a cheap look: does a server answer there? A claim, not evidence of a healthy host."""
    timeout: float
    """Seconds from sending to the complete reply."""
    output_limit: int = 4_000_000
    """Bytes of standard output that are read at most."""


class Completed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What came back, as it came."""

    stdout: bytes
    stderr: bytes = b""
    exit_status: int | None = None
    """None when the peer closed without one."""
    truncated: bool = False
    """There was more than the limit."""


class Session(Protocol):
    """One open way to one host, used for one command after another."""

    async def run(self, command: Command) -> Completed:
        """Carry out `command`. Raises `TransportError`; never later than `command.timeout`."""

    async def aclose(self) -> None:
        """Close it; never raises, never hangs."""


class Transport(Protocol):
    """A kind of way to hosts."""

    name: str
    """As in the evidence's `source`."""

    async def look(self, host: Host) -> Look:
        """Find out cheaply whether opening a session is worth it; thousands may be in flight. Never raises."""

    async def open(self, host: Host, timeout: float) -> Session:
        """Open a session, within `timeout` seconds. Raises `TransportError`."""

    async def aclose(self) -> None:
        """Let go of everything."""


class Prompt(Protocol):
    """An adapter whose operations never wait: they end in the turn of the event loop in which they begin.

    No deadline can pass over them, so they need no supervisor. The mock twin without latency is one.
    """

    prompt: bool


@runtime_checkable
class Sweeper(Protocol):
    """A transport that looks at many hosts for little more than it costs to look at one."""

    def sweep(self, hosts: Sequence[Host]) -> AsyncIterator[tuple[Look, Sequence[Host]]]:
        """Look at all of them: what looks show, with the hosts that show it, as soon as it is known. Never raises."""


def is_prompt(transport: Transport) -> bool:
    """Whether the transport, with its sessions, says that it never waits."""
    return bool(getattr(transport, "prompt", False))


class News(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a console tells of by itself."""

    kind: Literal["panic", "reset", "power_on", "power_off", "lost"]
    """`lost`: events may have been missed; what is so now has to be looked at."""
    at: datetime
    """By the clock of the console's machine, UTC."""
    stop_code: int | None = None
    parameters: tuple[int, ...] = ()
    text: str = ""
    asked_for: bool = False
    """Of a reset: whoever is at the console asked for it."""


class Standing(NamedTuple):
    """How a simulated machine stands."""

    at: float
    """Seconds since 1970."""
    boot: int
    crashed_at: float
    power: Power
    next_change: float
    """Seconds until something happens to it by itself; infinite for never."""


class Console(Protocol):
    """A kind of out-of-band way to hosts, each of which names its own in `host.console`.

    No operation takes longer than its `timeout` (seconds); all raise `TransportError`, and `UnsupportedError` for what
    this kind of console does not have. A request is not a result: whoever acts reads the state again afterwards.
    """

    name: str
    """As in the evidence's `source`."""

    async def picture(self, host: Host, timeout: float) -> bytes:
        """What is on the screen now, as PNG, JPEG, BMP or PPM of at most `PICTURE_LIMIT` bytes."""

    async def crash_picture(self, host: Host, timeout: float) -> bytes | None:
        """The screen at the latest crash, where the console keeps one."""

    async def power(self, host: Host, timeout: float) -> Power:
        """Whether the machine has power, and runs."""

    async def switch(self, host: Host, *, on: bool, timeout: float) -> None:
        """Ask for power, or for its end, without shutting the system down."""

    async def boot_once(self, host: Host, device: BootDevice, medium: str, timeout: float) -> None:
        """Start from `device` the next time and only then; `medium` names an image to insert, where one is needed.

        `disk` takes an earlier request back, and takes the medium out.
        """

    def news(self, host: Host) -> AsyncIterator[News]:
        """What happens from now on, as it happens, until the caller stops or the way is lost (`TransportError`)."""

    async def aclose(self) -> None:
        """Let go of everything; never raises."""


@runtime_checkable
class Checked(Protocol):
    """A console whose keeper looks at machines by itself, as clouds do."""

    async def checks(self, host: Host, timeout: float) -> str:
        """What its own checks say, in words, such as `system ok, instance impaired`. Raises as `Console`."""


class Lent(msgspec.Struct, frozen=True):
    """A root volume that is to be mended at a helper instance, and where it belongs."""

    volume: str
    owner: str
    device: str
    """Its name at the owner, to which it goes back."""
    helper: str
    helper_device: str


@runtime_checkable
class Lender(Protocol):
    """A console that can take a machine's root volume to another machine, and back."""

    async def root_volume(self, host: Host, helper: str, device: str, timeout: float) -> Lent:
        """The volume, with where it is and where it would go; nothing is moved. Raises as `Console`."""

    async def move(self, host: Host, lent: Lent, *, back: bool, timeout: float) -> None:
        """Take the volume to the helper, or back to its owner, from wherever of the two it is, and see it there.

        What was done already is not done again. Raises as `Console`, `UnsupportedError` while the owner has power and
        where somebody else has the volume.
        """


PICTURE_LIMIT = 16_000_000
"""Bytes of a picture that are taken at most."""


class PictureReader(Protocol):
    """Reads pictures of screens. Pure, and safe with whatever bytes it gets; may take seconds."""

    def __call__(self, picture: bytes, /) -> Reading:
        """What the picture shows; `unknown` where nothing can be read."""


class PictureKeeper(Protocol):
    """Keeps pictures beside the journal: of each host the newest, and that of its first crash."""

    def keep(self, host: str, picture: bytes, *, crash: bool) -> str:
        """Keep it; returns its SHA-256. Raises `JournalError` when it cannot be written."""


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """What a transport signs in with."""

    name: str
    user: str = ""
    password: Secret | None = None
    key_file: str = ""
    passphrase: Secret | None = None
    agent: bool = False


class Credentials(Protocol):
    """The credentials of the settings, and the breaker that stops one that is refused (accounts lock out)."""

    async def get(self, name: str) -> Credential:
        """The credential. Raises `UnknownNameError`, `CredentialStoppedError`."""

    def refused(self, name: str) -> None:
        """The host refused it. After the third refusal in the run `get` raises `CredentialStoppedError`."""

    def accepted(self, name: str) -> None:
        """A host took it."""


class Recorder(Protocol):
    """The engine's end of the journal."""

    def record(self, event: AnyEvent) -> None:
        """Append; order is kept, durability comes with the next commit."""

    async def durable(self) -> None:
        """Return when all that was recorded before this call is on the disk."""

    def pressure(self) -> int:
        """How many recorded events wait for their commit."""

    def commands(self, run: str) -> Iterable[AnyEvent]:
        """Commands to `run` that other processes appended since the last call. Cheap when there are none."""


class Stored(msgspec.Struct, frozen=True, gc=False):
    """An event with its place in the journal."""

    seq: int
    event: AnyEvent


class EventSource(Protocol):
    """The readers' end of the journal."""

    def read(self, *, run: str = "", host: str = "", after: int = 0) -> Iterator[Stored]:
        """The events in order; empty `run` or `host` means all."""
