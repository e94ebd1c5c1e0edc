"""Ansible's dialect of YAML: merge keys, `!vault` and `!unsafe`. Nothing is decrypted and no template evaluated."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from recovery.documents import MAX_BYTES, Document
from recovery.errors import InputError
from recovery.inventory.withheld import Vault
from recovery.yaml_loader import BoundedLoader

_VAULT_FILE = "$ANSIBLE_VAULT;"
_DEEPEST = 40
_MOST_REPEATED = 100_000
"""Values that aliases may repeat in one document: far above honest use, far below a bomb's."""

_RANGE_IN_BRACES = re.compile(r"\{[^\"']*[^\s:\[,]\[")
_HINT = '; inside {...} a text with brackets stands in quotes: {address: "10.1.1.[1-240]"}'


class _Loader(BoundedLoader):
    """The safe loader with Ansible's tags."""


_Loader.add_constructor("!vault", lambda _loader, _node: Vault())
_Loader.add_constructor("!vault-encrypted", lambda _loader, _node: Vault())
_Loader.add_constructor("!unsafe", lambda _loader, node: str(node.value))


def read_dialect(text: str, file: str) -> Document:
    """Read one document. Raises `InputError`, also for a key that stands twice, with both lines."""
    if len(text) > MAX_BYTES:
        raise InputError(f"the file is larger than {MAX_BYTES} bytes", file=file)
    builder = _Builder(file)
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            data = None if node is None else builder.build(loader, node, ())
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        hint = _HINT if _RANGE_IN_BRACES.search(_line_of(text, line)) else ""
        message = f"not YAML: {error.problem or error.context}{hint}"
        raise InputError(message, file=file, line=line) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"not YAML: {error}", file=file) from None
    return Document(data, file, builder.lines)


def read_variables(file: Path) -> dict[str, Any] | None:
    """A file of variables; None when ansible-vault has encrypted it. Raises `InputError`."""
    try:
        raw = file.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=str(file)) from None
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 text from byte {error.start} on", file=str(file)) from None
    if text.startswith(_VAULT_FILE):
        return None
    document = read_dialect(text, str(file))
    if document.data is None:
        return {}
    if not isinstance(document.data, dict):
        raise document.error("a file of variables is a mapping of names to values")
    return document.data


def _line_of(text: str, number: int) -> str:
    lines = text.split("\n", number)
    return lines[number - 1] if 0 < number <= len(lines) else ""


class _Builder:
    """Makes plain data of YAML nodes and notes the lines of keys."""

    def __init__(self, file: str) -> None:
        self.lines: dict[tuple[str | int, ...], int] = {}
        self._file = file
        self.lines[()] = 1
        self._seen: set[int] = set()
        self._repeating = 0
        self._repeated = 0

    def build(self, loader: Any, node: Any, path: tuple[str | int, ...]) -> Any:
        line = node.start_mark.line + 1
        if len(path) > _DEEPEST:
            raise self._error(f"nested more than {_DEEPEST} deep", line)
        again = id(node) in self._seen
        self._repeating += again
        self._repeated += self._repeating > 0
        if self._repeated > _MOST_REPEATED:
            raise self._error(f"aliases repeat more than {_MOST_REPEATED} values", line)
        try:
            return self._value(loader, node, path, again=again)
        finally:
            self._repeating -= again

    def _value(self, loader: Any, node: Any, path: tuple[str | int, ...], *, again: bool) -> Any:
        if isinstance(node, yaml.ScalarNode):
            try:
                return loader.construct_object(node)
            except ValueError as error:
                message = (
                    f"{node.value[:60]!r} is not a value ({error}); put it in quotes if it is text"
                )
                raise self._error(message, node.start_mark.line + 1) from None
        self._seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return [
                self.build(loader, each, (*path, place)) for place, each in enumerate(node.value)
            ]
        if not again:
            # Later, merged keys stand among its own, and twins are as they should be.
            self._refuse_twins(node)
        return self._mapping(loader, node, path)

    def _mapping(self, loader: Any, node: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
        loader.flatten_mapping(node)
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error("a key has to be a plain word", key_node.start_mark.line + 1)
            key = str(key_node.value)
            place = (*path, key)
            built[key] = self.build(loader, value_node, place)
            self.lines[place] = key_node.start_mark.line + 1
        return built

    def _refuse_twins(self, node: Any) -> None:
        first: dict[str, int] = {}
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode) and key_node.tag != "tag:yaml.org,2002:merge":
                line = key_node.start_mark.line + 1
                before = first.setdefault(key_node.value, line)
                if before != line:
                    message = f"{key_node.value!r} stands here twice, first on line {before}"
                    raise self._error(message, line)

    def _error(self, message: str, line: int) -> InputError:
        return InputError(message, file=self._file, line=line)
