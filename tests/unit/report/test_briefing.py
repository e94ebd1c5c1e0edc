"""The status report for people who were not there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from recovery.model.evidence import Verdict
from recovery.report.briefing import Briefing, markdown
from recovery.report.course import Sample, Share, Standing
from recovery.report.estimate import Goal

NOW = datetime(2024, 7, 19, 9, 30, tzinfo=UTC)
VERDICTS = {
    "healthy": 20,
    "recovered": 30,
    "crash_loop": 8,
    "exposed": 2,
    "needs_key": 1,
    "unknown": 4,
}
BRIEF = Briefing(
    at=NOW,
    mock=False,
    standing=Standing(
        total=65,
        verdicts={str(verdict): VERDICTS.get(verdict, 0) for verdict in Verdict},
        sites=(Share("ATL", "Atlanta hub", 40, {"crash_loop": 8}), Share("BOS", "", 25, {"healthy": 25})),
        services=(
            Share("gate", "Boarding", 12, {"needs_key": 1}, 900.0),
            Share("crew", "", 9, {"crash_loop": 8}, 12_345.6),
        ),
        loss_per_hour=13_245.6,
        lost=45_000.0,
        since=NOW - timedelta(hours=3),
        samples=(
            Sample(NOW - timedelta(hours=2), 40, 1),
            Sample(NOW - timedelta(minutes=30), 20, 21),
            Sample(NOW, 11, 30),
        ),
    ),
    goals=(
        Goal("half", 21, reached=NOW - timedelta(minutes=30)),
        Goal("90 %", 37, earliest=NOW + timedelta(hours=1), latest=NOW + timedelta(hours=2)),
        Goal("all", 41, why="3 wait for hands"),
    ),
    waiting=3,
    questions=("open wave 3?",),
    run="run of rollback on 65 hosts",
)  # fmt: skip


def test_it_says_how_many_are_left_what_it_costs_and_when_it_is_over() -> None:
    text = markdown(BRIEF)
    for line in (
        "# Status of the recovery, 2024-07-19 09:30 UTC",
        "- Hosts: 65. Hit: 41. Never hit: 20. Not known yet: 4.",
        "- Still to do: **11**, of which 9 are down.",
        "- Recovered and proven: **30** (73 % of those that were hit).",
        "- Loss: **13,246 an hour** now; 45,000 so far, counted since 2024-07-19 06:30 UTC.",
        "- Proven in the last hour: 9.",
        "- Half (21 hosts): reached at 2024-07-19 09:00 UTC.",
        "- 90 % (37 hosts): between 2024-07-19 10:30 and 2024-07-19 11:30 UTC at the present pace.",
        "- All (41 hosts): no estimate, 3 wait for hands.",
        "- Waiting for hands: 3 hosts. Waiting for a recovery key: 1.",
        "- Waiting for a decision: open wave 3?",
        "- Under way: run of rollback on 65 hosts",
    ):
        assert line in text.splitlines()
    assert "SIMULATED" not in text


def test_what_costs_most_stands_first_and_what_is_well_is_left_out() -> None:
    rows = [line for line in markdown(BRIEF).splitlines() if line.startswith("| ")]
    assert [row.split("|")[1].strip() for row in rows] == [
        "Service",
        "crew",
        "Boarding",
        "Site",
        "Atlanta hub",
    ]


def test_simulated_hosts_are_called_so() -> None:
    assert "**These are SIMULATED hosts." in markdown(msgspec.structs.replace(BRIEF, mock=True))


def test_before_anything_is_known_it_says_just_that() -> None:
    text = markdown(
        Briefing(at=NOW, mock=False, standing=Standing(total=5, verdicts={"unknown": 5}), goals=())
    )
    assert "- Hosts: 5. Hit: 0. Never hit: 0. Not known yet: 5." in text
    assert "|" not in text


def test_names_from_outside_are_neither_markup_nor_columns() -> None:
    nasty = Share("x", "a|b <script> [l](u) *x*\n# head", 2, {"dark": 1})
    standing = msgspec.structs.replace(BRIEF.standing, sites=(nasty,), services=())
    text = markdown(msgspec.structs.replace(BRIEF, standing=standing, questions=("<b>now</b>",)))
    assert r"| a\|b \<script\> \[l\](u) \*x\* \# head |" in text
    assert r"\<b\>now\</b\>" in text


def test_of_many_sites_the_worst_are_named_and_the_rest_counted() -> None:
    many = tuple(Share(f"S{n:02}", "", 100, {"dark": n}) for n in range(1, 21))
    text = markdown(
        msgspec.structs.replace(BRIEF, standing=msgspec.structs.replace(BRIEF.standing, sites=many))
    )
    assert "| S20 " in text
    assert "| S08 " not in text
    assert "and 8 more with 36 to do." in text
