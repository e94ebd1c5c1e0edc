"""Incident profiles: what is read, what is refused, and the bundled profile's facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from recovery.errors import InputError
from recovery.model.incident import Artifact, Incident
from recovery.playbook.incidents import parse_incident, verify_incident
from recovery.playbook.kinds import is_bad
from recovery.playbook.library import read_incident

FOLDER = Path(__file__).parents[2] / "cases/incidents"
CASES = yaml.safe_load((FOLDER / "profiles.yaml").read_text("utf-8"))


def changed(changes: dict[str, Any]) -> str:
    """The sound profile's text with parts replaced, by dotted name; None removes."""
    whole = yaml.safe_load((FOLDER / "base.yaml").read_text("utf-8"))
    for name, value in changes.items():
        *way, last = name.split(".")
        part = whole
        for key in way:
            part = part.setdefault(key, {})
        part.pop(last, None) if value is None else part.__setitem__(last, value)
    return yaml.safe_dump(whole, sort_keys=False)


def messages(text: str) -> list[str]:
    return [
        problem.shown("incident.yaml")
        for problem in verify_incident(parse_incident(text, "incident.yaml")).problems
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_is_wrong_with_a_profile_is_said(case: dict[str, Any]) -> None:
    text = changed(case.get("set", {}))
    if "error" in case:
        with pytest.raises(InputError) as caught:
            parse_incident(text, "incident.yaml")
        assert str(caught.value) == case["error"]
    else:
        assert messages(text) == case.get("problems", [])


def test_times_of_a_profile_made_by_hand_are_checked_too() -> None:
    incident = parse_incident(changed({}), "f")
    naive = msgspec.structs.replace(incident, began=datetime(2024, 7, 19, 4, 9), lines={})  # noqa: DTZ001
    assert [problem.shown() for problem in verify_incident(naive).problems] == [
        "began has to be in UTC, such as 2024-07-19T04:09:00Z: local times are never meant"
    ]


def test_a_platforms_own_artifact_replaces_the_profiles() -> None:
    own = {"pattern": "other*.bin", "header": "7F45", "margin": "1m"}
    incident = parse_incident(changed({"platforms.linux.artifact": own}), "f")
    linux, windows = incident.platforms["linux"].artifact, incident.platforms["windows"].artifact
    assert (linux.pattern, linux.header, linux.bad_from, linux.margin) == (
        "other*.bin",
        "7f45",
        None,
        60.0,
    )
    assert (windows.pattern, windows.header, windows.margin) == ("content-9*.bin", "aaaa01", 300.0)


@pytest.fixture(scope="module")
def bundled() -> Incident:
    return parse_incident(*read_incident("crowdstrike-291"))


def test_the_bundled_profile_is_safe_to_act_by(bundled: Incident) -> None:
    assert verify_incident(bundled).ok


def test_the_bundled_profile_says_what_the_vendor_said(bundled: Incident) -> None:
    bad, good = datetime(2024, 7, 19, 4, 9, tzinfo=UTC), datetime(2024, 7, 19, 5, 27, tzinfo=UTC)
    assert (bundled.began, bundled.ended) == (bad, good)
    assert bundled.crash.stop_codes == (0x50, 0x7E)
    assert bundled.crash.modules == ("csagent.sys",)
    windows = bundled.platforms["windows"]
    assert windows.artifact.directory == r"%WINDIR%\System32\drivers\CrowdStrike"
    assert windows.proof.services == ("CSFalconService", "csagent")
    assert timedelta(seconds=windows.proof.settle) == timedelta(minutes=10)
    for platform in bundled.platforms.values():
        artifact = platform.artifact
        assert artifact.pattern == "C-00000291*.sys"
        assert bytes.fromhex(artifact.header) == bytes([0xAA] * 4) + (0x01).to_bytes() + (
            291 << 8
        ).to_bytes(3, "little")
        assert (artifact.bad_from, artifact.good_from, artifact.margin) == (bad, good, 300.0)


def test_the_bundled_runbooks_clear_safe_mode_and_never_ask_for_a_host_name(
    bundled: Incident,
) -> None:
    assert set(bundled.runbooks) >= {"safe_mode", "winpe", "recovery_key", "domain_controller"}
    assert any("dsrepair" in step for step in bundled.runbooks["domain_controller"].steps)
    assert any(
        "bcdedit /deletevalue {current} safeboot" in step
        for step in bundled.runbooks["safe_mode"].steps
    )
    assert any("key id" in step for step in bundled.runbooks["recovery_key"].steps)
    assert bundled.freeze is not None


def test_no_glob_of_versions_takes_long() -> None:
    artifact = Artifact(directory="", pattern="", kind="package", bad_versions=("1*" * 60 + "x",))
    assert not is_bad("1" * 120, artifact)
    assert is_bad("1" * 120 + "x", artifact)
