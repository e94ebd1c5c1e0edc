"""PyYAML's safe loader for texts that strangers wrote: bounded in what they can make it do."""

from __future__ import annotations

from typing import Any

import yaml
from typing_extensions import override

MOST_VALUES = 4_000_000
"""Keys and values of one document: several times those of 100,000 hosts. Each takes half a kilobyte."""
LONGEST_NUMBER = 200
"""Characters. YAML 1.1 reads 1:20:30 as a number of base 60, in time that grows with the square of its length."""
_NUMBERS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "timestamp"))


class BoundedLoader(yaml.CSafeLoader):
    """Refuses documents of too many values, and numbers of too many digits."""

    def __init__(self, text: str) -> None:
        """Read `text`."""
        super().__init__(text)
        self._left = MOST_VALUES

    @override
    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """Is called for each value, key and list while the document is read. Raises `yaml.YAMLError`."""
        self._left -= 1
        if self._left < 0:
            raise yaml.YAMLError(f"the document holds more than {MOST_VALUES} values")
        return super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]

    @override
    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """The value of a node. Raises `ValueError` for a number of too many digits."""
        if node.tag in _NUMBERS and len(node.value) > LONGEST_NUMBER:
            raise ValueError(f"it has more than {LONGEST_NUMBER} digits")
        return super().construct_object(node, deep)
