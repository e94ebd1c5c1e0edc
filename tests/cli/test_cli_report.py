"""`recovery report` as operators use it."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import pytest

from recovery.journal.log import Log
from recovery.model.events import HostObserved, Notice, RunStarted
from recovery.model.evidence import Reachability, Verdict
from tests.cli.conftest import Cli, write_fleet
from tests.unit.journal.happenings import at

HALF = "[{when: {kind: desktop}, faults: {exposed: 0, needs_key: 1.0}}]"


@pytest.fixture
def ended(cli: Cli, home: Path) -> Path:
    """A run on a twin of four servers that are recovered and two desktops that ask for their key."""
    hosts = "h[1-4]: {kind: server, site: A}\n  s[1-2]: {kind: desktop}"
    fleet = write_fleet(home, hosts, "exposed: 1.0", HALF)
    assert cli("run", "rollback", "-i", fleet, "--mock", "--yes").code == 7
    return fleet


def test_the_page_adds_up_to_the_inventory(cli: Cli, ended: Path) -> None:
    told = cli("report", "-o", "json")
    found = told.document
    assert (told.code, found["total"], found["affected"], found["mock"]) == (0, 6, 6, True)
    assert (found["groups"]["proven"], found["groups"]["people"]) == (4, 2)
    assert {row["name"]: row["total"] for row in found["sites"]} == {"A": 4, "": 2}
    assert found["changes"] is None
    assert "SIMULATED" in told.err
    more = ended.parent / "more.yaml"
    more.write_text("hosts: {h1: {}, h9: {}}")
    named = cli("report", "-i", more, "-o", "json").document
    assert (named["total"], named["groups"]["proven"], named["groups"]["unknown"]) == (2, 1, 1)


def test_the_page_for_people(cli: Cli, ended: Path) -> None:
    told = cli("report").out
    assert "| Fixed and proven      |      4 |  67 % |" in told
    assert "Affected: 6. Proven: 4 (67 % of the affected). Left: 2." in told
    assert "**" not in told
    marked = cli("report", "-o", "markdown").out
    assert marked.startswith("# Status of the recovery")
    assert "<h1>Status of the recovery" in cli("report", "-o", "html").out


def test_what_has_changed_since_the_last_report_that_was_given(cli: Cli, ended: Path) -> None:
    assert cli("report", "--given").code == 0
    changed = cli("report", "-o", "json").document["changes"]
    assert (changed["report"], changed["proven"], sum(changed["counts"].values())) == (True, 0, 0)
    assert "report given by" in cli("events").out
    assert "4 proven" in cli("events").out
    whole = cli("report", "--since", "2024-07-19T00:00", "-o", "json").document["changes"]
    assert (whole["report"], whole["proven"], whole["newly_hit"]) == (False, 4, 6)
    assert cli("report", "--since", "365d", "-o", "json").document["changes"] == {
        **whole,
        "since": cli("report", "--since", "365d", "-o", "json").document["changes"]["since"],
    }
    at_the_end = cli("report", "--since", "2099-01-01T00:00+00:00", "-o", "json").document
    assert at_the_end["changes"]["proven"] == 0


def test_the_after_action_report_is_one_file(cli: Cli, ended: Path) -> None:
    path = ended.parent / "after.html"
    told = cli("report", "--after-action", "-w", path)
    assert (told.code, told.out) == (0, "")
    assert str(path) in told.err
    html = path.read_text()
    assert "What each step achieved" in html
    assert html == cli("report", "--after-action").out


def test_the_figures_for_prometheus(cli: Cli, ended: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = cli("report", "--metrics")
    assert 'fleet_recovery_hosts{group="proven"} 4.0' in told.out
    assert told.out == cli("report", "-o", "prometheus").out
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("prometheus_client"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    missing = cli("report", "--metrics")
    assert missing.code == 2
    assert "pip install 'fleet-recovery[metrics]'" in missing.err


def test_what_technicians_say_is_claimed_and_told_of(cli: Cli, ended: Path) -> None:
    assert cli("report", "--given").code == 0
    assert cli("desk", "claim", "s1", "--tech", "ann").code == 0
    assert cli("desk", "done", "s1", "--tech", "ann", "--restarts", "2").code == 0
    found = cli("report", "-o", "json").document
    assert (found["groups"]["claimed"], found["groups"]["people"]) == (1, 1)
    assert found["changes"]["counts"]["claimed"] == 1
    html = cli("report", "--after-action").out
    assert "<td>ann</td>" in html
    assert "by hand" in html


def test_sites_and_services_leave_as_many_as_the_whole(cli: Cli, home: Path) -> None:
    fleet = write_fleet(home, "h[1-2]: {site: A}\n  h[3-5]: {}", "exposed: 1.0")
    assert cli("desk", "add", "h1", "h3", "h4", "--reason", "blue screen").code == 0
    assert cli("desk", "claim", "h3", "--tech", "ann").code == 0
    assert cli("desk", "done", "h3", "--tech", "ann").code == 0
    told = cli("report", "-i", fleet).out
    assert "Left: 3." in told
    sites = told.partition("| Site ")[2].splitlines()[2:4]
    assert sorted(line.split("|")[2].strip() for line in sites) == ["1", "2"]


def test_real_hosts_are_told_of_with_the_loss_until_now(cli: Cli, home: Path) -> None:
    silent = Reachability(at=at(1), source="look", answers=False)
    with Log.open(home / "real.db") as log:
        log.append(
            RunStarted(at=at(0), run="r1", playbook="triage", incident="x", total=1),
            HostObserved(at=at(1), run="r1", host="h1", evidence=(silent,), verdict=Verdict.DARK),
            Notice(at=at(2), run="r1", message="<b>loud</b>"),
        )
        log.close()
    fleet = home / "one.yaml"
    fleet.write_text("services: {shop: {cost_per_hour: 10}}\nhosts: {h1: {service: shop}}")
    found = cli("report", "-i", fleet, "--journal", home / "real.db", "-o", "json").document
    assert (found["mock"], found["groups"]["to_do"], found["loss_per_hour"]) == (False, 1, 10.0)
    assert found["lost"] > 100_000  # years have gone by since
    assert found["run"] == "run of triage on 1 host, incident x (r1)"
    html = cli("report", "-i", fleet, "--journal", home / "real.db", "--after-action").out
    assert "&lt;b&gt;loud&lt;/b&gt;" in html


def test_an_inventory_has_a_report_before_anything_was_done(cli: Cli, ended: Path) -> None:
    found = cli("report", "-i", ended, "--journal", "none.db", "-o", "json").document
    assert (found["total"], found["groups"]["unknown"], found["lost"]) == (6, 6, 0.0)
    assert json.dumps(found)


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (("-o", "csv"), "prints text, markdown, html, json, prometheus", 2),
        (("--after-action", "-o", "json"), "--after-action is html", 2),
        (("--metrics", "-o", "json"), "--metrics is prometheus", 2),
        (("--after-action", "--metrics"), "nothing else goes with it", 2),
        (("--since", "yesterday"), "expected 90m, 2h", 2),
        (("-w", "/nowhere/at/all.html"), "cannot be written", 1),
        (("--journal", "none.db"), "journal", 2),
        (("--journal", "none.db", "-i", "h1,", "--given"), "journal", 2),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(
    cli: Cli, ended: Path, words: tuple[str, ...], said: str, code: int
) -> None:
    told = cli("report", *words)
    assert told.code == code
    assert said in told.err
