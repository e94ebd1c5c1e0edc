"""The line of a strike: what it may carry, and how what cmd prints is read."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.errors import RefusedError, ReplyError
from recovery.model.host import Host, Os
from recovery.model.incident import Artifact, Incident
from recovery.playbook.incidents import parse_incident
from recovery.playbook.library import read_incident
from recovery.ports import Completed
from recovery.remote import catalog, replies, strike
from recovery.remote.records import Moved, Refused

INCIDENT = parse_incident(*read_incident("crowdstrike-291"))
HOST = Host(name="w", os="windows")
DIRECTORY = "%WINDIR%\\System32\\drivers\\CrowdStrike"


def settings(**changes: str) -> dict[str, str]:
    made = catalog.command("strike", HOST, INCIDENT, token="i1", timeout=5)
    return {**made.settings, **changes}


def with_artifact(**changes: object) -> Incident:
    platform = INCIDENT.platforms["windows"]
    artifact: Artifact = msgspec.structs.replace(platform.artifact, **changes)
    changed = msgspec.structs.replace(platform, artifact=artifact)
    return msgspec.structs.replace(INCIDENT, platforms={**INCIDENT.platforms, "windows": changed})


def expect(*names: str) -> str:
    paths = [f"C:\\Windows\\System32\\drivers\\CrowdStrike\\{name}" for name in names]
    return " ".join(f"{path.encode().hex()}:{'0' * 64}" for path in paths)


@pytest.mark.parametrize("outer", ["none", "cmd", "powershell"])
def test_the_line_fits_whatever_reads_it(outer: str) -> None:
    token = "x" * 64
    made = catalog.command("strike", HOST, INCIDENT, token=token, timeout=5)
    line = catalog.launch(made, outer=outer).line  # type: ignore[arg-type]
    assert len(line) <= (8191 if outer != "powershell" else 32_766)


@pytest.mark.parametrize(
    ("folder", "place"),
    [
        ("%WINDIR%\\System32\\drivers\\X", "\\Windows\\System32\\drivers\\X"),
        ("%SystemRoot%\\X", "\\Windows\\X"),
        ("%ProgramFiles(x86)%\\V", "\\Program Files (x86)\\V"),
        ("%ProgramData%\\V", "\\ProgramData\\V"),
        ("%SystemDrive%\\V", "\\V"),
        ("C:\\Program Files\\V", "\\Program Files\\V"),
    ],
)
def test_a_folder_is_looked_for_on_every_volume(folder: str, place: str) -> None:
    """%%d:\\%windir% became D:\\X:\\Windows in an emergency script of July 2024, and never matched."""
    line = strike.line(settings(DIRECTORY=folder), "i1")
    assert f'"%g{place}\\C-00000291*.sys"' in line
    assert folder not in line


def test_no_environment_variable_is_on_the_line() -> None:
    line = strike.line(settings(), "i1")
    assert set(re.findall(r"%~?[a-z]+", line)) <= {
        "%g", "%i", "%j", "%k", "%q", "%r", "%u", "%v", "%~ai", "%~ar", "%~nxi", "%~nxq", "%~zi",
    }  # fmt: skip


def test_nothing_stands_behind_a_restart_since_there_is_none() -> None:
    """An emergency script of July 2024 had its check behind `shutdown /r`, where nothing runs any more."""
    line = strike.line(settings(), "i1")
    assert not re.search(r"(?i)shutdown|wpeutil reboot|\bdel\b|\berase\b|\brd\b|format", line)
    assert line.endswith('&echo {"record":"end","token":"i1","exit":0}')


@pytest.mark.parametrize(
    "folder",
    [
        "%TEMP%\\x", "C:", "\\\\server\\share", "C:\\a&b", "C:\\a%b", 'C:\\a"b', "C:\\a^b", "C:\\a!b", "C:\\a|b",
        "relative", "C:\\a\\\\b", "C:\\grün",
    ],
)  # fmt: skip
def test_a_folder_that_a_line_cannot_carry_is_refused(folder: str) -> None:
    with pytest.raises(RefusedError, match="cannot be named"):
        strike.line(settings(DIRECTORY=folder), "i1")


@pytest.mark.parametrize("pattern", ["a b*.sys", "a&b", "%x%", "a^b", 'a"b', "a;b", "(x)", ""])
def test_a_pattern_that_a_line_cannot_carry_is_refused(pattern: str) -> None:
    with pytest.raises(RefusedError, match="cannot stand on a command line"):
        strike.line(settings(PATTERN=pattern), "i1")


def test_without_the_vendors_word_only_listed_files_are_taken() -> None:
    line = strike.line(settings(STRIKE="listed", EXPECT=expect("b.sys", "a.sys", "a.sys")), "i1")
    assert " in (a.sys b.sys) do " in line
    assert "*.sys" not in line.replace("*.file", "")


@pytest.mark.parametrize("names", [(), ("a&calc.sys",), ("a b.sys",), tuple(map(str, range(50)))])
def test_what_cannot_be_named_is_left_to_the_longer_way(names: tuple[str, ...]) -> None:
    listed = settings(STRIKE="listed", EXPECT=expect(*names))
    with pytest.raises(RefusedError):
        strike.line(listed, "i1")
    assert catalog.racing(HOST, with_artifact(strike="listed"), expect(*names)) == "race"


def test_the_race_takes_the_quick_way_where_it_may() -> None:
    assert catalog.racing(HOST, INCIDENT, "") == "strike"
    assert catalog.racing(HOST, with_artifact(strike="listed"), "") == "race"
    assert catalog.racing(HOST, with_artifact(strike="listed"), expect("a.sys")) == "strike"
    assert catalog.racing(Host(name="l", os="linux"), INCIDENT, "") == "race"


@pytest.mark.parametrize(
    ("count", "action"), [(1, "strike"), (2, "strike"), (3, "race"), (20, "race")]
)
def test_a_race_never_takes_a_line_that_windows_would_not_take(count: int, action: str) -> None:
    names = [f"C-00000291-00000000-{number:08d}.sys" for number in range(count)]
    incident, seen = with_artifact(strike="listed"), expect(*names)
    assert catalog.racing(HOST, incident, seen) == action
    given = {"EXPECT": seen} if action == "strike" else None
    made = catalog.command(action, HOST, incident, token="x" * 24, timeout=5, settings=given)
    assert len(catalog.launch(made, outer="cmd").line) <= 8191


@pytest.mark.parametrize(("os", "sent"), [("windows", "a[1]*.sys"), ("linux", "a[[]1]*.sys")])
def test_a_bracket_in_a_pattern_is_itself(os: Os, sent: str) -> None:
    incident = with_artifact(pattern="a[1]*.sys")
    platforms = {os: incident.platforms["windows"]}
    if os == "linux":
        artifact = msgspec.structs.replace(platforms[os].artifact, directory="/opt")
        platforms = {os: msgspec.structs.replace(platforms[os], artifact=artifact, remedies={})}
    incident = msgspec.structs.replace(incident, platforms=platforms)
    made = catalog.command("triage", Host(name="w", os=os), incident, token="i1", timeout=5)
    assert made.settings["PATTERN"] == sent


def test_loops_and_conditions_keep_to_their_blocks_on_one_line() -> None:
    lines = ["rem gone", "for %g in (a b) do (", "echo %g", "if x (", "echo y", ")", ")", "echo z"]
    assert strike.joined(iter(lines)) == "(for %g in (a b) do (echo %g&(if x (echo y))))&echo z"


def wide(*records: object) -> bytes:
    text = "".join(json.dumps(record, separators=(",", ":")) + "\r\n" for record in records)
    return text.encode("utf-16-le", "surrogatepass")


END = {"record": "end", "token": "t", "exit": 0}


@given(st.text(min_size=1, max_size=40), st.binary(max_size=7))
def test_what_cmd_prints_is_read_whatever_stands_before_it(name: str, noise: bytes) -> None:
    raw = wide({"record": "refused", "reason": "held", "path_text": name}, END)
    reply = replies.read(Completed(stdout=noise + raw), "t")
    assert [replies.text_of(record.path_hex) for record in reply.refused] == [
        replies.visible(name.encode("utf-8", "surrogatepass"))
    ]


def test_names_of_cmd_are_names_of_every_other_script() -> None:
    record = {"record": "moved", "from_text": "C:\\a\ud800", "to_text": "C:\\b", "sha256": ""}
    (moved,) = replies.read(Completed(stdout=wide(record, END)), "t").records
    assert isinstance(moved, Moved)
    assert moved.to_hex == b"C:\\b".hex()
    assert moved.size is None


@pytest.mark.parametrize("line", ['{"record":"moved","x":', '{"record":"refused"}', '{"record":5}'])
def test_a_record_of_cmd_that_is_none_is_an_error(line: str) -> None:
    raw = f"{line}\r\n".encode("utf-16-le") + wide(END)
    with pytest.raises(ReplyError, match="not of the agreed form"):
        replies.read(Completed(stdout=raw), "t")


def test_an_answer_that_was_cut_is_no_answer() -> None:
    raw = wide({"record": "refused", "reason": "held", "path_text": "x"}, END)
    for end in range(0, len(raw) - 6, 5):
        with pytest.raises(ReplyError):
            replies.read(Completed(stdout=raw[:end]), "t")


def test_the_reason_of_a_strike_is_said_in_words() -> None:
    reply = replies.Reply((Refused(reason="held", path_hex=b"C:\\x".hex()),))
    said = replies.why_not(reply)
    assert "in use, protected" in said
    assert "restart the host and race it" in said, "what to do next"
