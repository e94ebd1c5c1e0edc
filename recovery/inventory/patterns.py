"""Values of a query as matchers: exact words, globs, folded ranges, bounded regular expressions, names in files."""

from __future__ import annotations

import fnmatch
import re
import warnings
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import msgspec

from recovery.errors import InputError, suggestion
from recovery.inventory.ranges import expand, has_range
from recovery.inventory.syntax import Value

Matcher = Callable[[str], bool]

LONGEST_REGEX = 200
LONGEST_TEXT = 255
"""Characters; no longer text is ever compared with a regular expression, it just does not match."""
LARGEST_FILE = 64_000_000
_MOST_GLOBS = 100
_REPEATS, _OPTIONS, _CHOICES = 3, 6, 3
_TOKENS = re.compile(
    r"\\(?P<escape>.)|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<open>\((?P<special>\?(?::|.)?)?)"
    r"|(?P<close>\))|(?P<or>\|)|(?P<repeat>[*+]|\{[^}]*\})|(?P<option>\?)|.",
    re.DOTALL,
)


class _Group(msgspec.Struct):
    repeats: bool = False
    chooses: bool = False


def regex(pattern: str) -> re.Pattern[str]:
    """The regular expression. Raises `ValueError` for one that could take very long.

    Python's engine goes back and tries again, so the ways in which it can are counted and bounded: few
    repetitions, none around another or around alternatives, no references back, no looking around.
    """
    if len(pattern) > LONGEST_REGEX:
        raise ValueError(f"the regular expression is longer than {LONGEST_REGEX} characters")
    try:
        with warnings.catch_warnings():
            # What a later Python is going to read in another way is refused today.
            warnings.simplefilter("error", FutureWarning)
            compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError, FutureWarning) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    _bound(pattern)
    return compiled


def _bound(pattern: str) -> None:
    counts = {"repeat": 0, "option": 0, "or": 0}
    stack = [_Group()]
    before = _Group()
    """The group that ended right before, if one did."""
    for match in _TOKENS.finditer(pattern):
        _refuse_special(match)
        kind = match.lastgroup
        if kind == "repeat" and (before.repeats or before.chooses):
            raise ValueError(
                "a repetition of something that repeats or has alternatives is refused"
            )
        if kind in ("repeat", "option") and not _exact(match):
            counts[kind] += 1
            stack[-1].repeats = True
        before = _follow(match, stack, counts)
    for kind, most, what in (
        ("repeat", _REPEATS, "*, + or {}"),
        ("option", _OPTIONS, "?"),
        ("or", _CHOICES, "(a|b)"),
    ):
        if counts[kind] > most:
            raise ValueError(
                f"a regular expression has at most {most} times {what} here: say it with a simpler one"
            )


def _follow(match: re.Match[str], stack: list[_Group], counts: dict[str, int]) -> _Group:
    """Keep the groups that are open; gives the one that `match` ends."""
    if match["open"]:
        stack.append(_Group())
    elif match["or"]:
        stack[-1].chooses = True
    elif match["close"]:
        ended = stack.pop()
        counts["or"] += ended.chooses
        stack[-1].repeats |= ended.repeats
        stack[-1].chooses |= ended.chooses
        return ended
    return _Group()


def _refuse_special(match: re.Match[str]) -> None:
    if match["special"] and match["special"] != "?:":
        raise ValueError(
            f"{match['open']} is not supported in regular expressions here, only (...) and (?:...)"
        )
    if match["escape"] and match["escape"] in "123456789":
        raise ValueError("references back to a group are not supported in regular expressions here")


def _exact(match: re.Match[str]) -> bool:
    """Whether it is `{5}`, which leaves no choice."""
    inner = (match["repeat"] or "")[1:-1]
    return inner.isdigit() and int(inner) <= LONGEST_TEXT


def is_pattern(value: Value) -> bool:
    """Whether the value can stand for several texts."""
    if value.form == "word":
        return "*" in value.text or "?" in value.text or has_range(value.text)
    return value.form != "text"


def matcher(value: Value) -> Matcher:
    """Whether a text is what the value stands for; all of it, letter for letter. Raises `ValueError`, `InputError`."""
    match value.form:
        case "regex":
            compiled = regex(value.text)
            return lambda text: len(text) <= LONGEST_TEXT and compiled.fullmatch(text) is not None
        case "file":
            return frozenset(read_names(value.text)).__contains__
        case "text":
            return value.text.__eq__
        case "word":
            return _of_word(value.text)


def _of_word(word: str) -> Matcher:
    names = expand(word)
    if not set(word) & {"*", "?"}:
        return word.__eq__ if names == [word] else frozenset(names).__contains__
    if len(names) > _MOST_GLOBS:
        raise ValueError(
            f"a glob with a range stands for at most {_MOST_GLOBS} globs, this one for {len(names)}"
        )
    return _glob(names)


def _glob(globs: list[str]) -> Matcher:
    # Translated globs hold no repetition that goes back (`.*?` is atomic), so they need no bound.
    compiled = re.compile("|".join(fnmatch.translate(each.replace("[", "[[]")) for each in globs))
    return lambda text: compiled.match(text) is not None


def read_names(path: str) -> list[str]:
    """The host names in a file: one a line, ranges too; `#` begins a comment. Raises `InputError`."""
    try:
        with Path(path).open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"cannot be read: {reason}", file=path) from None
    if len(raw) > LARGEST_FILE:
        raise InputError(f"the file is larger than {LARGEST_FILE} bytes", file=path)
    names: list[str] = []
    for number, line in enumerate(raw.decode("utf-8-sig", "replace").splitlines(), 1):
        try:
            names += expand(line.partition("#")[0].strip())
        except ValueError as error:
            raise InputError(str(error), file=path, line=number) from None
    names = [name for name in names if name]
    if not names:
        raise InputError("no host is named in this file", file=path)
    return names


def nearest(name: str, known: Iterable[str], *, most: int = 500) -> str:
    """The tail of a message that proposes a known name; looks at no more than `most` of very many."""
    names = list(known)
    same = next((each for each in names if each.casefold() == name.casefold()), None)
    if same is not None and same != name:
        return f"; did you mean {same!r}?"
    if len(names) > most:
        for length in range(len(name), 0, -1):
            near = list(islice((each for each in names if each.startswith(name[:length])), most))
            if near:
                names = near
                break
        else:
            return ""
    return suggestion(name, names)
