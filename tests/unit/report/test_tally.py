"""Where a host stands, in the eyes of those who were not there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from recovery.model.evidence import PersonReport, Progress, Verdict
from recovery.model.state import CaseFile, HostState
from recovery.report.tally import Group, changes, group_of

AT = datetime(2024, 7, 19, 6, tzinfo=UTC)
DONE = CaseFile(reports=(PersonReport(at=AT, source="desk", person="ada", says="done"),))
TRIED = CaseFile(reports=(*DONE.reports, PersonReport(at=AT, source="desk", person="ada", says="no key")))  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "group"),
    [
        ({}, Group.UNKNOWN),
        ({"verdict": Verdict.HEALTHY}, Group.WELL),
        ({"verdict": Verdict.RECOVERED, "progress": Progress.DONE}, Group.PROVEN),
        ({"verdict": Verdict.RECOVERED, "progress": Progress.WITH_TECHNICIAN}, Group.PROVEN),
        ({"verdict": Verdict.CRASH_LOOP}, Group.TO_DO),
        ({"verdict": Verdict.EXPOSED}, Group.TO_DO),
        ({"verdict": Verdict.DARK}, Group.TO_DO),
        ({"verdict": Verdict.CRASH_LOOP, "progress": Progress.FIXING}, Group.TO_DO),
        ({"verdict": Verdict.DEGRADED, "progress": Progress.SETTLING}, Group.CLAIMED),
        ({"verdict": Verdict.DARK, "progress": Progress.REBOOTING}, Group.CLAIMED),
        ({"verdict": Verdict.NEEDS_KEY}, Group.PEOPLE),
        ({"verdict": Verdict.RECOVERY_SCREEN, "progress": Progress.REBOOTING}, Group.PEOPLE),
        ({"verdict": Verdict.DARK, "progress": Progress.GAVE_UP}, Group.PEOPLE),
        ({"verdict": Verdict.DARK, "progress": Progress.WITH_TECHNICIAN}, Group.PEOPLE),
        ({"progress": Progress.WITH_TECHNICIAN}, Group.PEOPLE),
        ({"verdict": Verdict.DARK, "progress": Progress.WITH_TECHNICIAN, "case": DONE}, Group.CLAIMED),
        ({"verdict": Verdict.DARK, "progress": Progress.WITH_TECHNICIAN, "case": TRIED}, Group.PEOPLE),
    ],
)  # fmt: skip
def test_the_group_of_a_host(fields: dict[str, Any], group: Group) -> None:
    assert group_of(HostState("h", **fields)) == group


def test_a_host_that_nobody_has_met_is_unknown() -> None:
    assert group_of(None) == Group.UNKNOWN


def test_changes_name_some_of_many() -> None:
    before = {f"h{number:02d}": Group.PROVEN for number in range(30)}
    found = changes(before, dict.fromkeys(before, Group.TO_DO), since=AT, report=False, lost=7.5)
    assert (found.came_back, found.newly_hit, found.proven) == (30, 0, 0)
    assert (len(found.back), found.back[0], found.lost) == (20, "h00", 7.5)
