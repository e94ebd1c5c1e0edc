"""Consoles whose way is lost, that end by themselves, or are more than a run listens to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from recovery.consoles.mock import MockConsole
from recovery.errors import UnreachableError, UnsupportedError
from recovery.model.events import HostObserved
from recovery.model.evidence import AnyEvidence, CrashRecord, PowerSeen
from recovery.model.host import Host
from recovery.ports import News
from tests.engine.stage import Stage
from tests.engine.test_consoles_on_the_twin import consoled, stage

LOOP = {"window": (3.0, 5.0), "boot": (15.0, 16.0), "dump": (5.0, 6.0)}
REAL = MockConsole.news


def told(run: Stage) -> dict[str, int]:
    """How many crashes each host's console has told of."""
    found: dict[str, int] = {}
    for item in observed(run):
        if isinstance(item[1], CrashRecord):
            found[item[0]] = found.get(item[0], 0) + 1
    return found


def observed(run: Stage) -> list[tuple[str, AnyEvidence]]:
    """Everything that was seen outside of steps, with its host."""
    return [
        (event.host, item)
        for event in run.events
        if isinstance(event, HostObserved)
        for item in event.evidence
    ]


def looping(count: int = 1) -> Stage:
    return stage(consoled(count), "triage", refused=1.0, crash_loop=1.0, **LOOP)


def test_a_way_that_is_lost_is_sought_again(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = 0

    async def frail(self: MockConsole, host: Host) -> AsyncIterator[News]:
        nonlocal lost
        lost += 1
        if lost <= 2:
            raise UnreachableError("the way is lost")
        async for news in REAL(self, host):
            yield news

    monkeypatch.setattr(MockConsole, "news", frail)
    run = looping()
    run.play()
    assert lost >= 3
    assert told(run)["h000"] >= 1


@pytest.mark.parametrize("error", [UnsupportedError("it does not tell"), None])
def test_a_console_that_tells_nothing_is_left_alone(
    error: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def mute(self: MockConsole, host: Host) -> AsyncIterator[News]:
        nonlocal asked
        asked += 1
        if error is not None:
            raise error
        nothing: tuple[News, ...] = ()
        for news in nothing:
            yield news

    monkeypatch.setattr(MockConsole, "news", mute)
    run = looping()
    run.play()
    assert asked == 1
    assert told(run) == {}


def test_no_more_consoles_are_listened_to_than_a_process_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("recovery.engine.watch.MOST", 1)
    run = looping(3)
    run.play()
    assert set(told(run)) == {"h000"}


def test_a_flood_of_events_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recovery.engine.watch._MOST_EVENTS", 5)

    async def flood(self: MockConsole, host: Host) -> AsyncIterator[News]:
        yield News(kind="lost", at=datetime(2024, 7, 19, tzinfo=UTC))
        for _ in range(500):
            yield News(kind="power_off", at=datetime(2024, 7, 19, tzinfo=UTC))

    monkeypatch.setattr(MockConsole, "news", flood)
    run = looping()
    run.play()
    off = [item for _, item in observed(run) if isinstance(item, PowerSeen) and item.state == "off"]
    assert len(off) == 3
