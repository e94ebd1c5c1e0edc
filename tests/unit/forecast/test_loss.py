"""What outages cost, by hand and by law."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.forecast.loss import Losses
from recovery.model.host import Fleet, Host, Service


def fleet(*hosts: tuple[str, dict[str, Any]], **services: Service) -> Fleet:
    return Fleet(
        hosts=tuple(
            Host(name=f"h{number}", service=service, vars=values)
            for number, (service, values) in enumerate(hosts)
        ),
        services=services,
    )


SHOP = Service(cost_per_hour=1000.0)


def test_a_service_loses_in_proportion_to_its_hosts() -> None:
    found = Losses(fleet(("shop", {}), ("shop", {}), shop=SHOP)).of([7200.0, 0.0])
    assert found.lost == pytest.approx(1000.0, rel=0.05)
    assert found.ends == 7200.0
    assert found.by_service == {"shop": pytest.approx(1000.0, rel=0.05)}


def test_a_host_with_a_cost_of_its_own_loses_that_and_nothing_of_the_service() -> None:
    both = fleet(("shop", {"cost_per_hour": 50}), ("shop", {}), shop=SHOP)
    assert Losses(both).of([3600.0, 0.0]).lost == pytest.approx(50.0)
    assert Losses(both).of([0.0, 36000.0]).lost == pytest.approx(10_000.0, rel=0.05)


def test_a_service_is_up_no_further_than_what_it_needs() -> None:
    needs = Service(cost_per_hour=1000.0, needs=("names", "nobody knows"))
    two = fleet(("names", {}), ("shop", {}), names=Service(), shop=needs)
    assert Losses(two).of([36000.0, 0.0]).lost == pytest.approx(10_000.0, rel=0.05)
    assert Losses(two).of([36000.0, 36000.0]).lost == pytest.approx(10_000.0, rel=0.05)


def test_a_need_without_hosts_holds_for_those_behind_it() -> None:
    a, b = Service(), Service(needs=("a",))
    c = Service(cost_per_hour=100.0, needs=("b",))
    found = Losses(fleet(("a", {}), ("c", {}), a=a, b=b, c=c)).of([36000.0, 0.0])
    assert found.lost == pytest.approx(1000.0, rel=0.05)


def test_services_that_need_each_other_do_not_hang() -> None:
    ring = {
        "a": Service(cost_per_hour=10.0, needs=("b",)),
        "b": Service(cost_per_hour=10.0, needs=("a",)),
    }
    assert Losses(fleet(("a", {}), ("b", {}), **ring)).of([36000.0, 0.0]).lost > 0.0


def test_nothing_is_lost_where_nothing_is_down_or_costs() -> None:
    assert Losses(fleet(("shop", {}), shop=SHOP)).of([0.0]).lost == 0.0
    assert Losses(Fleet()).of([]).lost == 0.0
    assert Losses(fleet(("", {}))).of([3600.0]).lost == 0.0


@given(
    st.lists(st.floats(0, 400_000), min_size=3, max_size=12),
    st.integers(0, 11),
    st.floats(0, 100_000),
)
def test_to_come_up_later_never_costs_less(times: list[float], which: int, more: float) -> None:
    services = {"names": Service(cost_per_hour=10.0)}
    services["shop"] = Service(cost_per_hour=100.0, needs=("names",))
    hosts: list[tuple[str, dict[str, Any]]] = [
        ("names" if number % 3 == 0 else "shop", {}) for number in range(len(times))
    ]
    losses = Losses(fleet(*hosts, **services))
    later = list(times)
    later[which % len(times)] += more
    assert losses.of(later).lost >= losses.of(times).lost - 1e-6
    highest = 110.0 * (max(times) + 300.0) / 3600.0
    assert losses.of(times).lost <= highest
