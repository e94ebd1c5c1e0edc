"""Secrets do not belong in an inventory: here they are recognised, so that none is ever kept.

A native inventory with a secret is refused. Ansible's inventories often hold some and serve other tools too, so there
the value is left out and a warning says so. Either way the message names the variable and never the value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

ADVICE = "name a credential instead (`credential: NAME`) and define it in the settings"

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LAST_WORDS = frozenset(
    {"password", "passwd", "passphrase", "passcode", "pass", "pwd", "secret", "secrets", "token"}
)
_LAST_PAIRS = frozenset(
    {("recovery", "key"), ("private", "key"), ("api", "key"), ("secret", "key"), ("access", "key")}
)
_REFERENCE = re.compile(r"\{\{\s*[A-Za-z_]\w*(?:\.\w+|\[(?:'\w+'|\"\w+\"|\d+)\])*\s*\}\}", re.ASCII)
_TELLING = re.compile(
    r"://[^/\s:@]*:[^/\s@]+@|-----BEGIN [A-Z ]*PRIVATE KEY|\$ANSIBLE_VAULT;|\bsshpass\s+-p"
)
_DEEPEST = 40


class Vault:
    """Stands for a value that ansible-vault has encrypted."""


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether a variable of this name holds a secret: `ansible_password`, `dbPassword`, `recovery_key`."""
    words = [word.lower() for word in _WORDS.findall(name.rstrip("0123456789_"))]
    return bool(words) and (words[-1] in _LAST_WORDS or tuple(words[-2:]) in _LAST_PAIRS)


def is_secret(name: str, value: Any) -> bool:
    """Whether `value`, of the variable `name`, is a secret. A template that only names a variable is none."""
    if isinstance(value, Vault):
        return True
    if isinstance(value, str):
        if not value or _REFERENCE.fullmatch(value):
            return False
        return is_secret_name(name) or _TELLING.search(value) is not None
    return is_secret_name(name) and isinstance(value, int | float) and not isinstance(value, bool)


def find_secret(values: Mapping[str, Any]) -> str:
    """The dotted name of a secret in `values`, at any depth; empty when there is none."""
    found: list[str] = []
    _without(values, "", found, 0)
    return found[0] if found else ""


def without_secrets(values: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
    """`values` without the secrets, at any depth, and the dotted names of what was left out."""
    found: list[str] = []
    kept = _without(values, "", found, 0)
    return (kept, found) if found else (values, found)


def _without(values: Mapping[str, Any], path: str, found: list[str], depth: int) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in values.items():
        place = f"{path}{name}"
        if is_secret(str(name), value):
            found.append(place)
        else:
            kept[name] = _inside(str(name), value, place, found, depth + 1)
    return kept


def _inside(name: str, value: Any, place: str, found: list[str], depth: int) -> Any:
    if depth > _DEEPEST:
        return value
    if isinstance(value, Mapping):
        return _without(value, f"{place}.", found, depth)
    if not isinstance(value, list | tuple):
        return value
    kept = [item for item in value if not is_secret(name, item)]
    if len(kept) != len(value):
        found.append(place)
    return [_inside(name, item, place, found, depth + 1) for item in kept]
