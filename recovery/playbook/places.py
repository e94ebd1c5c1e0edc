"""Places: parts of a profile by their dotted name, and folders on an endpoint."""

from __future__ import annotations

import re
from collections.abc import Callable

from recovery.model.host import Os

Place = Callable[[str], int]
"""Dotted name of a part to its line."""
WINDOWS_ROOTS = {
    "%windir%": r"c:\windows",
    "%systemroot%": r"c:\windows",
    "%systemdrive%": "c:",
    "%programfiles%": r"c:\program files",
    "%programfiles(x86)%": r"c:\program files (x86)",
    "%programdata%": r"c:\programdata",
    "%allusersprofile%": r"c:\programdata",
    "%public%": r"c:\users\public",
}
"""Environment names that are the same for every user, to where they usually point."""
_WINDOWS_ROOT = re.compile(
    "(?:" + "|".join(map(re.escape, WINDOWS_ROOTS)) + r"|[a-z]:)(?:\\|$)", re.IGNORECASE
)
_WINDOWS_ALIAS = re.compile(r"[. ](?:[/\\]|$)|~[0-9]|:")
"""Windows drops dots and blanks at the end of a name, gives long names a second short one (NAME~1), and takes what
follows a colon for a stream: each of them is another spelling of some folder."""


def absolute(os: Os, folder: str) -> bool:
    """Absolute, without steps upwards, in its plain spelling, and without characters that cannot be seen or read."""
    if (
        not folder.isprintable()
        or re.search(r"[*?\"<>|]", folder)
        or ".." in re.split(r"[/\\]", folder)
    ):
        return False
    if os != "windows":
        return folder.startswith("/")
    root = _WINDOWS_ROOT.match(folder)
    return root is not None and not _WINDOWS_ALIAS.search(folder, root.end())
