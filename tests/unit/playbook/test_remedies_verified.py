"""The verifier knows what a remedy of another kind can and cannot do."""

from __future__ import annotations

import pytest

from recovery.model.incident import Incident
from recovery.playbook.incidents import parse_incident
from recovery.playbook.library import read_incident
from recovery.playbook.parser import parse_playbook
from recovery.playbook.report import Report
from recovery.playbook.verifier import verify

BOOK = """\
playbook: fix
targets: verdict = exposed
strategy: {{waves: [1, 10%, 100%], guard: {{failed: 5%}}}}
steps:
  - triage
  - {step}
  - settle
  - prove
"""


def incident(name: str) -> Incident:
    return parse_incident(*read_incident(name))


def checked(step: str, name: str) -> Report:
    return verify(parse_playbook(BOOK.format(step=step), "fix.yaml"), incident=incident(name))


def messages(report: Report) -> list[str]:
    return [problem.shown("fix.yaml") for problem in report.problems]


@pytest.mark.parametrize(
    ("step", "name", "says"),
    [
        ("quarantine", "kernel-panic-linux", "has kernel_previous for linux: use rollback"),
        ("quarantine", "driver-rollback", "has driver_disable for windows: use rollback"),
        ("race", "package-panic-linux", "package_version (linux) does harm: it cannot be raced"),
        ("race", "windows-update-boot-loop", "package_remove (windows) does harm"),
        (
            "undo",
            "defender-definitions",
            "nothing undoes definitions_rollback, which is the remedy",
        ),
        ("undo", "windows-update-boot-loop", "nothing undoes package_remove"),
    ],
)
def test_a_step_that_the_remedy_is_not_for_is_refused(step: str, name: str, says: str) -> None:
    found = messages(checked(step, name))
    assert len(found) == 1
    assert found[0].startswith("fix.yaml:6: ")
    assert says in found[0]


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ("rollback", "kernel-panic-linux"),
        ("rollback", "check-point"),
        ("race", "driver-rollback"),
        ("race", "crowdstrike-291"),
        ("undo", "package-panic-linux"),
        ("undo", "kernel-panic-linux"),
    ],
)
def test_a_step_that_the_remedy_is_for_passes(step: str, name: str) -> None:
    assert messages(checked(step, name)) == []


def test_what_nothing_undoes_is_said_aloud_with_the_system() -> None:
    assert checked("rollback", "defender-definitions").irreversible == (
        "line 6: nothing undoes rollback on windows, which is definitions_rollback",
    )
    assert checked("rollback", "kernel-panic-linux").irreversible == ()


def test_the_privileges_are_those_of_the_remedy() -> None:
    assert "set the boot loader's default" in checked("rollback", "kernel-panic-linux").privileges
    assert "remove packages" in checked("rollback", "windows-update-boot-loop").privileges
