"""What the forms of playbooks and incident profiles are made of."""

from __future__ import annotations

from typing import Annotated

import msgspec

from recovery.documents import Document, duration

Path = tuple[str | int, ...]

Duration = Annotated[
    str | float,
    msgspec.Meta(
        description="Seconds, or a text such as 90s, 5m, 8h, 2d, 1h30m.",
        extra_json_schema={
            "pattern": r"^\s*\d+(\.\d+)?\s*((ms|[smhd])\s*(\d+(\.\d+)?\s*(ms|[smhd])\s*)*)?$"
        },
    ),
]
ShareText = Annotated[
    str | int,
    msgspec.Meta(
        description="A number of hosts such as 5, or a percentage such as 2% or 2% of site.",
        extra_json_schema={
            "minimum": 1,
            "pattern": r"^\s*\d+(\.\d+)?\s*(%(\s+of\s+(wave|site|run))?)?\s*$",
        },
    ),
]


class Form(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A mapping of a file, which takes no other keys than its own."""


def seconds(document: Document, path: Path, value: str | float) -> float:
    """The duration that stands at `path`. Raises `InputError`."""
    try:
        return duration(value, str(path[-1]))
    except ValueError as error:
        raise document.error(str(error), path) from None
