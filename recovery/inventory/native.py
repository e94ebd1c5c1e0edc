"""The native form in YAML and JSON: `defaults`, `sites`, `services`, `hosts`; and JSON lines, one host a line."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from recovery.documents import Document, Path, read_json
from recovery.errors import InputError, suggestion
from recovery.inventory.part import Part
from recovery.inventory.ranges import expand, has_range
from recovery.inventory.withheld import ADVICE, find_secret
from recovery.model.host import ConsoleRef, Host, Kind, Os, Service, Site

T = TypeVar("T", Site, Service)

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
SECTIONS = ("defaults", "sites", "services", "hosts")


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of a host as they are written; what is not written comes from `defaults`."""

    address: str | UnsetType = UNSET
    port: Annotated[int, Meta(ge=1, le=65535)] | UnsetType | None = UNSET
    os: Os | UnsetType = UNSET
    transport: str | UnsetType = UNSET
    credential: str | UnsetType = UNSET
    user: str | UnsetType = UNSET
    gateway: str | UnsetType = UNSET
    site: str | UnsetType = UNSET
    service: str | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    location: str | UnsetType = UNSET
    protected: bool | UnsetType = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    groups: tuple[str, ...] | UnsetType = UNSET
    console: ConsoleRef | UnsetType | None = UNSET
    vars: dict[str, Any] | UnsetType = UNSET


FIELDS = tuple(field.name for field in msgspec.structs.fields(Entry))


def is_native(data: dict[str, Any]) -> bool:
    """Whether the data is of the native form rather than of Ansible's, whose top holds groups."""
    return "hosts" in data and not any(_is_group(data[key]) for key in data if key not in SECTIONS)


def _is_group(body: Any) -> bool:
    return isinstance(body, dict) and bool(body.keys() & {"hosts", "children", "hostvars"})


def read_native(document: Document) -> Part:
    """Read the native form, or a list of hosts alone. Raises `InputError`."""
    part = Part(document.file)
    if isinstance(document.data, list):
        _read_list(document, part, document.data, Entry(), ())
        return part
    for key in document.data:
        if key not in SECTIONS:
            message = f"an inventory has no section {key!r}{suggestion(key, SECTIONS)}"
            raise document.error(message, (key,))
    part.sites = _defined(document, "site", Site, part)
    part.services = _defined(document, "service", Service, part)
    defaults = _entry(document, _section(document, "defaults"), ("defaults",))
    hosts = document.data.get("hosts")
    if isinstance(hosts, list):
        _read_list(document, part, hosts, defaults, ("hosts",))
        return part
    for name, body in _section(document, "hosts").items():
        _add(document, part, name, {} if body is None else body, defaults, ("hosts", name))
    return part


def _section(document: Document, name: str) -> dict[str, Any]:
    value = document.data.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise document.error(f"`{name}` is a mapping of names to fields", (name,))
    return value


def _defined(document: Document, what: str, kind: type[T], part: Part) -> dict[str, T]:
    section = f"{what}s"
    if document.data.get(section) is not None:
        part.defines |= {what}
    found: dict[str, T] = {}
    for name, body in _section(document, section).items():
        path = (section, name)
        found[name] = thing = document.convert_part({} if body is None else body, kind, path)
        part.defined[what, name] = document.line(path)
        _check_numbers(document, thing, path)
    return found


def _check_numbers(document: Document, thing: Site | Service, path: Path) -> None:
    if isinstance(thing, Site):
        if thing.concurrency is not None and thing.concurrency < 1:
            raise document.error(
                "`concurrency` is at least 1; leave it out for no limit", (*path, "concurrency")
            )
    elif thing.cost_per_hour < 0 or not math.isfinite(thing.cost_per_hour):
        raise document.error("`cost_per_hour` is at least 0", (*path, "cost_per_hour"))


def _read_list(
    document: Document, part: Part, hosts: list[Any], defaults: Entry, around: Path
) -> None:
    for number, body in enumerate(hosts):
        path = (*around, number)
        if not isinstance(body, dict) or not isinstance(body.get("name"), str):
            raise document.error("a host in a list is a mapping with a `name` that is text", path)
        rest = {key: value for key, value in body.items() if key != "name"}
        _add(document, part, body["name"], rest, defaults, path)


def _entry(document: Document, body: Any, path: Path) -> Entry:
    entry = document.convert_part(body, Entry, path)
    secret = find_secret(body)
    if secret:
        raise document.error(
            f"`{secret}` is a secret, which an inventory never holds: {ADVICE}",
            (*path, *secret.split(".")),
        )
    return entry


def _add(
    document: Document, part: Part, pattern: str, body: Any, defaults: Entry, path: Path
) -> None:
    fields = _merged(defaults, _entry(document, body, path))
    line = document.line(path)
    if not has_range(pattern):
        part.add(Host(name=pattern, **fields), line)
        return
    try:
        names = expand(pattern)
        running = _running(fields, pattern, len(names))
    except ValueError as error:
        raise document.error(str(error), path) from None
    for number, name in enumerate(names):
        part.add(
            Host(
                name=name, **{**fields, **{key: values[number] for key, values in running.items()}}
            ),
            line,
        )


def _merged(defaults: Entry, entry: Entry) -> dict[str, Any]:
    """The fields of a host: its own, else the defaults'; variables are merged one by one."""
    fields: dict[str, Any] = {}
    for name in FIELDS:
        own, default = getattr(entry, name), getattr(defaults, name)
        value = default if own is UNSET else own
        if name == "vars" and own is not UNSET and default is not UNSET:
            value = {**default, **own}
        if value is not UNSET:
            fields[name] = value
    return fields


def _running(fields: dict[str, Any], pattern: str, count: int) -> dict[str, list[Any]]:
    """The fields that differ from host to host of a range. Raises `ValueError` when they are not as many."""
    found: dict[str, list[Any]] = {}
    address = fields.get("address", "")
    if has_range(address):
        found["address"] = _as_many(address, "address", pattern, count)
    console: ConsoleRef | None = fields.get("console")
    if console is not None and has_range(console.address):
        addresses = _as_many(console.address, "console.address", pattern, count)
        replace = msgspec.structs.replace
        found["console"] = [replace(console, address=address) for address in addresses]
    return found


def _as_many(text: str, field: str, pattern: str, count: int) -> list[str]:
    values = expand(text)
    if len(values) != count:
        message = (
            f"{pattern!r} stands for {count} hosts, but its {field} {text!r} for {len(values)}"
        )
        raise ValueError(message)
    return values


def json_document(text: str, file: str) -> Document:
    """Read one JSON document of which all text can be kept. Raises `InputError`."""
    document = read_json(text, file)
    if _SURROGATE.search(text):
        try:
            msgspec.json.encode(document.data)
        except UnicodeEncodeError:
            message = (
                "a text holds half of a surrogate pair (\\ud800 to \\udfff), which is no character"
            )
            raise InputError(message, file=file) from None
    return document


def looks_like_lines(text: str) -> bool:
    """Whether JSON text holds one host a line rather than one document."""
    first, _, rest = text.strip().partition("\n")
    whole = first.startswith("{") and first.rstrip().endswith("}")
    return whole and (
        rest.lstrip().startswith("{") or (not rest and '"name"' in first and '"hosts"' not in first)
    )


def read_lines(text: str, file: str) -> Part:
    """JSON lines: on each line an object with a `name` and a host's fields. Raises `InputError`."""
    part = Part(file)
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            _read_line(line, part, number)
    return part


def _read_line(line: str, part: Part, number: int) -> None:
    try:
        body = json_document(line, "").data
    except InputError as error:
        raise InputError(str(error).removeprefix(":1: "), file=part.file, line=number) from None
    if not isinstance(body, dict) or not isinstance(body.get("name"), str):
        raise InputError(
            "each line is an object with a `name` that is text", file=part.file, line=number
        )
    name = body.pop("name")
    document = Document(body, part.file, {(): number})
    _add(document, part, name, body, Entry(), ())
