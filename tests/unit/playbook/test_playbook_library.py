"""Finding bundled and own playbooks and incidents."""

from __future__ import annotations

from pathlib import Path

import pytest

from recovery.errors import InputError, UnknownNameError
from recovery.playbook import library
from recovery.playbook.incidents import parse_incident
from recovery.playbook.parser import parse_playbook
from recovery.playbook.verifier import verify

PLAYBOOKS = {"triage", "quarantine", "rollback", "race", "reboot", "prove", "undo"}


def test_the_playbooks_of_the_spine_are_bundled() -> None:
    assert set(library.playbook_names()) >= PLAYBOOKS
    assert "crowdstrike-291" in library.incident_names()


@pytest.mark.parametrize("name", sorted(library.playbook_names()))
def test_every_bundled_playbook_passes_the_verifier(name: str) -> None:
    own, _, _ = name.rpartition("/")
    incident = parse_incident(*library.read_incident(own or "crowdstrike-291"))
    playbook = parse_playbook(*library.read_playbook(name))
    report = verify(playbook, incident=incident)
    assert [problem.shown() for problem in report.problems] == []
    assert playbook.name == name.rpartition("/")[2]
    assert playbook.summary
    assert report.worst_case > 0


def test_the_rollback_is_for_hosts_that_the_bad_file_hit_and_can_be_overridden() -> None:
    playbook = parse_playbook(*library.read_playbook("rollback"))
    assert [step.name for step in playbook.steps] == [
        "triage",
        "rollback",
        "reboot",
        "settle",
        "prove",
    ]
    assert all(verdict in playbook.targets for verdict in ("exposed", "crash_loop", "blue_screen"))
    assert playbook.strategy.waves[0].hosts(40_000) == 1
    assert playbook.strategy.guard is not None
    assert playbook.strategy.guard.new_crashes is not None


def lay_out(folder: Path) -> None:
    for name in (
        "common/look.yaml",
        "content-9/look.yaml",
        "content-9/own.yaml",
        "content-9/incident.yaml",
    ):
        file = folder / "playbooks" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"# {name}\n")


@pytest.fixture(params=["installed", "checkout"])
def layout(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The package with its data inside, as a wheel installs it, or beside it, as in a checkout."""
    package = tmp_path / "recovery"
    package.mkdir()
    lay_out(package / "_bundled" if request.param == "installed" else tmp_path)
    monkeypatch.setattr(library, "_HERE", package)
    return str(request.param)


def test_names_are_found_in_both_layouts(layout: str) -> None:
    assert set(library.playbook_names()) == {"look", "content-9/look", "content-9/own"}, layout
    assert set(library.incident_names()) == {"content-9"}
    assert library.read_incident("content-9")[0] == "# content-9/incident.yaml\n"


def test_an_incidents_own_playbook_comes_before_the_common_one(layout: str) -> None:
    found = [
        library.read_playbook(name, "content-9")[0] for name in ("look", "own", "content-9/own")
    ]
    assert found == [
        "# content-9/look.yaml\n",
        "# content-9/own.yaml\n",
        "# content-9/own.yaml\n",
    ], layout
    assert library.read_playbook("look", "other")[0] == "# common/look.yaml\n"


def test_an_unknown_name_says_the_nearest() -> None:
    with pytest.raises(
        UnknownNameError, match="no playbook is named 'rolback'; did you mean 'rollback'"
    ):
        library.read_playbook("rolback")
    with pytest.raises(
        UnknownNameError,
        match="no incident is named 'crowdstrike-219'; did you mean 'crowdstrike-291'",
    ):
        library.read_incident("crowdstrike-219")


def test_own_files_are_read_by_their_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "incident.yaml").write_text("mine")
    monkeypatch.chdir(tmp_path)
    assert library.read_playbook("incident.yaml") == ("mine", "incident.yaml")
    assert library.read_playbook("./incident.yaml")[0] == "mine"
    assert library.read_incident(str(tmp_path)) == ("mine", str(tmp_path / "incident.yaml"))
    assert library.read_incident(str(tmp_path / "incident.yaml"))[0] == "mine"


def test_what_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        InputError, match=r"nowhere\.yaml: cannot be read: No such file or directory"
    ):
        library.read_playbook(str(tmp_path / "nowhere.yaml"))
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        library.read_playbook(f"{tmp_path}/")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"bytes\.yaml: not UTF-8 text"):
        library.read_playbook(str(tmp_path / "bytes.yaml"))
    monkeypatch.setattr(library, "_LONGEST", 3)
    (tmp_path / "long.yaml").write_text("four")
    with pytest.raises(
        InputError, match=r"long\.yaml: longer than 3 characters: this is no playbook"
    ):
        library.read_playbook(str(tmp_path / "long.yaml"))
