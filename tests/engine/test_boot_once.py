"""Hosts that are started from a rescue image once, by their console and power, and believed when they are back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recovery.errors import UnsupportedError
from recovery.journal.reader import Reader
from recovery.model.console import BootDevice
from recovery.model.events import PowerFinished, PowerIntended, StepFinished
from recovery.model.host import Host
from recovery.model.playbook import Playbook
from recovery.playbook.parser import parse_playbook
from recovery.sim.world import World
from tests.engine.killing import killed_and_resumed
from tests.engine.stage import Stage, hosts, mix
from tests.engine.test_consoles_on_the_twin import consoled, read

TEXT = """\
playbook: rescue
strategy: {{waves: [100%], guard: {{failed: 50%}}}}
steps:
  - boot_once: {{{arguments}}}
  - settle
  - prove
"""


def book(arguments: str = "device: pxe") -> Playbook:
    return parse_playbook(TEXT.format(arguments=arguments), "rescue.yaml")


def stage(fleet: tuple[Host, ...], arguments: str = "device: pxe", **faults: Any) -> Stage:
    made = Stage(fleet, book(arguments), mix(**faults))
    made.reader = read
    return made


def acts(run: Stage) -> list[tuple[str, str, str]]:
    """What the consoles were asked for, and what came of it."""
    return [
        (event.act, event.outcome, event.message)
        for event in run.events
        if isinstance(event, PowerFinished)
    ]


@pytest.mark.parametrize(
    ("faults", "fields"),
    [
        ({"blue_screen": 1.0}, {}),
        ({"exposed": 1.0}, {}),
        ({"crash_loop": 1.0, "window": (3.0, 5.0)}, {}),
    ],
)
def test_hosts_that_start_from_the_network_are_recovered(
    faults: dict[str, Any], fields: dict[str, Any]
) -> None:
    run = stage(consoled(2, **fields), **faults)
    run.play()
    assert set(run.outcomes().values()) == {"recovered"}
    assert [act for act, *_ in acts(run)].count("boot_once") == 2
    whys = [event.why for event in run.events if isinstance(event, PowerIntended)]
    assert sorted(set(whys)) == ["from network", "to start from pxe once"]
    for state in run.states.values():
        assert "quarantine" in "; ".join(state.because)


def test_a_medium_is_taken_out_again() -> None:
    run = stage(consoled(1), "device: cd, media: 'https://10.0.0.1/rescue.iso'", blue_screen=1.0)
    run.play()
    assert run.outcomes() == {"h000": "recovered"}
    assert [(act, outcome, message) for act, outcome, message in acts(run)] == [
        ("boot_once", "ok", "its next start is from media, https://10.0.0.1/rescue.iso"),
        ("cycle", "ok", "seen off, then on"),
        ("boot_once", "ok", "its next start is from disk"),
    ]


def test_who_has_no_console_is_refused() -> None:
    run = stage((*consoled(1), *hosts(2)[1:]), exposed=1.0)
    run.play()
    assert run.outcomes() == {"h000": "recovered", "h001": "failed"}
    assert run.states["h001"].message == "it has no console that could choose its next start"
    assert not run.states["h001"].touched


def test_a_start_that_mends_nothing_proves_nothing() -> None:
    run = stage(consoled(1), exposed=1.0, key_at_reboot=1.0)
    run.play()
    assert run.outcomes() == {"h000": "failed"}
    assert "did not come back within 1800 s" in run.states["h000"].message


def test_a_start_from_the_disk_finds_nothing_in_quarantine() -> None:
    run = stage(consoled(1), "device: disk", exposed=1.0, window=(900.0, 901.0))
    run.play()
    ended = [
        event
        for event in run.events
        if isinstance(event, StepFinished) and event.step == "boot_once"
    ]
    assert ended[-1].message == "nothing in quarantine tells of a remedy"
    assert run.outcomes()["h000"] != "recovered"


def test_a_console_that_cannot_choose_leaves_the_power_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(self: World, host: Host, device: BootDevice) -> None:
        raise UnsupportedError(f"{host.name}: the board has no network start")

    monkeypatch.setattr(World, "boot_once", refuse)
    run = stage(consoled(1), blue_screen=1.0)
    run.play()
    assert run.outcomes() == {"h000": "failed"}
    assert acts(run) == [("boot_once", "failed", "h000: the board has no network start")]


def test_a_power_that_cannot_be_cycled_takes_the_choice_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(World, "switch", lambda *_, **__: None)
    run = stage(consoled(1), blue_screen=1.0)
    run.play()
    assert run.outcomes() == {"h000": "failed"}
    assert [(act, outcome) for act, outcome, _ in acts(run)] == [
        ("boot_once", "ok"),
        ("cycle", "failed"),
        ("boot_once", "ok"),
    ]
    assert acts(run)[-1][2] == "its next start is from disk"


@pytest.mark.parametrize("at", range(1, 9))
def test_a_controller_that_is_killed_anywhere_in_it_chooses_and_cycles_on(
    tmp_path: Path, at: int
) -> None:
    path, ledger = str(tmp_path / "j.db"), tmp_path / "j.twin"

    def begin() -> Stage:
        made = Stage(
            consoled(1),
            book("device: pxe, attempts: 2"),
            mix(blue_screen=1.0),
            path=path,
            ledger=ledger,
        )
        made.reader = read
        return made

    second = killed_and_resumed(begin, at)
    assert second.outcomes() == {"h000": "recovered"}
    starts = [line for line in ledger.read_text().splitlines() if '"boot_once"' in line]
    offs = [line for line in ledger.read_text().splitlines() if '"power_off"' in line]
    assert 1 <= len(starts) <= 2
    assert len(offs) == 1
    told = [
        stored.event
        for stored in Reader.open(path).read(kinds=("power.intended", "power.finished"))
    ]
    assert [isinstance(event, PowerFinished) for event in told] == [False, True] * (len(told) // 2)
