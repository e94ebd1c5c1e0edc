"""How commands are started on Windows: short lines, and nothing on them but what is meant to be carried out."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.errors import RefusedError, UnsupportedError
from recovery.model.host import Host
from recovery.playbook.incidents import parse_incident
from recovery.playbook.library import read_incident
from recovery.ports import Command
from recovery.remote import catalog
from recovery.remote.launch import BOOTSTRAP, END_LINE, LONGEST_LINE, Launch, Outer

OUTERS = get_args(Outer)
INCIDENT = parse_incident(*read_incident("crowdstrike-291"))
WINDOWS = Host(name="w", os="windows")


def command(action: str = "triage", **settings: str) -> Command:
    return catalog.command(
        action, WINDOWS, INCIDENT, token="t1", timeout=5, settings=settings or None
    )


def bootstrap_of(launch: Launch, outer: Outer) -> str:
    if outer == "powershell":
        return launch.line
    before, _, encoded = launch.line.partition(" -EncodedCommand ")
    assert before == "powershell.exe -NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass"
    return b64decode(encoded).decode("utf-16-le")


@pytest.mark.parametrize("outer", OUTERS)
def test_powershell_is_started_by_a_short_line_that_never_changes(outer: Outer) -> None:
    one, other = (
        catalog.launch(made, outer=outer) for made in (command(), command(EXPECT="61:00"))
    )
    assert one.line == other.line
    assert bootstrap_of(one, outer) == BOOTSTRAP
    assert len(one.line) < 1000
    assert '"' not in one.line
    assert "%" not in one.line


@given(st.text(st.characters()))
def test_settings_travel_as_data_in_plain_ascii(value: str) -> None:
    made = msgspec.structs.replace(command(), settings={"EXPECT": value})
    stdin = catalog.launch(made, outer="none").stdin
    first, *script, last, nothing = stdin.decode("ascii").split("\n")
    assert json.loads(first) == {"TOKEN": "t1", "EXPECT": value}
    assert "\n".join(script) == made.script.decode("ascii").rstrip("\n")
    assert (last, nothing) == (END_LINE, "")


@pytest.mark.parametrize("outer", OUTERS)
def test_a_line_that_windows_would_cut_is_refused_before_it_is_sent(outer: Outer) -> None:
    made = command("strike")
    long = {**made.settings, "QUARANTINE": "C:\\" + "x" * (LONGEST_LINE // 10)}
    made = msgspec.structs.replace(made, settings=long)
    with pytest.raises(RefusedError, match="Windows takes 8191"):
        catalog.launch(made, outer=outer)


def test_each_platform_has_its_own_way() -> None:
    posix = catalog.command("triage", Host(name="l", os="linux"), INCIDENT, token="t", timeout=5)
    with pytest.raises(RefusedError, match="triage is for sh"):
        catalog.launch(posix, outer="none")
    with pytest.raises(RefusedError, match="triage is for powershell"):
        catalog.render(command())


def test_what_has_no_script_is_said_in_words() -> None:
    with pytest.raises(UnsupportedError, match="no script for triage on windows"):
        catalog.launch(msgspec.structs.replace(command(), script=b""), outer="none")


def test_a_token_is_a_plain_word() -> None:
    with pytest.raises(RefusedError, match="token"):
        catalog.launch(msgspec.structs.replace(command(), token="a b"), outer="none")
