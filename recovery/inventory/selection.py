"""Choosing the hosts of a run. Every limit narrows, none widens, and an empty choice is an error of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from recovery.errors import EmptySelectionError, QueryError
from recovery.inventory.fields import NO_FACTS, HostFacts, Known
from recovery.inventory.matching import Query, parse
from recovery.inventory.patterns import is_pattern
from recovery.inventory.syntax import (
    Comparison,
    Either,
    Every,
    Named,
    Node,
    Not,
    Value,
    Within,
    query_error,
    read_value,
)
from recovery.model.host import Fleet

_MARKS = frozenset(",:!&")


def select(
    fleet: Fleet,
    limit: Sequence[str] = (),
    facts: Mapping[str, HostFacts] | None = None,
    now: datetime | None = None,
    *,
    where: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> Fleet:
    """The hosts for which each of `where` and `limit` holds and none of `exclude`, in the inventory's order.

    `where` are queries; `limit` and `exclude` are queries or Ansible's patterns (`a:b`, `a:!b`, `a:&b`, `a,b`).
    `facts` by host name and `now` are what queries about verdicts and ages look at. Raises `QueryError` for
    an empty text or for what matches nothing, and `EmptySelectionError` when no host is left.
    """
    if not fleet.hosts:
        raise EmptySelectionError("the inventory holds no host: nothing was done")
    known = Known(fleet)
    queries = [
        *(parse(text) for text in where),
        *(limit_query(text, known) for text in limit),
        *(_opposite(limit_query(text, known)) for text in exclude),
    ]
    for query in queries:
        query.check(known)
    chosen = _narrowed(fleet, queries, facts or {}, now)
    if not chosen.hosts:
        raise EmptySelectionError(_why_empty(fleet, queries, facts or {}, now))
    return chosen


def _opposite(query: Query) -> Query:
    return Query(Not(query.node), query.text)


def _narrowed(
    fleet: Fleet, queries: Iterable[Query], facts: Mapping[str, HostFacts], now: datetime | None
) -> Fleet:
    hosts = fleet.hosts
    for query in queries:
        holds = query.holds
        hosts = tuple(
            host for host in hosts if holds(host, facts.get(host.name, NO_FACTS), fleet, now)
        )
    if len(hosts) == len(fleet.hosts):
        return fleet
    kept = frozenset(host.name for host in hosts)
    return fleet.where(lambda host: host.name in kept)


def _why_empty(
    fleet: Fleet, queries: Sequence[Query], facts: Mapping[str, HostFacts], now: datetime | None
) -> str:
    total = len(fleet.hosts)
    alone = (
        f"`{query}` alone: {len(_narrowed(fleet, [query], facts, now).hosts)}"
        for query in queries[:8]
    )
    return f"no host of {total} is left by the selection, so nothing was done ({'; '.join(alone)})"


def limit_query(text: str, known: Known) -> Query:
    """A limit as a query: the name of a host or group, Ansible's pattern syntax, or the query language."""
    if not text.strip():
        raise QueryError("the limit is empty: leave it out, or say which hosts are meant")
    if text in known.hosts or text in known.groups:
        form = read_value(text)
        return Query(
            Named(
                form if form and form.text == text and not is_pattern(form) else Value(text, "text")
            ),
            text,
        )
    parts = _split(text)
    if parts is None:
        return parse(text)
    return Query(_pattern(parts, text), text)


def _split(text: str) -> list[tuple[int, str]] | None:
    """The parts of a pattern with their columns; None when the text is no pattern but a query or one name."""
    parts: list[tuple[int, str]] = []
    depth = start = 0
    for place, letter in enumerate(text):
        if letter in "=<>()\"'~":
            return None
        depth += (letter == "[") - (letter == "]")
        if letter in ",:" and depth == 0:
            parts.append((start, text[start:place]))
            start = place + 1
    parts.append((start, text[start:]))
    return parts if any(mark in text for mark in _MARKS) else None


def _pattern(parts: Sequence[tuple[int, str]], text: str) -> Node:
    wide: list[Node] = []
    narrow: list[Node] = []
    for column, raw in parts:
        word = raw.strip()
        at = column + len(raw) - len(raw.lstrip())
        mark = word[:1] if word[:1] in ("!", "&") else ""
        value = read_value(word.removeprefix(mark), at + len(mark))
        if value is None:
            message = "a part of this pattern names nothing: a variable that was empty?"
            raise query_error(
                message if word in ("", mark) else f"{word!r} is not one name", text, at
            )
        name = Named(value)
        if mark:
            narrow.append(Not(name) if mark == "!" else name)
        else:
            wide.append(name)
    first = [Either(tuple(wide)) if len(wide) > 1 else wide[0]] if wide else []
    every = (*first, *narrow)
    return every[0] if len(every) == 1 else Every(every)


def named_one_by_one(limits: Sequence[str], fleet: Fleet) -> frozenset[str]:
    """The hosts that the limits name by their full name: not by a pattern, group, field, file or exclusion."""
    known = Known(fleet)
    found: set[str] = set()
    for text in limits:
        found.update(_plain_names(limit_query(text, known).node))
    return frozenset(found & known.hosts)


def _plain_names(node: Node) -> Iterable[str]:
    match node:
        case Every(parts) | Either(parts):
            return [name for part in parts for name in _plain_names(part)]
        case Named(value) | Comparison("name", "=", value):
            return [] if is_pattern(value) else [value.text]
        case Within("name", values):
            return [value.text for value in values if not is_pattern(value)]
        case _:
            return []
