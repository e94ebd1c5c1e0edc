"""Reading inventories: which form each source has, and the fleet that they form together."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from recovery.documents import MAX_BYTES, Document, read_yaml
from recovery.errors import InputError
from recovery.inventory.ansible_files import read_groups, read_ini, read_yaml_groups
from recovery.inventory.ansible_tree import Tree, split_port
from recovery.inventory.ansible_yaml import read_dialect
from recovery.inventory.native import (
    is_native,
    json_document,
    looks_like_lines,
    read_lines,
    read_native,
)
from recovery.inventory.part import Part, join
from recovery.inventory.ranges import expand
from recovery.inventory.script import is_script, output_of
from recovery.inventory.table import looks_like_table, read_table
from recovery.model.host import Fleet, Host

_PASSED_OVER = (
    "~", ".bak", ".cfg", ".md", ".mix.yaml", ".mix.yml", ".orig", ".pyc", ".retry", ".rpm", ".rst", ".swp", ".txt",
)  # fmt: skip
_FOLDERS_OF_VARIABLES = ("group_vars", "host_vars")
_DEEPEST_FOLDER = 8
_STDIN = "<stdin>"
_JSON_LIST = re.compile(r"\[\s*(?:\{|\]\s*$)")
_YAML_KEY = re.compile(r"[^=]*?:(?:\s|$)|-\s")
_NAME = re.compile(r"(?:\[[^\[\]]*\]|[^,])+")
_FORMS = {
    ".csv": "table",
    ".tsv": "table",
    ".jsonl": "lines",
    ".ndjson": "lines",
    ".ini": "ini",
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def load(sources: Sequence[str], *, stdin: TextIO | None = None) -> Fleet:
    """The fleet of all sources: files of any form, folders, scripts, `-` for standard input, `host1,host2`.

    Hosts that Ansible's forms or a list name run Linux over SSH unless they say otherwise. Raises `InputError`
    with file and line for whatever cannot be read, and for a host that is defined twice.
    """
    return load_with_warnings(sources, stdin=stdin)[0]


def load_with_warnings(
    sources: Sequence[str], *, stdin: TextIO | None = None
) -> tuple[Fleet, tuple[str, ...]]:
    """As `load`, with what an operator should know of what was read."""
    parts = [part for source in sources for part in _Source(source).read(stdin or sys.stdin)]
    warnings = [warning for part in parts for warning in part.warnings]
    return join(parts), tuple(dict.fromkeys(warnings))


class _Source:
    """One source: the Ansible files of a folder form one inventory, all else stands for itself."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._parts: list[Part] = []
        self._tree: Tree | None = None
        self._folder: Path | None = None

    def read(self, stdin: TextIO) -> list[Part]:
        path = Path(self._source)
        kind = _kind_of(path)
        if self._source == "-":
            self._read_text(_from_stdin(stdin), _STDIN, "")
        elif kind == "folder":
            self._folder = path
            self._read_folder(path, 0)
        elif kind == "file":
            self._folder = path.parent
            self._read_file(path)
        elif "," in self._source:
            self._parts.append(_read_names(self._source))
        else:
            message = (
                "there is no such file or folder; a host alone is written with a comma: `host,`"
            )
            raise InputError(message, file=self._source)
        if self._tree is not None:
            self._parts.append(self._tree.part())
        return self._parts

    def _read_folder(self, folder: Path, depth: int) -> None:
        if depth > _DEEPEST_FOLDER:
            raise InputError("folders are nested too deeply", file=str(folder))
        for path in _listed(folder):
            if path.name.startswith(".") or path.name.endswith(_PASSED_OVER):
                continue
            if not path.is_dir():
                self._read_file(path)
            elif path.name not in _FOLDERS_OF_VARIABLES:
                self._read_folder(path, depth + 1)
        if not depth and not self._parts and self._tree is None:
            raise InputError("the folder holds no inventory", file=str(folder))

    def _read_file(self, path: Path) -> None:
        file = str(path)
        if is_script(path):
            self._read_script(output_of(path), file)
            return
        try:
            with path.open("rb") as stream:
                raw = stream.read(MAX_BYTES + 1)
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", file=file) from None
        self._read_text(_bounded(_decoded(raw, file), file), file, path.suffix.lower())

    def _read_script(self, text: str, file: str) -> None:
        document = json_document(text, file)
        if isinstance(document.data, dict) and is_native(document.data):
            self._parts.append(read_native(document))
        else:
            read_groups(self._in_tree(file), document.data, file)

    def _read_text(self, text: str, file: str, suffix: str) -> None:
        form = _FORMS.get(suffix) or _form_of(text)
        if form == "table":
            self._parts.append(read_table(text, file))
        elif form == "lines":
            self._parts.append(read_lines(text, file))
        elif form == "ini":
            read_ini(self._in_tree(file), text, file)
        else:
            self._read_document(text, file, form)

    def _read_document(self, text: str, file: str, form: str) -> None:
        if form == "json" and looks_like_lines(text):
            self._parts.append(read_lines(text, file))
            return
        document = json_document(text, file) if form == "json" else _read_yaml(text, file)
        data = document.data
        if data is None:
            raise InputError("the inventory is empty: not even `hosts:` stands in it", file=file)
        if isinstance(data, list) or (isinstance(data, dict) and is_native(data)):
            self._parts.append(read_native(document))
        elif form == "json" and _is_script_output(data):
            read_groups(self._in_tree(file), data, file)
        else:
            read_yaml_groups(self._in_tree(file), document)

    def _in_tree(self, file: str) -> Tree:
        if self._tree is None:
            self._tree = Tree(file if self._source == "-" else self._source, self._folder)
        return self._tree


def _kind_of(path: Path) -> str:
    try:
        return "folder" if path.is_dir() else "file" if path.exists() else ""
    except OSError:
        # A long list of hosts is longer than a file's name may be.
        return ""


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=str(folder)) from None


def _bounded(text: str, file: str) -> str:
    if len(text) > MAX_BYTES:
        raise InputError(f"the inventory is larger than {MAX_BYTES} bytes", file=file)
    return text


def _from_stdin(stdin: TextIO) -> str:
    text = _bounded(stdin.read(MAX_BYTES + 1), _STDIN).removeprefix("\ufeff")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        # Python passes bytes that are no text on as such characters.
        line = text.count("\n", 0, error.start) + 1
        raise InputError("not UTF-8 text", file=_STDIN, line=line) from None
    return text


def _decoded(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-16" if raw.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"not UTF-8 text: byte {raw[error.start]:#04x}; save the file as UTF-8"
        raise InputError(message, file=file, line=line) from None


def _form_of(text: str) -> str:
    """The form of a text whose name does not tell it."""
    start = text.lstrip()
    if start.startswith("{") or _JSON_LIST.match(start):
        return "json"
    if looks_like_table(text):
        return "table"
    return "ini" if _looks_like_ini(text) else "yaml"


def _looks_like_ini(text: str) -> bool:
    for raw in text.split("\n"):
        line = raw.strip()
        if line and line[0] not in "#;":
            return line.startswith("[") or not (line.startswith("---") or _YAML_KEY.match(line))
    return False


def _read_yaml(text: str, file: str) -> Document:
    """The native form strictly, Ansible's in its dialect."""
    try:
        document = read_yaml(text, file)
    except InputError:
        dialect = read_dialect(text, file)
        if isinstance(dialect.data, dict) and not is_native(dialect.data):
            return dialect
        raise
    if isinstance(document.data, dict) and not is_native(document.data):
        return read_dialect(text, file)
    return document


def _is_script_output(data: Any) -> bool:
    if not isinstance(data, dict) or "_meta" in data:
        return True
    parts = [
        body.get(key)
        for body in data.values()
        if isinstance(body, dict)
        for key in ("hosts", "children")
    ]
    return any(isinstance(part, list) for part in (*data.values(), *parts))


def _read_names(source: str) -> Part:
    part = Part(source)
    try:
        for word in filter(None, map(str.strip, _NAME.findall(source))):
            address, port = split_port(word)
            for name in expand(address):
                part.add(Host(name=name, os="linux", port=port), 0)
    except ValueError as error:
        raise InputError(str(error), file=source[:60]) from None
    if not part.hosts:
        raise InputError("the list names no host", file=source)
    return part
