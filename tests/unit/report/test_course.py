"""Who is up and down, what it costs, and how that came about."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest

from recovery.model.evidence import Progress, Verdict
from recovery.model.host import Fleet, Host, Service, Site
from recovery.model.state import HostState
from recovery.model.ticket import Stage, Ticket
from recovery.report.course import DOWN, LEFT, Course, Standing

BEGAN = datetime(2024, 7, 19, 6, 0, tzinfo=UTC)
FLEET = Fleet(
    hosts=(
        *(Host(name=f"k{n}", site="ATL", service="check-in") for n in range(4)),
        Host(name="crew", site="OCC", service="crew", vars={"cost_per_hour": 500}),
        Host(name="desk", site="OCC", service="crew"),
        Host(name="lone"),
    ),
    sites={"ATL": Site(name="Atlanta"), "OCC": Site(), "NYC": Site()},
    services={"check-in": Service(cost_per_hour=1000), "crew": Service(cost_per_hour=200)},
)


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def known(host: str, verdict: Verdict, progress: Progress = Progress.UNTOUCHED) -> HostState:
    return HostState(host, verdict=verdict, progress=progress, updated=BEGAN)


def turned(course: Course, host: str, seconds: float, *verdicts: Verdict) -> Standing:
    before = None
    for verdict in verdicts:
        after = known(host, verdict)
        course.see(before, after, at(seconds))
        before = after
    return course.standing()


def test_hosts_of_which_nothing_is_known_are_unknown_and_untouched() -> None:
    found = Course(FLEET).standing()
    assert (found.total, found.verdicts["unknown"], found.progress["untouched"]) == (7, 7, 7)
    assert set(found.verdicts) == set(Verdict)
    assert set(found.progress) == set(Progress)
    assert (found.loss_per_hour, found.lost, found.since, found.samples) == (0, 0, None, ())


@pytest.mark.parametrize(
    ("host", "loss"), [("k0", 250.0), ("crew", 500.0), ("desk", 100.0), ("lone", 0.0)]
)
@pytest.mark.parametrize("verdict", Verdict)
def test_a_service_loses_in_proportion_to_its_hosts_that_are_down(
    host: str, loss: float, verdict: Verdict
) -> None:
    found = turned(Course(FLEET), host, 0, verdict)
    assert found.loss_per_hour == (loss if verdict in DOWN else 0.0)


def test_what_is_up_again_loses_nothing_more_and_what_was_lost_stays_lost() -> None:
    course = Course(FLEET)
    down, up = known("k0", Verdict.CRASH_LOOP), known("k0", Verdict.RECOVERED)
    course.see(None, down, at(0))
    course.see(down, up, at(1800))
    course.pass_time(at(7200))
    found = course.standing()
    assert (found.loss_per_hour, found.lost, found.since) == (0.0, 125.0, at(0))
    assert (found.left, found.proven) == (0, 1)


def test_the_dark_are_silent_until_a_technician_has_them() -> None:
    course = Course(FLEET)
    dark = known("k0", Verdict.DARK)
    course.see(None, dark, at(0))
    course.see(None, known("k1", Verdict.DARK, Progress.WITH_TECHNICIAN), at(1))
    assert course.standing().silent == 1
    course.see(dark, known("k0", Verdict.DARK, Progress.WITH_TECHNICIAN), at(2))
    assert course.standing().silent == 0


def test_a_run_that_only_looks_takes_no_host_from_its_technician() -> None:
    course = Course(FLEET)
    ticket = Ticket(host="k0", opened=at(0), since=at(0))
    given = known("k0", Verdict.DARK, Progress.WITH_TECHNICIAN)
    looked_at, gave_up = known("k0", Verdict.DARK), known("k0", Verdict.DARK, Progress.GAVE_UP)
    course.see(None, given, at(0), ticket)
    for before, after in ((given, looked_at), (looked_at, gave_up)):
        course.see(before, after, at(1), ticket)
        found = course.standing()
        assert (found.progress["with_technician"], found.silent) == (1, 0)
    proven = msgspec.structs.replace(ticket, stage=Stage.PROVEN)
    course.see(gave_up, known("k0", Verdict.RECOVERED, Progress.DONE), at(2), proven)
    found = course.standing()
    assert (found.progress["with_technician"], found.progress["done"]) == (0, 1)
    assert sum(found.progress.values()) == 7


def test_time_that_goes_back_costs_nothing() -> None:
    course = Course(FLEET)
    course.see(None, known("k0", Verdict.DARK), at(3600))
    course.pass_time(at(0))
    assert course.standing().lost == 0.0


def test_sites_and_services_are_counted_apart() -> None:
    course = Course(FLEET)
    turned(course, "k0", 1, Verdict.CRASH_LOOP)
    found = turned(course, "k1", 2, Verdict.CRASH_LOOP, Verdict.EXPOSED)
    sites = {share.name: share for share in found.sites}
    assert list(sites) == ["ATL", "OCC", ""]
    atl = sites["ATL"]
    assert (atl.title, atl.total, atl.down, atl.left) == ("Atlanta", 4, 1, 2)
    assert atl.verdicts == {"crash_loop": 1, "exposed": 1, "unknown": 2}
    services = {share.name: share.loss_per_hour for share in found.services}
    assert services == {"check-in": 250.0, "crew": 0.0, "": 0.0}


def test_hosts_that_are_not_of_the_fleet_do_not_count() -> None:
    found = turned(Course(FLEET), "stranger", 1, Verdict.DARK)
    assert (found.total, found.verdicts["dark"], found.since) == (7, 0, None)


def test_without_an_inventory_the_hosts_of_runs_count_and_those_that_were_met() -> None:
    course = Course()
    course.join(FLEET)
    course.join(FLEET)
    found = turned(course, "stranger", 1, Verdict.DARK)
    assert (found.total, found.verdicts["dark"], found.verdicts["unknown"]) == (8, 1, 7)
    assert (course.site_of("k0"), course.site_of("nobody")) == ("ATL", "")
    assert course.site_sizes() == {"ATL": 4, "OCC": 2, "NYC": 0, "": 2}
    assert len(course.hosts) == 8


def test_an_inventory_that_was_given_is_not_added_to() -> None:
    course = Course(FLEET)
    course.join(Fleet(hosts=(Host(name="more"),)))
    assert course.standing().total == 7


def test_a_new_twin_begins_the_history_anew() -> None:
    course = Course(FLEET)
    turned(course, "k0", 0, Verdict.DARK)
    course.pass_time(at(3600))
    course.begin_anew()
    course.pass_time(at(10))
    found = course.standing()
    assert (found.lost, found.since, found.loss_per_hour) == (0.0, at(10), 250.0)


def test_the_history_is_thinned_and_keeps_beginning_and_end() -> None:
    course = Course(FLEET)
    before: HostState | None = None
    for second in range(0, 40_000, 7):
        after = known("k0", Verdict.DARK if second < 20_000 else Verdict.RECOVERED)
        course.see(before, after, at(second))
        before = after
    samples = course.standing().samples
    assert 100 < len(samples) < 600
    assert (samples[0].at, samples[-1].at) == (at(0), at(39_998))
    assert all(one.at <= two.at for one, two in pairwise(samples))
    assert {(item.left, item.proven) for item in samples if item.at > at(20_100)} == {(0, 1)}


@pytest.mark.parametrize("seed", range(10))
def test_counts_are_what_a_look_at_all_hosts_says(seed: int) -> None:
    chance, course = random.Random(seed), Course(FLEET)  # noqa: S311 - a story, not a secret
    states: dict[str, HostState] = {}
    for second in range(200):
        name = chance.choice([host.name for host in FLEET.hosts])
        after = known(name, chance.choice(list(Verdict)), chance.choice(list(Progress)))
        course.see(states.get(name), after, at(second))
        states[name] = after
    found = course.standing()
    verdicts = Counter(str(state.verdict) for state in states.values())
    verdicts["unknown"] += 7 - len(states)
    assert found.verdicts == {str(verdict): verdicts[verdict] for verdict in Verdict}
    assert found.left == sum(1 for state in states.values() if state.verdict in LEFT)
    assert found.loss_per_hour == pytest.approx(
        sum(share.loss_per_hour for share in found.services)
    )
    assert sum(sum(share.verdicts.values()) for share in found.sites) == 7
