"""What can follow in a query that is being typed: fields, operators, values that the fleet has, and words between."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from recovery.errors import QueryError
from recovery.inventory.fields import FIELDS, Known, field_of
from recovery.inventory.patterns import is_pattern
from recovery.inventory.syntax import Token, Value, read_value, show_value, tokens

MOST = 50
"""Proposals that are given at once."""

_WORD = re.compile(r"""[^\s(),=<>!"']*$""")
_EQUAL = ("=", "!=", "in (", "not in (")
_ORDER = ("<", "<=", ">", ">=")
_JOINTS = ("and", "or")
_KEY_WORDS = ("and", "or", "not", "in")
_OPERATORS = ("=", "==", "!=", *_ORDER)


class Completion(msgspec.Struct, frozen=True):
    """Proposals for the word that a query ends with."""

    start: int = 0
    """Where the word begins that a proposal takes the place of."""
    options: tuple[str, ...] = ()


class _Place(msgspec.Struct, frozen=True):
    """What is expected: an `operand`, `operator`, `open` bracket, `value`, `next` of a list, or a `joint`."""

    kind: str = "operand"
    field: str = ""
    many: bool = False
    """Within the brackets of `in`."""


def complete(text: str, known: Known) -> Completion:
    """The proposals for the end of `text`, the beginning of a query; none inside of quotes."""
    match = _WORD.search(text)
    start = match.start() if match else len(text)
    word = text[start:]
    try:
        before = tokens(text[:start])
    except QueryError:
        return Completion(start)
    place = _Place()
    for token in before:
        place = _after(place, token)
    options = _starting(word, _options(place, word, known))
    return Completion(start, () if options == (word,) else options)


def _after(place: _Place, token: Token) -> _Place:
    """What is expected behind one token more."""
    word = token.text.lower() if token.kind in ("word", "op", "punct") else ""
    follows = _FOLLOWS.get((place.kind, word)) or _FOLLOWS.get((place.kind, "")) or "joint"
    if place.kind == "operand":
        return place if word in ("not", "(") else _Place("operator", token.text)
    if place.kind == "value":
        return _Place("next" if place.many else "joint", place.field, place.many)
    return _Place(follows, place.field, many=place.kind in ("open", "next"))


_FOLLOWS = {
    **{(kind, word): "operand" for kind in ("operator", "joint") for word in _JOINTS},
    **{("operator", word): "value" for word in _OPERATORS},
    ("operator", "in"): "open",
    ("operator", "not"): "operator",
    ("open", ""): "value",
    ("next", ","): "value",
}
"""What is expected behind a word, where something else was expected; a joint where nothing is said."""


def _options(place: _Place, word: str, known: Known) -> Iterable[str]:
    match place.kind:
        case "operand":
            kinds = ("group", "name") if word else ()
            names = [name for kind in kinds for name in known.starting(kind, word, MOST)]
            return [*FIELDS, "not", *map(written, names)]
        case "operator":
            return [*_operators(place.field), *_JOINTS]
        case "open":
            return ["("]
        case "value":
            return _values(place.field, word, known)
        case "next":
            return [",", ")"]
        case _:
            return _JOINTS


def _operators(name: str) -> Iterable[str]:
    field = field_of(name)
    if field is None:
        return ()
    if field.sort == "age":
        return (*_ORDER, "= never", "!= never")
    return (*_EQUAL, *_ORDER) if field.sort in ("number", "variable") else _EQUAL


def _values(name: str, word: str, known: Known) -> Iterable[str]:
    field = field_of(name)
    if field is None:
        return ()
    if field.sort == "age":
        return ("10m", "1h", "2h", "1d")
    found = field.choices or known.starting(name, word, MOST + 1)  # one of them may be empty
    return [written(value) for value in found if value]


def written(name: str) -> str:
    """A name or value as it has to be written to stand for itself and nothing else."""
    value = read_value(name)
    plain = value is not None and value == Value(name) and not is_pattern(value)
    reserved = name.lower() in _KEY_WORDS
    return name if plain and not reserved else show_value(Value(name, "text"))


def _starting(word: str, options: Iterable[str]) -> tuple[str, ...]:
    wanted = word.casefold()
    found: dict[str, None] = {}
    for option in options:
        if option.strip('"').casefold().startswith(wanted):
            found[option] = None
            if len(found) == MOST:
                break
    return tuple(found)
