"""Five hundred boot loops without a console: what a whole race costs in looks, and how soon it gets in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from recovery.errors import UnreachableError
from recovery.model.host import Host
from recovery.ports import Look, Session
from recovery.sim.faults import Faults, Mix, Rule, Selector
from recovery.sim.world import World
from recovery.transports.mock import MockTransport
from tests.engine.stage import Stage, hosts, playbook

FIRST = hosts(500)
"""They run; the wave of the others begins at its full size once these are recovered."""
LOOPS = hosts(500, site="MSP")
LOOPS = tuple(msgspec.structs.replace(host, name=f"loop{host.name}") for host in LOOPS)
BUDGET = 200.0
"""Looks a second that this many looping hosts cost at most, once their rhythm is learnt."""
LEARNT = 300.0
"""Seconds into the race after which each host has had at least three windows."""
OPENS = 600.0
"""Seconds for which no looping host lets anybody in, so that all go on looping."""


class Shut:
    """A way to simulated machines that answer looks, and let nobody in before a certain time."""

    name = "mock"

    def __init__(self, mock: MockTransport) -> None:
        self._mock = mock
        self._world: World = mock._world  # type: ignore[assignment]
        self._began = 0.0
        self.looks: list[float] = []
        """When looping hosts were looked at, in seconds into their race."""
        self.boots: dict[str, int] = {}
        """The boot that each host was in when the doors opened."""
        self.missed: dict[str, int] = {}
        """How many boots later the host was spoken with."""

    async def look(self, host: Host) -> Look:
        self._count((host,))
        return await self._mock.look(host)

    async def sweep(self, hosts: Sequence[Host]) -> AsyncIterator[tuple[Look, Sequence[Host]]]:
        self._count(hosts)
        async for seen in self._mock.sweep(hosts):
            yield seen

    async def open(self, host: Host, timeout: float) -> Session:
        if host.site == "ATL":
            return await self._mock.open(host, timeout)
        self._began = self._began or self._world.now
        if not self.boots:
            raise UnreachableError(f"{host.target} hung up")
        session = await self._mock.open(host, timeout)
        boot = self._world.standing(host).boot
        self.missed.setdefault(host.name, boot - self.boots[host.name])
        return session

    async def aclose(self) -> None:
        await self._mock.aclose()

    def _count(self, hosts: Sequence[Host]) -> None:
        if not self._began:
            return
        now = self._world.now - self._began
        self.looks += [now] * sum(host.site != "ATL" for host in hosts)
        if now >= OPENS and not self.boots:
            self.boots = {host.name: self._world.standing(host).boot for host in LOOPS}


pytestmark = pytest.mark.xdist_group("race by rhythm")


@pytest.fixture(scope="module")
def raced() -> tuple[Stage, Shut]:
    """The race, played to its end."""
    book = playbook(
        "race",
        strategy__waves="[500, 500]",
        strategy__limits="{total: 1000}",
        strategy__guard="{failed: 100%, unreachable: 100% of run}",
    )
    faults = Mix(
        default=Faults(exposed=1.0),
        latency=0.0,
        rules=(
            Rule(
                when=Selector(site="MSP"),
                faults={
                    "exposed": 0.0,
                    "crash_loop": 1.0,
                    "window": (2.0, 3.0),
                    "boot": (25.0, 60.0),
                    "dump": (5.0, 30.0),
                },
            ),
        ),
    )
    stage = Stage((*FIRST, *LOOPS), book, faults)
    ways: list[Shut] = []

    def way(mock: MockTransport) -> Shut:
        if not ways:
            ways.append(Shut(mock))
        return ways[0]

    stage.way = way
    stage.play()
    return stage, ways[0]


def test_the_looks_of_a_whole_race_stay_under_the_budget_once_the_rhythm_is_learnt(
    raced: tuple[Stage, Shut],
) -> None:
    _, way = raced
    before = sum(1 for at in way.looks if at < 30.0) / 30.0
    spans = [(LEARNT + 50.0 * n, LEARNT + 50.0 * (n + 1)) for n in range(6)]
    after = [sum(1 for at in way.looks if start <= at < end) / 50.0 for start, end in spans]
    assert max(after) <= BUDGET, after
    assert before > 2 * BUDGET


def test_each_host_is_met_within_two_boots(raced: tuple[Stage, Shut]) -> None:
    _, way = raced
    assert len(way.missed) == len(LOOPS)
    assert max(way.missed.values()) <= 2


def test_each_host_is_recovered(raced: tuple[Stage, Shut]) -> None:
    stage, _ = raced
    assert set(stage.outcomes().values()) == {"recovered"}
