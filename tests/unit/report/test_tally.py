"""Where a host stands, in the eyes of those who were not there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recovery.model.evidence import Progress, Verdict
from recovery.model.state import HostState
from recovery.report.course import Sample
from recovery.report.groups import Group, group_of
from recovery.report.tally import Move, changes, samples_of

AT = datetime(2024, 7, 19, 6, tzinfo=UTC)


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
        ({"verdict": Verdict.HEALTHY, "progress": Progress.WITH_TECHNICIAN}, Group.WELL),
    ],
)  # fmt: skip
def test_the_group_of_a_host(fields: dict[str, Any], group: Group) -> None:
    assert group_of(HostState("h", **fields)) == group


@pytest.mark.parametrize(
    ("verdict", "group"),
    [
        (Verdict.DARK, Group.CLAIMED),
        (Verdict.NEEDS_KEY, Group.CLAIMED),
        (Verdict.HEALTHY, Group.CLAIMED),
        (Verdict.RECOVERED, Group.PROVEN),
    ],
)
def test_a_technicians_word_is_a_claim_until_the_machine_proves_it(
    verdict: Verdict, group: Group
) -> None:
    state = HostState("h", verdict=verdict, progress=Progress.WITH_TECHNICIAN)
    assert group_of(state, says_done=True) == group


def test_a_host_that_was_hit_and_is_well_is_not_one_that_was_never_hit() -> None:
    well = HostState("h", verdict=Verdict.HEALTHY)
    assert group_of(well, was_hit=True) == Group.PROVEN
    assert group_of(well) == Group.WELL


def test_the_course_is_thinned_and_ends_as_things_stand() -> None:
    moves = [
        Move(number, AT + timedelta(seconds=number), f"h{number}", Group.UNKNOWN, Group.TO_DO)
        for number in range(5000)
    ]
    found = samples_of(moves, {}, AT, AT + timedelta(seconds=9999))
    assert 100 < len(found) < 450
    assert (found[0].left, found[-1].left, found[-1].at) == (0, 5000, AT + timedelta(seconds=9999))
    halfway = next(each for each in found if each.left >= 2500)
    assert abs((halfway.at - AT).total_seconds() - 2500) < 50
    assert samples_of([], {Group.PROVEN: 2}, AT, AT) == (Sample(AT, 0, 2),)


def test_a_host_that_nobody_has_met_is_unknown() -> None:
    assert group_of(None) == Group.UNKNOWN


def test_changes_name_some_of_many() -> None:
    before = {f"h{number:02d}": Group.PROVEN for number in range(30)}
    found = changes(before, dict.fromkeys(before, Group.TO_DO), since=AT, report=False, lost=7.5)
    assert (found.came_back, found.newly_hit, found.proven) == (30, 0, 0)
    assert (len(found.back), found.back[0], found.lost) == (20, "h00", 7.5)
