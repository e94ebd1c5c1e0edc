"""Words of people on their way into the journal: one line, bounded, and never a recovery key."""

from __future__ import annotations

from collections.abc import Iterable

from recovery.errors import UsageError
from recovery.redact import mask_recovery_keys

LONGEST_NAME = 100
LONGEST_HOST = 255
LONGEST_TEXT = 500


def text(value: str, most: int = LONGEST_TEXT) -> str:
    """What somebody wrote, on one line and inert; a recovery key in it is masked."""
    line = " ".join("".join(c if c.isprintable() else " " for c in value[: most * 4]).split())
    return mask_recovery_keys(line)[:most]


def needed(value: str, what: str) -> str:
    """As `text`. Raises `UsageError` where nothing was said."""
    found = text(value)
    if not found:
        raise UsageError(f"{what} is missing: say it in a few words")
    return found


def name(value: str, what: str = "technician") -> str:
    """A person's name. Raises `UsageError`."""
    return _bounded(value, what, LONGEST_NAME)


def host(value: str) -> str:
    """A host's name. Raises `UsageError`."""
    found = _bounded(value, "host", LONGEST_HOST)
    if " " in found:
        raise UsageError(f"{found!r} is not the name of one host")
    return found


def by_case(known: Iterable[str]) -> dict[str, str]:
    """Names by their small letters, those that mean one host alone: stickers and sheets shout."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for name in known:
        small = name.casefold()
        if small in found:
            twice.add(small)
        found[small] = name
    return {small: name for small, name in found.items() if small not in twice}


def _bounded(value: str, what: str, most: int) -> str:
    found = value.strip()
    if not found:
        raise UsageError(f"which {what}? the name is empty")
    if len(found) > most or not found.isprintable():
        raise UsageError(f"the name of a {what} has at most {most} printable characters")
    if mask_recovery_keys(found) != found:
        raise UsageError(f"that is a recovery key, not the name of a {what}")
    return found
