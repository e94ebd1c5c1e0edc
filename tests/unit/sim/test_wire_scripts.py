"""What arrives at a simulated machine is known again by the catalog's own text, and nothing else is."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.model.host import Host
from recovery.playbook.incidents import parse_incident
from recovery.playbook.library import read_incident
from recovery.ports import Command
from recovery.remote import catalog
from recovery.sim.wire.scripts import Scripts

INCIDENT = parse_incident(*read_incident("crowdstrike-291"))
SCRIPTS = Scripts(INCIDENT)
LINUX, WINDOWS = Host(name="l", os="linux"), Host(name="w", os="windows")
_ALIKE = {"prove": "triage", "race": "quarantine"}
_OUTER: tuple[Literal["none", "cmd", "powershell"], ...] = ("none", "cmd", "powershell")
ACTIONS = ("triage", "prove", "quarantine", "race", "undo", "reboot", "run")
_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)


def _command(host: Host, action: str, **settings: str) -> Command:
    if action == "run":
        settings["ARGV"] = "6563686f 776f726c64"
    return catalog.command(action, host, INCIDENT, token="t-1", timeout=9.0, settings=settings)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_script_for_sh_is_known_again(action: str) -> None:
    sent = _command(LINUX, action, EXPECT_BOOT="it's 1", CONTROLLER_CLOCK="1721362140")
    found = SCRIPTS.posix(catalog.render(sent))
    assert found is not None
    assert found.action in (action, _ALIKE.get(action))
    assert (found.token, found.settings) == ("t-1", sent.settings)


@pytest.mark.parametrize("outer", _OUTER)
@pytest.mark.parametrize("action", ACTIONS)
def test_a_script_for_windows_is_known_again(
    action: str, outer: Literal["none", "cmd", "powershell"]
) -> None:
    sent = _command(WINDOWS, action, EXPECT_BOOT="it's 1", CONTROLLER_CLOCK="1721362140")
    start = catalog.launch(sent, outer=outer)
    assert SCRIPTS.waits_for_input(start.line)
    found = SCRIPTS.windows(start.line, start.stdin)
    assert found is not None
    assert (found.token, found.settings) == ("t-1", sent.settings)
    assert found.action in (action, _ALIKE.get(action))


@given(_TEXTS, _TEXTS)
def test_settings_arrive_as_they_were_sent(first: str, second: str) -> None:
    sent = _command(LINUX, "quarantine", EXPECT=first, EXPECT_BOOT=second)
    found = SCRIPTS.posix(catalog.render(sent))
    assert found is not None
    assert found.settings == sent.settings


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_what_is_cut_short_or_changed_is_not_known(cut: int) -> None:
    rendered = catalog.render(_command(LINUX, "triage"))
    assert SCRIPTS.posix(rendered[:-cut]) is None
    assert SCRIPTS.posix(rendered[cut:]) is None
    start = catalog.launch(_command(WINDOWS, "triage"), outer="cmd")
    assert SCRIPTS.windows(start.line, start.stdin[:-cut]) is None
    assert SCRIPTS.windows(start.line[:-cut], start.stdin) is None


@pytest.mark.parametrize("stdin", [b"", b"echo hello\n", b"{\nTOKEN=t\nrm -rf /\n}\n", b"\xff\x00"])
def test_what_is_not_the_catalogs_is_not_known(stdin: bytes) -> None:
    assert SCRIPTS.posix(stdin) is None
    assert SCRIPTS.windows("dir", stdin) is None
    assert not SCRIPTS.waits_for_input("dir")


def test_an_incident_without_a_platform_knows_operators_commands_alone() -> None:
    platforms = {"windows": INCIDENT.platforms["windows"]}
    scripts = Scripts(msgspec.structs.replace(INCIDENT, platforms=platforms))
    assert scripts.posix(catalog.render(_command(LINUX, "triage"))) is None
    assert scripts.posix(catalog.render(_command(LINUX, "run"))) is not None


@pytest.mark.parametrize("line", ["FromBase64String('A')", "x FromBase64String('====')"])
def test_a_line_that_decodes_to_nothing_is_one_of_nobodys(line: str) -> None:
    assert SCRIPTS.windows(line, b"") is None


def test_an_escape_that_is_no_byte_stays_as_it_came() -> None:
    sent = catalog.render(_command(LINUX, "triage"))
    odd = sent.replace(
        b"\nTOKEN=t-1\n", b"\nTOKEN=t-1\nODD=$(printf '\\777.') && ODD=${ODD%.}\n", 1
    )
    found = SCRIPTS.posix(odd)
    assert found is not None
    assert found.settings["ODD"] == "\\777"
