"""What led to a boot: a crash, a person, or nobody knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recovery.detect import event_xml
from recovery.detect.crashes import fold
from recovery.detect.rules import interrupted_by_hand
from recovery.model.case import CaseFile, add_evidence
from recovery.model.evidence import BootIdentity
from recovery.model.incident import Crash, Incident
from tests.unit.detect.event_text import from_case

ZERO = datetime(2024, 7, 19, 8, 0, tzinfo=UTC)
INCIDENT = Incident(
    name="x", title="x", began=ZERO - timedelta(hours=4), crash=Crash(stop_codes=(0x50,))
)


def case_of(events: list[dict[str, Any]]) -> CaseFile:
    """Two boots, the later of which began in minute 10, and what its log says in minute 11."""
    case = CaseFile()
    for name, minute in (("a", 0), ("b", 10)):
        at = ZERO + timedelta(minutes=minute + 1)
        began = (ZERO + timedelta(minutes=minute)).timestamp()
        case = add_evidence(case, BootIdentity(at=at, source="t", boot_id=name, boot_time=began))
    text = "".join(from_case(event, ZERO) for event in events)
    for record in fold(event_xml.read(text.encode()), (), at=ZERO, source="t"):
        case = add_evidence(case, record)
    return case


@pytest.mark.parametrize(
    ("events", "by_hand"),
    [
        ([{"dirty": 10.1, "button": 133658352000000000}], True),
        ([{"dirty": 10.1}], True),
        ([{"planned": 8}], True),
        ([{"planned": 8}, {"dirty": 10.1, "code": 80}], False),
        ([{"dirty": 10.1, "code": 80}], False),
        ([{"planned": -60}], False),
        ([{"dirty": 0.1, "button": 133658352000000000}], False),
        ([{"unexpected": 10.1}], False),
        ([], False),
    ],
)
def test_a_boot_after_a_hard_power_off_is_told_from_one_after_a_crash(
    events: list[dict[str, Any]], by_hand: bool
) -> None:
    assert interrupted_by_hand(case_of(events), INCIDENT) is by_hand


def test_without_a_boot_nothing_is_known() -> None:
    assert not interrupted_by_hand(CaseFile(), INCIDENT)
