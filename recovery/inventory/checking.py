"""Whether the names and values of a query occur in a fleet: a typo is an error, not an empty answer."""

from __future__ import annotations

from recovery.inventory.fields import Known, field_of
from recovery.inventory.patterns import is_pattern, matcher, nearest, read_names
from recovery.inventory.ranges import expand, has_range
from recovery.inventory.syntax import (
    Comparison,
    Named,
    Node,
    Value,
    Within,
    leaves,
    query_error,
    show_value,
)


def check_values(node: Node, known: Known, text: str) -> None:
    """Raise `QueryError` for a name or value in the query that matches nothing in the fleet."""
    for leaf in leaves(node):
        match leaf:
            case Named(value):
                _check_name(value, known, text)
            case Within(name, values, column):
                _check_variable(name, column, known, text)
                for value in values:
                    _check_value(name, value, known, text)
            case Comparison(name, operator, value, column):
                _check_variable(name, column, known, text)
                if operator in ("=", "!="):
                    _check_value(name, value, known, text)


def _check_name(value: Value, known: Known, text: str) -> None:
    names = known.hosts | known.groups
    listed = _listed(value)
    if listed is not None:
        _check_listed(listed, names, value, text)
    elif not is_all(value) and not any(map(matcher(value), names)):
        near = "" if is_pattern(value) else nearest(value.text, names)
        message = f"no host or group is named {show_value(value)}{near}"
        raise query_error(message, text, value.column)
    elif not is_pattern(value) and value.text in known.hosts and value.text in known.groups:
        message = (
            f"{value.text!r} is a host and a group: say name={value.text} or group={value.text}"
        )
        raise query_error(message, text, value.column)


def is_all(value: Value) -> bool:
    """Whether it is Ansible's name for every host."""
    return value.text == "all" and value.form == "word"


def _listed(value: Value) -> list[str] | None:
    """The names that the value lists one by one; None for names and patterns."""
    if value.form == "file":
        return read_names(value.text)
    if value.form == "word" and has_range(value.text) and not set(value.text) & {"*", "?"}:
        return expand(value.text)
    return None


def _check_listed(listed: list[str], names: frozenset[str], value: Value, text: str) -> None:
    missing = [name for name in listed if name not in names]
    if missing:
        more = f" (and {len(missing) - 1} more of {show_value(value)})" if len(listed) > 1 else ""
        message = f"no host or group is named {missing[0]!r}{more}{nearest(missing[0], names)}"
        raise query_error(message, text, value.column)


def _check_value(name: str, value: Value, known: Known, text: str) -> None:
    field = field_of(name)
    if field is None or field.sort in ("choice", "number", "age"):
        return
    listed = _listed(value) if field.sort == "name" else None
    if listed is not None:
        _check_listed(listed, known.hosts, value, text)
        return
    values = known.values(name)
    if not any(map(matcher(value), values)):
        raise query_error(
            f"no host has {name} {value.text!r}{nearest(value.text, values)}", text, value.column
        )


def _check_variable(name: str, column: int, known: Known, text: str) -> None:
    variable = name.removeprefix("vars.")
    if variable != name and variable not in known.variables:
        message = f"no host has a variable {variable!r}{nearest(variable, known.variables)}"
        raise query_error(message, text, column)
