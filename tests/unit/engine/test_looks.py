"""When silent hosts are looked at, and who looks."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.engine.deadline import at_once
from recovery.engine.looks import DARK, LOOPING, RESTARTING, STIRRING, Cadence, Looks
from recovery.engine.scouts import Scouts
from recovery.model.host import Host
from recovery.ports import Look

NO_ANSWER = Look(answers=False, reason="no answer")
NEVER = 1e9


def wait_at(looks: Looks, host: str, cadence: Cadence, **more: Any) -> None:
    now, until = more.pop("now", 0.0), more.pop("until", NEVER)
    looks.await_answer(host, cadence, now, until, **{"waited": 0.0, "first": 0.0, **more})


def all_looks(looks: Looks, end: float) -> list[tuple[float, str]]:
    """Every look up to `end` (seconds), with its host, none of which ever answers."""
    seen: list[tuple[float, str]] = []
    while (due := looks.due()) is not None and due <= end:
        hosts = looks.take_due(due)
        seen += [(due, host) for host in hosts]
        looks.still_silent(hosts, due)
    return seen


def gaps(cadence: Cadence, end: float) -> list[float]:
    """Seconds between the looks at one host."""
    looks = Looks(1000.0)
    wait_at(looks, "a", cadence)
    times = [0.0, *(at for at, _ in all_looks(looks, end))]
    return [after - before for before, after in itertools.pairwise(times)]


def test_a_host_in_a_loop_is_looked_at_several_times_in_each_second() -> None:
    assert max(gaps(LOOPING, 900.0)) < 0.5


def test_a_dark_host_is_looked_at_ever_less_often_and_found_within_a_quarter_of_an_hour() -> None:
    apart = gaps(DARK, 5 * 86400.0)
    assert apart[0] <= 1.2
    assert max(apart) <= 910.0
    assert len(apart) < 650


@pytest.mark.parametrize(("cadence", "longest"), [(STIRRING, 34.0), (RESTARTING, 12.0)])
def test_a_host_that_may_be_coming_is_looked_at_more_often(
    cadence: Cadence, longest: float
) -> None:
    assert max(gaps(cadence, 3600.0)) <= longest


@given(
    st.sampled_from([LOOPING, DARK, STIRRING, RESTARTING]),
    st.floats(0.0, 1e6),
    st.floats(0.0, 1e6),
)
def test_no_look_comes_before_its_time_nor_long_after_it(
    cadence: Cadence, now: float, waited: float
) -> None:
    looks = Looks(1000.0)
    wait_at(looks, "a", cadence, now=now, waited=waited)
    due = looks.due()
    assert due is not None
    wait = cadence.after(waited)
    assert now + wait <= due <= now + wait * 1.13


def test_the_first_look_can_be_put_off() -> None:
    looks = Looks(1000.0)
    wait_at(looks, "a", LOOPING, first=2.0)
    assert looks.due() == 2.0


def test_a_budget_bounds_the_looks_of_all_together() -> None:
    looks = Looks(50.0)
    for number in range(200):
        wait_at(looks, f"h{number:03d}", LOOPING)
    all_looks(looks, 20.0)
    assert len(all_looks(looks, 40.0)) <= 50 * 20 * 1.05


def test_the_many_dark_take_hardly_anything_from_the_one_that_loops() -> None:
    looks = Looks(50.0)
    for number in range(1000):
        wait_at(looks, f"h{number:03d}", DARK, waited=86400.0)
    wait_at(looks, "loops", LOOPING)
    times = [at for at, host in all_looks(looks, 60.0) if host == "loops"]
    assert len(times) >= 60 / 0.5


def test_hosts_that_are_due_at_about_one_time_are_given_out_together() -> None:
    looks = Looks(1000.0)
    for number in range(100):
        wait_at(looks, f"h{number:02d}", DARK, now=number / 10, waited=86400.0)
    due = looks.due()
    assert due is not None
    assert len(looks.take_due(due)) == 100


def test_a_host_whose_time_is_over_waits_no_more() -> None:
    looks = Looks(1000.0)
    wait_at(looks, "a", DARK, until=10.0)
    wait_at(looks, "b", DARK)
    while (due := looks.due()) is not None and due < 10.0:
        assert looks.still_silent(looks.take_due(due), due) == []
    assert due == 10.0
    assert looks.still_silent(looks.take_due(10.0), 10.0) == ["a"]
    assert {host for _, host in all_looks(looks, 100.0)} == {"b"}


def test_hosts_that_are_drained_are_not_looked_at_any_more() -> None:
    looks = Looks(1000.0)
    for host in "ab":
        wait_at(looks, host, DARK)
    assert list(looks.drain()) == ["a", "b"]
    assert looks.due() is None


class Slow:
    """A transport whose looks take their time; nobody is there."""

    name = "slow"

    def __init__(self) -> None:
        self.at_once = self.most = 0

    async def look(self, _host: Host) -> Look:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        return NO_ANSWER


class Quick(Slow):
    """One that never waits."""

    prompt = True

    async def look(self, _host: Host) -> Look:
        return NO_ANSWER


class Sweeping(Slow):
    """One that looks at many at once."""

    async def sweep(self, hosts: Sequence[Host]) -> AsyncIterator[tuple[Look, Sequence[Host]]]:
        await asyncio.sleep(0)
        yield NO_ANSWER, hosts


class QuickSweeping(Quick):
    async def sweep(self, hosts: Sequence[Host]) -> AsyncIterator[tuple[Look, Sequence[Host]]]:
        yield NO_ANSWER, hosts


@pytest.mark.parametrize("way", [Slow(), Quick(), Sweeping(), QuickSweeping()])
def test_each_host_is_seen_once_by_whatever_way(way: Any) -> None:
    hosts = [Host(name=f"h{number}", transport="way") for number in range(25)]
    seen: list[str] = []

    async def main() -> None:
        scouts = Scouts({"way": way}, lambda _look, found: seen.extend(h.name for h in found), 10)
        async with asyncio.TaskGroup() as group:
            scouts.send(group, hosts)
            assert scouts.active == (not hasattr(way, "prompt"))
        assert not scouts.active

    asyncio.run(main())
    assert sorted(seen) == sorted(host.name for host in hosts)


def test_looks_are_under_way_together() -> None:
    way = Slow()

    async def main() -> None:
        scouts = Scouts({"ssh": way}, lambda _look, _found: None, 100)  # type: ignore[dict-item]
        async with asyncio.TaskGroup() as group:
            scouts.send(group, [Host(name=f"h{number}") for number in range(30)])

    asyncio.run(main())
    assert way.most == 30


def test_looks_can_be_broken_off() -> None:
    class Hanging(Slow):
        async def look(self, _host: Host) -> Look:
            await asyncio.Event().wait()
            return NO_ANSWER

    seen: list[Look] = []

    async def main() -> None:
        scouts = Scouts({"ssh": Hanging()}, lambda look, _found: seen.append(look), 100)  # type: ignore[dict-item]
        async with asyncio.TaskGroup() as group:
            scouts.send(group, [Host(name="h1")])
            await asyncio.sleep(0)
            scouts.cancel()

    asyncio.run(main())
    assert seen == []


def test_an_adapter_that_calls_itself_prompt_and_waits_is_a_mistake() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="prompt"):
            at_once(asyncio.sleep(1))

    asyncio.run(main())
