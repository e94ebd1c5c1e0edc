"""The systems on a disk that is mounted here."""

from __future__ import annotations

from pathlib import Path

from recovery.disk import linux, windows
from recovery.disk.finding import folders
from recovery.model.host import Os

_MOST_PLACES = 64


def systems_on(root: Path) -> list[tuple[Os, Path]]:
    """Each Windows folder, then each root of a Linux: at `root` itself, or in a folder right below it."""
    places = [root, *folders(root)][:_MOST_PLACES]
    return [
        *(("windows", folder) for folder in windows.find(root)),
        *(("linux", place) for place in places if linux.is_linux(place)),
    ]
