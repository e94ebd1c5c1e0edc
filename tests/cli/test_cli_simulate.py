"""`recovery simulate` as operators use it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli, write_fleet

FEW = ("--runs", "2", "--technicians", "2")


def test_it_tells_when_it_is_over_and_what_each_order_costs(cli: Cli, home: Path) -> None:
    services = "services: {shop: {cost_per_hour: 1000}}\n"
    fleet = write_fleet(
        home, "h[1-4]: {kind: server, site: A, service: shop}", "recovery_screen: 1.0"
    )
    fleet.write_text(services + fleet.read_text())
    told = cli("simulate", "-i", fleet, *FEW, "--minutes-per-machine", "10", "--comes-back", "0")
    assert told.code == 0, told.err
    assert "4 hosts, 4 of them not well" in told.out
    assert told.out.count("people alone") >= 3
    assert "measured: 4 of 4 hosts" in told.out
    assert "assumed:" in told.out
    assert "the real engine on a sample" in told.err


def test_the_figures_as_a_document(cli: Cli, home: Path) -> None:
    fleet = write_fleet(home, "h[1-4]: {kind: server, site: A}", "exposed: 1.0")
    told = cli("simulate", "-i", fleet, *FEW, "--order", "inventory", "-o", "json")
    document = told.document
    assert (document["schema"], document["fleet"], document["down"]) == (1, 4, 4)
    assert {(each["order"], each["alone"]) for each in document["scenarios"]} == {
        ("inventory", False),
        ("inventory", True),
    }
    together = next(each for each in document["scenarios"] if not each["alone"])
    assert together["by_program"]["p50"] + together["by_hand"]["p50"] == 4
    assert together["hours"]["all"]["p90"] >= together["hours"]["half"]["p10"] > 0


def test_what_the_order_saves_is_what_the_table_says_course_by_course(cli: Cli, home: Path) -> None:
    services = "services: {shop: {cost_per_hour: 1000}, bank: {cost_per_hour: 90000}}\n"
    fleet = write_fleet(
        home,
        "a[1-9]: {kind: server, site: A, service: shop}\n"
        "  b[1-3]: {kind: server, site: A, service: bank}",
        "recovery_screen: 1.0",
    )
    fleet.write_text(services + fleet.read_text())
    words = ("simulate", "-i", fleet, "--runs", "3", "--technicians", "1", "--no-alone")
    worst = cli(*words, "-o", "json").document["scenarios"][-1]
    more = {name: f"{figure:,.0f}" for name, figure in worst["dearer"].items()}
    span = f"{more['p50']} ({more['p10']} to {more['p90']})"
    assert worst["order"] == "inventory"
    assert f"order cost instead of inventory saves {span}, " in cli(*words).out
    only = cli(*words, "--order", "cost")
    assert "saves" not in only.out


def test_it_goes_on_from_where_the_journal_ends(cli: Cli, home: Path) -> None:
    fleet = write_fleet(
        home,
        "h[1-4]: {kind: server, site: A}\n  s[1-3]: {kind: desktop, site: A}",
        "exposed: 1.0",
        "[{when: {kind: desktop}, faults: {exposed: 0, needs_key: 1.0}}]",
    )
    assert cli("run", "rollback", "-i", fleet, "--mock", "--yes").code == 7
    document = cli("simulate", *FEW, "--order", "cost", "--no-alone", "-o", "json").document
    (only,) = document["scenarios"]
    assert (document["fleet"], document["down"]) == (7, 3)
    assert (only["by_hand"]["p50"], only["by_program"]["p50"]) == (3, 0)
    assert document["sampled"] == ["nothing: the journal says of every host how it ends"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--example", "delta", "-i", "h1,h2"), "leave -i out"),
        (("--example", "dleta"), "delta"),
        (("-i", "h1", "--order", "cots"), "cost"),
        (("-i", "h1", "--technicians", "-1"), "at least one"),
        (("-i", "h1", "--technicians", "0"), "at least one"),
        (("-i", "h1", "--shifts", "5"), "one, two or three"),
        (("-i", "h1", "--minutes-per-machine", "soon"), "expected minutes"),
        (("-i", "h1", "--hands-after", "soon"), "written like"),
        (("-i", "h1", "--runs", "0"), "from 1 to"),
        (("-i", "h1", "--sample", "3"), "from 50 to"),
        (("-i", "h1", "-o", "csv"), "prints text, json"),
        ((), "journal"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(cli: Cli, words: tuple[str, ...], said: str) -> None:
    told = cli("simulate", *words)
    assert (told.code, told.out) == (2, "")
    assert said in told.err
