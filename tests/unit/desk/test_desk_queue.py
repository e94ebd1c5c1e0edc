"""Which ticket is next, and what to take along."""

from __future__ import annotations

from typing import Any

import pytest

from recovery.desk.queue import Desk, Job, walk
from recovery.model.evidence import Verdict
from recovery.model.host import ConsoleRef, Fleet, Host, Service
from recovery.model.incident import Incident, Runbook
from recovery.model.ticket import Stage, Ticket
from tests.unit.journal.happenings import BEGAN, RUN, at

BOOKS = {
    name: Runbook(title=name, steps=("look",), minutes=minutes, kit=("keyboard",))
    for name, minutes in (
        ("safe_mode", 15),
        ("recovery_key", 5),
        ("domain_controller", 25),
        ("azure", 40),
    )
}
INCIDENT = Incident(name="x", title="x", began=BEGAN, runbooks=BOOKS)


def ticket(host: str, opened: float = 0, **fields: Any) -> Ticket:
    fields = {"runbook": "safe_mode", **fields}
    return Ticket(host=host, opened=at(opened), since=at(opened), run=RUN, **fields)


def desk(*hosts: Host, **services: Service) -> Desk:
    return Desk(Fleet(hosts=hosts, services=services), {"": INCIDENT})


def order(jobs: list[Job]) -> list[str]:
    return [job.ticket.host for job in jobs]


def test_the_dearest_service_comes_first_with_all_that_needs_it() -> None:
    found = desk(
        Host(name="kiosk", service="check-in"),
        Host(name="dc", service="directory"),
        Host(name="lobby", service="signs"),
        **{
            "check-in": Service(tier=1, cost_per_hour=900, needs=("directory",)),
            "directory": Service(tier=1, cost_per_hour=10),
            "signs": Service(tier=3, cost_per_hour=950),
        },
    ).queue([ticket("lobby"), ticket("kiosk"), ticket("dc")], at(10))
    assert order(found) == ["dc", "kiosk", "lobby"]
    assert [job.worth for job in found] == [3640.0, 3600.0, 950.0]


def test_the_same_floor_comes_first_among_equals_but_not_before_what_costs_far_more() -> None:
    hosts = [
        Host(name="far", service="s", location="T1 gate B"),
        Host(name="here", service="s", location="T3 gate C"),
        Host(name="dear", service="d", location="T1 gate A"),
    ]
    found = desk(*hosts, s=Service(cost_per_hour=100), d=Service(cost_per_hour=5000)).queue(
        [ticket(host.name) for host in hosts], at(10), near="T3 gate A"
    )
    assert order(found) == ["dear", "here", "far"]


@pytest.mark.parametrize(
    ("location", "near", "minutes"),
    [
        ("T3 gate A", "t3 gate a", 0),
        ("T3 gate A", "T3 gate B", 1),
        ("Floor 3 room 12", "floor 3, room 1", 1),
        ("Floor 4 room 12", "Floor 3 room 12", 6),
        ("T1", "T3", 6),
        ("", "T3", 6),
        ("T3", "", 6),
    ],
)
def test_walking(location: str, near: str, minutes: float) -> None:
    assert walk(location, near) == minutes


def test_only_free_tickets_of_the_site_are_offered() -> None:
    tickets = [
        ticket("a"),
        ticket("b", stage=Stage.CLAIMED, owner="x", until=at(100)),
        ticket("lapsed", stage=Stage.CLAIMED, owner="x", until=at(5)),
        ticket("said", stage=Stage.SAYS_DONE),
        ticket("back", stage=Stage.CAME_BACK),
        ticket("up", stage=Stage.ESCALATED),
        ticket("well", stage=Stage.PROVEN),
        ticket("other", site="MSP"),
    ]
    found = desk(*(Host(name=each.host, site="ATL") for each in tickets))
    assert order(found.queue(tickets, at(10), site="ATL")) == ["a", "lapsed", "back"]
    assert order(found.queue(tickets, at(10), site="MSP")) == ["other"]


@pytest.mark.parametrize(
    ("host", "verdict", "runbook"),
    [
        (Host(name="h"), Verdict.DARK, "safe_mode"),
        (Host(name="h"), Verdict.NEEDS_KEY, "recovery_key"),
        (Host(name="h", tags=("dc",)), Verdict.BLUE_SCREEN, "domain_controller"),
        (Host(name="h", console=ConsoleRef(kind="azure")), Verdict.NEEDS_KEY, "azure"),
    ],
)
def test_the_checklist_goes_by_console_and_verdict(
    host: Host, verdict: Verdict, runbook: str
) -> None:
    job = desk(host).job(ticket("h", verdict=verdict))
    assert (job.runbook, job.minutes) == (runbook, BOOKS[runbook].minutes)


def test_the_kit_is_the_runbooks_and_the_hosts_own() -> None:
    host = Host(name="h", tags=("kiosk", "ladder"), vars={"kit": "badge B, keyboard"})
    assert desk(host).job(ticket("h")).kit == ("keyboard", "badge B", "ladder")


def test_a_machine_nobody_knew_has_a_checklist_too() -> None:
    job = Desk(Fleet(), {}).job(ticket("found-1", runbook="", site="ATL", location="attic"))
    assert (job.site, job.location, job.runbook, job.worth) == ("ATL", "attic", "", 1.0)
    assert job.steps
