"""Texts and numbers of an endpoint's making, made inert and bounded."""

from __future__ import annotations

from functools import lru_cache

from recovery import inert
from recovery.errors import ReplyError

_LONGEST_TEXT = 1000
LONGEST_WORD = 64
"""Characters of a short text that are kept."""
_EARLIEST, _LATEST = -6.2e10, 1e11
"""Seconds since 1970, in the years 5 and 5138: what lies outside is no time, and no date can be made of it."""
_LONGEST_UPTIME = 3.2e9
"""Seconds, a hundred years: what is beyond is no span that dates can be reckoned with."""


def visible(raw: bytes) -> str:
    r"""Text from an endpoint, bounded, with every control, escape and direction character made visible: `\x1b`."""
    text = raw[: 4 * _LONGEST_TEXT].decode("utf-8", "backslashreplace")
    text = inert.visible(text)
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


@lru_cache(maxsize=2048)
def text_of(encoded: str) -> str:
    """The text behind a `_hex` field, visible. Raises `ReplyError` when it is not hex."""
    try:
        return visible(bytes.fromhex(encoded))
    except ValueError:
        message = "a name in the answer is not hex"
        raise ReplyError(message) from None


def word(text: str) -> str:
    """A short text of the endpoint's making, inert."""
    text = text[:LONGEST_WORD]
    return text if text.isprintable() else visible(text.encode("utf-8", "surrogatepass"))


def span(seconds: float | None) -> float | None:
    """Seconds since a boot, where they can be so many at all."""
    return seconds if seconds is not None and 0 <= seconds <= _LONGEST_UPTIME else None


def moment(seconds: float | None) -> float | None:
    """Seconds, where they can be a time at all."""
    return seconds if seconds is not None and _EARLIEST < seconds < _LATEST else None
