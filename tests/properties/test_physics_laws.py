"""Laws of the mock twin, whatever is drawn."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recovery.model.host import Fleet, Host
from recovery.sim.acts import Act, perform
from recovery.sim.birth import born
from recovery.sim.faults import CONDITIONS, TRAITS, Faults, Mix, chance, seed_key, tick
from recovery.sim.machine import NEVER, Machine, Phase, advance
from recovery.sim.world import World
from tests.unit.sim.twin_factory import EPOCH, HandClock, ask, host, incident, mix

BEGAN = EPOCH.timestamp()
INCIDENT = incident()

hosts = st.builds(
    host,
    name=st.text("abcdef0123456789-", min_size=1, max_size=8),
    kind=st.sampled_from(("desktop", "server", "kiosk", "laptop", "appliance")),
    os=st.sampled_from(("windows", "linux", "macos")),
)
spans = st.tuples(st.floats(0.5, 60), st.floats(60, 200))
shares = st.sampled_from((0.0, 0.0, 0.0, 0.5, 1.0))


@st.composite
def fault_sets(draw: st.DrawFn) -> Faults:
    fields: dict[str, object] = {draw(st.sampled_from(CONDITIONS)): 1.0}
    for trait in TRAITS:
        fields[trait] = draw(shares)
    for span in ("boot", "window", "dump", "anew", "other_every", "wake"):
        fields[span] = draw(spans)
    fields["asleep"] = draw(shares)
    fields["lucky"] = draw(st.sampled_from((0.0, 0.02, 0.5)))
    return Faults(**fields)  # type: ignore[arg-type]


acts = st.sampled_from(
    ("quarantine", "undo", "reboot", "power_off", "power_on", "strike", "enter_key")
)
timelines = st.lists(st.tuples(st.floats(0, 100_000), acts), max_size=6)


def lived(
    one: Host, faults: Faults, seed: int, timeline: Any, stops: Sequence[float] = (), *, end: float
) -> Machine:
    """The machine at `end`, acted on as the timeline says, looked at in between at `stops` as well."""
    machine = born(one, INCIDENT, faults, seed_key(seed), tick(BEGAN))
    moments = [(at, act) for at, act in timeline] + [(at, "") for at in stops]
    for at, act in sorted(moments, key=lambda moment: (moment[0], moment[1] == "")):
        now = tick(BEGAN + at)
        advance(machine, now)
        if act in ("quarantine", "undo", "reboot") and not machine.answers:
            continue
        if act:
            files = (
                machine.bad if act == "quarantine" else _held(machine) if act == "undo" else (1,)
            )
            perform(machine, Act(at=now, host=one.name, act=act, intent=f"i{at}", files=files))
    advance(machine, tick(BEGAN + end))
    return machine


def _held(machine: Machine) -> tuple[int, ...]:
    held = [file for kept in machine.kept for file in kept.files]
    return tuple(file for file in held if file not in machine.bad)


@given(
    hosts, fault_sets(), st.integers(0, 5), timelines, st.lists(st.floats(0, 400_000), max_size=20)
)
@settings(deadline=None)
def test_the_state_does_not_depend_on_when_it_is_looked_at(
    one: Any, faults: Any, seed: Any, timeline: Any, stops: Any
) -> None:
    once = lived(one, faults, seed, timeline, end=400_000)
    often = lived(one, faults, seed, timeline, stops, end=400_000)
    assert once == often


@given(hosts, fault_sets(), st.integers(0, 5), st.floats(0, 50_000))
@settings(deadline=None)
def test_loops_that_are_passed_over_end_as_step_by_step(
    one: Any, faults: Any, seed: Any, end: Any
) -> None:
    machine = born(one, INCIDENT, faults, seed_key(seed), tick(BEGAN))
    while machine.until <= tick(BEGAN + end):
        advance(machine, machine.until)
    leaped = born(one, INCIDENT, faults, seed_key(seed), tick(BEGAN))
    advance(leaped, tick(BEGAN + end))
    assert machine == leaped


@given(hosts, fault_sets(), st.integers(0, 5), st.lists(st.tuples(st.integers(0, 9), acts)))
@settings(deadline=None)
def test_only_a_boot_that_found_the_bad_file_crashes_of_it(
    one: Any, faults: Any, seed: Any, acted: Any
) -> None:
    machine = born(one, INCIDENT, faults, seed_key(seed), tick(BEGAN))
    for moments, act in (*acted, (9, "")):
        for _ in range(moments):
            now, boot = machine.until, machine.boot
            if now == NEVER:
                break
            _one_moment(machine)
            came_up = machine.answers and machine.since == now and machine.boot == boot
            if came_up and not machine.is_bad:
                assert machine.cause != "incident"
        if act:
            now = machine.since + 0.5
            files = machine.bad if act == "quarantine" else ()
            perform(machine, Act(at=now, host=one.name, act=act, intent="i", files=files))


def _one_moment(machine: Machine) -> None:
    advance(machine, machine.until)


@given(
    st.sampled_from(("desktop", "laptop", "kiosk")),
    spans,
    spans,
    st.tuples(st.floats(0, 60), st.floats(60, 120)),
    st.integers(0, 1000),
)
@settings(deadline=None)
def test_desktops_in_a_loop_reach_the_recovery_screen_after_two_starts(
    kind: Any, boot: Any, dump: Any, window: Any, seed: Any
) -> None:
    faults = Faults(crash_loop=1.0, boot=boot, dump=dump, window=window)
    machine = born(host(kind=kind), INCIDENT, faults, seed_key(seed), tick(BEGAN))
    advance(machine, tick(BEGAN + 86_400))
    assert (machine.phase, machine.boot) == (Phase.RECOVERY_SCREEN, 2)


@given(st.lists(st.text("abc123", min_size=1, max_size=5), min_size=2, max_size=8, unique=True))
@settings(deadline=None)
def test_hosts_do_not_depend_on_the_order_in_which_they_are_asked(names: Any) -> None:
    fleet = Fleet(hosts=tuple(host(name) for name in names))
    world_mix = mix(crash_loop=0.5, dark=0.2, slow=0.5, lucky=0.1)
    one = World(fleet, INCIDENT, world_mix, 3, clock=HandClock())
    two = World(fleet, INCIDENT, world_mix, 3, clock=HandClock())
    for name in reversed(names):
        two.machine(name)
    assert [one.machine(name) for name in names] == [two.machine(name) for name in names]


class Script(msgspec.Struct, frozen=True):
    pause: float
    host: int
    action: str


scripts = st.lists(
    st.builds(
        Script,
        pause=st.floats(0, 500),
        host=st.integers(0, 2),
        action=st.sampled_from(
            ("quarantine", "race", "undo", "reboot", "run", "power_off", "power_on", "strike")
        ),
    ),
    max_size=12,
)


@given(script=scripts, seed=st.integers(0, 5), cut=st.integers(0, 12), frozen=st.booleans())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_world_restored_from_its_ledger_is_the_same(
    tmp_path_factory: Any, script: Any, seed: Any, cut: Any, frozen: Any
) -> None:
    fleet = Fleet(hosts=tuple(host(f"h{number}", kind="server") for number in range(3)))
    clock = HandClock()
    world_mix = Mix(
        latency=0.0,
        feed_frozen=frozen,
        default=Faults(crash_loop=0.7, crash_anew=0.3, redelivered=0.5, window=(20, 400)),
    )
    plain = World(fleet, INCIDENT, world_mix, seed, clock=clock)
    path = tmp_path_factory.mktemp("ledger") / "acts.jsonl"
    logged = World(fleet, INCIDENT, world_mix, seed, clock=clock, ledger=path)
    for number, line in enumerate(script):
        if number == cut:
            logged.close()
            logged = World.restore(fleet, INCIDENT, world_mix, seed, clock=clock, ledger=path)
        clock.elapsed += line.pause
        for world in (plain, logged):
            _play(world, fleet.hosts[line.host], line, f"t{number}")
    logged.close()
    restored = World.restore(fleet, INCIDENT, world_mix, seed, clock=clock, ledger=path)
    for one in fleet.hosts:
        assert plain.machine(one.name) == logged.machine(one.name) == restored.machine(one.name)
    restored.close()
    _each_act_once(path)


def _play(world: World, one: Host, line: Script, token: str) -> None:
    if line.action in ("power_off", "power_on", "strike"):
        getattr(world, line.action)(one.name)
    elif world.contact(one)[0] == "open":
        ask(world, one, line.action, token)
        ask(world, one, line.action, token) if line.action != "run" else None


def _each_act_once(path: Path) -> None:
    lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()[1:]]
    seen = [(line["host"], line["act"], line["intent"]) for line in lines if "intent" in line]
    assert len(seen) == len(set(seen))


@given(st.integers(0, 1000), st.integers(2, 5))
@settings(deadline=None)
def test_a_quarantine_is_carried_out_once(seed: Any, times: Any) -> None:
    world = World(
        Fleet(hosts=(one := host(kind="server"),)),
        INCIDENT,
        mix(exposed=1.0),
        seed,
        clock=HandClock(),
    )
    first = ask(world, one, "quarantine", "i1").acted("quarantine")
    after = world.machine("h1").kept
    again = [ask(world, one, "quarantine", "i1").acted("quarantine") for _ in range(times)]
    assert first is not None
    assert first.files == 1
    assert all(acted is not None and (acted.files, acted.already) == (0, 1) for acted in again)
    assert world.machine("h1").kept == after


@given(st.binary(max_size=16), st.text(max_size=20), st.text(max_size=10), st.integers(0, 9))
def test_chances_lie_in_their_range_and_repeat(
    seed: Any, name: Any, what: Any, number: Any
) -> None:
    first = chance(seed, name, what, number)
    assert 0.0 <= first < 1.0
    assert chance(seed, name, what, number) == first


TELL = """
import hashlib
from tests.unit.sim.twin_factory import *
hosts = [host(f"h{n}", kind=("server", "desktop")[n % 2]) for n in range(60)]
clock = HandClock()
twin = world(*hosts, clock=clock, crash_loop=.5, dark=.1, slow=.3, crash_anew=.4, exposed=.3, safe_mode=.3)
told = []
for step in range(20):
    clock.elapsed += 37.7
    for one in hosts:
        door, boot = twin.contact(one)
        told.append(repr((door, boot, sorted(twin.machine(one.name).traits))))
        if door == "open":
            told.append(repr(twin.answer(one, boot, command("race", f"t{step}"))))
print(len(told), hashlib.sha256("".join(told).encode()).hexdigest())
"""


def _told(hash_seed: str) -> str:
    told = subprocess.run(
        [sys.executable, "-c", TELL],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=True,
        text=True,
    )
    return told.stdout


def test_replies_do_not_depend_on_the_hash_seed() -> None:
    first, second = _told("1"), _told("4711")
    assert int(first.split()[0]) > 1200, "some hosts answered"
    assert first == second
