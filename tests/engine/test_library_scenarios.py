"""The library of incidents: each profile and its playbooks are in order, and its mock scenario ends as it should."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from recovery.inventory.ranges import expand
from recovery.model.remedy import REMEDIES
from recovery.planning import Request, check_query
from recovery.playbook import library
from recovery.playbook.incidents import parse_incident, verify_incident
from recovery.playbook.parser import parse_playbook
from recovery.playbook.verifier import verify
from recovery.service import Service
from recovery.settings import Settings
from recovery.sim.acts import read_ledger

NAMES = sorted(library.incident_names())
LIBRARY = {
    "check-point", "crowdstrike-291", "defender-definitions", "driver-rollback", "falcon-linux-2024", "kb5058379",
    "kb5074109", "kernel-panic-linux", "mcafee-dat-5958", "package-panic-linux", "sentinelone",
    "windows-update-boot-loop",
}  # fmt: skip


class Expected(msgspec.Struct, forbid_unknown_fields=True):
    """How a scenario ends."""

    playbook: str
    exit_code: int
    outcomes: Mapping[str, str]
    runbooks: Mapping[str, str] = {}
    parameters: Mapping[str, str] = {}


def scenario(name: str) -> tuple[Path, Expected]:
    folder = library.bundled("playbooks") / name / "scenario"
    text = (folder / "expect.yaml").read_bytes()
    return folder, msgspec.yaml.decode(text, type=Expected)


def by_host(groups: Mapping[str, str]) -> dict[str, str]:
    return {
        host: group
        for group, names in groups.items()
        for part in names.split(",")
        for host in expand(part)
    }


def test_the_library_is_whole() -> None:
    assert set(NAMES) >= LIBRARY


@pytest.mark.parametrize("name", NAMES)
def test_each_profile_is_in_order_and_says_where_it_is_from(name: str) -> None:
    incident = parse_incident(*library.read_incident(name))
    assert [problem.shown() for problem in verify_incident(incident).problems] == []
    assert incident.name == name
    assert incident.sources
    assert incident.unknowns
    assert incident.freeze is not None
    for runbook in incident.runbooks.values():
        assert "Wait until" in runbook.steps[-1]


@pytest.mark.parametrize("name", NAMES)
def test_each_profiles_playbooks_pass_the_verifier(name: str) -> None:
    incident = parse_incident(*library.read_incident(name))
    own = [path.stem for path in (library.bundled("playbooks") / name).glob("*.yaml")]
    names = {"triage", "prove", "rollback", "reboot", *own} - {"incident"}
    for book in sorted(names):
        playbook = parse_playbook(*library.read_playbook(book, name))
        report = verify(playbook, incident=incident, check_query=check_query)
        assert [problem.shown() for problem in report.problems] == [], book
        irreversible = {
            remedy.kind
            for platform in incident.platforms.values()
            if (remedy := platform.remedy("full_system")) and not remedy.spec.undo
        }
        if book == "rollback" and any(step.name == "rollback" for step in playbook.steps):
            for kind in irreversible - {"hand_over_only"}:
                assert any(kind in said for said in report.irreversible)


def test_every_kind_of_remedy_is_used_by_the_library() -> None:
    used = {
        remedy.kind
        for name in NAMES
        for platform in parse_incident(*library.read_incident(name)).platforms.values()
        for remedy in platform.remedies.values()
    }
    assert used == set(REMEDIES)


@pytest.mark.parametrize("name", NAMES)
def test_each_scenario_ends_recovered_or_with_the_right_hosts_handed_over(
    name: str, home: Path
) -> None:
    folder, expected = scenario(name)
    service = Service(Settings(journal=str(home / "journal.db")))
    request = Request(
        playbook=expected.playbook,
        inventory=(str(folder / "fleet.yaml"),),
        incident=name,
        parameters=expected.parameters,
        mock=True,
        seed=1,
        run="r1",
    )
    ending = service.execute(service.prepare(request), lambda _event: None)
    states = service.view("r1").states
    outcomes = {host: state.outcome.value for host, state in states.items() if state.outcome}
    assert outcomes == by_host(expected.outcomes), {
        host: (state.message, state.because) for host, state in states.items()
    }
    handed_over = {host: state.runbook for host, state in states.items() if state.runbook}
    assert handed_over == by_host(expected.runbooks)
    assert ending.code == expected.exit_code


def test_lost_answers_repeat_no_remedy(home: Path) -> None:
    """Each host gets the package once, whatever becomes of the answers: the twin's ledger is the witness."""
    folder, expected = scenario("package-panic-linux")
    mix = home / "lossy.mix.yaml"
    mix.write_text("mix: lossy\nlatency: 0\ndefault: {exposed: 1, resets: 0.3, cut: 0.2}\n")
    journal = home / "journal.db"
    service = Service(Settings(journal=str(journal)))
    request = Request(
        playbook="rollback",
        inventory=(str(folder / "fleet.yaml"),),
        incident="package-panic-linux",
        parameters=expected.parameters,
        overrides={"strategy.guard.failed": "50%"},
        mock=True,
        mix=str(mix),
        seed=4,
        run="r1",
    )
    service.execute(service.prepare(request), lambda _event: None)
    _, acts = read_ledger(Path(f"{journal}.r1.twin"))
    hosts = [act.host for act in acts if act.act == "quarantine"]
    assert sorted(hosts) == sorted(set(hosts))
    states = service.view("r1").states
    assert len(states) == len(hosts) == 8
    assert {state.outcome.value for state in states.values() if state.outcome} <= {
        "recovered",
        "handed_over",
    }
    fixed = [state for state in states.values() if state.case.fix is not None]
    assert {state.case.fix.remedy for state in fixed if state.case.fix} == {"package_version"}
