"""The query language as text: what is read becomes nodes, and nodes are written as text again.

    query = all { "or" all }       all = part { "and" part }       part = "not" part | "(" query ")" | test
    test  = FIELD ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) value | FIELD ["not"] "in" "(" value { "," value } ")"
          | value                  a host or group by its name

A value is a word (`ATL`, `2h`), a glob (`atl-*`), a folded range (`ws[0001-0400,0500]`), a regular expression
(`~ws[0-9]+`), the names in a file (`@file`), or a text in quotes, which stands for itself. A quote inside quotes
is doubled. Key words may be written in capitals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, cast

import msgspec

from recovery.errors import QueryError

Operator = Literal["=", "!=", "<", "<=", ">", ">="]
Form = Literal["word", "text", "regex", "file"]

LONGEST = 100_000
"""Characters of a query."""
DEEPEST = 60
"""Parentheses and `not` inside each other."""

_OPERATORS = ("=", "==", "!=", "<", "<=", ">", ">=")
_KEY_WORDS = ("and", "or", "not", "in")
_TOKEN = re.compile(
    r"""(?P<op><=|>=|!=|==|[=<>])
      | (?P<punct>[(),])
      | (?P<prefix>[~@]?)(?P<quoted>"(?:[^"]|"")*"|'(?:[^']|'')*')
      | (?P<word>(?:\[[^\[\]\s]*\]|[^\s(),=<>!"'\[\]])+)""",
    re.VERBOSE,
)

_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class Value(msgspec.Struct, frozen=True):
    """What a field is compared with, or the name of a host or group."""

    text: str
    form: Form = "word"
    """`text` stood in quotes and means itself; `regex` and `file` stand without their `~` and `@`."""
    column: int = 0


class Comparison(msgspec.Struct, frozen=True):
    """A field compared with a value."""

    field: str
    operator: Operator
    value: Value
    column: int = 0


class Within(msgspec.Struct, frozen=True):
    """A field is one of several values."""

    field: str
    values: tuple[Value, ...]
    column: int = 0


class Named(msgspec.Struct, frozen=True):
    """The host, or a group that it is in, has this name."""

    value: Value


class Not(msgspec.Struct, frozen=True):
    """The opposite."""

    inner: Node


class Every(msgspec.Struct, frozen=True):
    """All parts hold."""

    parts: tuple[Node, ...]


class Either(msgspec.Struct, frozen=True):
    """At least one part holds."""

    parts: tuple[Node, ...]


Leaf = Comparison | Within | Named
Node = Leaf | Not | Every | Either


class Token(msgspec.Struct, frozen=True):
    """One word, mark or text of a query."""

    kind: Literal["op", "punct", "word", "text", "regex", "file"]
    text: str
    column: int


def query_error(message: str, text: str, column: int) -> QueryError:
    """The error with the part of the text around `column`, in one line that holds nothing unprintable."""
    start = max(0, column - 60)
    window = text[start : column + 60]
    shown = "".join(letter if letter.isprintable() else " " for letter in window)
    return QueryError(message, text=shown, column=column - start, at=column)


def read(text: str) -> Node:
    """The query as nodes. Raises `QueryError` with the column of what is wrong."""
    if not text.strip():
        raise QueryError("the query is empty: leave it out, or say which hosts are meant")
    if len(text) > LONGEST:
        raise QueryError(
            f"the query is longer than {LONGEST} characters: put names into a file and say @file"
        )
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        message = f"the character {unprintable[0]!a} cannot stand in a query"
        raise query_error(message, text, unprintable.start())
    return _Reader(text).whole()


def tokens(text: str) -> list[Token]:
    """The words, marks and texts of a query or of its beginning. Raises `QueryError` for what is none of them."""
    return list(_tokens(text))


def read_value(text: str, column: int = 0) -> Value | None:
    """The one value that `text` consists of; None when it is none or more than one."""
    try:
        found = tokens(text)
    except QueryError:
        return None
    return (
        _value(found[0], column)
        if len(found) == 1 and found[0].kind not in ("op", "punct")
        else None
    )


def show(node: Node) -> str:
    """The query as text that reads as the same query."""
    match node:
        case Comparison(field, operator, value):
            return f"{field} {operator} {show_value(value)}"
        case Within(field, values):
            return f"{field} in ({', '.join(map(show_value, values))})"
        case Named(value):
            return show_value(value)
        case Not(inner):
            return f"not {_grouped(inner)}"
        case Every(parts):
            return " and ".join(map(_grouped, parts))
        case Either(parts):
            return " or ".join(map(_grouped, parts))


def leaves(node: Node) -> list[Leaf]:
    """The tests in a query, in order."""
    match node:
        case Not(inner):
            return leaves(inner)
        case Every(parts) | Either(parts):
            return [leaf for part in parts for leaf in leaves(part)]
        case Comparison() | Within() | Named():
            return [node]


def show_value(value: Value) -> str:
    """A value as it is written in a query."""
    quoted = '"' + value.text.replace('"', '""') + '"'
    match value.form:
        case "regex":
            return "~" + quoted
        case "file":
            return "@" + quoted
        case "text":
            return quoted
        case "word":
            return value.text


def _grouped(node: Node) -> str:
    return f"({show(node)})" if isinstance(node, Every | Either) else show(node)


def _tokens(text: str) -> Iterator[Token]:
    at, end = 0, len(text.rstrip())
    while at < end:
        if text[at].isspace():
            at += 1
        elif text[at] == "~" and text[at + 1 : at + 2] not in ('"', "'"):
            stop = _regex_end(text, at + 1)
            yield Token("regex", text[at + 1 : stop], at)
            at = stop
        else:
            match = _TOKEN.match(text, at)
            if match is None:
                raise query_error(f"{text[at]!r} was not expected here", text, at)
            yield _token(match)
            at = match.end()


def _token(match: re.Match[str]) -> Token:
    column = match.start()
    if match["quoted"] is not None:
        mark = match["quoted"][0]
        inner = match["quoted"][1:-1].replace(mark * 2, mark)
        kinds: dict[str, Literal["regex", "file", "text"]] = {"~": "regex", "@": "file", "": "text"}
        return Token(kinds[match["prefix"]], inner, column)
    if match["word"] is not None and match["word"].startswith("@"):
        return Token("file", match["word"][1:], column)
    kind = cast("Literal['op', 'punct', 'word']", match.lastgroup)
    return Token(kind, match[kind], column)


def _regex_end(text: str, start: int) -> int:
    """Where a regular expression without quotes ends: at a blank, comma or bracket that is not its own."""
    depth, at = 0, start
    while at < len(text):
        letter = text[at]
        if letter == "\\":
            at += 2
            continue
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        if depth < 0 or (depth == 0 and (letter.isspace() or letter == ",")):
            break
        at += 1
    return min(at, len(text))


def _value(token: Token, column: int | None = None) -> Value:
    form = cast("Form", token.kind)
    return Value(token.text, form, token.column if column is None else column)


class _Reader:
    """Reads tokens by recursive descent."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._either()
        if self._at < len(self._tokens):
            raise self._error(
                f"{self._peek()!r} was not expected here: join tests with `and` or `or`"
            )
        return node

    def _either(self) -> Node:
        parts = [self._every()]
        while self._take("or"):
            parts.append(self._every())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _every(self) -> Node:
        parts = [self._part()]
        while self._take("and"):
            parts.append(self._part())
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _part(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(f"nested more than {DEEPEST} deep")
        node = self._nested()
        self._depth -= 1
        return node

    def _nested(self) -> Node:
        if self._take("not"):
            return Not(self._part())
        if self._take("("):
            inner = self._either()
            self._expect(")")
            return inner
        return self._test()

    def _test(self) -> Node:
        token = self._next("a field, the name of a host or group, or `not`")
        follows = self._peek()
        if token.kind != "word" or not (follows in (*_OPERATORS, "in") or self._not_in()):
            return Named(_value(token))
        if follows in ("in", "not"):
            return self._within(token)
        self._at += 1
        value = _value(self._next(f"a value for {token.text}"))
        operator = cast("Operator", "=" if follows == "==" else follows)
        return Comparison(token.text, operator, value, token.column)

    def _not_in(self) -> bool:
        return self._peek() == "not" and self._peek(1) == "in"

    def _within(self, field: Token) -> Node:
        negated = self._take("not")
        self._expect("in")
        self._expect("(")
        values = [_value(self._next("a value"))]
        while self._take(","):
            values.append(_value(self._next("a value")))
        self._expect(")")
        node = Within(field.text, tuple(values), field.column)
        return Not(node) if negated else node

    def _peek(self, ahead: int = 0) -> str:
        """The key word, operator or mark that follows; other words as they are, texts as nothing."""
        if self._at + ahead >= len(self._tokens):
            return ""
        token = self._tokens[self._at + ahead]
        if token.kind not in ("word", "op", "punct"):
            return ""
        return token.text.lower() if token.text.lower() in _KEY_WORDS else token.text

    def _take(self, word: str) -> bool:
        taken = self._peek() == word
        self._at += taken
        return taken

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._error(f"expected {word!r}, {self._instead()}")

    def _next(self, what: str) -> Token:
        if self._at >= len(self._tokens) or self._peek() in (
            *_KEY_WORDS,
            *_OPERATORS,
            "(",
            ")",
            ",",
        ):
            raise self._error(f"expected {what}, {self._instead()}")
        self._at += 1
        return self._tokens[self._at - 1]

    def _instead(self) -> str:
        return (
            f"not {self._tokens[self._at].text!r}"
            if self._at < len(self._tokens)
            else "but the query ends"
        )

    def _error(self, message: str) -> QueryError:
        ended = self._at >= len(self._tokens)
        return query_error(
            message,
            self._text,
            len(self._text.rstrip()) if ended else self._tokens[self._at].column,
        )
