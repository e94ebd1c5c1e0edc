"""What can be taken off a screen once it is known which it is: stop code, module, percentage, key id, panic."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import msgspec
from rapidfuzz import fuzz, process

from recovery.detect import bugchecks

_LOOKALIKE = str.maketrans({"O": "0", "Q": "0", "I": "1", "L": "1", "S": "5", "Z": "2", "G": "6"})
"""Letters that are no hexadecimal digits, and the digit that looks like each."""
_HEX = "0-9A-Fa-fOoQIlLSsZzG"
_STOP = re.compile(
    rf"st[o0]p\s*[:;.]?\s*[0Oo][xX]([{_HEX}]{{8}}|[0-9A-Fa-f]{{1,8}})\b", re.IGNORECASE
)
_CODE = re.compile(rf"(?<![\w(,])\(?[0Oo][xX]([{_HEX}]{{1,8}})\b")
_TOKEN = re.compile(r"[A-Z][A-Z0-9_ ]{5,70}[A-Z0-9]")
_SURE = 88.0
_APART = 2.0
"""By how much the best name has to be nearer than the next."""
_MODULE = re.compile(
    r"(?<![\w\\/.])([A-Za-z0-9_][\w.-]{0,60}?)\s?[.,]\s?(sys|sy5|5ys|dll|exe)\b", re.IGNORECASE
)
_PERCENT = re.compile(
    r"(?<!\d)(\d{1,2}|100)\s?%|%\s?(\d{1,2}|100)(?!\d)|(?<!\d)(\d{1,2}|100)\s?percent"
)
_DASH = r"[-\u2013\u2014]"
_GUID = re.compile(
    r"(?<![\w-])"
    + rf"\s?{_DASH}\s?".join(rf"((?:[{_HEX}] ?){{{length}}})" for length in (8, 4, 4, 4, 12))
    + r"(?![\w-])"
)
"""Readers put a blank into some groups."""
_BROKEN = re.compile(rf"{_DASH}\s*\n\s*|\s*\n\s*{_DASH}")
_SHORT = re.compile(
    rf"(?:ID|识别码|識別碼|Id\.?)\b[^\n]{{0,60}}?[:\uff1a]\s*\(?([{_HEX}]{{8}})(?![\w-])"
)
_DIGITS = re.compile(r"[0-9]")
_KEY = re.compile(rf"(?<!\d)\d{{6}}(?:\s?{_DASH}?\s?\d{{6}})+(?:\s?{_DASH}\s?\d{{1,5}})?(?!\d)")
_PANIC = re.compile(
    r"(?:end\s+)?kernel\s+panic\s*[-\u2013\u2014:!]?\s*(?:not\s+syncing)?.*", re.IGNORECASE
)
_TIMESTAMP = re.compile(r"^\s*\[?\s*\d+\.\d+\]?\s*")
_LONGEST = 200


class StopCode(msgspec.Struct, frozen=True):
    """A stop code as far as it was read."""

    number: int | None = None
    name: str = ""


def stop_code(lines: Sequence[str]) -> StopCode:
    """The stop code of a bug check screen.

    A number that Microsoft documents counts; next a name, misread letters forgiven where only one name is near; a name
    that is near none is given as it stands, without a number.
    """
    text = "\n".join(lines)
    number = _number(text)
    named, raw = _name(lines)
    if number is not None and (named is None or bugchecks.name(number)):
        return StopCode(number, bugchecks.name(number) or raw)
    if named is not None:
        return StopCode(named, bugchecks.name(named))
    return StopCode(None, raw)


def _number(text: str) -> int | None:
    for pattern in (_STOP, _CODE):
        for found in pattern.finditer(text):
            code = bugchecks.effective(int(found[1].upper().translate(_LOOKALIKE), 16))
            if pattern is _STOP or bugchecks.name(code):
                return code
    return None


def _name(lines: Sequence[str]) -> tuple[int | None, str]:
    """The number of the name that stands there, and what stands in its place if it is none."""
    best: tuple[float, int] | None = None
    raw = ""
    for candidate, marked in _candidates(lines):
        found = _nearest(candidate)
        if found is not None and (best is None or found[0] > best[0]):
            best = found
        if found is None and marked and not raw:
            raw = candidate[:_LONGEST]
    return (best[1], "") if best else (None, raw)


def _candidates(lines: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """What may be a name, and whether the screen says that it is one. Names may be broken over two lines."""
    for here, line in enumerate(lines):
        _, mark, after = line.rpartition(":")
        after = re.sub(r"\(.*", "", after).strip()
        marked = bool(mark) and re.fullmatch(r"[A-Z0-9_ ]{6,80}", after) is not None
        if marked and ("_" in after or " " in after):
            yield after, True
        following = lines[here + 1] if here + 1 < len(lines) else ""
        if _TOKEN.search(line) and re.fullmatch(r"\s*[A-Z0-9_ ]+[A-Z0-9]\s*", following):
            yield from (
                (token, False) for token in _TOKEN.findall(f"{line.rstrip()}{following.strip()}")
            )
        yield from ((token, False) for token in _TOKEN.findall(line))


def _nearest(candidate: str) -> tuple[float, int] | None:
    squeezed = _squeezed(candidate)
    if squeezed in _names():
        return 100.0, _names()[squeezed]
    near = process.extract(
        squeezed, _names().keys(), scorer=fuzz.ratio, limit=2, score_cutoff=_SURE
    )
    if not near or (len(near) > 1 and near[0][1] - near[1][1] < _APART):
        return None
    return near[0][1], _names()[near[0][0]]


@cache
def _names() -> Mapping[str, int]:
    """Documented names without what readers lose."""
    return {_squeezed(name): code for code, name in reversed(tuple(bugchecks.names().items()))}


def _squeezed(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", name.upper()).replace("0", "O").replace("1", "I")


def module(lines: Sequence[str]) -> str:
    """The file that a bug check screen blames: after "What failed" and the like, else the only one there is."""
    found = [
        (line, f"{match[1]}.{match[2].lower().replace('5', 's')}")
        for line in lines
        for match in _MODULE.finditer(line)
    ]
    drivers = [name for _, name in found if name.casefold() != "ntdll.dll"]
    for line, name in found:
        if ":" in line or "*" in line or "(" in line:
            return name
    return drivers[0] if len({name.casefold() for name in drivers}) == 1 else ""


def percent(lines: Sequence[str]) -> int | None:
    """The first percentage."""
    found = _PERCENT.search("\n".join(lines))
    return int(next(group for group in found.groups() if group)) if found else None


def key_id(lines: Sequence[str]) -> str:
    """The id of a recovery key: a GUID, else the eight digits that stand for one."""
    text = "\n".join(lines)
    found = _GUID.search(_BROKEN.sub("-", text))
    if found:
        return "-".join(_digits(group) for group in found.groups())
    short = _SHORT.search(text) or _SHORT.search(" ".join(lines))
    if short and _DIGITS.search(short[1]):
        return _digits(short[1])
    return ""


def _digits(read: str) -> str:
    """Hexadecimal digits, those that were taken for letters too."""
    return read.upper().replace(" ", "").translate(_LOOKALIKE)


def masked(line: str) -> str:
    """The line without a recovery key that somebody is typing: groups of six digits."""
    return _KEY.sub("***", line)


def panic(lines: Sequence[str]) -> str:
    """The line in which a kernel gives up, without its time."""
    for line in lines:
        found = _PANIC.search(line)
        if found and not found[0].casefold().startswith("end"):
            return _TIMESTAMP.sub("", found[0]).strip()[:_LONGEST]
    return ""
