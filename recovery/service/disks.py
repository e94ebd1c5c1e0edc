"""The remedy on the disk of a machine that is off: written down before it is carried out, and after it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from recovery.disk.fixing import Fixed
from recovery.errors import InputError, UnsupportedError
from recovery.journal.lease import take_alone
from recovery.journal.log import Log
from recovery.model.events import DiskFinished, DiskIntended, DiskOutcome
from recovery.model.incident import Incident
from recovery.redact import scrub
from recovery.service.examining import DiskFix, fix_disk
from recovery.worlds import SystemClock

_LONGEST = 2000
_LOST = "nobody saw how it ended; what was moved is in the manifest on the disk, and the disk is looked at anew"
_WORST: tuple[DiskOutcome, ...] = ("refused", "ok", "already", "nothing_matched")
"""What the outcomes of several systems add up to: the first of these that one of them has."""
_OUTCOMES: dict[str, DiskOutcome] = {
    "fixed": "ok",
    "undone": "ok",
    "already": "already",
    "nothing": "nothing_matched",
    "refused": "refused",
}
Found = tuple[list[Fixed], tuple[str, ...]]


class DiskOf(msgspec.Struct, frozen=True, kw_only=True):
    """Whose disk it is, as far as somebody says so."""

    host: str = ""
    by: str = ""


def written_fix(journal: str, name: str, incident: Incident, ask: DiskFix, of: DiskOf) -> Found:
    """As `fix_disk`, with the intent in the journal before it and the result behind it; looking is not written down.

    An act on the same disk that nobody saw the end of is closed first. Raises `RefusedError` while another process is
    at the disk.
    """
    if ask.check:
        return fix_disk(name, incident, SystemClock(), ask)
    disk = str(Path(name).resolve())
    intended = DiskIntended(
        at=SystemClock().now(),
        host=of.host,
        act="undo" if ask.undo else "fix",
        disk=disk,
        incident=incident.name,
        intent=ask.intent,
        by=of.by,
    )
    with take_alone(journal, "disk", disk, "worked on"), closing(Log.open(journal)) as log:
        _close_lost(log, disk)
        log.append(intended)
        try:
            found, left_out = fix_disk(name, incident, SystemClock(), ask)
        except (InputError, UnsupportedError) as error:
            log.append(_closed(intended, "failed", str(error)))
            raise
        except BaseException as error:
            log.append(_closed(intended, "interrupted", f"{type(error).__name__}: {_LOST}"))
            raise
        files = sum(len(item.moved) for item in found)
        said = "; ".join(map(_said, found))
        log.append(_closed(intended, _outcome(found), said, files))
    return found, left_out


def _closed(
    intended: DiskIntended, outcome: DiskOutcome, message: str, files: int = 0
) -> DiskFinished:
    return DiskFinished(
        at=SystemClock().now(),
        host=intended.host,
        act=intended.act,
        disk=intended.disk,
        intent=intended.intent,
        outcome=outcome,
        files=files,
        message=scrub(message)[:_LONGEST],
    )


def _close_lost(log: Log, disk: str) -> None:
    """Close acts on the disk whose process ended before they did: the lease says that nobody is at it any more."""
    lost: dict[str, DiskIntended] = {}
    for stored in log.read(kinds=("disk.intended", "disk.finished")):
        event = stored.event
        if isinstance(event, DiskIntended) and event.disk == disk:
            lost[event.intent] = event
        elif isinstance(event, DiskFinished):
            lost.pop(event.intent, None)
    log.append(*(_closed(event, "interrupted", _LOST) for event in lost.values()))


def _outcome(found: Sequence[Fixed]) -> DiskOutcome:
    outcomes = {_OUTCOMES[item.outcome] for item in found}
    return next(outcome for outcome in _WORST if outcome in outcomes)


def _said(item: Fixed) -> str:
    refused = f" ({'; '.join(item.refused)})" if item.refused else ""
    return f"{item.os} in {item.place}: {item.outcome}, {item.message}{refused}"
