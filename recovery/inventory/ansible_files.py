"""Ansible's inventories as they are written: INI, YAML, and the JSON that scripts print for `--list`."""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from typing import Any

from recovery.documents import Document
from recovery.errors import InputError, suggestion
from recovery.inventory.ansible_tree import UNGROUPED, Own, Tree
from recovery.inventory.part import Place

_SECTION = re.compile(r"\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?")
_KINDS = ("hosts", "children", "vars")
_GROUP_NAME = re.compile(r"([^:\]\s]+)\s*(?:#.*)?")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.@/-]*", re.ASCII)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_LITERALS = frozenset({"True", "False", "None"})
_LONGEST_LITERAL = 4000


def read_ini(tree: Tree, text: str, file: str) -> None:
    """Read an INI inventory into the tree. Raises `InputError` with the line."""
    _Ini(tree, file).read(text)


class _Ini:
    """Reads one INI inventory line by line."""

    def __init__(self, tree: Tree, file: str) -> None:
        self._tree = tree
        self._file = file
        self._section, self._kind = UNGROUPED, "hosts"
        self._declared = set(tree.groups)
        self._used: dict[str, tuple[str, int]] = {}
        """Groups that were named before they are declared, with what named them and the line."""

    def read(self, text: str) -> None:
        for number, raw in enumerate(text.splitlines(), 1):
            line = raw.strip()
            if not line or line[0] in "#;":
                continue
            place = (self._file, number)
            if line.startswith("[") and self._begin(line, place):
                continue
            if self._kind == "hosts":
                self._read_hosts(line, place)
            elif self._kind == "children":
                self._read_child(line, place)
            else:
                self._read_variable(line, place)
        for name, (what, number) in self._used.items():
            if name not in self._declared:
                message = f"{what} names a group {name!r} that has no section{suggestion(name, self._declared)}"
                raise InputError(message, file=self._file, line=number)

    def _begin(self, line: str, place: Place) -> bool:
        match = _SECTION.fullmatch(line)
        if match is None:
            if line.endswith("]"):
                raise _error("expected [group], [group:children] or [group:vars]", line, place)
            return False
        name, kind = match[1], match[2] or "hosts"
        if kind not in _KINDS:
            raise _error(f"a section is of hosts, children or vars, not {kind!r}", line, place)
        self._section, self._kind = name, kind
        self._tree.group(name, place)
        if kind == "vars":
            self._used.setdefault(name, (f"[{name}:vars]", place[1]))
        else:
            self._declared.add(name)
        return True

    def _read_hosts(self, line: str, place: Place) -> None:
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise _error(f"quotes do not match ({error})", line, place) from None
        values: dict[str, Any] = {}
        for word in words[1:]:
            key, equals, value = word.partition("=")
            if not equals:
                raise _error(f"expected key=value after the host, not {word[:40]!r}", line, place)
            values[key] = literal(value)
        self._tree.add_hosts(self._section, words[0], values, place)

    def _read_child(self, line: str, place: Place) -> None:
        match = _GROUP_NAME.fullmatch(line)
        if match is None:
            raise _error("expected the name of one group", line, place)
        name = match[1]
        self._used.setdefault(name, (f"[{self._section}:children]", place[1]))
        self._tree.group(name, place)
        self._tree.groups[self._section].children[name] = place

    def _read_variable(self, line: str, place: Place) -> None:
        key, equals, value = line.partition("=")
        if not equals:
            raise _error("expected key=value", line, place)
        group = self._tree.groups[self._section]
        self._tree.set_variable(group, key.strip(), literal(value.strip()), place)


def _error(message: str, line: str, place: Place) -> InputError:
    # A line can hold a password, so of a line with variables only the host is shown.
    shown = line if "=" not in line else line.split(maxsplit=1)[0].partition("=")[0] + " ..."
    return InputError(f"{message}: {shown[:60]!a}", file=place[0], line=place[1])


def literal(text: str) -> Any:
    """A value of an INI inventory: Python's literals are what they are, all else is text, as Ansible has it."""
    if _NUMBER.fullmatch(text):
        return int(text)
    if (_WORD.fullmatch(text) and text not in _LITERALS) or len(text) > _LONGEST_LITERAL:
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _plain(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def _plain(value: Any) -> Any:
    """The literal in types that JSON has."""
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "..." if value is ... else str(value) if isinstance(value, complex) else value


def read_yaml_groups(tree: Tree, document: Document) -> None:
    """Read a YAML inventory of groups into the tree. Raises `InputError` with the line."""
    if not isinstance(document.data, dict):
        raise document.error("expected a mapping: `hosts:`, or groups as Ansible has them")
    for name, body in document.data.items():
        _read_yaml_group(tree, document, name, body, (name,))


def _read_yaml_group(
    tree: Tree, document: Document, name: str, body: Any, path: tuple[str | int, ...]
) -> None:
    tree.group(name, (document.file, document.line(path)))
    if body is None:
        return
    if not isinstance(body, dict):
        raise document.error(f"group {name!r} is a mapping with hosts, children and vars", path)
    for key in body:
        if key not in _KINDS:
            message = (
                f"group {name!r} has hosts, children and vars, not {key!r}{suggestion(key, _KINDS)}"
            )
            raise document.error(message, (*path, key))
        # In the order of the file, since a host's later variables replace its earlier ones.
        _YAML_READERS[key](tree, document, name, _mapping(document, body, key, path), path)


def _read_yaml_vars(
    tree: Tree, document: Document, name: str, values: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    for key, value in values.items():
        place = (document.file, document.line((*path, "vars", key)))
        tree.set_variable(tree.groups[name], key, value, place)


def _read_yaml_children(
    tree: Tree, document: Document, name: str, children: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    for child, body in children.items():
        place = (*path, "children", child)
        tree.groups[name].children[child] = (document.file, document.line(place))
        _read_yaml_group(tree, document, child, body, place)


def _read_yaml_hosts(
    tree: Tree, document: Document, name: str, hosts: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    for pattern, values in hosts.items():
        place = (*path, "hosts", pattern)
        if values is not None and not isinstance(values, dict):
            raise document.error(f"host {pattern!r} is a mapping of variables", place)
        tree.add_hosts(name, pattern, values or {}, (document.file, document.line(place)))


_YAML_READERS = {
    "vars": _read_yaml_vars,
    "children": _read_yaml_children,
    "hosts": _read_yaml_hosts,
}


def _mapping(
    document: Document, body: dict[str, Any], key: str, path: tuple[str | int, ...]
) -> dict[str, Any]:
    value = body.get(key)
    if value is None:
        return {}
    if isinstance(value, str):
        # One name alone, which Ansible allows.
        return {value: None}
    if not isinstance(value, dict):
        raise document.error(
            f"`{key}` is a mapping: write each name with a colon behind it", (*path, key)
        )
    return value


def read_groups(tree: Tree, data: Any, file: str) -> None:
    """What an inventory script prints for `--list`: groups with lists of hosts and children, and `_meta`."""
    if not isinstance(data, dict):
        raise InputError("expected an object of groups, as a script prints for --list", file=file)
    place = (file, 0)
    for name, body in data.items():
        if name != "_meta":
            _read_group(tree, name, {"hosts": body} if isinstance(body, list) else body, place)
    hostvars = (data.get("_meta") or {}).get("hostvars") or {}
    if not isinstance(hostvars, dict) or not all(
        isinstance(values, dict) for values in hostvars.values()
    ):
        raise InputError("_meta.hostvars is an object of hosts to variables", file=file)
    for name, values in hostvars.items():
        if name in tree.hosts:
            tree.hosts[name].vars.update(values)


def _read_group(tree: Tree, name: str, body: Any, place: Place) -> None:
    if not isinstance(body, dict):
        raise InputError(
            f"group {name!r} is an object with hosts, children and vars", file=place[0]
        )
    group = tree.group(name, place)
    hosts, children, variables = (
        body.get("hosts") or [],
        body.get("children") or [],
        body.get("vars") or {},
    )
    if (
        not isinstance(hosts, list)
        or not isinstance(children, list)
        or not isinstance(variables, dict)
    ):
        message = f"group {name!r}: hosts and children are lists of names, vars is an object"
        raise InputError(message, file=place[0])
    for key, value in variables.items():
        tree.set_variable(group, key, value, place)
    for child in map(str, children):
        tree.group(child, place)
        group.children[child] = place
    for host in map(str, hosts):
        tree.hosts.setdefault(host, Own(place, {}))
        group.hosts[host] = None
