"""What files prove, as rows that others may rely on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from recovery.detect.evidence_file import FileEvidence, FileRecord
from recovery.model.evidence import (
    ArtifactListing,
    CrashRecord,
    Judgement,
    Progress,
    RestartRecord,
)
from recovery.model.host import Os

SCHEMA = 1
_EARLIEST, _LATEST = -62135596800.0, 253402300799.0
"""Seconds since 1970, the first and the last that a date can have."""


def file_row(file: str, found: FileEvidence) -> dict[str, Any]:
    """One file: its name, kind, records, whether some of it was lost, and what."""
    return {
        "schema": SCHEMA,
        "file": file,
        "kind": found.kind,
        "records": [_record(record) for record in found.records],
        "damaged": bool(found.problems) and found.kind != "unknown",
        "problems": list(found.problems),
        **found.details,
    }


class Found(Protocol):
    """What is asked of a system that was found on a disk."""

    @property
    def os(self) -> Os:
        """Its kind."""

    @property
    def place(self) -> str:
        """Where it stands."""

    @property
    def name(self) -> str:
        """Of the machine; may be empty."""

    @property
    def listing(self) -> ArtifactListing | None:
        """The artifact."""

    @property
    def crashes(self) -> Sequence[CrashRecord]:
        """Oldest first."""

    @property
    def restarts(self) -> Sequence[RestartRecord]:
        """Oldest first."""

    @property
    def read(self) -> Sequence[str]:
        """Files."""

    @property
    def problems(self) -> Sequence[str]:
        """What could not be read."""


def disk_row(found: Found, judged: Judgement) -> dict[str, Any]:
    """One system on a disk, in the shape of a host's row, with what its verdict rests on."""
    codes = [crash.stop_code for crash in found.crashes if crash.stop_code is not None]
    return {
        "schema": SCHEMA,
        "name": found.name or found.place,
        "verdict": judged.verdict.value,
        "progress": Progress.UNTOUCHED.value,
        "site": "",
        "because": list(judged.because),
        "stop_code": codes[-1] if codes else None,
        "os": found.os,
        "place": found.place,
        "artifact": msgspec.to_builtins(found.listing),
        "crashes": [_crash(crash) for crash in found.crashes],
        "restarts": [_restart(record) for record in found.restarts],
        "read": list(found.read),
        "problems": list(found.problems),
    }


def _crash(crash: CrashRecord) -> dict[str, Any]:
    return {
        "at": _moment(crash.crashed_at),
        "stop_code": crash.stop_code,
        "meaning": crash.text,
        "record": crash.record,
        "dump": crash.dump,
    }


def _restart(record: RestartRecord) -> dict[str, Any]:
    return {
        "at": _moment(record.restarted_at),
        "cause": record.cause,
        "meaning": record.text,
        "record": record.record,
    }


def _moment(seconds: float | None) -> str | None:
    if seconds is None or not _EARLIEST <= seconds <= _LATEST:
        return None
    text: str = msgspec.to_builtins(datetime.fromtimestamp(seconds, UTC))
    return text


def _record(record: FileRecord) -> dict[str, Any]:
    return {
        "event_id": record.event_id,
        "at": msgspec.to_builtins(record.at),
        "stop_code": record.stop_code,
        "meaning": record.meaning,
        "kind": record.kind,
        **record.details,
    }
