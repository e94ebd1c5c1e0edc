"""The head of a Windows crash dump: what the machine stopped with, and when. Needs no debugger and names no driver.

Offsets as in the headers that Volatility and Bin2Dmp document (DUMP_HEADER64, DUMP_HEADER32). Fields that Windows
did not fill in hold the letters `PAGE`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from recovery.detect import bugchecks

HEAD = 8192
"""Bytes of a dump that hold all that is read here."""

_FILETIME_ZERO = 11644473600
_EARLIEST, _LATEST = 631152000.0, 4102444800.0
"""1990 and 2100: a time outside is no time."""
_LONGEST_UPTIME = 20 * 366 * 86400.0
_MACHINES: Mapping[int, str] = {
    0x14C: "x86",
    0x8664: "x64",
    0xAA64: "ARM64",
    0x1C0: "ARM",
    0x1C4: "ARM",
    0x200: "Itanium",
}
_TYPES: Mapping[int, str] = {
    1: "full",
    2: "kernel",
    3: "header",
    4: "triage",
    5: "full bitmap",
    6: "kernel bitmap",
    7: "automatic",
}


class DumpHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a dump's head says, as far as it goes."""

    kind: Literal["kernel", "user"]
    """`user`: of a program, which is no bug check."""
    bits: int = 0
    machine: str = ""
    build: int | None = None
    processors: int | None = None
    stop_code: int | None = None
    """Without the mark that some codes carry."""
    raw_stop_code: int | None = None
    """As it stands in the dump."""
    parameters: tuple[int, ...] = ()
    dump_type: str = ""
    crashed_at: float | None = None
    """Host's own clock, seconds since 1970."""
    uptime: float | None = None
    """Seconds for which the machine had been up."""
    comment: str = ""
    problems: tuple[str, ...] = ()
    """What of the head is missing or makes no sense."""

    @property
    def live(self) -> bool:
        """Whether it is a report on a system that went on running."""
        return self.raw_stop_code is not None and bugchecks.is_live(self.raw_stop_code)

    @property
    def is_crash(self) -> bool:
        """Whether it proves a bug check."""
        return self.kind == "kernel" and self.stop_code is not None and not self.live


class _Layout(msgspec.Struct, frozen=True):
    bits: int
    size: int
    machine: int
    processors: int
    code: int
    parameters: tuple[int, ...]
    dump_type: int
    system_time: int
    uptime: int
    comment: int


_LAYOUTS: Mapping[bytes, _Layout] = {
    b"PAGEDU64": _Layout(
        64, 0x2000, 0x30, 0x34, 0x38, (0x40, 0x48, 0x50, 0x58), 0xF98, 0xFA8, 0x1030, 0xFB0
    ),
    b"PAGEDUMP": _Layout(
        32, 0x1000, 0x20, 0x24, 0x28, (0x2C, 0x30, 0x34, 0x38), 0xF88, 0xFC0, 0xFB8, 0x820
    ),
}


def read(head: bytes) -> DumpHeader | None:
    """What the first bytes of a dump say (`HEAD` of them are enough); None when they are not those of a dump."""
    layout = _LAYOUTS.get(head[:8])
    if layout is not None:
        return _kernel(head, layout)
    return _user(head) if head[:4] == b"MDMP" else None


def mentions(data: bytes, names: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that stand in a dump as UTF-16 text, as in its list of drivers. A mention, not a cause."""
    lowered = data.lower()
    return tuple(name for name in names if name and name.lower().encode("utf-16-le") in lowered)


def _kernel(head: bytes, layout: _Layout) -> DumpHeader:
    wide = layout.bits // 8
    problems = []
    if len(head) < layout.size:
        problems.append(f"the header ends after {len(head)} of {layout.size} bytes")
    raw = _field(head, layout.code, 4)
    if raw is None and len(head) >= layout.code + 4:
        problems.append("the stop code was never filled in")
    crashed_at = _time(_field(head, layout.system_time, 8))
    if crashed_at is None and len(head) >= layout.system_time + 8:
        problems.append("it has no time of the crash that could be one")
    parameters = [_field(head, place, wide) for place in layout.parameters]
    machine = _field(head, layout.machine, 4)
    dump_type = _field(head, layout.dump_type, 4)
    uptime = _field(head, layout.uptime, 8)
    seconds = uptime / 1e7 if uptime is not None else None
    return DumpHeader(
        kind="kernel",
        bits=layout.bits,
        machine="" if machine is None else _MACHINES.get(machine & 0xFFFF, f"0x{machine:X}"),
        build=_field(head, 0x0C, 4),
        processors=_field(head, layout.processors, 4),
        stop_code=bugchecks.effective(raw) or None if raw is not None else None,
        raw_stop_code=raw or None,
        parameters=tuple(value for value in parameters if value is not None),
        dump_type="" if dump_type is None else _TYPES.get(dump_type, f"type {dump_type}"),
        crashed_at=crashed_at,
        uptime=seconds if seconds is not None and seconds <= _LONGEST_UPTIME else None,
        comment=_comment(head[layout.comment : layout.comment + 128]),
        problems=tuple(problems),
    )


def _user(head: bytes) -> DumpHeader:
    written = _field(head, 0x14, 4)
    plausible = written is not None and _EARLIEST <= written <= _LATEST
    return DumpHeader(
        kind="user", crashed_at=float(written) if written is not None and plausible else None
    )


def _field(head: bytes, place: int, size: int) -> int | None:
    """A number; None where the head ends before it or it was not filled in."""
    raw = head[place : place + size]
    return None if len(raw) < size or raw == b"PAGEPAGE"[:size] else int.from_bytes(raw, "little")


def _time(filetime: int | None) -> float | None:
    """Seconds since 1970 of a FILETIME, where it can be a time of a crash at all."""
    if filetime is None:
        return None
    seconds = filetime / 1e7 - _FILETIME_ZERO
    return seconds if _EARLIEST <= seconds <= _LATEST else None


def _comment(raw: bytes) -> str:
    text = raw.split(b"\0", 1)[0]
    return (
        ""
        if text[:4] == b"PAGE"
        else "".join(filter(str.isprintable, text.decode("ascii", "ignore")))
    )
