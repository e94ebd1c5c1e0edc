"""Groups, hosts and variables of an Ansible inventory while it is read, and what comes of them.

Variables are merged in Ansible's default order (`VARIABLE_PRECEDENCE`): `all`, then the groups of the host by depth,
priority and name, each from the inventory; then `group_vars` for `all` and for the groups in the same order; then the
host's own, then `host_vars`. A later value replaces an earlier one as a whole. Templates stay text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from recovery.errors import InputError
from recovery.inventory.ansible_host import Notes, host_of
from recovery.inventory.ansible_yaml import read_variables
from recovery.inventory.part import Part, Place, check_number, shown
from recovery.inventory.ranges import expand

ALL, UNGROUPED = "all", "ungrouped"
_PRIORITY = "ansible_group_priority"
_EXTENSIONS = ("", ".yml", ".yaml", ".json")
_DEEPEST_FOLDER = 8


class Group(msgspec.Struct):
    """One group."""

    place: Place
    hosts: dict[str, None] = {}
    children: dict[str, Place] = {}
    vars: dict[str, Any] = {}
    priority: int = 1


class Own(msgspec.Struct):
    """What the inventory says of one host by itself."""

    place: Place
    vars: dict[str, Any]
    said: dict[tuple[str, str], Place] = {}
    """Group and variable to where it was said first, to find lines that contradict each other."""


class Tree:
    """The groups and hosts of one Ansible inventory; several files of one folder may fill it together."""

    def __init__(self, file: str, folder: Path | None) -> None:
        """`file` names the source in messages; `group_vars` and `host_vars` are looked for in `folder`."""
        self.file = file
        self.folder = folder
        start = (file, 0)
        self.groups: dict[str, Group] = {ALL: Group(start), UNGROUPED: Group(start)}
        self.hosts: dict[str, Own] = {}

    def group(self, name: str, place: Place) -> Group:
        """The group of that name; it is new when it was not mentioned before."""
        group = self.groups.get(name)
        if group is None:
            if not name or not name.isprintable() or name != name.strip():
                raise InputError(
                    f"{name[:60]!a} cannot be the name of a group", file=place[0], line=place[1]
                )
            group = self.groups[name] = Group(place)
        return group

    def set_variable(self, group: Group, name: str, value: Any, place: Place) -> None:
        """A variable of a group. Raises `InputError` for a priority that is no number."""
        if name != _PRIORITY:
            group.vars[name] = value
            return
        try:
            group.priority = int(value)
        except (TypeError, ValueError):
            message = f"{_PRIORITY} is a whole number, not {value!r}"
            raise InputError(message, file=place[0], line=place[1]) from None

    def add_hosts(self, group: str, pattern: str, values: Mapping[str, Any], place: Place) -> None:
        """The hosts of a line `PATTERN[:PORT]` in a group. Raises `InputError`."""
        members = self.group(group, place).hosts
        address, port = split_port(pattern)
        try:
            names = expand(address)
        except ValueError as error:
            raise InputError(str(error), file=place[0], line=place[1]) from None
        for name in names:
            own = self.hosts.get(name)
            if own is None:
                check_number(len(self.hosts), *place)
                own = self.hosts[name] = Own(place, {} if port is None else {"ansible_port": port})
            elif name in members and values:
                _refuse_contradiction(name, group, own, values, place)
            members[name] = None
            own.vars.update(values)
            if values:
                own.said.update({(group, key): place for key in values})

    def part(self) -> Part:
        """The hosts, with all variables merged. Raises `InputError` for a ring of groups."""
        depths = self._depths()
        order = sorted(
            (name for name in self.groups if name != ALL),
            key=lambda name: (depths[name], self.groups[name].priority, name),
        )
        merger = _Merger(self, order)
        part, notes = Part(self.file), Notes(self.file)
        for name, own in self.hosts.items():
            groups, values = merger.merged(name, own)
            part.hosts.append(host_of(name, values, groups, own.place, notes))
            part.lines.append(own.place[1])
            part.files.append(own.place[0])
        notes.both(self.groups.keys() & self.hosts.keys())
        part.warnings = [*merger.group_files.warnings, *merger.host_files.warnings, *notes.shown()]
        return part

    def _depths(self) -> dict[str, int]:
        """The longest way from `all` to each group."""
        above = dict.fromkeys(self.groups, 0)
        for group in self.groups.values():
            for child in group.children:
                above[child] += 1
        depths = {name: 0 if name == ALL else 1 for name in self.groups}
        free = [name for name, count in above.items() if count == 0]
        for name in free:
            for child in self.groups[name].children:
                depths[child] = max(depths[child], depths[name] + 1)
                above[child] -= 1
                if above[child] == 0:
                    free.append(child)
        if len(free) < len(self.groups):
            ring = sorted(self.groups.keys() - set(free))
            place = self.groups[ring[0]].place
            message = f"groups are children of each other in a ring: {', '.join(ring[:8])}"
            raise InputError(message, file=place[0], line=place[1])
        return depths


def _refuse_contradiction(
    name: str, group: str, own: Own, values: Mapping[str, Any], place: Place
) -> None:
    for key, value in values.items():
        first = own.said.get((group, key))
        if first is not None and own.vars.get(key) != value:
            message = (
                f"host {name!r} stands in group {group!r} twice with another {key}, "
                f"first in {shown(first)}: keep one of the two"
            )
            raise InputError(message, file=place[0], line=place[1])


_BRACKETED_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\]:([0-9]{1,5})")
_PORT = re.compile(r"((?:[^:\[\]]|\[[^\]]*\])+):([0-9]{1,5})")


def split_port(pattern: str) -> tuple[str, int | None]:
    """`host:22` and `[::1]:22` taken apart; colons in ranges and in bare IPv6 addresses belong to the name."""
    match = _BRACKETED_PORT.fullmatch(pattern) or _PORT.fullmatch(pattern)
    return (match[1], int(match[2])) if match else (pattern, None)


class _Merger:
    """Merges variables; hosts of the same groups share the work."""

    def __init__(self, tree: Tree, order: Sequence[str]) -> None:
        self._tree = tree
        self._order = order
        self.group_files = _VarsFolder(tree.folder, "group_vars")
        self.host_files = _VarsFolder(tree.folder, "host_vars")
        self._direct = _direct(tree)
        self._lineage = _lineage(tree)
        self._known: dict[tuple[str, ...], tuple[tuple[str, ...], dict[str, Any]]] = {}

    def merged(self, name: str, own: Own) -> tuple[tuple[str, ...], dict[str, Any]]:
        """The groups of a host, `all` and `ungrouped` left out, and its variables."""
        direct = tuple(self._direct.get(name, ()))
        found = self._known.get(direct)
        if found is None:
            found = self._known[direct] = self._of_groups(direct)
        groups, values = found
        files = self.host_files.read(name)
        return groups, {**values, **own.vars, **files} if own.vars or files else values

    def _of_groups(self, direct: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, Any]]:
        mine = set[str]().union(*(self._lineage[group] for group in direct)) - {ALL}
        mine = mine - {UNGROUPED} or {UNGROUPED}
        ordered = [ALL, *(group for group in self._order if group in mine)]
        values: dict[str, Any] = {}
        for group in ordered:
            values.update(self._tree.groups[group].vars)
        for group in ordered:
            values.update(self.group_files.read(group))
        return tuple(group for group in ordered if group not in (ALL, UNGROUPED)), values


def _direct(tree: Tree) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, group in tree.groups.items():
        for host in group.hosts:
            found.setdefault(host, []).append(name)
    return found


def _lineage(tree: Tree) -> dict[str, set[str]]:
    """Each group with all groups above it."""
    parents: dict[str, list[str]] = {name: [] for name in tree.groups}
    for name, group in tree.groups.items():
        for child in group.children:
            parents[child].append(name)
    found: dict[str, set[str]] = {}
    for name in tree.groups:
        seen, left = {name}, [name]
        while left:
            new = [above for above in parents[left.pop()] if above not in seen]
            seen.update(new)
            left += new
        found[name] = seen
    return found


class _VarsFolder:
    """A `group_vars` or `host_vars` folder; it is listed once."""

    def __init__(self, folder: Path | None, kind: str) -> None:
        self._folder = folder / kind if folder else None
        self._known: dict[str, dict[str, Any]] = {}
        self.warnings: list[str] = []
        self._entries: frozenset[str] = frozenset()
        if self._folder is not None and self._folder.is_dir():
            self._entries = frozenset(path.name for path in self._folder.iterdir())

    def read(self, name: str) -> dict[str, Any]:
        """The variables for that group or host: of a folder `NAME`, else of the first file `NAME`, `NAME.yml`, ..."""
        entry = next((name + end for end in _EXTENSIONS if name + end in self._entries), "")
        if not entry or self._folder is None:
            return {}
        if name not in self._known:
            path = self._folder / entry
            values: dict[str, Any] = {}
            for file in _files(path, 0) if path.is_dir() else [path]:
                values.update(self._variables(file))
            self._known[name] = values
        return self._known[name]

    def _variables(self, file: Path) -> dict[str, Any]:
        found = read_variables(file)
        if found is None:
            self.warnings.append(
                f"{file}: encrypted by ansible-vault, so its variables were left out"
            )
        return found or {}


def _files(folder: Path, depth: int) -> list[Path]:
    found: list[Path] = []
    if depth > _DEEPEST_FOLDER:
        raise InputError("folders are nested too deeply", file=str(folder))
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.endswith("~"):
            continue
        if path.is_dir() and not path.suffix:
            found += _files(path, depth + 1)
        elif path.is_file() and path.suffix in _EXTENSIONS:
            found.append(path)
    return found
