"""What files prove, as rows that others may rely on."""

from __future__ import annotations

from typing import Any

import msgspec

from recovery.detect.evidence_file import FileEvidence, FileRecord

SCHEMA = 1


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


def _record(record: FileRecord) -> dict[str, Any]:
    return {
        "event_id": record.event_id,
        "at": msgspec.to_builtins(record.at),
        "stop_code": record.stop_code,
        "meaning": record.meaning,
        "kind": record.kind,
        **record.details,
    }
