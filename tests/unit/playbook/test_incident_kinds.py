"""Profiles whose artifact is not files, and profiles with parameters: what is read, and what is refused."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from recovery.errors import UsageError
from recovery.playbook.incidents import parse_incident, verify_incident

FOLDER = Path(__file__).parents[2] / "cases/incidents"
CASES = yaml.safe_load((FOLDER / "kinds.yaml").read_text("utf-8"))
_DRIVER: dict[str, Any] = {
    "artifact": {"kind": "driver", "name": "example.sys", "service": "example"},
    "platforms.windows": {"remedies": {"full_system": {"kind": "driver_disable"}}},
}
_PACKAGE = {"kind": "package", "name": "sensor", "bad_versions": ["7.10.*"]}
_VERSION = {"kind": "package_version", "versions": ["7.9.0-1"]}
_REMOVE = {"remedies": {"full_system": {"kind": "package_remove"}}}
BASES: dict[str, dict[str, Any]] = {
    "driver": _DRIVER,
    "package": {
        "artifact": None,
        "platforms.linux": {"artifact": _PACKAGE, "remedies": {"full_system": _VERSION}},
    },
    "update": {"artifact": {"kind": "update", "name": "KB5000001"}, "platforms.windows": _REMOVE},
    "parameters": {
        "parameters": {
            "kb": {"help": "the number", "pattern": "KB[0-9]{6,8}", "example": "KB5000001"}
        },
        "artifact": {"kind": "update", "name": "${kb}"},
        "platforms.windows": _REMOVE,
    },
}


def profile(base: str, changes: dict[str, Any]) -> str:
    whole = yaml.safe_load((FOLDER / "base.yaml").read_text("utf-8"))
    whole["platforms"] = {}
    for name, value in (*deepcopy(BASES[base]).items(), *deepcopy(changes).items()):
        *way, last = name.split(".")
        part = whole
        for key in way:
            part = part.setdefault(key, {})
        part.pop(last, None) if value is None else part.__setitem__(last, value)
    return yaml.dump(whole, sort_keys=False, Dumper=_Plain)


class _Plain(yaml.SafeDumper):
    """Writes each value out: no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_is_wrong_with_a_profile_of_another_kind_is_said(case: dict[str, Any]) -> None:
    text = profile(case["base"], case.get("set", {}))
    if "error" in case:
        with pytest.raises(UsageError) as caught:
            parse_incident(text, "incident.yaml", case.get("given"))
        said = str(caught.value)
        place, _, message = said.partition(": ")
        assert case["error"] in (said, message)
        assert said == case["error"] or place.startswith("incident.yaml:")
        return
    found = verify_incident(parse_incident(text, "incident.yaml", case.get("given"))).problems
    assert [problem.message for problem in found] == case.get("problems", [])
    assert all(problem.line for problem in found)


def test_a_parameter_stands_for_itself_wherever_it_is_named() -> None:
    text = profile("parameters", {"title": "Update ${kb} and ${kb}"})
    looked_at = parse_incident(text, "f")
    assert (looked_at.title, looked_at.values) == (
        "Update KB5000001 and KB5000001",
        {"kb": "KB5000001"},
    )
    given = parse_incident(text, "f", {"kb": "KB5000002"})
    assert given.platforms["windows"].artifact.name == "KB5000002"
    assert given.parameters["kb"].example == "KB5000001"


def test_a_value_is_text_and_never_read_as_yaml() -> None:
    text = profile(
        "parameters",
        {"parameters.kb.pattern": ".*", "title": "${kb}", "artifact.name": "KB5000001"},
    )
    value = "{a: [1]} # not a comment"
    assert parse_incident(text, "f", {"kb": value}).title == value
