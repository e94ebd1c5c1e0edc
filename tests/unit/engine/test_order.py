"""Which host comes first."""

from __future__ import annotations

from recovery.engine.order import expected_minutes, ordered
from recovery.model.host import Fleet, Host, Service

FLEET = Fleet(
    hosts=(
        Host(name="kiosk", service="check-in", kind="kiosk"),
        Host(name="office", service="office"),
        Host(name="crew", service="crew", kind="server"),
        Host(name="dc", service="directory", kind="server"),
        Host(name="dear", service="office", vars={"cost_per_hour": 99999}),
        Host(name="stray"),
    ),
    services={
        "directory": Service(tier=0, cost_per_hour=10),
        "check-in": Service(tier=1, cost_per_hour=9000, needs=("directory",)),
        "crew": Service(tier=1, cost_per_hour=14000, needs=("directory",)),
        "office": Service(tier=4, cost_per_hour=100, needs=("directory",)),
        "ring-a": Service(needs=("ring-b",)),
        "ring-b": Service(needs=("ring-a", "nobody")),
    },
)


def test_cost_goes_by_money_per_minute_after_what_is_needed() -> None:
    order = ordered(FLEET, "cost")
    assert order[:2] == ("dc", "stray")
    assert order[2:] == ("dear", "kiosk", "crew", "office")


def test_dependency_goes_by_needs_and_tier() -> None:
    assert ordered(FLEET, "dependency") == ("dc", "stray", "kiosk", "crew", "office", "dear")


def test_inventory_keeps_the_order() -> None:
    assert ordered(FLEET, "inventory") == ("kiosk", "office", "crew", "dc", "dear", "stray")


def test_random_is_the_same_for_the_same_seed() -> None:
    assert ordered(FLEET, "random", 3) == ordered(FLEET, "random", 3)
    assert sorted(ordered(FLEET, "random", 3)) == sorted(ordered(FLEET, "inventory"))
    assert len({ordered(FLEET, "random", seed) for seed in range(20)}) > 1


def test_servers_take_longer_than_desktops() -> None:
    assert expected_minutes(FLEET.hosts[2]) > expected_minutes(FLEET.hosts[1])
