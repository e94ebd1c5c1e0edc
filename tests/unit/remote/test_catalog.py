"""The catalog: which script, with which settings, and that no value is ever code."""

from __future__ import annotations

import os
import re
import subprocess

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recovery.errors import RefusedError
from recovery.model.host import Host
from recovery.model.incident import Artifact, Incident, Platform, Proof, Remedy
from recovery.ports import Command
from recovery.remote import catalog
from tests.needs import need
from tests.unit.remote.shells import (
    BAD_TIME,
    BEGAN,
    GOOD_TIME,
    HEADER,
    HOST,
    profile,
    with_artifact,
)

INCIDENT = profile("/CrowdStrike/", "/var/q/", proof=Proof(services=("a", "b"), processes=("c",)))


def _command(
    action: str = "triage", incident: Incident | None = INCIDENT, **settings: str
) -> Command:
    return catalog.command(action, HOST, incident, token="t1", timeout=5, settings=settings)


def test_a_profile_becomes_settings() -> None:
    made = _command(EXPECT="2f61:00")
    assert dict(made.settings) == {
        "DIRECTORY": "/CrowdStrike",
        "PATTERN": "C-00000291*.sys",
        "HEADER": HEADER.hex(),
        "BAD_FROM": str(BAD_TIME),
        "GOOD_FROM": str(GOOD_TIME),
        "MARGIN": "300",
        "QUARANTINE": "/var/q",
        "ARTIFACT": b"/CrowdStrike/C-00000291*.sys".hex(),
        "SERVICES": "a\nb",
        "PROCESSES": "c",
        "EXPECT": "2f61:00",
        "EXPECT_BOOT": "",
        "CONTROLLER_CLOCK": "",
    }
    assert (made.action, made.shell, made.token, made.timeout) == ("triage", "posix", "t1", 5)


def test_scripts_are_shared_by_all_hosts_and_hold_no_settings() -> None:
    one, two = (
        _command(),
        catalog.command("triage", Host(name="h2", os="linux"), INCIDENT, token="t2", timeout=9),
    )
    assert one.script is _command().script
    assert one.script == two.script
    assert b"CrowdStrike" not in one.script
    assert b"\n#" not in one.script


@pytest.mark.parametrize(
    ("host_os", "incident", "action", "says"),
    [
        ("linux", None, "triage", "no incident says nothing about linux"),
        ("macos", INCIDENT, "triage", "test says nothing about macos"),
        ("linux", INCIDENT, "explode", "no script is named"),
        (
            "linux",
            profile("relative", "/q"),
            "triage",
            "directory 'relative' is not an absolute path",
        ),
        ("linux", profile("/", "/q"), "triage", "directory '' is not"),
        ("linux", profile("/d", "q"), "triage", "quarantine 'q' is not"),
        ("linux", profile("/d", ""), "quarantine", "quarantine '' is not"),
        ("linux", profile("/d", ""), "undo", "quarantine '' is not"),
        ("linux", with_artifact(INCIDENT, pattern="../*"), "triage", "not that of a file name"),
        ("linux", with_artifact(INCIDENT, pattern="a\nb"), "triage", "not that of a file name"),
        ("linux", with_artifact(INCIDENT, pattern=""), "triage", "not that of a file name"),
        ("linux", profile("/d", "/q", proof=Proof(services=("a\nb",))), "triage", "line end"),
    ],
)
def test_what_a_profile_may_not_say(
    host_os: str, incident: Incident | None, action: str, says: str
) -> None:
    host = msgspec.structs.replace(HOST, os=host_os)
    with pytest.raises(RefusedError, match=says):
        catalog.command(action, host, incident, token="t", timeout=1)


def test_a_command_to_run_needs_no_incident() -> None:
    script = catalog.render(_command("run", None, ARGV=f"{b'echo'.hex()} {b'a b'.hex()}"))
    assert b"ARG_A='echo'\nARG_B='a b'\nfr_argv() { fr_exec \"$ARG_A\" \"$ARG_B\"; }" in script
    many = catalog.render(_command("run", None, ARGV=" ".join(["61"] * 30)))
    assert b'"$ARG_Z" "$ARG_AA" "$ARG_AB"' in many
    with pytest.raises(RefusedError, match="at least one word"):
        catalog.render(_command("run", None, ARGV=""))


@pytest.mark.parametrize(
    ("name", "value"),
    [("EXPECT", "a\0b"), ("lower", "x"), ("A;reboot", "x"), ("A B", ""), ("", "x")],
)
def test_what_cannot_be_sent_is_refused(name: str, value: str) -> None:
    with pytest.raises(RefusedError, match="cannot be sent"):
        catalog.render(msgspec.structs.replace(_command(), settings={name: value}))


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "$(x)", "ü", "x" * 65, "../x"])
def test_a_token_is_a_plain_word(token: str) -> None:
    with pytest.raises(RefusedError, match="token"):
        catalog.render(msgspec.structs.replace(_command(), token=token))


def test_many_profiles_do_not_pile_up() -> None:
    for number in range(200):
        incident = profile(f"/d{number}", "/q")
        assert _command(incident=incident).settings["DIRECTORY"] == f"/d{number}"
    assert len(catalog._kept) <= 64


TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8")) | st.binary(max_size=80).map(
    lambda raw: os.fsdecode(raw.replace(b"\0", b""))
)


@given(TEXT)
@example("'; touch pwned; '")
@example("$(touch pwned)`touch pwned`\\")
@example("%s%n\\n\\0101-\n\n")
@example("-e -n")
@settings(max_examples=60)
def test_a_value_arrives_as_it_is_and_is_never_carried_out(value: str) -> None:
    made = msgspec.structs.replace(
        _command(), settings={"EXPECT": value}, script=b"fr_main() { printf '%s.' \"$EXPECT\"; }\n"
    )
    script = catalog.render(made)
    assert script.isascii()
    for shell in ([need("dash"), "-s"], [need("busybox"), "sh", "-s"]):
        done = subprocess.run(shell, input=script, capture_output=True, check=True, cwd="/")
        assert done.stdout == value.encode("utf-8", "surrogateescape") + b"."
        assert done.stderr == b""


def test_times_of_a_profile_may_be_missing() -> None:
    made = _command(incident=profile("/d", "/q", with_times=False))
    assert (made.settings["BAD_FROM"], made.settings["GOOD_FROM"]) == ("", "")
    assert BEGAN.timestamp() == BAD_TIME


def _of_kind(artifact: Artifact, remedy: Remedy) -> Incident:
    linux = Platform(artifact=artifact, proof=Proof(), remedies={"full_system": remedy})
    return msgspec.structs.replace(INCIDENT, platforms={"linux": linux})


PACKAGE = _of_kind(
    Artifact(kind="package", name="sensor", bad_versions=("7.*", "8.1"), good_versions=("7.9",)),
    Remedy(kind="package_version", quarantine="/q/", versions=("7.9", "7.8")),
)


def test_an_artifact_that_is_not_files_becomes_settings() -> None:
    settings = _command(incident=PACKAGE).settings
    assert {name: value for name, value in settings.items() if value} == {
        "KIND": "package",
        "REMEDY": "package_version",
        "NAME": "sensor",
        "BAD_VERSIONS": "7.*\n8.1",
        "GOOD_VERSIONS": "7.9",
        "VERSIONS": "7.9\n7.8",
        "QUARANTINE": "/q",
        "ARTIFACT": b"package /sensor".hex(),
    }


def test_an_action_is_carried_out_by_the_remedys_own_script() -> None:
    act, undo, look = (
        _command(action, PACKAGE).script for action in ("package_version", "undo", "triage")
    )
    assert b"fr_install()" in act
    assert b"fr_take_back" in undo
    assert b"fr_install()" not in look
    assert act == _command("race", PACKAGE).script
    assert b"fr_take()" not in act + undo + look


@pytest.mark.parametrize(
    ("incident", "action"),
    [
        *((INCIDENT, action) for action in ("triage", "prove", "quarantine", "undo", "reboot")),
        *((PACKAGE, action) for action in ("triage", "prove", "package_version", "undo")),
    ],
)
def test_no_part_takes_a_name_that_another_part_has(incident: Incident, action: str) -> None:
    """The later one would be called in the place of both. Only what lists the artifact is there to be replaced."""
    names = re.findall(rb"(?m)^(\w+)\(\)", _command(action, incident).script)
    twice = {name for name in names if names.count(name) > 1}
    assert twice <= {b"fr_listing"}


@pytest.mark.parametrize(
    ("incident", "action", "says"),
    [
        (PACKAGE, "quarantine", "no script carries out 'quarantine' here"),
        (PACKAGE, "kernel_previous", "no script carries out 'kernel_previous' here"),
        (INCIDENT, "package_version", "package_version is no remedy for files"),
        (
            _of_kind(Artifact(kind="none"), Remedy(kind="hand_over_only", quarantine="/q")),
            "undo",
            "no script carries out 'hand_over_only' here",
        ),
        (
            _of_kind(Artifact(kind="driver", name="x.sys"), Remedy(kind="driver_disable")),
            "triage",
            "no script that looks for an artifact of kind driver here",
        ),
        (
            _of_kind(
                Artifact(kind="missing_file", directory="d", pattern="f"),
                Remedy(kind="restore_file", quarantine="/q", copies=("/c",)),
            ),
            "restore_file",
            "directory 'd' is not an absolute path",
        ),
        (
            _of_kind(PACKAGE.platforms["linux"].artifact, Remedy(kind="package_remove")),
            "package_remove",
            "quarantine '' is not",
        ),
    ],
)
def test_a_remedy_without_a_script_is_refused(incident: Incident, action: str, says: str) -> None:
    with pytest.raises(RefusedError, match=says):
        _command(action, incident)
