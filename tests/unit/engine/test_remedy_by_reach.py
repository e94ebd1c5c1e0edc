"""Which remedy a host gets: by what of it can be reached now."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Literal

import pytest

from recovery.engine.acts import fixing
from recovery.model.case import CaseFile
from recovery.model.evidence import MachineFacts
from recovery.model.host import Host
from recovery.playbook.incidents import parse_incident
from recovery.playbook.library import read_incident

AT = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)


def pursuit(incident: str, case: CaseFile, os: Literal["windows", "linux"] = "windows") -> Any:
    """As much of a pursuit as the question needs."""
    return SimpleNamespace(
        host=Host(name="h1", os=os),
        context=SimpleNamespace(incident=parse_incident(*read_incident(incident))),
        state=SimpleNamespace(case=case),
    )


@pytest.mark.parametrize(
    ("incident", "safe_mode", "remedy"),
    [
        ("check-point", "", "hand_over_only"),
        ("check-point", "network", "driver_disable"),
        ("driver-rollback", "", "driver_disable"),
        ("kb5058379", "minimal", "hand_over_only"),
        ("kb5074109", "minimal", "hand_over_only"),
    ],
)
def test_a_host_in_safe_mode_gets_the_remedy_for_safe_mode(
    incident: str, safe_mode: Literal["", "minimal", "network"], remedy: str
) -> None:
    facts = MachineFacts(at=AT, source="winrm", safe_mode=safe_mode)
    assert fixing(pursuit(incident, CaseFile(facts=facts))) == remedy


def test_a_host_of_which_nothing_is_known_is_taken_to_be_up_in_full() -> None:
    assert fixing(pursuit("check-point", CaseFile())) == "hand_over_only"


def test_a_system_that_the_profile_does_not_name_is_left_to_the_scripts_to_refuse() -> None:
    assert fixing(pursuit("check-point", CaseFile(), "linux")) == "quarantine"
