"""Live secrets are known here, so that no text that leaves the program carries one, in whatever encoding."""

from __future__ import annotations

import base64
import functools
import json
import logging
import re
import urllib.parse
from collections.abc import Collection, Iterator
from typing import Any, TypeVar, cast, get_origin

import msgspec

from recovery.model.secret import Secret

T = TypeVar("T", bound=msgspec.Struct)

MASK = "***"

_DIGEST = re.compile("[0-9a-f]{24}|[0-9a-f]{64}")
"""Ids of acts and hashes of files. A short secret may stand in one by chance, and they have to stay what they are."""

_RECOVERY_KEY = re.compile(r"(?<!\d)\d{6}(?:[\s\u2010-\u2015_.:,;/-]{0,3}\d{6}){7}(?!\d)")
"""48 digits in groups, however they are separated; BitLocker's groups are divisible by 11, and at most 720,885."""
_LARGEST_GROUP = 720_885

_SHORTEST = 4
"""Characters; masking shorter secrets would eat ordinary words."""

_ODD_BYTES = "surrogateescape"
"""How Python holds bytes of the environment that are not UTF-8."""

_IN_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})


class Redactor:
    """A set of live secrets, and the masking of text by it."""

    def __init__(self) -> None:
        self._forms: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None

    @property
    def armed(self) -> bool:
        """Whether it knows any secret."""
        return self._pattern is not None

    def register(self, secret: Secret) -> Secret:
        """Remember the secret in every form in which it may turn up, and return it.

        One of fewer than 4 characters is not masked.
        """
        text = secret.reveal()
        if len(text) >= _SHORTEST and text not in self._forms:
            self._forms |= {form for form in _forms(text) if len(form) >= _SHORTEST}
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        return secret

    def scrub(self, text: str) -> str:
        """The text with every registered secret masked: plain, escaped, hex, and base64 of UTF-8 and UTF-16."""
        pattern = self._pattern
        return text if pattern is None else pattern.sub(MASK, text)


def _forms(text: str) -> Iterator[str]:
    yield text
    yield repr(text)[1:-1]
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield urllib.parse.quote(text, safe="", errors=_ODD_BYTES)
    yield urllib.parse.quote_plus(text, errors=_ODD_BYTES)
    yield text.translate(_IN_XML)
    yield text.replace("'", "''")  # in PowerShell's single quotes
    yield text.replace("'", "'\\''")  # in sh's single quotes
    # Lines of a secret of several, such as a private key, may turn up one by one.
    yield from (line.strip() for line in text.splitlines() if len(line.strip()) >= 4 * _SHORTEST)
    yield from _encoded(text.encode("utf-8", _ODD_BYTES))
    for order in ("le", "be"):
        yield from _encoded(text.encode(f"utf-16-{order}", "surrogatepass"))


def _encoded(raw: bytes) -> Iterator[str]:
    yield raw.hex()
    yield raw.hex().upper()
    for shift in range(3):
        # Base64 works on groups of 3 bytes. Of the text around the secret only the group's place is not known, so the
        # characters that hold bits of the secret alone are the same in all texts with that place.
        whole = base64.b64encode(bytes(shift) + raw).decode()
        core = whole[-(-8 * shift // 6) : 8 * (shift + len(raw)) // 6]
        yield core
        yield core.replace("+", "-").replace("/", "_")


class _Fields:
    """Which fields of a struct may carry text from outside: not those whose words are ours."""

    def __init__(self, kind: type[msgspec.Struct]) -> None:
        self.names = tuple(
            field.name
            for field in msgspec.structs.fields(kind)
            if field.type is str or get_origin(field.type) in (tuple, dict, list)
        )


_live = Redactor()
_fields = functools.cache(_Fields)


def register(secret: Secret) -> Secret:
    """Remember the secret for `scrub` for as long as the process lives, and return it."""
    return _live.register(secret)


def scrub(text: str) -> str:
    """The text with every secret of this process masked, and every BitLocker recovery key."""
    return _live.scrub(mask_recovery_keys(text))


def mask_recovery_keys(text: str) -> str:
    """The text without the recovery keys in it, which are told by their form: there are too many to know each."""
    return _RECOVERY_KEY.sub(_masked_key, text)


def _masked_key(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match.group())
    groups = [int(digits[place : place + 6]) for place in range(0, len(digits), 6)]
    is_key = all(group % 11 == 0 and group <= _LARGEST_GROUP for group in groups)
    return MASK if is_key else match.group()


def scrub_all(value: T, keep: Collection[str] = ()) -> T:
    """The struct with every secret masked in its texts, and in those of the structs in it.

    Fields of a few fixed words stay, as do those named in `keep` (of this struct alone) and digests.
    """
    return cast("T", _scrubbed(value, keep)) if _live.armed else value


def _scrubbed(value: Any, keep: Collection[str] = ()) -> Any:
    if isinstance(value, str):
        return value if _DIGEST.fullmatch(value) else _live.scrub(value)
    if isinstance(value, msgspec.Struct):
        old = {
            name: getattr(value, name) for name in _fields(type(value)).names if name not in keep
        }
        new = {name: part for name, item in old.items() if (part := _scrubbed(item)) != item}
        return msgspec.structs.replace(value, **new) if new else value
    if isinstance(value, tuple | list):
        return type(value)(_scrubbed(item) for item in value)
    if isinstance(value, dict):
        return {key: _scrubbed(item) for key, item in value.items()}
    return value


class ScrubFilter(logging.Filter):
    """Masks secrets in log records, with their tracebacks; belongs on a handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask, and let the record pass."""
        record.msg, record.args = scrub(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = scrub(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        if record.stack_info:
            record.stack_info = scrub(record.stack_info)
        return True
