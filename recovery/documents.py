"""Reading YAML and JSON into structs, with errors that say file, line, what was expected and the nearest known name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
import yaml

from recovery.errors import InputError, suggestion
from recovery.yaml_loader import BoundedLoader

T = TypeVar("T")
Path = tuple[str | int, ...]
Lines = Mapping[Path, int]

MAX_BYTES = 64_000_000
"""Characters of one document that are read at most."""
_MAX_DEPTH = 40
_MAX_REPEATED = 100_000
"""YAML nodes that aliases may repeat in one document: far above any honest use, far below a bomb's."""
_JSON_LINES_UP_TO = 4_000_000
"""Characters of JSON up to which lines are looked up; above it errors name the place in words alone."""
_PLAIN_TAGS = ("tag:yaml.org,2002:seq", "tag:yaml.org,2002:map")
_ELSEWHERE = "..."
"""What msgspec writes in a path in place of a mapping's key."""

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(
    r"\s*".join(rf"(?:(?P<{unit}>\d+(?:\.\d+)?)\s*{unit})?" for unit in _UNITS), re.ASCII
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_LONGEST = 1e9
_WORDS = {
    "str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list",
    "object": "a mapping", "null": "nothing", "datetime": "a time such as 2024-07-19T04:09:00Z",
}  # fmt: skip


class Document:
    """Plain data that was read from text, and the line on which each part of it stands."""

    def __init__(self, data: Any, file: str, lines: Lines | Callable[[], Lines]) -> None:
        """Hold `data`; `lines` maps paths in it to line numbers from 1, or gives that map when it is asked for."""
        self.data = data
        self.file = file
        self._lines = lines

    def line(self, path: Sequence[str | int] = ()) -> int:
        """The line of the part at `path`, or of the nearest part around it; 0 where no lines are known."""
        if callable(self._lines):
            self._lines = self._lines()
        place = tuple(path)
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 0)

    def error(self, message: str, path: Sequence[str | int] = ()) -> InputError:
        """An error about the part at `path`."""
        line = self.line(path)
        place = "" if line or not path else ".".join(map(str, path)) + ": "
        return InputError(place + message, file=self.file, line=line)

    def convert(self, kind: type[T], path: Sequence[str | int] = ()) -> T:
        """The part at `path` as a `kind`. Raises `InputError` with the line and the nearest known field."""
        part = self.data
        for step in path:
            part = part[step]
        return self.convert_part(part, kind, path)

    def convert_part(self, part: Any, kind: type[T], path: Sequence[str | int]) -> T:
        """`part`, which was derived from what stands at `path`, as a `kind`. Raises like `convert`."""
        try:
            return msgspec.convert(part, kind)
        except msgspec.ValidationError as error:
            message, inner = _explain(str(error), part, kind)
            raise self.error(message, (*path, *inner)) from None


def read_yaml(text: str, file: str) -> Document:
    """Read one YAML document. Duplicate keys, bombs of aliases and deep nesting are refused."""
    _check_size(text, file)
    lines: dict[Path, int] = {}
    try:
        loader = BoundedLoader(text)
        try:
            node = loader.get_single_node()
            data = None if node is None else _Builder(loader, file, lines).build(node, ())
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        raise InputError(
            f"not YAML: {error.problem or error.context}", file=file, line=line
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"not YAML: {error}", file=file) from None
    return Document(data, file, lines)


def read_json(text: str, file: str) -> Document:
    """Read one JSON document. Duplicate keys and deep nesting are refused."""
    _check_size(text, file)
    try:
        data = json.loads(text, object_pairs_hook=_no_twins)
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {error.msg}", file=file, line=error.lineno) from None
    except _TwinError as error:
        raise InputError(
            f"{error} stands twice in one object", file=file, line=_twin_line(text, str(error))
        ) from None
    except (RecursionError, ValueError) as error:
        raise InputError(f"not JSON that is wanted: {error}", file=file) from None
    return Document(data, file, lambda: dict(_json_places(text)))


def duration(value: str | float, what: str = "a duration") -> float:
    """Seconds from `90s`, `5m`, `8h`, `2d`, `1h30m` or a number of them. Raises `ValueError` with the form."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    seconds = float(value) if number else _seconds(str(value).strip().lower())
    if seconds is None:
        raise ValueError(
            f"{what} is written like 90s, 5m, 8h, 2d or 1h30m, not {str(value)[:60]!r}"
        )
    if not 0 <= seconds < _LONGEST:
        raise ValueError(f"{what} is at least 0 and below 30 years, not {value}")
    return seconds


def show_duration(seconds: float) -> str:
    """`seconds` in the form that `duration` reads, to the millisecond: `1h30m`, `90ms`, `0s`."""
    left = round(seconds * 1000)
    parts = []
    for unit, size in _UNITS.items():
        count, left = divmod(left, round(size * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _seconds(text: str) -> float | None:
    if _NUMBER.fullmatch(text):
        return float(text)
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        return None
    return sum(float(number) * _UNITS[unit] for unit, number in match.groupdict().items() if number)


def _check_size(text: str, file: str) -> None:
    if len(text) > MAX_BYTES:
        raise InputError(f"the file is larger than {MAX_BYTES} bytes", file=file)


class _Builder:
    """Makes plain data of YAML nodes and notes the lines."""

    def __init__(self, loader: Any, file: str, lines: dict[Path, int]) -> None:
        self._loader = loader
        self._file = file
        self._lines = lines
        self._seen: set[int] = set()
        self._repeating = 0
        self._repeated = 0

    def build(self, node: Any, path: Path) -> Any:
        line = node.start_mark.line + 1
        if len(path) > _MAX_DEPTH:
            raise self._error(f"nested more than {_MAX_DEPTH} deep", line)
        again = id(node) in self._seen
        self._repeating += again
        if self._repeating:
            self._repeated += 1
            if self._repeated > _MAX_REPEATED:
                raise self._error(f"aliases repeat more than {_MAX_REPEATED} values", line)
        self._lines[path] = line
        try:
            return self._value(node, path, line)
        finally:
            self._repeating -= again

    def _value(self, node: Any, path: Path, line: int) -> Any:
        if isinstance(node, yaml.ScalarNode):
            try:
                return self._loader.construct_object(node)
            except ValueError as error:
                message = (
                    f"{node.value[:60]!r} is not a value ({error}); put it in quotes if it is text"
                )
                raise self._error(message, line) from None
        if node.tag not in _PLAIN_TAGS:
            raise self._error(f"the tag {node.tag[:60]!r} is not for data", line)
        self._seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, place)) for place, child in enumerate(node.value)]
        return self._mapping(node, path)

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error("a key has to be a plain word", line)
            key = str(key_node.value)
            if key == "<<":
                raise self._error("merge keys (<<) are not supported: write the values out", line)
            if key in built:
                raise self._error(f"{key!r} stands here twice", line)
            built[key] = self.build(value_node, (*path, key))
            self._lines[(*path, key)] = line
        return built

    def _error(self, message: str, line: int) -> InputError:
        return InputError(message, file=self._file, line=line)


class _TwinError(Exception):
    """A key of a JSON object stands there twice."""


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) != len(pairs):
        seen: set[str] = set()
        raise _TwinError(next(repr(key) for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return built


_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|\n|[^\s{}\[\],:"]+')


def _json_places(text: str) -> Iterator[tuple[Path, int]]:
    """The path and line of each part of a sound JSON text, a key's for its value. Twins come twice."""
    if len(text) > _JSON_LINES_UP_TO:
        return
    path: list[str | int] = []
    line, naming = 1, False
    for match in _JSON_TOKEN.finditer(text):
        word = match[0]
        line += word == "\n"
        if naming and word[0] == '"':
            path[-1], naming = json.loads(word), False
            yield tuple(path), line
        elif word in "}]":
            path.pop()
            naming = False
        elif word == ",":
            naming = _to_next(path)
        elif word not in ":\n":
            if not path or isinstance(path[-1], int):
                yield tuple(path), line
            naming = _enter(path, word)


def _to_next(path: list[str | int]) -> bool:
    """Go on to the next part of a list or an object; whether a key has to follow."""
    last = path[-1]
    if isinstance(last, int):
        path[-1] = last + 1
    return isinstance(last, str)


def _enter(path: list[str | int], word: str) -> bool:
    """Go into a list or an object that opens; whether a key has to follow."""
    if word in "{[":
        path.append("" if word == "{" else 0)
    return word == "{"


def _twin_line(text: str, shown: str) -> int:
    seen: set[Path] = set()
    for path, line in _json_places(text):
        if path and repr(path[-1]) == shown and path in seen:
            return line
        seen.add(path)
    return 0


_PLACE = re.compile(r"(?P<text>.*?)(?: - at (?P<key>`key` in )?`\$(?P<path>[^`]*)`)?", re.DOTALL)
_NAMES_FIELD = re.compile(r"Object (contains unknown|missing required) field `(.+)`")


def _explain(message: str, data: Any, kind: Any) -> tuple[str, Path]:
    """Msgspec's message in the words of an operator, and the path in `data` that it is about."""
    found = _PLACE.fullmatch(message)
    text = found["text"] if found else message
    steps = _steps(found["path"] or "") if found else ()
    path, kinds = _follow(data, [kind], steps, in_key=bool(found and found["key"]))
    field = _NAMES_FIELD.fullmatch(text)
    if field and field[1].startswith("missing"):
        return f"the field {field[2]!r} is missing here", path
    if field:
        return f"there is no field {field[2]!r} here{suggestion(field[2], _fields(kinds))}", (
            *path,
            field[2],
        )
    if text.startswith("Invalid enum value "):
        value = text.removeprefix("Invalid enum value ")
        return (
            f"{value} is not possible here{suggestion(value.strip(chr(39)), _choices(kinds))}",
            path,
        )
    text = re.sub(r"`([^`]*)`", _plain, text)
    hint = "; put it in quotes" if "ted text, got" in text else ""
    return text[:1].lower() + text[1:] + hint, path


def _plain(match: re.Match[str]) -> str:
    return " or ".join(_WORDS.get(name, name) for name in match[1].split(" | "))


def _steps(text: str) -> Path:
    found: list[str | int] = []
    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", text):
        found.append(name or (_ELSEWHERE if index == _ELSEWHERE else int(index)))
    return tuple(found)


def _follow(data: Any, kinds: list[Any], steps: Path, *, in_key: bool) -> tuple[Path, list[Any]]:
    """`steps` with each unnamed key found by what does not convert, and the types that were expected at their end."""
    path: list[str | int] = []
    for step in steps:
        kinds = [below for kind in kinds for below in _below(kind, step)]
        place = _misfit(data, kinds) if step == _ELSEWHERE else step
        path.append(place)
        data = _part(data, place)
    if in_key and isinstance(data, dict):
        kinds = [get_args(kind)[0] for kind in kinds if _is_mapping(kind)]
        path.append(_misfit({key: key for key in data}, kinds))
    return tuple(path), kinds


def _misfit(data: Any, kinds: list[Any]) -> str | int:
    """The first key or place of `data` whose value is none of the `kinds`."""
    parts = data.items() if isinstance(data, dict) else enumerate(data)
    misfits = (key for key, value in parts if not any(_fits(value, kind) for kind in kinds))
    return next(misfits, _ELSEWHERE)


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _part(data: Any, step: str | int) -> Any:
    try:
        return data[step]
    except (KeyError, IndexError, TypeError):
        return None


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _is_mapping(kind: Any) -> bool:
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _below(kind: Any, step: str | int) -> Iterator[Any]:
    """The types of what stands at `step` in a `kind`."""
    for option in _options([kind]):
        if _is_struct(option):
            fields = msgspec.structs.fields(option)
            yield from (field.type for field in fields if field.encode_name == step)
        elif get_args(option):
            yield get_args(option)[1 if _is_mapping(option) else 0]


def _fields(kinds: Iterable[Any]) -> list[str]:
    """The field names of the structs among the `kinds`."""
    structs = [kind for kind in _options(kinds) if _is_struct(kind)]
    return [field.encode_name for kind in structs for field in msgspec.structs.fields(kind)]


def _choices(kinds: Iterable[Any]) -> list[str]:
    """The values of the literals among the `kinds`."""
    literals = [kind for kind in _options(kinds) if get_origin(kind) is Literal]
    return [str(value) for kind in literals for value in get_args(kind)]


def _options(kinds: Iterable[Any]) -> Iterator[Any]:
    """The `kinds` with unions and annotations taken apart."""
    for kind in kinds:
        if get_origin(kind) in (Union, UnionType):
            yield from _options(get_args(kind))
        elif get_origin(kind) is Annotated:
            yield from _options(get_args(kind)[:1])
        else:
            yield kind
