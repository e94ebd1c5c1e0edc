"""The folder rule: which files of an artifact's folder are bad, and whether the folder is.

The same rule that the scripts evaluate on endpoints, for folders that are looked at from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from recovery.model.evidence import ArtifactFile, FileState
from recovery.model.incident import Artifact


def matches(artifact: Artifact, name: str, *, case: bool) -> bool:
    """Whether a file name is of the artifact's pattern; `*` and `?` only. `case`: whether case matters."""
    parts = (re.escape(part) for part in re.split(r"([*?])", artifact.pattern))
    pattern = "".join({r"\*": ".*", r"\?": "."}.get(part, part) for part in parts)
    return re.fullmatch(pattern, name, re.DOTALL | (0 if case else re.IGNORECASE)) is not None


def state_of(artifact: Artifact, header: bytes, mtime: float) -> FileState:
    """What a regular file with these first bytes and this time (seconds since 1970, UTC) is."""
    wanted = bytes.fromhex(artifact.header)
    if not header.startswith(wanted):
        return "foreign"
    if artifact.good_from is not None and mtime >= artifact.good_from.timestamp():
        return "good"
    if artifact.bad_from is not None and mtime < artifact.bad_from.timestamp() - artifact.margin:
        return "old"
    return "bad"


def is_bad(files: Iterable[ArtifactFile]) -> bool:
    """Whether a folder with these files is bad: at least one bad file, and no good one."""
    states = {file.state for file in files}
    return "bad" in states and "good" not in states
