"""How many connections the system lets one process have."""

from __future__ import annotations

import resource

_OWN = 64
"""Files that the program has open beside its connections: the journal, terminals, libraries."""


def open_files() -> int:
    """The files that this process may have open at once, RLIMIT_NOFILE."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1_000_000 if soft == resource.RLIM_INFINITY else soft


def max_sessions() -> int:
    """Sessions that may be open at once; a quarter of the files is left for looks."""
    return max(4, (open_files() - _OWN) * 3 // 4)


def max_looks() -> int:
    """Looks that may be in flight at once, at most 1000."""
    return max(2, min(1000, (open_files() - _OWN) // 5))


def max_kept() -> int:
    """Connections of looks that may wait for their sessions at once, at most 250."""
    return max(1, min(250, (open_files() - _OWN) // 20))
