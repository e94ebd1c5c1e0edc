"""Waves: sizes, room, ramp."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.engine.waves import Waves, slices
from recovery.model.playbook import Share

SHARES = st.one_of(
    st.integers(1, 500).map(Share),
    st.floats(0.1, 100).map(lambda value: Share(value, percent=True, of="run")),
)


@given(st.lists(SHARES, max_size=6), st.integers(0, 100_000))
def test_waves_partition_the_hosts(shares: list[Share], total: int) -> None:
    sizes = slices(shares, total)
    assert sum(sizes) == total
    assert all(size > 0 for size in sizes)


@given(st.lists(SHARES, min_size=1, max_size=6), st.integers(1, 10_000))
def test_no_wave_is_larger_than_its_share(shares: list[Share], total: int) -> None:
    for place, size in enumerate(slices(shares, total)):
        assert size <= shares[min(place, len(shares) - 1)].hosts(total)


@pytest.mark.parametrize(
    ("shares", "total", "sizes"),
    [
        (
            [
                Share(1),
                Share(5),
                Share(1, percent=True),
                Share(10, percent=True),
                Share(100, percent=True),
            ],
            1000,
            (1, 5, 10, 100, 884),
        ),
        ([Share(1), Share(5), Share(100, percent=True)], 4, (1, 3)),
        ([Share(2)], 5, (2, 2, 1)),
        ([], 3, (3,)),
        ([Share(0.1, percent=True), Share(100, percent=True)], 10, (1, 9)),
    ],
)
def test_sizes(shares: list[Share], total: int, sizes: tuple[int, ...]) -> None:
    assert slices(shares, total) == sizes


def test_the_first_wave_ramps_up_with_success() -> None:
    waves = Waves((8, 20))
    assert not waves.has_room()
    waves.open_next()
    assert waves.allowance == 1
    waves.admit("a")
    assert not waves.has_room()
    waves.went_well("a")
    assert waves.allowance == 2
    waves.admit("b")
    waves.went_well("b")
    assert waves.allowance == 4
    assert waves.has_room()


def test_a_failed_host_earns_no_room() -> None:
    waves = Waves((8,))
    waves.open_next()
    waves.admit("a")
    waves.ended("a")
    assert waves.allowance == 1
    assert waves.has_room()


def test_a_wave_begins_at_the_proven_size_of_the_one_before() -> None:
    waves = Waves((3, 20))
    waves.open_next()
    waves.close()
    waves.open_next()
    assert waves.allowance == 3
    assert waves.next_size == 20


def test_a_place_that_is_given_back_is_free_again() -> None:
    waves = Waves((1,))
    waves.open_next()
    waves.admit("a")
    assert waves.full()
    waves.give_back("a")
    assert not waves.full()
    assert waves.has_room()


def test_restored_waves_go_on_where_they_stood() -> None:
    waves = Waves((2, 10))
    waves.restore(2, ["a", "b", "c"], ended=["a"], good=["a", "b", "x"], is_open=True)
    assert waves.number == 2
    assert waves.working == 2
    assert waves.allowance == 4
    assert waves.members == {"a", "b", "c"}
