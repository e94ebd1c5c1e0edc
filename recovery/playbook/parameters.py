"""Parameters of incident profiles: what stands for `${name}`, and what a skeleton leaves to be filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from recovery.documents import Document
from recovery.errors import UnknownNameError, UsageError, suggestion
from recovery.model.incident import Parameter
from recovery.playbook.forms import Form, Path

PLACEHOLDER = "CHANGE_ME"
"""What a skeleton holds in the places that people have to fill in."""

_HOLE = re.compile(r"\$\{([^{}]*)\}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_LONGEST_PATTERN = 200
_LONGEST_VALUE = 128
_PLACES_SHOWN = 12


class ParameterForm(Form, kw_only=True):
    """One of `parameters`."""

    help: str
    pattern: str
    example: str


def fill_in(
    document: Document, given: Mapping[str, str] | None
) -> tuple[Mapping[str, Parameter], Mapping[str, str]]:
    """Put the `given` values where the profile names them; the parameters, and the values that were used.

    Without `given` the examples are used, to look at the profile. A value is only ever a text in its place. Raises
    `InputError` for a profile that is wrong, `UsageError` for values that are.
    """
    _check_placeholders(document)
    declared = _declared(document)
    for path, text in _texts(document.data, ()):
        for name in _HOLE.findall(text):
            if name not in declared:
                near = suggestion(name, declared)
                raise document.error(f"${{{name}}} is no parameter of this profile{near}", path)
    values = {name: one.example for name, one in declared.items()}
    if given is not None:
        values = _given(str(document.data.get("incident", "")), declared, given)
    used = {name for _, text in _texts(document.data, ()) for name in _HOLE.findall(text)}
    for name in declared.keys() - used:
        raise document.error(f"the parameter {name!r} is used nowhere", ("parameters", name))
    document.data = {
        key: part if key == "parameters" else _filled(part, values)
        for key, part in document.data.items()
    }
    return declared, values


def _declared(document: Document) -> Mapping[str, Parameter]:
    if not isinstance(document.data, dict):
        raise document.error("a profile is a mapping that begins with `incident: NAME`")
    if "parameters" not in document.data:
        return {}
    forms = document.convert(dict[str, ParameterForm], ("parameters",))
    return {name: _parameter(document, name, form) for name, form in forms.items()}


def _parameter(document: Document, name: str, form: ParameterForm) -> Parameter:
    here = ("parameters", name)
    if not _NAME.fullmatch(name):
        raise document.error("a parameter's name is made of a-z, 0-9 and _, up to 32", here)
    try:
        rule = re.compile(form.pattern)
    except re.error as error:
        message = f"the pattern is no regular expression: {error}"
        raise document.error(message, (*here, "pattern")) from None
    if len(form.pattern) > _LONGEST_PATTERN:
        message = f"the pattern is longer than {_LONGEST_PATTERN} characters"
        raise document.error(message, (*here, "pattern"))
    if not rule.fullmatch(form.example) or not _plain(form.example):
        message = f"the example {form.example!r} does not match the pattern {form.pattern!r}"
        raise document.error(message, (*here, "example"))
    return Parameter(help=form.help, pattern=form.pattern, example=form.example)


def _given(
    incident: str, declared: Mapping[str, Parameter], given: Mapping[str, str]
) -> dict[str, str]:
    for name in given.keys() - declared.keys():
        if not declared:
            raise UsageError(f"--param {name}: {incident} has no parameters")
        raise UnknownNameError(f"parameter of {incident}", name, declared)
    for name, one in declared.items():
        if name not in given:
            raise UsageError(
                f"{incident} needs a parameter: --param {name}=VALUE ({one.help}; such as {one.example})"
            )
        value = given[name]
        if not _plain(value) or not re.fullmatch(one.pattern, value):
            raise UsageError(
                f"--param {name}={value[:_LONGEST_VALUE]}: {one.help}, such as {one.example}; "
                f"it has to match {one.pattern}"
            )
    return dict(given)


def _plain(value: str) -> bool:
    return 0 < len(value) <= _LONGEST_VALUE and value.isprintable() and "${" not in value


def _filled(part: Any, values: Mapping[str, str]) -> Any:
    if isinstance(part, str):
        return _HOLE.sub(lambda hole: values[hole[1]], part)
    if isinstance(part, dict):
        return {key: _filled(value, values) for key, value in part.items()}
    if isinstance(part, list):
        return [_filled(value, values) for value in part]
    return part


def _texts(part: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Every text outside of the parameters' own section, with its place."""
    if isinstance(part, str):
        yield path, part
    elif isinstance(part, dict):
        for key, value in part.items():
            if path or key != "parameters":
                yield from _texts(value, (*path, key))
    elif isinstance(part, list):
        for place, value in enumerate(part):
            yield from _texts(value, (*path, place))


def _check_placeholders(document: Document) -> None:
    left = [path for path, text in _texts(document.data, ()) if PLACEHOLDER in text]
    if not left:
        return
    shown = "".join(
        f"\n  line {document.line(path)}: {'.'.join(map(str, path))}"
        for path in left[:_PLACES_SHOWN]
    )
    more = f"\n  and {len(left) - _PLACES_SHOWN} more" if len(left) > _PLACES_SHOWN else ""
    places = "one place is" if len(left) == 1 else f"{len(left)} places are"
    message = f"{places} still to be filled in, where it says {PLACEHOLDER}:{shown}{more}"
    raise document.error(message, left[0])
