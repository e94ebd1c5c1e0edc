"""What a worker process and its owner say to each other: messages with their length in front, over pipes."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

from recovery.errors import (
    AuthRefusedError,
    DeadlineError,
    HostKeyError,
    ReplyError,
    SessionLostError,
    TransportError,
    UnreachableError,
)
from recovery.transports.winrm.settings import Auth

_LENGTH = struct.Struct(">I")
_MOST_BYTES = 64_000_000

ERRORS: dict[str, type[TransportError]] = {
    kind.__name__: kind
    for kind in (
        TransportError,
        AuthRefusedError,
        DeadlineError,
        HostKeyError,
        ReplyError,
        SessionLostError,
        UnreachableError,
    )
}
"""What can go wrong in a worker."""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How to get to one host, with all that signs in there."""

    name: str
    endpoint: str
    auth: Auth
    user: str = ""
    password: str = ""
    key_file: str = ""
    """PEM with a certificate and its key."""
    ca_file: str = ""
    verify: bool = True
    proxy: str = ""
    operation_timeout: int = 20
    read_timeout: int = 60
    kerberos_host: str = ""
    delegation: bool = False

    def __repr__(self) -> str:
        return f"Way({self.name})"


class Open(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Open the session with this number."""

    id: int
    session: int
    way: Way
    timeout: float


class Run(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Carry a command line out."""

    id: int
    session: int
    action: str
    line: str
    stdin: bytes
    end: bytes
    """What the last record of the answer begins with."""
    timeout: float
    limit: int


class Close(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Close the session, and the shell on the host with it."""

    id: int
    session: int


class Cancel(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Nobody waits for the answer to this any more."""

    id: int


class Reap(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Close a shell that a worker left behind when it died."""

    id: int
    way: Way
    shell: str


Request = Open | Run | Close | Cancel | Reap


class Done(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It is done."""

    id: int


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The worker has loaded what it needs."""


class ShellOpened(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A session has this shell on its host from now on; empty when it has none any more."""

    session: int
    shell: str


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What came of a command line."""

    id: int
    stdout: bytes
    stderr: bytes
    status: int | None
    truncated: bool


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It went wrong."""

    id: int
    error: str
    """Name of one of `ERRORS`."""
    message: str


Reply = Ready | Done | ShellOpened | Answer | Failed

_encode = msgspec.msgpack.Encoder().encode
read_request = msgspec.msgpack.Decoder(Request).decode
read_reply = msgspec.msgpack.Decoder(Reply).decode


def packed(message: Request | Reply) -> bytes:
    """The message with its length."""
    raw = _encode(message)
    return _LENGTH.pack(len(raw)) + raw


class Frames:
    """Puts messages together from what comes out of a pipe."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that are complete now. Raises `ValueError` for one beyond all bounds."""
        buffer = self._buffer
        buffer += data
        while len(buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer)
            if length > _MOST_BYTES:
                message = "a message of a worker is beyond all bounds"
                raise ValueError(message)
            end = _LENGTH.size + length
            if len(buffer) < end:
                return
            message_bytes = bytes(buffer[_LENGTH.size : end])
            del buffer[:end]
            yield message_bytes
