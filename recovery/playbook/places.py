"""Places: parts of a profile by their dotted name, and folders on an endpoint."""

from __future__ import annotations

import re
from collections.abc import Callable

from recovery.model.host import Os

Place = Callable[[str], int]
"""Dotted name of a part to its line."""


def absolute(os: Os, folder: str) -> bool:
    """Absolute, without steps upwards and without characters that a folder's name cannot have."""
    if re.search(r"[\x00-\x1f*?\"<>|]", folder) or ".." in re.split(r"[/\\]", folder):
        return False
    if os != "windows":
        return folder.startswith("/")
    return bool(re.match(r"(?:%[A-Za-z_()0-9]+%|[A-Za-z]:)(?:\\|$)", folder))
