"""The forecast from a sample beside a dry run of the real engine on the whole fleet, and beside what is known."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from recovery.engine.order import ordered
from recovery.forecast.crew import Crew
from recovery.forecast.sample import End, Ends, sampled, scaled, scaled_sites, spread
from recovery.inventory.loader import load
from recovery.model.evidence import Verdict
from recovery.model.host import Fleet, Host, Service, Site
from recovery.playbook.library import bundled
from recovery.service.forecasting import Wanted, forecast
from recovery.service.rehearsing import Rehearsal, rehearse
from recovery.settings import Settings
from recovery.sim.conditioned import conditioned
from recovery.sim.faults import Faults, Mix, Rule, Selector
from tests.engine.stage import EPOCH, incident, playbook

TOLERANCE = 0.2
"""Of the time until half, and nine of ten, of the hosts that the program brings back are back."""
_HOSTS, _SAMPLED = 1600, 400
MIX = Mix(
    mix="agreement",
    default=Faults(
        crash_loop=0.5, exposed=0.15, recovery_screen=0.15, reverted=0.1, asleep=0.05, wake=(600.0, 7200.0),
        resets=0.003, drops=0.01,
    ),
    rules=(
        Rule(when=Selector(kind="desktop"), faults={"crash_loop": 0.0, "recovery_screen": 0.65}),
    ),
)  # fmt: skip


def fleet(count: int) -> Fleet:
    services = ("crew", "shop", "office")
    hosts = tuple(
        Host(
            name=f"h{number:04d}",
            site="ABCD"[number % 4],
            service=services[number % 3],
            kind="server" if number % 5 else "desktop",
        )
        for number in range(count)
    )
    return Fleet(
        hosts=hosts,
        sites={name: Site(concurrency=60) for name in "ABCD"},
        services={
            name: Service(cost_per_hour=cost)
            for name, cost in zip(services, (900.0, 300.0, 10.0), strict=True)
        },
    )


def played(whole: Fleet, share: float, seed: int) -> dict[str, End]:
    ends = Ends(1800.0)
    book = playbook("rollback", **{"strategy.limits.total": "160"})
    book = msgspec.structs.replace(book, strategy=scaled(book.strategy, _HOSTS, share))
    own = scaled_sites(whole, share)
    names = ordered(own, "cost")
    rehearse(Rehearsal(own, incident(), book, names, MIX, EPOCH, seed, share), ends.add)
    return ends.found


def quantile(ends: list[End], share: float) -> float:
    times = sorted(end.at for end in ends if end.how == "program")
    return times[int(share * (len(times) - 1))]


def test_a_sample_tells_what_a_dry_run_of_the_whole_fleet_does() -> None:
    whole = fleet(_HOSTS)
    full = list(played(whole, 1.0, 1).values())
    rank = {name: place for place, name in enumerate(ordered(whole, "cost"))}
    ranks = [rank[host.name] for host in whole.hosts]
    told: list[End] = []
    for seed in range(2, 5):
        sample = sampled(whole, _SAMPLED, [""] * _HOSTS, random.Random(seed))  # noqa: S311
        ends = played(sample.fleet, sample.share, seed)
        told += spread(sample, ends, ranks, random.Random(seed))  # noqa: S311
    for how in ("was_up", "program", "hands"):
        there = sum(end.how == how for end in full) / _HOSTS
        here = sum(end.how == how for end in told) / len(told)
        assert here == pytest.approx(there, abs=0.05), how
    for share in (0.5, 0.9):
        assert quantile(told, share) == pytest.approx(quantile(full, share), rel=TOLERANCE), share


def test_a_twin_of_the_present_stands_as_the_verdicts_say() -> None:
    whole = fleet(8)
    says = [
        *(Verdict.RECOVERY_SCREEN, Verdict.EXPOSED, Verdict.CRASH_LOOP, Verdict.DARK),
        *(Verdict.UNKNOWN, Verdict.NEEDS_KEY, Verdict.BLUE_SCREEN, Verdict.UNKNOWN),
    ]
    verdicts = dict(zip((host.name for host in whole.hosts), says, strict=True))
    own, mix = conditioned(whole, Mix(default=Faults(reverted=1.0)), verdicts)
    cache: dict[tuple[int, ...], Faults] = {}
    faults = [mix.faults_of(host, cache) for host in own.hosts]
    shares = [
        {name: value for name in ("exposed", "crash_loop", "recovery_screen", "needs_key", "blue_screen", "reverted",
                                  "dark") if (value := getattr(each, name))}
        for each in faults
    ]  # fmt: skip
    assert shares == [
        {"recovery_screen": 1.0},
        {"exposed": 1.0},
        {"crash_loop": 1.0},
        {"reverted": 1.0, "dark": 1.0},
        {"reverted": 1.0},
        {"needs_key": 1.0},
        {"blue_screen": 1.0},
        {"reverted": 1.0},
    ]


def test_the_bundled_case_has_as_many_machines_as_are_reported() -> None:
    whole = load([str(bundled("inventory") / "delta.yaml")])
    servers = sum(host.kind == "server" for host in whole.hosts)
    assert (servers, len(whole.hosts) - servers) == (40_000, 37_000)
    assert {host.service for host in whole.hosts} == set(whole.services)


def demo(**fields: Any) -> Wanted:
    return Wanted(
        inventory=(str(bundled("inventory") / "demo.yaml"),),
        **{"runs": 3, "crew": Crew(technicians=3), **fields},
    )


def test_the_same_seed_gives_the_same_figures_and_another_one_others() -> None:
    first, again, other = (forecast(Settings(), demo(seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first.scenarios != other.scenarios


def test_more_people_are_not_later_and_an_order_by_cost_is_not_dearer_than_the_others() -> None:
    few = forecast(Settings(), demo(orders=("cost",)))
    many = forecast(Settings(), demo(orders=("cost",), crew=Crew(technicians=30)))
    alone = {each.alone: each for each in few.scenarios}
    crowd = {each.alone: each for each in many.scenarios}
    for who in (False, True):
        assert crowd[who].hours["all"].p50 <= alone[who].hours["all"].p50
        assert crowd[who].lost.p50 <= alone[who].lost.p50
    for each in few.scenarios:
        hours = [each.hours[goal] for goal in ("half", "90 %", "all")]
        assert [span.p50 for span in hours] == sorted(span.p50 for span in hours)
        assert all(span.p10 <= span.p50 <= span.p90 for span in hours)
        assert each.by_hand.p50 + each.by_program.p50 <= few.fleet
