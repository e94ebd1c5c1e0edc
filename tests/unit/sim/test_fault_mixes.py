"""Fault mixes: files, rules, shares."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from recovery.errors import InputError
from recovery.model.host import Fleet
from recovery.sim.faults import (
    DEFAULT_MIX,
    Faults,
    Mix,
    Rule,
    Selector,
    first_success,
    load_mix,
    parse_mix,
    seed_key,
)
from recovery.sim.world import World
from tests.unit.sim.twin_factory import HandClock, host, incident

MIXES = sorted((Path(__file__).parents[3] / "inventory").glob("*.mix.yaml"))


def test_rules_override_field_by_field_and_later_ones_win() -> None:
    mix = parse_mix(
        """
mix: here
default: {crash_loop: 0.5, window: [3, 30]}
rules:
  - when: {kind: server}
    faults: {crash_loop: 0.8}
  - when: {site: [ATL, MSP], tag: old}
    faults: {window: [1, 2], crash_loop: 0.1}
""",
        "here.mix.yaml",
    )
    cache: dict[tuple[int, ...], Faults] = {}
    assert mix.faults_of(host(), cache).crash_loop == 0.5
    server = mix.faults_of(host(kind="server"), cache)
    assert (server.crash_loop, server.window) == (0.8, (3, 30))
    old = mix.faults_of(host(kind="server", site="MSP", tags=("old", "x")), cache)
    assert (old.crash_loop, old.window) == (0.1, (1, 2))
    assert mix.faults_of(host("h2", kind="server"), cache) is server


@pytest.mark.parametrize(
    ("selector", "fields"),
    [
        ({"host": "atl-*"}, {"name": "atl-1"}),
        ({"kind": ("server", "kiosk")}, {"kind": "kiosk"}),
        ({"os": "linux"}, {"os": "linux"}),
        ({"service": "check-in"}, {"service": "check-in"}),
        ({"group": "web"}, {"groups": ("all", "web")}),
        ({"tag": "x"}, {"tags": ("x",)}),
        ({"site": "ATL"}, {"site": "ATL"}),
    ],
)
def test_selectors_choose_by_what_they_name(selector: Any, fields: Any) -> None:
    fields = {"name": "h1", **fields}
    assert Selector(**selector).matches(host(**fields))
    assert not Selector(**selector).matches(host("msp-1"))


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("default: {crash_lop: 0.5}", 1, "did you mean 'crash_loop'"),
        ("mix: a\ndefault:\n  crash_loop: 1.5", 3, "<= 1"),
        ("default:\n  crash_loop: 0.7\n  exposed: 0.6", 1, "at most 1"),
        ("default:\n  window: [30, 3]", 1, "smaller one first"),
        ("rules:\n  - when: {kind: server}\n    faults: {crashloop: 1}", 3, "crash_loop"),
        ("rules:\n  - when: {knd: server}\n    faults: {}", 2, "kind"),
        (
            "default: {exposed: 0.5}\nrules:\n  - when: {os: linux}\n    faults: {crash_loop: 0.8}",
            4,
            "1.3 of all",
        ),
        ("latency: -1", 1, ">= 0"),
    ],
)
def test_mistakes_are_told_with_their_line(text: Any, line: Any, words: Any) -> None:
    with pytest.raises(InputError) as caught:
        parse_mix(text, "m.yaml")
    assert words in str(caught.value)
    assert caught.value.line == line


def test_a_file_that_cannot_be_read_is_told(tmp_path: Any) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_mix(tmp_path / "none.mix.yaml")


def test_there_are_bundled_mixes() -> None:
    assert {path.name for path in MIXES} >= {
        f"{name}.mix.yaml" for name in ("airline", "delta", "demo", "hospital", "logistics")
    }


@pytest.mark.parametrize("path", MIXES, ids=[path.stem for path in MIXES])
def test_bundled_mixes_can_be_read(path: Any) -> None:
    mix = load_mix(path)
    assert mix.mix == path.name.removesuffix(".mix.yaml")
    assert mix.about


def _phases(mix: Mix, kind: str, count: int = 2000) -> Counter[str]:
    fleet = Fleet(hosts=tuple(host(f"h{number}", kind=kind) for number in range(count)))
    world = World(fleet, incident(), mix, 1, clock=HandClock())
    return Counter(world.machine(one.name).phase.value for one in fleet.hosts)


def test_shares_come_out_in_a_large_fleet() -> None:
    mix = Mix(
        default=Faults(needs_key=0.2, recovery_screen=0.3, blue_screen=0.1, dark=0.05),
        rules=(Rule(when=Selector(kind="server"), faults={"needs_key": 0.0}),),
    )
    desktops = _phases(mix, "desktop")
    assert desktops["needs_key"] == pytest.approx(2000 * 0.2 * 0.95, rel=0.15)
    assert desktops["recovery_screen"] == pytest.approx(2000 * 0.3 * 0.95, rel=0.15)
    assert desktops["off"] == pytest.approx(100, rel=0.3)
    assert desktops["running"] == pytest.approx(2000 * 0.4 * 0.95, rel=0.15)
    assert "needs_key" not in _phases(mix, "server")


def test_the_default_mix_has_something_of_everything() -> None:
    assert set(_phases(DEFAULT_MIX, "desktop")) >= {
        "booting", "needs_key", "off", "recovery_screen", "running", "window",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("share", "drawn", "number"),
    [(0.0, 0.5, 0), (1.0, 0.99, 1), (0.5, 0.0, 1), (0.5, 0.49, 1), (0.5, 0.51, 2), (0.5, 0.76, 3)],
)
def test_first_success_is_the_number_of_tries(share: Any, drawn: Any, number: Any) -> None:
    assert first_success(share, drawn) == number


def test_seeds_differ() -> None:
    assert seed_key(1) != seed_key(2)
    assert seed_key(1) == seed_key(1)
