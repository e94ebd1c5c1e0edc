"""Packages on Linux: what is judged bad, a good version in its place, removal, undo; nothing else is touched."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from recovery.model.incident import Artifact, Remedy
from recovery.remote import replies
from tests.needs import need
from tests.unit.remote.item_shells import DEBIAN, PACKAGE, RED_HAT, ItemMachine, items, looked
from tests.unit.remote.shells import Shell, reasons

VERSION = Remedy(kind="package_version", versions=("7.9.0-1", "7.8.0-1"))


@pytest.fixture(params=["dpkg", "rpm"])
def machine(request: pytest.FixtureRequest, shell: Shell, tmp_path: Path) -> ItemMachine:
    """A machine with either package management, on which a bad version is installed."""
    made = ItemMachine(shell, tmp_path, PACKAGE, VERSION)
    made.tools(DEBIAN if request.param == "dpkg" else RED_HAT)
    made.say("installed", "7.11.0-1\n")
    made.say("sources", "7.9.0-1\n7.11.0-1\n")
    return made


@pytest.fixture
def debian(shell: Shell, tmp_path: Path) -> ItemMachine:
    made = ItemMachine(shell, tmp_path, PACKAGE, VERSION)
    made.tools(DEBIAN)
    made.say("installed", "7.11.0-1\n")
    made.say("sources", "7.9.0-1\n7.11.0-1\n")
    return made


@pytest.mark.parametrize(
    ("installed", "states", "bad"),
    [
        ("7.11.0-1\n", ["bad"], True),
        ("7.10.1\n", ["bad"], True),
        ("7.10.9\n", ["good"], False),
        ("7.9.0-1\n", ["other"], False),
        ("7.9.0-1\n7.11.0-1\n", ["other", "bad"], True),
        ("", [], False),
    ],
)
def test_a_version_is_judged_on_the_endpoint(
    machine: ItemMachine, installed: str, states: list[str], *, bad: bool
) -> None:
    machine.say("installed", installed)
    listing = looked(machine.ask("triage"))
    assert (listing.kind, listing.name, listing.exists, listing.bad) == (
        "package",
        "sensor",
        bool(installed),
        bad,
    )
    assert [item.state for item in listing.items] == states


def test_what_is_left_of_a_removed_package_is_not_installed(debian: ItemMachine) -> None:
    debian.say("installed", "rc 7.11.0-1\n")
    assert looked(debian.ask("triage")).items == ()


def test_a_good_version_is_installed_held_and_written_down(machine: ItemMachine) -> None:
    reply = machine.act()
    assert machine.done(reply) == (1, 0, False)
    assert (looked(reply).bad, looked(reply).intents, looked(reply).quarantined) == (
        False,
        ("i1",),
        1,
    )
    assert [item.version for item in looked(reply).items] == ["7.9.0-1"]
    assert "hold sensor" in machine.said("calls") or "versionlock add sensor" in machine.said(
        "calls"
    )
    assert replies.notes(reply) == ""
    assert machine.done(machine.act("i2")) == (0, 1, False)


def test_undo_brings_the_version_before_back_once(machine: ItemMachine) -> None:
    machine.act()
    reply = machine.ask("undo", "u1")
    assert machine.done(reply, "undo") == (1, 0, False)
    assert (looked(reply).bad, looked(reply).intents) == (True, ())
    assert machine.said("installed") == "7.11.0-1\n"
    assert "unhold sensor" in machine.said("calls") or "versionlock delete" in machine.said("calls")
    assert machine.done(machine.ask("undo", "u1"), "undo") == (0, 1, False)
    assert machine.done(machine.ask("undo", "u2"), "undo") == (0, 0, True)


def test_a_hold_of_somebody_else_stays_theirs(debian: ItemMachine) -> None:
    debian.say("held", "sensor\n")
    debian.act()
    debian.ask("undo", "u1")
    assert "unhold" not in debian.said("calls")
    assert debian.said("held") == "sensor\n"


def test_where_nothing_is_bad_nothing_is_touched(machine: ItemMachine) -> None:
    machine.say("installed", "7.9.0-1\n")
    assert machine.done(machine.act()) == (0, 0, True)
    assert not machine.quarantine.exists()
    assert "install " not in machine.said("calls")


def test_without_a_good_version_the_host_says_so_and_keeps_no_record(
    machine: ItemMachine,
) -> None:
    machine.say("offline")
    reply = machine.act()
    assert machine.done(reply) == (0, 0, False)
    assert reasons(reply) == ["unavailable"]
    assert (looked(reply).bad, looked(reply).intents) == (True, ())
    assert list(machine.quarantine.glob("*/record")) == []


def test_without_sources_the_hosts_own_cache_is_taken_and_that_is_said(
    debian: ItemMachine,
) -> None:
    debian.say("offline")
    debian.tools({})
    cache = debian.system / "var/cache/apt/archives"
    cache.mkdir(parents=True)
    (cache / "sensor_7.8.0-1_amd64.deb").touch()
    reply = debian.act(system=True)
    assert debian.done(reply) == (1, 0, False)
    assert "from the host's own cache" in replies.notes(reply)
    assert "did not answer" in replies.notes(reply)
    assert debian.said("installed") == "7.8.0-1\n"


def test_a_kill_in_the_middle_leaves_an_intent_that_evidence_settles(debian: ItemMachine) -> None:
    debian.say("killer")
    killed = debian.completed("package_version", "i1")
    assert b'"end"' not in killed.stdout
    listing = looked(debian.ask("triage"))
    assert (listing.intents, listing.bad, listing.quarantined) == (("i1",), False, 1)
    assert debian.done(debian.act("i1")) == (0, 1, False)
    assert debian.done(debian.ask("undo", "u1"), "undo") == (1, 0, False)
    assert debian.said("installed") == "7.11.0-1\n"


def test_a_record_that_is_torn_or_of_another_artifact_is_none(debian: ItemMachine) -> None:
    for name, text in (("torn", "fleet-recovery 1 aa\nwas"), ("other", "fleet-recovery 1 aa\n")):
        folder = debian.quarantine / name
        folder.mkdir(parents=True)
        (folder / "record").write_text(text)
    assert looked(debian.ask("triage")).intents == ()
    assert debian.done(debian.ask("undo", "u1"), "undo") == (0, 0, True)


def test_a_package_is_removed_and_nothing_undoes_it(shell: Shell, tmp_path: Path) -> None:
    made = ItemMachine(shell, tmp_path, PACKAGE, Remedy(kind="package_remove"))
    made.tools(DEBIAN)
    made.say("installed", "7.11.0-1\n")
    reply = made.act()
    assert made.done(reply) == (1, 0, False)
    assert (looked(reply).exists, looked(reply).bad) == (False, False)


def test_what_others_need_is_not_removed(shell: Shell, tmp_path: Path) -> None:
    made = ItemMachine(shell, tmp_path, PACKAGE, Remedy(kind="package_remove"))
    made.tools(DEBIAN)
    made.say("installed", "7.11.0-1\n")
    made.say("needed")
    reply = made.act()
    assert (made.done(reply), reasons(reply)) == ((0, 0, False), ["needed"])
    assert looked(reply).bad


def test_a_name_of_a_pattern_is_never_expanded_by_the_folder(
    debian: ItemMachine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / "7.10.txt").touch()
    monkeypatch.chdir(trap)
    debian.say("installed", "7.10.1\n")
    assert looked(debian.ask("triage")).bad


DEBS = {"7.9.0-1": "good", "7.11.0-1": "bad"}


def build(folder: Path, version: str) -> Path:
    control = folder / version / "DEBIAN/control"
    control.parent.mkdir(parents=True)
    control.write_text(
        f"Package: sensor\nVersion: {version}\nArchitecture: all\nMaintainer: Nobody <n@example.org>\n"
        "Description: made up\n"
    )
    file = folder / version / "opt/sensor/version"
    file.parent.mkdir(parents=True)
    file.write_text(version)
    made = folder / f"sensor_{version}_all.deb"
    subprocess.run(
        [need("dpkg"), "--build", "-Znone", str(folder / version), str(made)],
        check=True,
        capture_output=True,
    )
    return made


def test_a_real_dpkg_puts_the_cached_version_in_place_and_back(
    shell: Shell, tmp_path: Path
) -> None:
    need("root")
    made = ItemMachine(shell, tmp_path, PACKAGE, VERSION)
    cache = made.system / "var/cache/apt/archives"
    for folder in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "var/cache/apt/archives"):
        (made.system / folder).mkdir(parents=True)
    (made.system / "var/lib/dpkg/status").touch()
    debs = {version: build(cache, version) for version in DEBS}
    subprocess.run(
        ["/usr/bin/dpkg", f"--root={made.system}", "-i", str(debs["7.11.0-1"])],
        check=True,
        capture_output=True,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    assert items(made.ask("triage", system=True)) == [("7.11.0-1", "bad", "dpkg")]
    reply = made.act(system=True)
    assert made.done(reply) == (1, 0, False), reply
    assert items(reply) == [("7.9.0-1", "other", "dpkg")]
    assert (made.system / "opt/sensor/version").read_text() == "7.9.0-1"
    assert made.done(made.ask("undo", "u1", system=True), "undo") == (1, 0, False)
    assert (made.system / "opt/sensor/version").read_text() == "7.11.0-1"


def test_a_host_without_a_package_management_is_no_clean_host(shell: Shell, tmp_path: Path) -> None:
    made = ItemMachine(shell, tmp_path, Artifact(kind="none"), VERSION)
    assert looked(made.ask("triage")).kind == "none"
