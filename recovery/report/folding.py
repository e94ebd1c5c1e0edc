"""Replies of many hosts in few words: hosts that said the same stand together, and the others show how they differ.

Nothing is guessed at: two replies are the same when every line of them is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Literal

import msgspec

MOST_LINES = 400
"""Lines of a reply that are compared and shown; what follows counts for sameness, and is told as a number."""

Mark = Literal[" ", "-", "+"]


class Group(msgspec.Struct, frozen=True):
    """Hosts whose replies are identical."""

    reply: tuple[str, ...]
    """Lines."""
    hosts: tuple[str, ...]
    """Names, sorted."""


class Change(msgspec.Struct, frozen=True):
    """One line of a comparison with the reply of the most hosts."""

    mark: Mark
    """`-`: the most hosts say it, these do not; `+`: these say it; blank: both do."""
    text: str


def fold_replies(replies: Iterable[tuple[str, Sequence[str]]]) -> tuple[Group, ...]:
    """Groups of hosts by their reply (name and lines), the most hosts first, then by the first name.

    Every host is in exactly one group. A name that comes twice keeps its last reply.
    """
    last: Mapping[str, tuple[str, ...]] = {name: tuple(lines) for name, lines in replies}
    by_reply: dict[tuple[str, ...], list[str]] = {}
    for name, lines in last.items():
        by_reply.setdefault(lines, []).append(name)
    groups = (Group(reply, tuple(sorted(names))) for reply, names in by_reply.items())
    return tuple(sorted(groups, key=lambda group: (-len(group.hosts), group.hosts[0])))


def compare(common: Sequence[str], reply: Sequence[str]) -> tuple[Change, ...]:
    """How `reply` differs from the `common` one, line by line, in order. At most `MOST_LINES` of each are compared."""
    old, new = common[:MOST_LINES], reply[:MOST_LINES]
    changes: list[Change] = []
    for verb, low, high, from_, to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if verb == "equal":
            changes += [Change(" ", text) for text in new[from_:to]]
            continue
        changes += [Change("-", text) for text in old[low:high]]
        changes += [Change("+", text) for text in new[from_:to]]
    if len(reply) > MOST_LINES:
        changes.append(Change(" ", f"… and {len(reply) - MOST_LINES} more lines"))
    return tuple(changes)
