"""Names that stand for many (`ws[001-240]`, `web[01:50:2]`, `db-[a:f]`), and many names in few words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

MOST = 1_000_000
"""So many names one text may stand for."""
MOST_TEXT = 100_000_000
"""So many characters all of these may have together."""

_BRACKETS = re.compile(r"\[([A-Za-z0-9:,\s-]*)\]")
_PART = re.compile(r"[A-Za-z0-9]*(?:[-:][A-Za-z0-9]+(?::[0-9]+)?)?")
_BOUNDS = re.compile(
    r"(?:(?P<low>[0-9]{0,18})(?:[-:](?P<high>[0-9]{1,18}))?|(?P<first>[A-Za-z])(?:[-:](?P<last>[A-Za-z]))?)"
    r"(?::(?P<step>[0-9]{1,18}))?"
)
_LAST_DIGITS = re.compile(r"(.*?)([0-9]{1,18})([^0-9]*)", re.DOTALL)

FORMS = "[001-240], [01:50:2], [1,4,7-9] or [a:f]"
"""How ranges are written, for messages."""


def has_range(text: str) -> bool:
    """Whether `text` stands for more than itself."""
    return "[" in text and any(_is_range(match[1]) for match in _BRACKETS.finditer(text))


def _is_range(inner: str) -> bool:
    return all(_PART.fullmatch(part.strip()) for part in inner.split(","))


def expand(text: str) -> list[str]:
    """The names that `text` stands for, in order: the last range runs quickest.

    Raises `ValueError` for a range that ends before it begins, mixes letters and numbers, or stands
    for more than `MOST` names.
    """
    if "[" not in text:
        return [text]
    literals, inners = _taken_apart(text)
    spans = [_spans(inner) for inner in inners]
    total = 1
    for span in spans:
        total *= sum(len(numbers) for numbers, _ in span)
        if total > MOST:
            raise ValueError(f"{text[:60]!r} stands for more than {MOST} names")
    if spans and total * len(text) > MOST_TEXT:
        raise ValueError(f"{text[:60]!r} stands for more text than names can be")
    columns: list[Sequence[str]] = []
    for place, literal in enumerate(literals):
        columns.append((literal,))
        if place < len(spans):
            columns.append([value for span in spans[place] for value in _values(span)])
    return ["".join(parts) for parts in itertools.product(*columns)]


def _taken_apart(text: str) -> tuple[list[str], list[str]]:
    """What stands outside of the ranges, and what in them."""
    literals: list[str] = []
    inners: list[str] = []
    start = 0
    for match in _BRACKETS.finditer(text):
        if _is_range(match[1]):
            literals.append(text[start : match.start()])
            inners.append(match[1])
            start = match.end()
    return [*literals, text[start:]], inners


Span = tuple[range, int]
"""Numbers with their width, or code points with the width -1."""


def _spans(inner: str) -> list[Span]:
    return [_span(part.strip()) for part in inner.split(",")]


def _span(part: str) -> Span:
    match = _BOUNDS.fullmatch(part)
    if match is None or not part:
        raise ValueError(f"[{part}] is not a range: expected something like {FORMS}")
    step = int(match["step"] or 1)
    if step < 1:
        raise ValueError(f"[{part}]: the step has to be at least 1")
    if match["first"]:
        low, high, width = ord(match["first"]), ord(match["last"] or match["first"]), -1
    else:
        # Ansible reads [:5] as [0:5].
        low_text = match["low"] or "0"
        low, high = int(low_text), int(match["high"] or low_text)
        width = len(low_text) if low_text.startswith("0") else 0
    if low > high:
        raise ValueError(f"[{part}] ends before it begins")
    if (high - low) // step >= MOST:
        raise ValueError(f"[{part}] stands for more than {MOST} names")
    return range(low, high + 1, step), width


def _values(span: Span) -> Iterator[str]:
    numbers, width = span
    if width < 0:
        return (chr(code) for code in numbers)
    return (f"{number:0{width}d}" for number in numbers) if width else map(str, numbers)


def fold(names: Iterable[str], most: int = 8) -> str:
    """Few words for many names, sorted: `db-a ws[0001-0400,0500] … and 12 more`.

    At most `most` runs are written out, so the text stays short whatever the names are. Only the last
    number of a name is folded, which keeps it linear after one sort.
    """
    words: list[str] = []
    runs = hidden = 0
    for (head, tail, _), numbers in sorted(_families(names).items()):
        shown: list[str] = []
        for run, count in _runs(numbers):
            if runs == most:
                hidden += count
                continue
            runs += 1
            shown.append(run)
        if shown:
            single = len(shown) == 1 and "-" not in shown[0]
            words.append(f"{head}{shown[0] if single else '[' + ','.join(shown) + ']'}{tail}")
    rest = [f"… and {hidden} more"] if hidden else []
    return " ".join(words + rest)


Number = tuple[int, int]
"""Width (0 without leading zeros) and value."""


def _families(names: Iterable[str]) -> dict[tuple[str, str, bool], list[Number]]:
    """Names by what stands before and after their last number, and whether there is one; else they have no numbers."""
    found: dict[tuple[str, str, bool], list[str]] = {}
    for name in set(names):
        match = _LAST_DIGITS.fullmatch(name)
        head, digits, tail = match.groups() if match else (name, "", "")
        found.setdefault((head, tail, match is not None), []).append(digits)
    return {key: _numbers(digits) for key, digits in found.items()}


def _numbers(texts: list[str]) -> list[Number]:
    """Sorted; `10` counts as of width two where `09` stands beside it."""
    padded = {len(text) for text in texts if len(text) > 1 and text[0] == "0"}
    return sorted((len(t) if len(t) in padded else 0, int(t)) for t in texts if t)


def _runs(numbers: list[Number]) -> Iterator[tuple[str, int]]:
    """Runs of following numbers as text, with how many they are."""
    if not numbers:
        yield "", 1
        return
    start = last = numbers[0]
    for number in numbers[1:]:
        if number != (last[0], last[1] + 1):
            yield _run(start, last)
            start = number
        last = number
    yield _run(start, last)


def _run(start: Number, last: Number) -> tuple[str, int]:
    width, low = start
    first = f"{low:0{width}d}" if width else str(low)
    if start == last:
        return first, 1
    high = f"{last[1]:0{width}d}" if width else str(last[1])
    return f"{first}-{high}", last[1] - low + 1
