"""A small fleet for a large one, and what its run says."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from recovery.forecast.sample import NEVER, End, Ends, sampled, scaled, scaled_sites, spread
from recovery.model.events import (
    AnyEvent,
    HostFinished,
    HostObserved,
    Outcome,
    RunStarted,
    StepIntended,
)
from recovery.model.evidence import BootIdentity, Reachability, Verdict
from recovery.model.host import Fleet, Host, Site
from recovery.model.playbook import Guard, Limits, Share, Strategy

BEGAN = datetime(2024, 7, 19, 6, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def fleet(count: int) -> Fleet:
    hosts = tuple(
        Host(name=f"h{number}", site="AB"[number % 2], kind="server" if number < 10 else "desktop")
        for number in range(count)
    )
    return Fleet(
        hosts=hosts, sites={"A": Site(concurrency=40, freeze=("06:00-08:00",)), "B": Site()}
    )


def test_every_stratum_has_its_share_and_at_least_one_host() -> None:
    whole = fleet(1000)
    found = sampled(whole, 100, ["x"] * 999 + ["rare"], random.Random(1))  # noqa: S311
    strata = Counter(found.strata[place] for place in found.places)
    assert strata["x", "", "server", "A"] == 1
    assert strata["rare", "", "desktop", "B"] == 1
    assert 45 <= strata["x", "", "desktop", "A"] <= 55
    assert found.share == pytest.approx(len(found.places) / 1000)
    assert [host.name for host in found.fleet.hosts] == [
        whole.hosts[place].name for place in found.places
    ]


def test_a_small_fleet_is_its_own_sample_and_nothing_is_made_up() -> None:
    whole = fleet(40)
    found = sampled(whole, 100, [""] * 40, random.Random(1))  # noqa: S311
    assert (found.share, found.fleet) == (1.0, whole)
    ends = {f"h{number}": End("program", float(number)) for number in range(40)}
    ranks = list(range(40))
    assert spread(found, ends, ranks, random.Random(2)) == [ends[f"h{n}"] for n in range(40)]  # noqa: S311


def test_hosts_end_as_one_that_came_about_as_early_in_turn() -> None:
    whole = Fleet(hosts=tuple(Host(name=f"h{number}") for number in range(1000)))
    found = sampled(whole, 50, [""] * 1000, random.Random(1))  # noqa: S311
    ranks = [999 - number for number in range(1000)]
    ends = {whole.hosts[place].name: End("program", float(ranks[place])) for place in found.places}
    times = [end.at for end in spread(found, ends, ranks, random.Random(2))]  # noqa: S311
    assert max(abs(time - rank) for time, rank in zip(times, ranks, strict=True)) <= 60.0


def test_limits_are_in_proportion_and_never_nothing() -> None:
    strategy = Strategy(limits=Limits(total=500, per_site=100, per_gateway=0), guard=Guard())
    found = scaled(strategy, 1000, 0.1)
    assert (found.limits, found.guard) == (Limits(total=50, per_site=10, per_gateway=0), None)
    waves = ["1", "5", "1%", "10%", "100%"]
    waved = Strategy(
        waves=tuple(Share(float(wave.rstrip("%")), percent="%" in wave) for wave in waves)
    )
    sizes = [wave.value for wave in scaled(waved, 100_000, 0.1).waves]
    assert sizes == [1, 5, 100, 1000, 10_000]
    assert [wave.value for wave in scaled(waved, 1600, 0.1).waves] == [1, 5, 16, 20, 160]
    assert scaled(strategy, 1000, 1e-6).limits.per_site == 1
    sites = scaled_sites(fleet(2), 0.1).sites
    assert (sites["A"].concurrency, sites["A"].freeze, sites["B"].concurrency) == (4, (), None)


def seen(seconds: float, verdict: Verdict, *, answers: bool) -> AnyEvent:
    item = (
        BootIdentity(at=at(seconds), source="mock", boot_id="b")
        if answers
        else Reachability(at=at(seconds), source="look", answers=False)
    )
    return HostObserved(at=at(seconds), host="h", evidence=(item,), verdict=verdict)


def ended(seconds: float, outcome: Outcome, verdict: Verdict = Verdict.UNKNOWN) -> AnyEvent:
    return HostFinished(at=at(seconds), host="h", outcome=outcome, verdict=verdict)


UP = {"answers": True}
SILENT = {"answers": False}
ACT = StepIntended(at=at(5), host="h", index=1, step="rollback", attempt=1, intent="i")


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([ended(9, Outcome.HEALTHY)], End("was_up", 0.0)),
        (
            [seen(1, Verdict.DARK, **SILENT), seen(9, Verdict.HEALTHY, **UP), ended(9, Outcome.HEALTHY)],
            End("was_up", 0.0),
        ),
        (
            [seen(1, Verdict.DARK, **SILENT), seen(900, Verdict.HEALTHY, **UP), ended(901, Outcome.HEALTHY)],
            End("itself", 901.0),
        ),
        (
            [seen(1, Verdict.CRASH_LOOP, **UP), ACT, ended(99, Outcome.HEALTHY)],
            End("program", 99.0),
        ),
        ([seen(1, Verdict.CRASH_LOOP, **UP), ended(99, Outcome.RECOVERED)], End("program", 99.0)),
        (
            [seen(1, Verdict.EXPOSED, **UP), ended(99, Outcome.RECOVERED)],
            End("program", 99.0, runs=True),
        ),
        (
            [seen(10, Verdict.DARK, **SILENT), seen(5000, Verdict.CRASH_LOOP, **UP), ended(6000, Outcome.RECOVERED)],
            End("program", 6000.0, 1810.0),
        ),
        (
            [seen(10, Verdict.DARK, **SILENT), ended(28800, Outcome.HANDED_OVER)],
            End("hands", NEVER, 1810.0),
        ),
        (
            [seen(1, Verdict.CRASH_LOOP, **UP), ended(60, Outcome.FAILED, Verdict.NEEDS_KEY)],
            End("hands", NEVER, 60.0, asks_for_key=True),
        ),
        (
            [seen(1, Verdict.EXPOSED, **UP), ended(60, Outcome.FAILED, Verdict.EXPOSED)],
            End("hands", NEVER, 60.0, runs=True),
        ),
    ],
)  # fmt: skip
def test_how_a_host_ends(events: list[AnyEvent], expected: End) -> None:
    ends = Ends(1800.0)
    ends.add(RunStarted(at=BEGAN, playbook="rollback", incident="x", total=1))
    for event in events:
        ends.add(event)
    assert ends.found == {"h": expected}
