"""What led to a boot, where the host's own records tell: a crash, somebody who asked for it, a held power button."""

from __future__ import annotations

from recovery.model.case import CaseFile
from recovery.model.evidence import CrashRecord, RestartRecord

SLACK = 5.0
"""Seconds by which readings of one boot's start differ."""
_SHUTTING_DOWN = 3600.0
"""Seconds from a request to the start that follows; updates are installed in between."""


def restart_behind(case: CaseFile, place: int = -1) -> RestartRecord | None:
    """The restart on record that led to the boot at `place` of the case's boots, where it is not known as a crash."""
    began, before, until = _span(case, place)
    if began is None:
        return None
    for record in reversed(case.restarts):
        asked, logged = record.restarted_at, record.logged_at
        if record.cause != "planned":
            if logged is not None and began - SLACK <= logged < until:
                return record
        elif asked is not None and max(before, began - _SHUTTING_DOWN) <= asked <= began + SLACK:
            return record
    return None


def crash_behind(case: CaseFile, crash: CrashRecord, place: int = -1) -> bool:
    """Whether a crash on record led to the boot at `place`."""
    began, before, until = _span(case, place)
    if began is None:
        return False
    if crash.logged_at is not None:
        return began - SLACK <= crash.logged_at < until
    return crash.crashed_at is not None and before < crash.crashed_at <= began + SLACK


def _span(case: CaseFile, place: int) -> tuple[float | None, float, float]:
    """When the boot began, the one before it, and the one after it, by the host's clock."""
    place = place % len(case.boots)
    times = [boot.identity.boot_time for boot in case.boots]
    before = times[place - 1] if place > 0 else None
    after = times[place + 1] if place + 1 < len(times) else None
    return (
        times[place],
        before if before is not None else float("-inf"),
        after - SLACK if after is not None else float("inf"),
    )
