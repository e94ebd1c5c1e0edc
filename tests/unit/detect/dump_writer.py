"""Heads of Windows dumps, as the kernel writes them: what it does not fill in holds the letters `PAGE`."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime

AT = datetime(2024, 7, 19, 5, 0, 0, tzinfo=UTC)
PARAMETERS = (0xFFFF840500000074, 0, 0xFFFFF806715114ED, 2)


def filetime(at: datetime) -> int:
    """100 ns since 1601."""
    return (round(at.timestamp()) + 11644473600) * 10**7


def dump64(
    code: int = 0x50,
    *,
    machine: int = 0x8664,
    at: datetime | None = AT,
    uptime: float = 31.0,
    kind: int = 4,
    parameters: Sequence[int] = PARAMETERS,
    tail: bytes = b"",
) -> bytes:
    """A 64-bit one."""
    head = bytearray(b"PAGE" * 2048)
    head[:8] = b"PAGEDU64"
    struct.pack_into("<II", head, 0x08, 15, 22631)
    struct.pack_into("<II", head, 0x30, machine, 8)
    struct.pack_into("<I", head, 0x38, code)
    struct.pack_into("<4Q", head, 0x40, *parameters)
    struct.pack_into("<I", head, 0xF98, kind)
    if at is not None:
        struct.pack_into("<Q", head, 0xFA8, filetime(at))
    struct.pack_into("<Q", head, 0x1030, round(uptime * 1e7))
    return bytes(head) + tail


def dump32(code: int = 0x1000008E, *, at: datetime = AT, uptime: float = 31.0) -> bytes:
    """A 32-bit one."""
    head = bytearray(b"PAGE" * 1024)
    head[:8] = b"PAGEDUMP"
    struct.pack_into("<II", head, 0x08, 15, 2600)
    struct.pack_into("<II", head, 0x20, 0x14C, 2)
    struct.pack_into("<5I", head, 0x28, code, 0xC0000005, 0xBF80A1E0, 0xB2B1A8F0, 0)
    struct.pack_into("<I", head, 0xF88, 2)
    struct.pack_into("<Q", head, 0xFB8, round(uptime * 1e7))
    struct.pack_into("<Q", head, 0xFC0, filetime(at))
    return bytes(head)


def user_dump(at: datetime = AT) -> bytes:
    """Of a program."""
    head = struct.pack("<4sIIIII", b"MDMP", 0xA793, 13, 32, 0, round(at.timestamp()))
    return head.ljust(4096, b"\0")
