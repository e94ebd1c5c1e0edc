"""From the text or the nodes of a query to a function of a host."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from typing_extensions import override

from recovery.documents import duration
from recovery.errors import QueryError
from recovery.inventory.checking import check_values, is_all
from recovery.inventory.fields import (
    FIELDS,
    Field,
    HostFacts,
    Known,
    Subject,
    field_of,
    text_of,
)
from recovery.inventory.patterns import Matcher, is_pattern, matcher, nearest
from recovery.inventory.syntax import (
    Comparison,
    Either,
    Every,
    Named,
    Node,
    Not,
    Value,
    Within,
    leaves,
    query_error,
    read,
    show,
)
from recovery.model.host import Fleet, Host

Check = Callable[[Host, HostFacts, Fleet, "datetime | None"], bool]

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NEVER = "never"


class Compiler:
    """Makes one function of a query's nodes. Raises `QueryError` for names and values that no fleet can have."""

    def __init__(self, text: str) -> None:
        """`text` is shown in errors."""
        self._text = text

    def compile(self, node: Node) -> Check:
        """The function of `node`."""
        match node:
            case Not(inner):
                check = self.compile(inner)
                return lambda host, facts, fleet, now: not check(host, facts, fleet, now)
            case Every(parts):
                return _every([self.compile(part) for part in parts])
            case Either(parts):
                return _either([self.compile(part) for part in parts])
            case Named(value):
                return self._named(value)
            case Within(name, values, column):
                field = self._field(name, column)
                return self._equal(
                    field, self._any_of([self._word(name, field, value) for value in values])
                )
            case Comparison():
                return self._test(node)

    def _named(self, value: Value) -> Check:
        matches = self._matcher(value)
        if is_pattern(value):
            return lambda host, _facts, _fleet, _now: (
                matches(host.name) or any(map(matches, host.groups))
            )
        name = value.text
        every = is_all(value)
        return lambda host, _facts, _fleet, _now: every or host.name == name or name in host.groups

    def _test(self, test: Comparison) -> Check:
        field = self._field(test.field, test.column)
        if field.sort == "age":
            return self._age(test, field)
        if test.operator not in ("=", "!="):
            return self._ordered(test, field)
        check = self._equal(field, self._word(test.field, field, test.value))
        if test.operator == "=":
            return check
        return lambda host, facts, fleet, now: not check(host, facts, fleet, now)

    def _equal(self, field: Field, matches: Callable[[Any], bool]) -> Check:
        get = field.get

        def check(host: Host, facts: HostFacts, fleet: Fleet, _now: datetime | None) -> bool:
            found = get(host, facts, fleet)
            if isinstance(found, tuple | list):
                return any(map(matches, found))
            return matches(found)

        return check

    def _any_of(self, matchers: list[Callable[[Any], bool]]) -> Callable[[Any], bool]:
        return lambda found: any(matches(found) for matches in matchers)

    def _word(self, name: str, field: Field, value: Value) -> Callable[[Any], bool]:
        """Whether what a field holds is `value`."""
        if field.sort == "age":
            raise self._error(
                f"{name} is an age: compare it with <, <=, > or >=, or with = never", value.column
            )
        if field.sort == "number" and not is_pattern(value):
            wanted = self._number(name, value)
            return lambda found: bool(found == wanted)
        matches = self._matcher(value)
        if field.choices and not any(map(matches, field.choices)):
            message = f"{name} is never {value.text!r}{nearest(value.text, field.choices)}"
            raise self._error(message, value.column)
        if field.sort in ("text", "name", "choice", "many"):
            return matches
        return lambda found: matches(text_of(found))

    def _ordered(self, test: Comparison, field: Field) -> Check:
        if field.sort not in ("number", "variable"):
            raise self._error(f"{test.field} has no order: compare it with = or !=", test.column)
        compare, limit, get = (
            _COMPARE[test.operator],
            self._number(test.field, test.value),
            field.get,
        )

        def check(host: Host, facts: HostFacts, fleet: Fleet, _now: datetime | None) -> bool:
            found = _as_number(get(host, facts, fleet))
            return found is not None and compare(found, limit)

        return check

    def _age(self, test: Comparison, field: Field) -> Check:
        get = field.get
        if test.value.text == _NEVER and test.operator in ("=", "!="):
            seen = test.operator == "!="
            return lambda host, facts, fleet, _now: (get(host, facts, fleet) is not None) is seen
        if test.operator in ("=", "!="):
            self._word(test.field, field, test.value)
        compare, limit = _COMPARE[test.operator], self._duration(test)

        def check(host: Host, facts: HostFacts, fleet: Fleet, now: datetime | None) -> bool:
            # What was never seen is older than any age.
            at = get(host, facts, fleet)
            age = float("inf") if at is None or now is None else (now - at).total_seconds()
            return compare(age, limit)

        return check

    def _field(self, name: str, column: int) -> Field:
        field = field_of(name)
        if field is None:
            known = (*FIELDS, "vars.NAME")
            raise self._error(f"there is no field {name!r}{nearest(name, known)}", column)
        return field

    def _matcher(self, value: Value) -> Matcher:
        try:
            return matcher(value)
        except ValueError as error:
            raise self._error(str(error), value.column) from None

    def _number(self, name: str, value: Value) -> float:
        try:
            number = float(
                int(value.text, 16) if value.text.lower().startswith("0x") else float(value.text)
            )
        except (ValueError, OverflowError):
            number = math.nan
        # Nothing is below or above `nan`, so its opposite would hold for every host.
        if not math.isfinite(number):
            message = f"{name} is compared with a number, not {value.text!r}"
            raise self._error(message, value.column)
        return number

    def _duration(self, test: Comparison) -> float:
        try:
            return duration(test.value.text, f"the age of {test.field}")
        except ValueError as error:
            raise self._error(str(error), test.value.column) from None

    def _error(self, message: str, column: int) -> QueryError:
        return query_error(message, self._text, column)


def _every(checks: Sequence[Check]) -> Check:
    return lambda host, facts, fleet, now: all(holds(host, facts, fleet, now) for holds in checks)


def _either(checks: Sequence[Check]) -> Check:
    return lambda host, facts, fleet, now: any(holds(host, facts, fleet, now) for holds in checks)


def _as_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


class Query:
    """A query that was read: every field in it exists, and every value is one that its field can have."""

    def __init__(self, node: Node, text: str = "") -> None:
        """From nodes; `text` is what errors show, where it was written by a person. Raises `QueryError`."""
        self.node = node
        self.text = text or show(node)
        self.holds = Compiler(self.text).compile(node)
        """Whether it holds for a host, its facts, the fleet and a time."""

    def matches(self, subject: Subject) -> bool:
        """Whether it holds for the subject."""
        return self.holds(subject.host, subject.facts, subject.fleet, subject.now)

    def check(self, known: Known | Fleet) -> None:
        """Raise `QueryError`, with column and nearest name, for a name or value that nothing in the fleet has."""
        check_values(self.node, known if isinstance(known, Known) else Known(known), self.text)

    @override
    def __str__(self) -> str:
        return show(self.node)

    @override
    def __repr__(self) -> str:
        return f"Query({show(self.node)!r})"

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Query) and show(self.node) == show(other.node)

    @override
    def __hash__(self) -> int:
        return hash(show(self.node))


def parse(text: str) -> Query:
    """Read a query. Raises `QueryError` with the column of what is wrong, `InputError` for an `@file`."""
    return Query(read(text), text)


def compile_query(text: str, fleet: Fleet) -> Callable[[Host, HostFacts, datetime], bool]:
    """A function that says whether a query holds for a host of `fleet`. Raises `QueryError`.

    Fields and verdicts are checked; names and values need not occur in the fleet, since a playbook is written for
    many fleets. For the same reason it cannot read files.
    """
    node = read(text)
    for leaf in leaves(node):
        for value in leaf.values if isinstance(leaf, Within) else (leaf.value,):
            if value.form == "file":
                message = "a playbook does not read files: name a group or a tag"
                raise query_error(message, text, value.column)
    holds = Query(node, text).holds
    return lambda host, facts, now: holds(host, facts, fleet, now)
