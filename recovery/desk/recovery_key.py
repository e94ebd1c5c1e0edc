"""BitLocker recovery keys: 48 digits that open a volume, named by the id that the machine shows.

A key has eight groups of six digits. Each group is a number below 65,536 times eleven: divisible by 11 and at most
720,885 (bitcracker, issue 45, quoting Kornblum). The formula for a check digit that Microsoft publishes for
`IsNumericalPasswordValid` contradicts real keys, so divisibility is all that is asked.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from recovery.errors import UsageError
from recovery.model.secret import Secret
from recovery.redact import mask_recovery_keys

GROUPS = 8
DIGITS = 6
LARGEST = 720_885
"""The largest group: 65,535 times 11."""
_DIVISOR = 11

_ID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
_PREFIX = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{0,4}){0,3}(-[0-9A-F]{0,12})?")
_BETWEEN = re.compile(r"[\s\u2010-\u2015-]")


class Entry(msgspec.Struct, frozen=True):
    """What can be said of a key while it is typed. Holds none of its digits."""

    groups: int
    """Complete groups so far."""
    wrong: tuple[int, ...] = ()
    """Which of them are wrong, from 1."""
    problem: str = ""
    """The first thing that is wrong, in words; empty while nothing is."""
    complete: bool = False
    """All of it is there and nothing is wrong."""


class Spellings(NamedTuple):
    """A key as it has to be typed. Reveals it: for the one place that shows it."""

    digits: str
    """For the screen before Windows starts, which takes digits alone."""
    dashed: str
    """For `manage-bde` and recovery media, which want the dashes."""


class KeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A key and what its source says of it."""

    key_id: str
    secret: Secret
    """The dashed form."""
    source: str
    note: str = ""
    """Whose it was when it was stored. Never what it is looked up by: names are reused, keys are not."""


def check(typed: str) -> Entry:
    """Judge a key as far as it is typed; blanks and dashes may stand anywhere."""
    bare = _BETWEEN.sub("", typed)
    if not (bare.isascii() and (bare.isdigit() or not bare)):
        return Entry(0, problem="a recovery key has digits and dashes only")
    parts = [bare[place : place + DIGITS] for place in range(0, len(bare), DIGITS)]
    whole = [part for part in parts[:GROUPS] if len(part) == DIGITS]
    wrong = tuple(place for place, part in enumerate(whole, 1) if not _holds(part))
    problem = ""
    if wrong:
        problem = f"group {wrong[0]} is wrong: read it again"
    elif len(bare) > GROUPS * DIGITS:
        problem = f"{len(bare)} digits are too many: a recovery key has {GROUPS * DIGITS}"
    return Entry(len(whole), wrong, problem, not problem and len(bare) == GROUPS * DIGITS)


def key_of(text: str) -> Secret:
    """The key in dashed form. Raises `ValueError` without any of its digits."""
    entry = check(text)
    if not entry.complete:
        missing = f"it has {entry.groups} of {GROUPS} groups"
        raise ValueError(entry.problem or missing)
    bare = _BETWEEN.sub("", text)
    return Secret("-".join(bare[place : place + DIGITS] for place in range(0, 48, DIGITS)))


def spellings(secret: Secret) -> Spellings:
    """Both forms. `recovery.redact` masks either in everything else that the program says."""
    dashed = secret.reveal()
    return Spellings(dashed.replace("-", ""), dashed)


def key_id_of(text: str) -> str:
    """A whole key id as it is stored. Raises `UsageError`."""
    found = _bare_id(text)
    if not _ID.fullmatch(found):
        raise UsageError(f"{_shown(text)} is not a recovery key id: {_EXPECTED}")
    return found


def id_or_beginning(text: str) -> str:
    """A key id, or at least its first eight characters, which older screens show. Raises `UsageError`."""
    found = _bare_id(text)
    if not _PREFIX.fullmatch(found):
        raise UsageError(f"{_shown(text)} is not a recovery key id: {_EXPECTED}")
    return found


_EXPECTED = (
    "expected what the machine's screen shows, like 05A73B04-91CC-4183-9F71-6C2C52B4DC53, "
    "or its first eight characters"
)


def _holds(group: str) -> bool:
    return int(group) % _DIVISOR == 0 and int(group) <= LARGEST


def _bare_id(text: str) -> str:
    return text.strip().strip("{}").upper()


def _shown(text: str) -> str:
    """A name for what was given, which may have been a key by mistake."""
    digits = sum(char.isdigit() for char in text)
    return (
        "that"
        if digits >= DIGITS * 2 and check(text).groups
        else repr(mask_recovery_keys(text)[:60])
    )
