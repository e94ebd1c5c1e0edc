"""What the text of a screen says of it: phrases that stand on some screens only, in the languages of Windows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec
from rapidfuzz import fuzz

from recovery.model.reading import Label

_LONG, _MIDDLE = 12, 8
"""Letters of a phrase from which on misread ones are forgiven, more or fewer."""
_CLOSE, _CLOSER = 87.0, 92.0
_OWN = 4
"""Weight of a phrase that stands on no other screen."""
_IDEOGRAPH = 0x2E80
"""From this character on one says as much as two or three letters do."""
_MOST_TEXT = 6000
_CLOCK = re.compile(
    r"^\s*\d{1,2}[:.]\d{2}(?:\s*[AP]M)?\s*\n(?:.{0,3}\n)?.*\w.*\b[0-3]?\d\b.*$", re.MULTILINE
)
"""The time on a line of its own, above a date."""
_PATTERNS: tuple[tuple[str, int, re.Pattern[str]], ...] = (
    ("bugcheck", 6, re.compile(r"[*x%]{2,3}\s*st[o0]p\s*[:;.]?\s*[o0]x[0-9a-z]{6,8}", re.IGNORECASE)),
    ("bugcheck", 3, re.compile(r"\bst[o0]p\s*[:;]?\s*[o0]x[0-9a-z]{8}", re.IGNORECASE)),
    ("text_console", 3, re.compile(r"\blogin\s*:", re.IGNORECASE)),
    ("text_console", 3, re.compile(r"^\s*\[?\w+@[\w.-]+[ :][^$#]*[$#]", re.MULTILINE)),
    ("text_console", 2, re.compile(r"\[\s*OK\s*\]\s+\w+")),
    ("text_console", 2, re.compile(r"^\[\s*\d+\.\d{6}\]", re.MULTILINE)),
    ("text_console", 3, re.compile(r"^\s*(?:bash|sh|dracut|~)\S*\s?[#$]\s*$", re.MULTILINE)),
    ("text_console", 2, re.compile(r"^[A-Z]:\\[^<>|]*>", re.MULTILINE)),
    ("desktop", 3, re.compile(r"\bPS [A-Z]:\\", re.IGNORECASE)),
    ("boot_menu", 4, re.compile(r"^\s*grub(?: rescue)?>", re.MULTILINE)),
    ("boot_menu", 2, re.compile(r"PXE-[EM]\d\d")),
    ("boot_menu", 2, re.compile(r"status\s*:?\s*0xc0000\w{3}", re.IGNORECASE)),
    ("sign_in", 4, _CLOCK),
)  # fmt: skip
"""Kind, weight, and what is no phrase."""


class Kinds(msgspec.Struct, frozen=True):
    """How much of a text speaks for each kind of screen."""

    weights: Mapping[str, int]
    """By label, and by `updating`, `repairing`, `installer`, `viewer`, `no_signal`."""

    def of(self, kind: str) -> int:
        """The weight for one kind."""
        return self.weights.get(kind, 0)


def weigh(lines: Sequence[str]) -> Kinds:
    """What the lines of a screen speak for."""
    whole = "\n".join(lines)[:_MOST_TEXT]
    text = folded(whole)
    weights: dict[str, int] = {}
    for kind, weight, phrase in _anchors():
        if _holds(text, phrase):
            weights[kind] = weights.get(kind, 0) + weight
    for kind, weight, pattern in _PATTERNS:
        if pattern.search(whole):
            weights[kind] = weights.get(kind, 0) + weight
    return Kinds(weights)


def lead(lines: Sequence[str], kind: str) -> int:
    """Letters that stand before the first phrase that no screen but one of this kind has; 0 without such a phrase."""
    text = folded("\n".join(lines)[:_MOST_TEXT])
    found = (
        _place(text, phrase) for own, weight, phrase in _anchors() if own == kind and weight >= _OWN
    )
    return min((place for place in found if place is not None), default=0)


def folded(text: str) -> str:
    """Letters and digits alone, without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if letter.isalnum())


def label_of(kind: str) -> Label:
    """The label of a kind."""
    if kind in {"updating", "installer"}:
        return "unknown"
    return "blank" if kind == "no_signal" else msgspec.convert(kind, Label)


@cache
def _anchors() -> tuple[tuple[str, int, str], ...]:
    return tuple(_read(Path(__file__).with_name("anchors.tsv").read_text("utf-8").splitlines()))


def _read(rows: Iterable[str]) -> Iterable[tuple[str, int, str]]:
    for row in rows:
        if row and not row.startswith("#"):
            kind, weight, phrases = row.split("\t")
            for phrase in phrases.split("|"):
                yield kind, int(weight), folded(phrase)


def _holds(text: str, phrase: str) -> bool:
    return _place(text, phrase) is not None


def _place(text: str, phrase: str) -> int | None:
    """Where a phrase stands, a few misread letters forgiven; None where it does not."""
    exact = text.find(phrase)
    if exact >= 0:
        return exact
    length = sum(2 if ord(letter) >= _IDEOGRAPH else 1 for letter in phrase)
    if length < _MIDDLE or len(text) < len(phrase):
        return None
    close = _CLOSE if length >= _LONG else _CLOSER
    if fuzz.partial_ratio(phrase, text, score_cutoff=close) == 0:
        return None
    found = fuzz.partial_ratio_alignment(phrase, text)
    return found.dest_start if found is not None else None
