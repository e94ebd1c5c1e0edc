"""How many sessions are open at once."""

from __future__ import annotations

import asyncio

import pytest

from recovery.engine.limits import SessionLimits
from recovery.model.host import Fleet, Host, Site
from recovery.model.playbook import Limits

FLEET = Fleet(sites={"ATL": Site(concurrency=2), "MSP": Site(gateway="jump")})


@pytest.mark.parametrize(
    ("host", "limits", "most"),
    [
        (Host(name="h"), Limits(total=5), 5),
        (Host(name="h", site="ATL"), Limits(total=5), 2),
        (Host(name="h", site="ATL"), Limits(total=5, per_site=1), 1),
        (Host(name="h", site="MSP"), Limits(total=5, per_gateway=3), 3),
        (Host(name="h", gateway="own"), Limits(total=5, per_gateway=4), 4),
        (Host(name="h", site="MSP"), Limits(total=5, per_gateway=0), 5),
    ],
)
def test_no_more_sessions_are_open_than_there_are_places(
    host: Host, limits: Limits, most: int
) -> None:
    async def main() -> int:
        places = SessionLimits(limits, FLEET)
        tasks = [asyncio.ensure_future(places.take_place(host)) for _ in range(9)]  # noqa: TID251
        await asyncio.sleep(0)
        taken = sum(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return taken

    assert asyncio.run(main()) == most


def test_who_stops_waiting_at_the_site_keeps_no_place_of_the_run() -> None:
    async def main() -> None:
        places = SessionLimits(Limits(total=2), Fleet(sites={"ATL": Site(concurrency=1)}))
        here, there = Host(name="a", site="ATL"), Host(name="b")
        await places.take_place(here)
        impatient = asyncio.ensure_future(places.take_place(here))  # noqa: TID251
        await asyncio.sleep(0)
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        await places.take_place(there)
        places.give_back(here)
        places.give_back(there)
        await places.take_place(here)

    asyncio.run(main())
