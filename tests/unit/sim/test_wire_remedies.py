"""A simulated machine behind a real socket knows the scripts of every remedy by their text."""

from __future__ import annotations

import pytest

from recovery.model.host import Host
from recovery.playbook.incidents import parse_incident
from recovery.playbook.library import read_incident
from recovery.remote import catalog
from recovery.sim.wire.scripts import Scripts

HOST = Host(name="h1", os="linux")


@pytest.mark.parametrize(
    ("incident", "action"),
    [
        ("package-panic-linux", "package_version"),
        ("kernel-panic-linux", "kernel_previous"),
        ("falcon-linux-2024", "kernel_previous"),
        ("package-panic-linux", "undo"),
        ("kernel-panic-linux", "triage"),
        ("crowdstrike-291", "quarantine"),
    ],
)
def test_what_arrives_is_the_action_that_was_sent(incident: str, action: str) -> None:
    profile = parse_incident(*read_incident(incident))
    sent = catalog.command(action, HOST, profile, token="i1", timeout=60.0)
    came = Scripts(profile).posix(catalog.render(sent))
    assert came is not None
    assert came.token == "i1"
    # A race and the remedy are one script, and machines answer them alike.
    assert came.action in (action, "race")
    assert came.settings == dict(sent.settings)


def test_the_script_of_another_incident_is_not_known() -> None:
    packages, kernels = (
        parse_incident(*read_incident(name))
        for name in ("package-panic-linux", "kernel-panic-linux")
    )
    sent = catalog.command("package_version", HOST, packages, token="i1", timeout=60.0)
    assert Scripts(kernels).posix(catalog.render(sent)) is None
