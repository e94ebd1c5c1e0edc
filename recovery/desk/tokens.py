"""Tokens of links, sessions, forms and media: long, random, and kept only as what they hash to."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable

Mint = Callable[[], str]
"""Gives a new token of 256 random bits, as `secrets.token_urlsafe` does."""

_FORM = re.compile(r"[A-Za-z0-9_-]{22,86}")


def digest(purpose: str, *parts: str) -> str:
    """What is kept of a token. A fast hash will do: nobody guesses 256 bits. One of another purpose never fits."""
    text = "\0".join((purpose, *parts))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def is_token(text: str) -> bool:
    """Whether it may be a token at all."""
    return _FORM.fullmatch(text) is not None


def csrf(session: str) -> str:
    """What each form of a session carries, and no other page can know."""
    return digest("csrf", session)


def same(given: str, expected: str) -> bool:
    """Compare in a time that tells nothing."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
