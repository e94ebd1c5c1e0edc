"""Incidents on the command line: the library, parameters, and skeletons of new ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from recovery.playbook.skeleton import SKELETONS
from tests.cli.conftest import Cli, write_fleet

FILLED = {
    "began": "2024-07-19T04:09:00Z",
    "header": "AABB",
    "pattern": "example-1.bin",
    "name": "example.sys",
    "bad_versions": "5.14.0-427.13",
    "versions": "5.14.0-362.8",
    "full_system": "5.14.0-362.8",
    "directory": r"'%ProgramData%\Example\content'",
    "copies": r"'C:\Example\copies'",
}
"""What a person could write in a skeleton, by the last key before the place; `example` elsewhere."""
UPDATE = ("--incident", "windows-update-boot-loop", "--mock", "--yes")
BEGAN = ("--param", "began=2021-03-09T18:00:00Z", "--param", "version=19041.867.*")
KB = ("--param", "kb=KB5000802", *BEGAN)


def filled(text: str, kind: str) -> str:
    lines = []
    for line in text.splitlines():
        code, _, _comment = line.partition(" #")
        keys = re.findall(r"([a-z_]+):", code[: code.find("CHANGE_ME")])
        key = keys[-1] if keys else ""
        value = FILLED.get(key, "example")
        if kind == "package" and key == "name":
            value = "example"
        lines.append(code.replace('"CHANGE_ME"', value).replace("CHANGE_ME", value))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("kind", SKELETONS)
def test_a_skeleton_is_refused_until_it_is_filled_in(kind: str, cli: Cli, home: Path) -> None:
    made = cli("incident", "new", "mine", "--kind", kind)
    assert (made.code, made.out) == (0, "mine/incident.yaml\n")
    assert "recovery incident check mine" in made.err
    told = cli("incident", "check", "mine")
    assert told.code == 2
    assert "still to be filled in, where it says CHANGE_ME" in told.err
    assert "title" in told.err
    file = home / "mine/incident.yaml"
    assert "#" in file.read_text()
    file.write_text(filled(file.read_text(), kind))
    assert cli("incident", "check", "mine").out.startswith("mine: in order"), cli(
        "incident", "check", "mine"
    )


def test_one_place_that_is_left_is_named(cli: Cli, home: Path) -> None:
    cli("incident", "new", "mine")
    file = home / "mine/incident.yaml"
    file.write_text(
        filled(file.read_text(), "files").replace("title: example", "title: CHANGE_ME", 1)
    )
    told = cli("incident", "check", "mine")
    assert "mine/incident.yaml:6: one place is still to be filled in" in told.err


def test_a_skeleton_never_takes_the_place_of_a_file(cli: Cli, home: Path) -> None:
    cli("incident", "new", "mine")
    (home / "mine/incident.yaml").write_text("mine")
    told = cli("incident", "new", "mine", "--kind", "driver")
    assert (told.code, told.out) == (2, "")
    assert "mine/incident.yaml: is there already, and is not written over" in told.err
    assert (home / "mine/incident.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("mine", "--kind", "drivers"),
            "no kind of artifact is named 'drivers'; did you mean 'driver'?",
        ),
        (("../mine",), "'../mine': the name is made of a-z"),
        (("mine", "--into", "/proc/nowhere"), "cannot be written"),
    ],
)
def test_what_cannot_be_made_is_said(words: tuple[str, ...], says: str, cli: Cli) -> None:
    told = cli("incident", "new", *words)
    assert told.code == 2
    assert says in told.err


def test_what_is_not_known_is_said_wherever_a_profile_is_looked_at(cli: Cli) -> None:
    assert "not known: Where its content lies" in cli("incident", "check", "check-point").out
    shown = cli("incident", "show", "check-point")
    assert "not known: Where its content lies" in shown.err
    assert shown.out.startswith("# Check Point")


def test_the_list_says_what_each_is_about(cli: Cli) -> None:
    rows = {line.split()[0]: line for line in cli("incident", "list").out.splitlines()}
    assert "kernel_previous" in rows["falcon-linux-2024"]
    assert "kb, version, began" in rows["windows-update-boot-loop"]


def test_a_profile_is_checked_with_its_examples_or_with_values(cli: Cli) -> None:
    assert "with the examples kb=" in cli("incident", "check", "windows-update-boot-loop").out
    told = cli("incident", "check", "windows-update-boot-loop", *KB)
    assert "in order, with kb=KB5000802" in told.out


@pytest.fixture
def exposed(home: Path) -> Path:
    return write_fleet(home, "h[1-3]: {kind: server, site: A}", "exposed: 1.0")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            (),
            "windows-update-boot-loop needs a parameter: --param kb=VALUE (number of the bad update",
        ),
        (("--param", "kd=KB5000802"), "no parameter of windows-update-boot-loop is named 'kd'"),
        (("--param", "kb"), "--param kb: expected NAME=VALUE"),
        (
            ("--param", "kb=$(reboot)", *BEGAN),
            "--param kb=$(reboot): number of the bad update, such as",
        ),
    ],
)
@pytest.mark.parametrize("verb", [("run", "rollback"), ("triage",)])
def test_nothing_begins_without_the_right_values(
    verb: tuple[str, ...], given: tuple[str, ...], says: str, cli: Cli, exposed: Path
) -> None:
    words = [word for word in UPDATE if verb[0] == "run" or word != "--yes"]
    told = cli(*verb, "-i", exposed, *words, *given)
    assert (told.code, told.out) == (2, "")
    assert says in told.err


def test_a_plan_shows_the_values(cli: Cli, exposed: Path) -> None:
    words = ("plan", "rollback", "-i", exposed, "--incident", "windows-update-boot-loop", *KB)
    assert "parameters: kb=KB5000802" in cli(*words).out
    assert cli(*words, "-o", "json").document["parameters"]["kb"] == "KB5000802"


def test_a_run_keeps_its_values_for_those_that_come_later(cli: Cli, exposed: Path) -> None:
    told = cli("run", "rollback", "-i", exposed, *UPDATE, *KB)
    assert told.code == 0, told
    assert "3" in told.out
    shown = cli("explain", "h1").out
    assert "KB5000802" in shown
    again = cli("runs", "retry", "last", "--only", "recovered", "--yes")
    assert again.code == 0, again


def test_a_bundled_name_is_not_taken_for_a_profile_of_ones_own(cli: Cli, home: Path) -> None:
    told = cli("incident", "new", "crowdstrike-291", "--into", home)
    assert told.code == 2
    assert "is a bundled incident" in told.err
    assert not (home / "crowdstrike-291").exists()


def test_a_parameter_with_two_values_is_refused(cli: Cli) -> None:
    words = ("incident", "check", "windows-update-boot-loop")
    told = cli(*words, "--param", "kb=KB5000802", "--param", "kb=KB5000803")
    assert told.code == 2
    assert "--param kb has two values: KB5000802 and KB5000803" in told.err


def test_the_lists_are_there_for_programs(cli: Cli) -> None:
    incidents = cli("incident", "list", "-o", "json").document
    found = {row["name"]: row for row in incidents}["crowdstrike-291"]
    assert (found["schema"], found["artifact"]) == (1, ["files"])
    assert "windows" in found["systems"]
    assert "quarantine" in found["remedies"]
    assert [row["name"] for row in cli("incident", "list", "-o", "jsonl").lines] == [
        row["name"] for row in incidents
    ]
    books = {row["name"]: row for row in cli("playbook", "list", "-o", "json").document}
    assert books["rollback"]["changes"]
    assert not books["triage"]["changes"]
    assert "quarantine" in books["quarantine"]["steps"]
    header = cli("playbook", "list", "-o", "csv").out.splitlines()[0]
    assert header == "schema,name,summary,steps,changes"


def test_a_profile_is_there_for_programs(cli: Cli) -> None:
    shown = cli("incident", "show", "kb5058379", "-o", "json").document
    assert (shown["schema"], shown["name"]) == (1, "kb5058379")
    assert shown["unknowns"]
    assert shown["platforms"]["windows"]["artifact"]["kind"] == "none"


@pytest.mark.parametrize(
    ("kind", "good", "missing"),
    [("incident", "kb5058379", "nowhere.yaml"), ("playbook", "triage", "nowhere.yaml")],
)
def test_a_check_goes_on_behind_what_cannot_be_read(
    kind: str, good: str, missing: str, cli: Cli, home: Path
) -> None:
    (home / "broken.yaml").write_text("{")
    told = cli(kind, "check", home / "broken.yaml", missing, good)
    assert told.code == 2
    broken, absent, last = [line for line in told.out.splitlines() if not line.startswith(" ")]
    assert broken == f"{home / 'broken.yaml'}: REFUSED"
    assert absent == f"{missing}: REFUSED"
    assert last.startswith(f"{good}: in order")
    assert "broken.yaml:2" in told.err
    assert missing in told.err
