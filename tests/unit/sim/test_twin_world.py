"""Worlds: what one meets at their doors, and the ledger from which they come back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recovery.errors import InputError, UnknownNameError
from recovery.model.host import Fleet
from recovery.sim.world import World
from tests.unit.sim.twin_factory import (
    EPOCH,
    STEADY,
    HandClock,
    ask,
    command,
    host,
    incident,
    mix,
    world,
)

SERVER = host(kind="server")
FLEET = Fleet(hosts=(SERVER, host("h2")))


@pytest.fixture
def ledger(tmp_path: Any) -> Any:
    return tmp_path / "acts.jsonl"


def acts(path: Path) -> list[tuple[str, str, str]]:
    lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()[1:]]
    return [(line["host"], line["act"], line.get("intent", "")) for line in lines]


@pytest.mark.parametrize(
    ("faulty", "door"),
    [
        ({}, "open"),
        ({"refused": 1}, "closed"),
        ({"drops": 1}, "silent"),
        ({"wrong_credential": 1}, "denied"),
        ({"dark": 1}, "silent"),
        ({"dark": 1, "open_port": 1}, "hangs"),
        ({"needs_key": 1, "wrong_credential": 1}, "silent"),
    ],
)
def test_doors(faulty: Any, door: Any) -> None:
    assert world(SERVER, clock=HandClock(), **faulty).contact(SERVER)[0] == door


def test_connections_that_drop_are_drawn_for_each_moment() -> None:
    clock = HandClock()
    twin = world(SERVER, clock=clock, drops=0.5)
    doors = []
    for _ in range(200):
        clock.elapsed += 1
        doors.append(twin.contact(SERVER)[0])
    assert 60 < doors.count("open") < 140
    assert twin.contact(SERVER)[0] == doors[-1]


def test_replies_are_cut_and_reset_by_share() -> None:
    clock = HandClock()
    twin = world(SERVER, clock=clock, exposed=1, resets=0.4, cut=0.3)
    fates = []
    for number in range(300):
        clock.elapsed += 1
        fate, reply = twin.answer(SERVER, 1, command("run", f"t{number}"))
        fates.append(fate)
        assert (b'"record":"end"' in reply) == (fate == "whole")
    assert 60 < fates.count("reset") < 180
    assert 50 < fates.count("cut") < 130
    assert 50 < fates.count("whole") < 130


def test_a_reset_comes_before_or_after_the_act(ledger: Any) -> None:
    clock = HandClock()
    twin = World(Fleet(hosts=(SERVER,)), incident(), mix(resets=1.0), 1, clock=clock, ledger=ledger)
    for number in range(100):
        clock.elapsed += 1
        assert twin.answer(SERVER, 1, command("run", f"t{number}")) == ("reset", b"")
    twin.close()
    assert 25 < len(acts(ledger)) < 75


def test_a_command_to_a_boot_that_is_over_meets_nobody() -> None:
    clock = HandClock()
    twin = world(SERVER, clock=clock, exposed=1.0, **STEADY)
    _, boot = twin.contact(SERVER)
    ask(twin, SERVER, "reboot", "r1")
    assert twin.alive(SERVER, boot)
    clock.elapsed += 25
    assert not twin.alive(SERVER, boot)
    assert twin.contact(SERVER) == ("open", boot + 1)
    assert twin.answer(SERVER, boot, command("triage")) == ("gone", b"")


def test_delays_are_the_hosts_own() -> None:
    clock = HandClock()
    fleet = Fleet(hosts=tuple(host(f"h{number}") for number in range(50)))
    waits = msgspec.structs.replace(mix(slow=0.5, slow_by=10.0), latency=1.0)
    twin = World(fleet, incident(), waits, 1, clock=clock)
    slow = {one.name for one in fleet.hosts if "slow" in twin.machine(one.name).traits}
    assert 10 < len(slow) < 40
    for one in fleet.hosts:
        opening, working = twin.delays(one)
        factor = 10 if one.name in slow else 1
        assert 0.2 * factor <= opening <= 1.0 * factor
        assert 0.2 * factor <= working <= 0.4 * factor
        assert twin.delays(one) == (opening, working)
    assert world(SERVER, clock=clock).delays(SERVER) == (0.0, 0.0)


def test_unknown_hosts_are_told_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="h1"):
        world(SERVER, clock=HandClock()).machine("h11")


def test_time_never_goes_back() -> None:
    clock = HandClock()
    twin = world(SERVER, clock=clock)
    clock.elapsed = 100
    now = twin.now
    clock.elapsed = 50
    assert twin.now == now == EPOCH.timestamp() + 100


def test_only_what_changes_a_machine_is_in_the_ledger(ledger: Any) -> None:
    twin = World(FLEET, incident(), mix(exposed=1.0), 1, clock=HandClock(), ledger=ledger)
    ask(twin, SERVER, "triage")
    for token in ("i1", "i1", "i2"):
        ask(twin, SERVER, "quarantine", token)
    ask(twin, SERVER, "undo", "u1")
    ask(twin, SERVER, "undo", "u1")
    ask(twin, SERVER, "reboot", "r1", EXPECT_BOOT="other")
    ask(twin, SERVER, "reboot", "r1")
    ask(twin, SERVER, "reboot", "r2")
    ask(twin, SERVER, "run", "x1")
    twin.power_off("h2")
    twin.close()
    twin.close()
    assert acts(ledger) == [
        ("h1", "quarantine", "i1"),
        ("h1", "undo", "u1"),
        ("h1", "reboot", "r1"),
        ("h1", "run", "x1"),
        ("h2", "power_off", ""),
    ]


def test_a_world_goes_on_from_its_ledger(ledger: Any) -> None:
    clock, faulty = HandClock(), mix(crash_loop=1.0, **STEADY)
    twin = World(FLEET, incident(), faulty, 1, clock=clock, ledger=ledger)
    while twin.contact(SERVER)[0] != "open":
        clock.elapsed += 1
    ask(twin, SERVER, "race", "i1")
    clock.elapsed += 100
    before = msgspec.structs.replace(twin.machine("h1"))
    again = World.restore(FLEET, incident(), faulty, 1, clock=clock, ledger=ledger)
    assert again.machine("h1") == before
    ask(again, SERVER, "run", "x1")
    again.close()
    assert [act for _, act, _ in acts(ledger)] == ["quarantine", "run"]


def test_a_restored_world_is_never_earlier_than_its_last_act(ledger: Any) -> None:
    clock = HandClock()
    twin = World(FLEET, incident(), mix(), 1, clock=clock, ledger=ledger)
    clock.elapsed = 3600
    twin.power_off("h1")
    again = World.restore(FLEET, incident(), mix(), 1, clock=HandClock(), ledger=ledger)
    assert again.now == (EPOCH + timedelta(hours=1)).timestamp()


def test_a_line_that_was_cut_by_a_kill_did_not_happen(ledger: Any) -> None:
    twin = World(FLEET, incident(), mix(), 1, clock=HandClock(), ledger=ledger)
    twin.power_off("h1")
    twin.power_off("h2")
    ledger.write_bytes(ledger.read_bytes()[:-9])
    again = World.restore(FLEET, incident(), mix(), 1, clock=HandClock(), ledger=ledger)
    assert again.machine("h1").phase == "off"
    assert again.machine("h2").phase == "running"
    again.power_off("h2")
    assert acts(ledger) == [("h1", "power_off", ""), ("h2", "power_off", "")]


def test_a_ledger_is_not_written_over(ledger: Any) -> None:
    World(FLEET, incident(), mix(), 1, clock=HandClock(), ledger=ledger).close()
    with pytest.raises(InputError, match="exists"):
        World(FLEET, incident(), mix(), 1, clock=HandClock(), ledger=ledger)


@pytest.mark.parametrize(("seed", "faulty"), [(2, mix()), (1, mix(dark=0.5))])
def test_a_ledger_of_another_world_is_refused(ledger: Any, seed: Any, faulty: Any) -> None:
    World(FLEET, incident(), mix(), 1, clock=HandClock(), ledger=ledger).close()
    with pytest.raises(InputError, match="another world"):
        World.restore(FLEET, incident(), faulty, seed, clock=HandClock(), ledger=ledger)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (b"", "no first line"),
        (b'{"began": 1', "no first line"),
        (b"what\n", "not a line of a ledger"),
        (b'{"began":1721368800.0,"seed":1,"mix":"","world":1}\n{"at":1}\n', ":2: "),
    ],
)
def test_a_file_that_is_no_ledger_is_refused(ledger: Any, lines: Any, words: Any) -> None:
    ledger.write_bytes(lines)
    with pytest.raises(InputError, match=words):
        World.restore(FLEET, incident(), mix(), 1, clock=HandClock(), ledger=ledger)


def test_a_ledger_that_is_not_there_is_told(ledger: Any) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        World.restore(FLEET, incident(), mix(), 1, clock=HandClock(), ledger=ledger)
