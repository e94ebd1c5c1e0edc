"""Hosts that nobody reaches in-band, and what their consoles do for them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from recovery.model.events import PowerFinished, PowerIntended, StepFinished, StepIntended
from recovery.model.evidence import ScreenSeen
from recovery.model.host import ConsoleRef, Host
from recovery.model.reading import Reading
from recovery.sim.shown import Shown
from tests.engine.stage import Stage, hosts, mix, playbook

CONSOLE = ConsoleRef(kind="mock")


def read(picture: bytes) -> Reading:
    seen = msgspec.json.decode(picture, type=Shown)
    return Reading(
        label=seen.label,
        confidence=1.0,
        meaning="",
        stop_code=seen.stop_code,
        module=seen.module,
        panic=seen.panic,
        key_id=seen.key_id,
    )


def stage(fleet: tuple[Host, ...], book: str, **faults: Any) -> Stage:
    made = Stage(fleet, playbook(book), mix(**faults))
    made.reader = read
    return made


def consoled(count: int = 2, **fields: Any) -> tuple[Host, ...]:
    return hosts(count, console=CONSOLE, **fields)


@pytest.mark.parametrize(
    ("faults", "fields", "verdict", "because"),
    [
        ({"blue_screen": 1.0}, {}, "blue_screen", "stop code 0x"),
        ({"recovery_screen": 1.0}, {"kind": "desktop"}, "recovery_screen", "a recovery screen"),
        ({"needs_key": 1.0}, {}, "needs_key", "key id 0AF1F50B"),
        ({"dark": 1.0}, {}, "dark", "switched off"),
        ({"refused": 1.0}, {}, "unknown", "a sign-in screen"),
        (
            {"refused": 1.0, "crash_loop": 1.0, "window": (3.0, 5.0), "boot": (15.0, 16.0), "dump": (5.0, 6.0)},
            {},
            "crash_loop",
            "told of 2 panics",
        ),
        (
            {"refused": 1.0, "crash_loop": 1.0, "window": (3.0, 5.0), "boot": (15.0, 16.0), "dump": (5.0, 6.0)},
            {"os": "linux"},
            "crash_loop",
            "a kernel panic",
        ),
    ],
)  # fmt: skip
def test_triage_says_what_a_console_shows(
    faults: dict[str, Any], fields: dict[str, Any], verdict: str, because: str
) -> None:
    run = stage(consoled(**fields), "triage", **faults)
    run.play()
    for state in run.states.values():
        assert state.verdict == verdict, state.because
        assert because in "; ".join(state.because)


def test_without_a_console_the_same_hosts_are_dark() -> None:
    run = stage(hosts(2), "triage", blue_screen=1.0)
    run.play()
    assert {state.verdict for state in run.states.values()} == {"dark"}


def test_a_host_that_answers_is_not_looked_at_through_its_console() -> None:
    run = stage(consoled(), "triage", exposed=1.0)
    run.play()
    assert {state.verdict for state in run.states.values()} == {"exposed"}
    seen = [item for event in run.kinds("host.observed") for item in event.evidence]  # type: ignore[union-attr]
    assert not [item for item in seen if isinstance(item, ScreenSeen)]


def test_hosts_that_stay_on_the_blue_screen_are_raced_for_by_power() -> None:
    fleet = consoled(3)
    run = stage(fleet, "race", blue_screen=1.0, window=(5.0, 8.0))
    run.play()
    assert set(run.outcomes().values()) == {"recovered"}
    cycles = [event for event in run.kinds("power.finished") if isinstance(event, PowerFinished)]
    assert {event.host for event in cycles} == {host.name for host in fleet}
    assert {(event.outcome, event.state, event.message) for event in cycles} == {
        ("ok", "on", "seen off, then on")
    }
    whys = {event.why for event in run.kinds("power.intended") if isinstance(event, PowerIntended)}
    assert whys == {"it stays on its crash screen"}
    assert len(run.kinds("power.intended")) == len(cycles)


def test_a_machine_that_still_writes_its_dump_is_not_cut_short() -> None:
    written = 0

    def counting(picture: bytes) -> Reading:
        nonlocal written
        written += 1
        return msgspec.structs.replace(read(picture), percent=written, problems=("not kept",))

    run = stage(consoled(1), "race", blue_screen=1.0, window=(5.0, 8.0))
    run.reader = counting
    run.play()
    assert written > 3
    assert not run.kinds("power.intended")


def test_without_a_console_they_are_handed_over() -> None:
    run = stage(hosts(2), "race", blue_screen=1.0)
    run.play()
    assert set(run.outcomes().values()) == {"handed_over"}


def test_a_reboot_that_does_not_happen_is_done_by_power() -> None:
    """The host waits for its key after the restart; its power is cycled, which does not help, and people get it."""
    run = stage(consoled(1), "rollback", exposed=1.0, key_at_reboot=1.0)
    run.play()
    assert run.outcomes() == {"h000": "handed_over"}
    reboots = [
        event
        for event in run.kinds("step.intended")
        if isinstance(event, StepIntended) and event.step == "reboot"
    ]
    assert len(reboots) == 3
    ended = [event for event in run.events if isinstance(event, StepFinished)]
    assert [event.outcome for event in ended if event.step == "reboot"] == ["failed"] * 3


def test_the_same_seed_gives_the_same_run_with_consoles() -> None:
    runs = [stage(consoled(5), "race", crash_loop=0.5, blue_screen=0.5) for _ in range(2)]
    for run in runs:
        run.play()
    assert runs[0].events == runs[1].events
