"""The JSON Schemas accept what the program accepts, and see what it refuses."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml

from recovery.model.playbook import STEPS, StepSpec
from recovery.playbook.library import bundled, incident_names, playbook_names
from recovery.playbook.schema import SCHEMAS, playbook_schema

CASES = Path(__file__).parents[2] / "cases"


def validator(kind: str) -> jsonschema.Draft202012Validator:
    schema = json.loads(json.dumps(SCHEMAS[kind]()))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def plain(text: str) -> Any:
    """YAML as an editor hands it to a JSON Schema: times are texts."""
    return json.loads(json.dumps(yaml.safe_load(text), default=datetime.isoformat))


def complaints(kind: str, text: str) -> list[str]:
    return [error.message for error in validator(kind).iter_errors(plain(text))]


@pytest.mark.parametrize("name", sorted(playbook_names()))
def test_bundled_playbooks_fit(name: str) -> None:
    assert complaints("playbook", playbook_names()[name].read_text("utf-8")) == []


@pytest.mark.parametrize("name", sorted(incident_names()))
def test_bundled_incidents_fit(name: str) -> None:
    assert complaints("incident", incident_names()[name].read_text("utf-8")) == []


def test_bundled_inventories_fit() -> None:
    files = [
        file for file in bundled("inventory").glob("*.yaml") if not file.name.endswith(".mix.yaml")
    ]
    assert files
    for file in files:
        assert complaints("inventory", file.read_text("utf-8")) == []


_BEYOND_A_SCHEMA = {
    "an empty name", "not YAML", "a key twice", "two steps on one line", "code in place of data", "a bomb of aliases",
    "a wave of more than everything", "half a host",
}  # fmt: skip
_READING = yaml.safe_load((CASES / "playbooks/reading.yaml").read_text("utf-8"))


@pytest.mark.parametrize(
    "case",
    [case for case in _READING if case["name"] not in _BEYOND_A_SCHEMA],
    ids=lambda case: case["name"],
)
def test_playbooks_that_cannot_be_read_do_not_fit(case: dict[str, Any]) -> None:
    assert complaints("playbook", case["text"])


def test_all_arguments_of_a_step_fit() -> None:
    text = """\
playbook: x
strategy: {waves: [1, 2.5%, 100% of run], guard: {failed: 2% of site, new_crashes: 1}, soak: 1h30m, keep_trying: 90}
steps:
  - triage
  - quarantine:
  - race: {for: 1h 30m, timeout: 250ms, retry: {attempts: 3, first: 1, longest: 1.5m}}
  - run: {command: [a, b], changes: false}
  - settle: {for: 10}
"""
    assert complaints("playbook", text) == []


class FlashArguments(msgspec.Struct, kw_only=True):
    parts: list[Part]


class Part(msgspec.Struct):
    name: str


def test_steps_of_plug_ins_are_in_the_schema() -> None:
    specs = {**STEPS, "flash": StepSpec(name="flash", arguments=FlashArguments)}
    check = jsonschema.Draft202012Validator(playbook_schema(specs))
    assert check.is_valid({"playbook": "x", "steps": [{"flash": {"parts": [{"name": "a"}]}}]})
    assert not check.is_valid({"playbook": "x", "steps": [{"flash": {"parts": [{"nam": "a"}]}}]})
    assert not check.is_valid({"playbook": "x", "steps": ["flash"]})


_INVENTORY = {
    "a host": (
        "hosts: {a: {address: 10.0.0.1, port: 22, os: linux, tags: [x], vars: {own: [1]}}, b: }",
        True,
    ),
    "a list of hosts": (
        "hosts: [{name: a, site: X}]\nsites: {X: {concurrency: 5}, Y: }\nservices: {s: {tier: 1, needs: [t]}}",
        True,
    ),
    "a console": ("hosts: {a: {console: {kind: redfish, address: 'https://10.0.0.1'}}}", True),
    "defaults": ("defaults: {os: linux, user: root}\nhosts: {a: }", True),
    "no hosts": ("sites: {}", False),
    "an unknown section": ("hosts: {}\nhost: {}", False),
    "an unknown field": ("hosts: {a: {adress: x}}", False),
    "an unknown system": ("hosts: {a: {os: beos}}", False),
    "a port in words": ("hosts: {a: {port: ssh}}", False),
    "a list without names": ("hosts: [{site: X}]", False),
    "an unknown field of a site": ("hosts: {}\nsites: {X: {concurency: 1}}", False),
    "a name among the fields": ("hosts: {a: {name: b}}", False),
}


@pytest.mark.parametrize("name", list(_INVENTORY))
def test_inventories_fit_or_do_not(name: str) -> None:
    text, fits = _INVENTORY[name]
    assert (complaints("inventory", text) == []) == fits


@pytest.mark.parametrize(
    "change", ["title", "window", "platforms", "artifact"],
)  # fmt: skip
def test_an_incident_without_a_needed_part_does_not_fit(change: str) -> None:
    whole = plain((CASES / "incidents/base.yaml").read_text("utf-8"))
    assert validator("incident").is_valid(whole)
    del whole[change]
    assert not validator("incident").is_valid(whole)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("platforms.beos", {"directory": "/x", "remedies": {}}),
        ("platforms.linux.remedies.moon", {"kind": "quarantine", "quarantine": "/var/lib/kept"}),
        ("platforms.linux.remedies.full_system.kind", "delete"),
        ("platforms.linux.proof.settle", "soon"),
        ("artifact.margin", "5 minutes"),
        ("crash.stop_codes", ["0x50"]),
        ("window.begun", "2024-07-19T04:09:00Z"),
        ("runbooks.safe_mode.steps", "one"),
    ],
)
def test_an_incident_with_a_wrong_part_does_not_fit(path: str, value: Any) -> None:
    whole = plain((CASES / "incidents/base.yaml").read_text("utf-8"))
    *way, last = path.split(".")
    part = whole
    for key in way:
        part = part[key]
    part[last] = value
    assert not validator("incident").is_valid(whole)
