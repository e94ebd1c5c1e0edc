"""Stop codes and Microsoft's names for them (the bug check code reference of the Windows driver documentation)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_MARKS = (0x1, 0x8)
"""Values of a code's first digit that only mark how the bug check was raised: 0x1000007E is 0x7E."""
_LOW = 0x0FFFFFFF
_MATT = 0x5454414D
"""The code that a tool which captures a running system writes: no bug check happened."""
_LIVE = frozenset({0x117, 0x141, 0x161, _MATT})
"""Codes of reports on a system that went on running, beside those whose names say so."""
_HEX = re.compile(r"\(?\s*(?:0x)?([0-9a-f]{1,16})\s*\)?", re.IGNORECASE)
_LEADING = re.compile(r"\s*(?:\*+\s*)?(?:STOP:?\s*)?0x([0-9a-f]{1,16})\b", re.IGNORECASE)
_NAMED = re.compile(r"([A-Z][A-Z0-9_]{4,})\s*(?:\(\s*(?:0x)?([0-9a-f]{1,8})\s*\))?", re.IGNORECASE)


@cache
def names() -> Mapping[int, str]:
    """The name of each documented stop code."""
    rows = Path(__file__).with_name("bugchecks.tsv").read_text("ascii").splitlines()
    return {int(code, 16): name for code, name in (row.split("\t") for row in rows)}


@cache
def _codes() -> Mapping[str, int]:
    return {name: code for code, name in names().items()}


def effective(raw: int) -> int:
    """The stop code without the mark that some carry: 0x100000D1 is 0xD1; 0xDEADDEAD stays what it is."""
    low = raw & _LOW
    if raw in names() or raw >> 28 not in _MARKS:
        return raw
    return low if raw >> 28 == 1 or low in names() else raw


def name(code: int) -> str:
    """Microsoft's name of a stop code, marked or not; empty for one that is not documented."""
    return names().get(effective(code), "")


def shown(code: int) -> str:
    """A stop code for people: `0x50 PAGE_FAULT_IN_NONPAGED_AREA`."""
    return f"0x{code:X} {name(code)}".rstrip()


def is_live(code: int) -> bool:
    """Whether a code is that of a report on a system that went on running, which is no crash."""
    found = name(code)
    return effective(code) in _LIVE or found.endswith(("LIVEDUMP", "LIVE_DUMP"))


def parse(text: str) -> int | None:
    """The effective stop code that `text` begins with or names; None when it has none.

    Understands `0x0000007e (0x.., ..)`, `*** STOP: 0x0000007E`, `PAGE_FAULT_IN_NONPAGED_AREA (50)`, a name alone,
    and digits alone, which are hex.
    """
    text = text.strip()[:200]
    leading = _LEADING.match(text)
    if leading:
        return _sane(int(leading[1], 16))
    named = _NAMED.match(text)
    if named and named[1].upper() in _codes():
        return _codes()[named[1].upper()]
    if named and named[2]:
        return _sane(int(named[2], 16))
    alone = _HEX.fullmatch(text)
    return _sane(int(alone[1], 16)) if alone else None


def _sane(raw: int) -> int | None:
    """A code has 32 bits; some print it sign-extended to 64. Zero is no code."""
    if raw >> 32 not in (0, 0xFFFFFFFF):
        return None
    return effective(raw & 0xFFFFFFFF) or None
