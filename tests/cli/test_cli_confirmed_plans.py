"""What was looked at is what begins: a run may be tied to the plan that somebody has seen."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli

ASKED = ("rollback", "-l", "site=A", "--mock")


def digest(cli: Cli, fleet: Path, *words: str) -> str:
    document = cli("plan", *(words or ASKED), "-i", fleet, "-o", "json").document
    return str(document["digest"])


def test_a_run_begins_with_the_digest_of_its_plan(cli: Cli, fleet: Path) -> None:
    seen = digest(cli, fleet)
    told = cli("run", *ASKED, "-i", fleet, "--plan", seen.upper(), "-o", "json")
    assert told.code == 0, told.err
    assert told.document["counts"] == {"recovered": 4}
    retried = cli("runs", "retry", told.document["run"], "--only", "recovered")
    assert retried.code == 0, retried.err


def test_nothing_is_begun_for_hosts_that_nobody_has_seen(cli: Cli, fleet: Path, home: Path) -> None:
    seen = digest(cli, fleet)
    fleet.write_text(fleet.read_text() + "  new-[1-3]: {kind: server, site: A}\n")
    told = cli("run", *ASKED, "-i", fleet, "--plan", seen)
    assert (told.code, told.out) == (2, "")
    for words in ("nothing was begun", "for 7 hosts (h[1-4] new-[1-3])", "look at the plan again"):
        assert words in told.err
    assert not list(home.rglob("journal.db*"))


OTHERS = (
    ("rollback", "--mock"),
    ("rollback", "--mock", "-C"),
    ("rollback",),
    ("quarantine", "--mock"),
    ("rollback", "--mock", "-l", "h[1-3]"),
    ("rollback", "--mock", "--set", "strategy.soak=1s"),
    ("rollback", "--mock", "--incident", "mcafee-dat-5958"),
)


def test_each_plan_has_a_digest_of_its_own(cli: Cli, fleet: Path) -> None:
    found = [digest(cli, fleet, *words) for words in OTHERS]
    assert len(set(found)) == len(OTHERS)
    assert [digest(cli, fleet, *words) for words in OTHERS] == found
    assert digest(cli, fleet) == found[0]


def test_protection_and_the_order_of_the_inventory(cli: Cli, fleet: Path) -> None:
    plain = digest(cli, fleet)
    fleet.write_text("hosts: {h3: {site: A}, h1: {site: A}, h4: {site: A}, h2: {site: A}}\n")
    assert digest(cli, fleet) == plain
    fleet.write_text(
        "hosts: {h3: {site: A, protected: true}, h1: {site: A}, h4: {site: A}, h2: {site: A}}\n"
    )
    assert digest(cli, fleet) != plain


def test_a_check_is_planned_as_what_it_is(cli: Cli, fleet: Path) -> None:
    document = cli("plan", *ASKED, "-C", "-i", fleet, "-o", "json").document
    assert (document["check"], document["mock"], document["irreversible"]) == (True, True, [])
    assert cli("plan", *ASKED, "-i", fleet, "-o", "json").document["irreversible"]


def test_a_run_that_only_looked_is_listed_as_that(cli: Cli, fleet: Path) -> None:
    run = cli("run", *ASKED, "-C", "-i", fleet, "-o", "json").document["run"]
    again = cli("runs", "retry", run, "--only", "done", "-o", "json").document["run"]
    assert cli("runs", "list").out.count("  rollback (only a look)  ") == 2
    for look in (run, again):
        assert cli("runs", "show", look, "-o", "json").document["check"] is True
        assert ", only a look, MOCK" in cli("runs", "show", look).out
