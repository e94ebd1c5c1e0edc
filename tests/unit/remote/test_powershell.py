"""The PowerShell scripts, as far as they can be judged without PowerShell: form, words, and the settings they use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

from recovery.errors import RefusedError
from recovery.model.host import Host
from recovery.playbook.incidents import parse_incident
from recovery.playbook.library import read_incident
from recovery.ports import Command
from recovery.remote import catalog, windows_scripts

ACTIONS = sorted(set(windows_scripts.ACTIONS) - {"strike"})
ITEMS = [
    (action, kind, remedy)
    for kind, remedy in (
        ("driver", "driver_disable"),
        ("update", "package_remove"),
        ("definitions", "definitions_rollback"),
        ("missing_file", "restore_file"),
    )
    for action in ("triage", "prove", remedy, "race", "undo")
] + [("triage", "none", "hand_over_only"), ("prove", "none", "hand_over_only")]
"""Scripts for artifacts that are not files."""
OFFLINE = [
    ("offline_driver_disable", "driver", "driver_disable"),
    ("offline_driver_undo", "driver", "driver_disable"),
    ("offline_package_remove", "update", "package_remove"),
    ("safeboot_set", "files", ""),
    ("safeboot_clear", "driver", ""),
]
"""Scripts for a Windows that does not run."""
ITEM_SETTINGS = {
    "KIND", "REMEDY", "NAME", "SERVICE", "BAD_VERSIONS", "GOOD_VERSIONS", "HASHES", "COPIES", "PATTERN", "ARTIFACT"
}  # fmt: skip
PARTS = sorted(
    path.name
    for path in (resources.files("recovery.remote") / "windows").iterdir()
    if path.name.endswith(".ps1")
)
OF_5_1 = {
    "convertfrom-json", "convertto-json", "foreach-object", "get-acl", "get-ciminstance", "invoke-cimmethod",
    "get-windowspackage", "new-object", "remove-windowspackage",
    "select-object", "set-acl", "set-strictmode", "sort-object", "start-sleep", "where-object",
}  # fmt: skip
"""Every cmdlet that the scripts may use: all of them are in Windows PowerShell 5.1."""
_PARSER = Parser(Language(tree_sitter_powershell.language()))
INCIDENT = parse_incident(*read_incident("crowdstrike-291"))


def part(name: str) -> bytes:
    return (resources.files("recovery.remote") / "windows" / name).read_bytes()


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


def texts(script: bytes, kind: str) -> set[str]:
    found = nodes(_PARSER.parse(script).root_node)
    return {(node.text or b"").decode() for node in found if node.type == kind}


def command(action: str) -> Command:
    settings = {"ARGV": b"whoami".hex()} if action == "run" else {}
    host = Host(name="w", os="windows")
    return catalog.command(action, host, INCIDENT, token="t", timeout=5, settings=settings)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_script_is_of_good_form(action: str) -> None:
    script = command(action).script
    wrong = [
        node for node in nodes(_PARSER.parse(script).root_node) if node.is_error or node.is_missing
    ]
    assert wrong == []
    assert script.isascii()
    assert script.startswith(b"param([string]$SettingsJson)\n")
    assert script.splitlines()[-1] == b"Write-End"


@pytest.mark.parametrize("action", ACTIONS)
def test_a_script_calls_its_own_functions_and_cmdlets_of_5_1_by_their_full_names(
    action: str,
) -> None:
    script = command(action).script
    own = {name.lower() for name in texts(script, "function_name")}
    called = {name.lower() for name in texts(script, "command_name")}
    assert called - own - OF_5_1 == set()
    assert own & OF_5_1 == set()


@pytest.mark.parametrize("action", ACTIONS)
def test_a_script_uses_only_settings_that_it_is_given(action: str) -> None:
    script = command(action).script.decode()
    sent = catalog.launch(command(action), outer="none").stdin.partition(b"\n")[0]
    assert set(re.findall(r"\$Given\.(?!PSObject)(\w+)", script)) - set(json.loads(sent)) == set()


@pytest.mark.parametrize("action", sorted(set(ACTIONS) - {"run", "exposure"}))
def test_without_an_incident_nothing_is_asked_of_windows(action: str) -> None:
    with pytest.raises(RefusedError, match="no incident says nothing about windows"):
        catalog.command(action, Host(name="w"), None, token="t", timeout=5)


def test_the_exposure_script_needs_no_incident() -> None:
    made = catalog.command("exposure", Host(name="w"), None, token="t", timeout=5)
    assert "Read-Settings" not in texts(part("exposure.ps1"), "command_name")
    given = json.loads(catalog.launch(made, outer="none").stdin.partition(b"\n")[0])
    assert {"TOKEN", "SERVICES", "PROCESSES"} <= set(given)


@pytest.mark.parametrize("name", PARTS)
def test_no_word_that_windows_powershell_5_1_does_not_know(name: str) -> None:
    script = part(name).decode("ascii")
    code = "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("#"))
    for pattern, what in (
        (r"\?\?|\?\.|&&|\|\|", "operators of version 7"),
        (r"\$\w+\s+\?\s", "the conditional operator of version 7"),
        (r"(?i)\bWrite-Host\b|\bOut-\w+", "output that is not a record"),
        (r"(?i)Invoke-Expression|\biex\b|ScriptBlock", "text that becomes code"),
        (r"(?i)-Parallel\b|-AsHashtable\b|-AsByteStream\b", "parameters of version 7"),
        (r"(?i)net (user|start|stop)|\bnetsh\b|\bsc\.exe\b", "tools whose words are localised"),
        (r"(?i)-computername|-credential\b|Invoke-WebRequest|Net\.WebClient", "the network"),
        (r"(?i)NumericalPassword\b|GetKeyProtectorNumericalPassword", "a recovery key"),
    ):
        assert re.search(pattern, code) is None, what


@pytest.mark.parametrize("name", PARTS)
def test_paths_are_taken_literally(name: str) -> None:
    for line in part(name).decode().splitlines():
        if re.search(r"(?i)\b[GS]et-Acl\b", line):
            assert "-LiteralPath" in line


def test_safe_mode_is_cleared_before_the_restart_that_would_keep_it() -> None:
    """Emergency scripts of July 2024 never cleared it, or tried to behind `shutdown /r`, where nothing runs."""
    script = part("reboot.ps1").decode()
    body = script[script.index("function Invoke-Reboot") :]
    assert "/deletevalue {current} safeboot" in script
    assert 0 < body.index("Clear-SafeBoot") < body.index("Start-Restart")


def calls_of(script: bytes) -> list[str]:
    """What a script calls outside of its functions, in order."""
    found: list[str] = []
    waiting = [_PARSER.parse(script).root_node]
    while waiting:
        node = waiting.pop(0)
        if node.type == "command_name":
            found.append((node.text or b"").decode())
        if node.type != "function_statement":
            waiting = [*node.children, *waiting]
    return found


@pytest.mark.parametrize("action", [*ACTIONS, *ITEMS, *OFFLINE])
def test_what_would_see_another_system_says_so_and_looks_at_nothing(
    action: str | tuple[str, str, str],
) -> None:
    """32-bit PowerShell is shown SysWOW64, without the bad files; a constrained one can call next to nothing."""
    script = command(action).script if isinstance(action, str) else windows_scripts.script(*action)
    calls = calls_of(script)
    assert calls[calls.index("Stop-Here") :].count("Write-End") == 1
    assert not [name for name in calls[: calls.index("Stop-Here")] if name.startswith("Read-")]
    text = script.decode()
    constrained = text[: text.index("$Invariant =")]
    assert "-ne 'FullLanguage'" in constrained
    assert "::" not in constrained, "a call that the constrained language does not take"


@pytest.mark.parametrize("reads", [("prove", "files", ""), ("triage", "files", ""), *ITEMS])
def test_what_reads_for_a_verdict_tells_of_safe_mode(reads: tuple[str, str, str]) -> None:
    if reads[0] in ("triage", "prove"):
        assert "Write-Facts" in calls_of(windows_scripts.script(*reads))


@pytest.mark.parametrize("name", PARTS)
def test_every_question_to_wmi_ends(name: str) -> None:
    for line in part(name).decode().splitlines():
        if re.search(r"(?i)\b(Get-CimInstance|Invoke-CimMethod) -", line):
            assert "-OperationTimeoutSec" in line
    if b"Get-CimInstance @" in part(name):
        assert b"OperationTimeoutSec = $MostSeconds" in part(name)


def test_a_mark_does_not_outlive_a_restart_that_was_not_asked_for() -> None:
    body = part("reboot.ps1").decode().partition("function Invoke-Reboot")[2]
    saved, tried = body.index("Save-Mark"), body.index("$asked = Start-Restart")
    assert saved < tried < body.index("} catch { $asked = $false }") < body.rindex("::Delete(")


def test_a_password_for_wifi_is_read_by_a_tool_and_goes_no_further() -> None:
    """`reagentc /getrecoverysettings` prints it; of its output one digit is taken."""
    body = part("machine.ps1").decode().partition("function Get-QuickRecovery")[2]
    body = body.partition("\nfunction ")[0]
    assert re.findall(r"(?m)^\s*.*\breturn\b.*$", body)
    assert set(re.findall(r"return (.*?)(?: \}|$)", body, re.MULTILINE)) == {
        "''",
        "Get-Switch $Matches[1]",
    }
    assert "Write-" not in body


def test_programs_are_started_in_one_place_that_reads_what_they_print() -> None:
    """A program whose output nobody reads stops where the pipe is full; an operator's own is read by bounds."""
    starters = {name for name in PARTS if b"::Start($start)" in part(name)}
    assert starters == {"lib.ps1", "run.ps1"}
    assert b"ReadToEnd" not in part("run.ps1")
    for stream in (b"StandardOutput", b"StandardError"):
        assert b"$process." + stream + b".ReadToEndAsync()" in part("lib.ps1")
        assert b"$process." + stream + b".BaseStream" in part("run.ps1")


def test_a_product_that_is_not_there_is_told_from_a_system_that_does_not_answer() -> None:
    asks = [name for name in PARTS if b"Get-CimInstance " in part(name)]
    assert asks == ["lib.ps1"], "every question goes where that is told apart"
    for name in ("definitions.ps1", "facts.ps1"):
        body = part(name).decode().partition("Get-Instances")[2]
        assert body.index("-not $script:Answered") < body.index(
            "$volume in" if name[0] == "f" else "Exists"
        )


@pytest.mark.parametrize("name", PARTS)
def test_no_program_prints_into_the_answer(name: str) -> None:
    script = part(name).decode()
    started = script.count("::Start($start)")
    assert script.count("$start.RedirectStandardOutput = $true") == started
    assert not re.search(r"(?m)^\s*&\s|\.exe'?\s*\|", script)


def test_every_part_belongs_to_a_script() -> None:
    used = {f"{name}.ps1" for action in ACTIONS for name in windows_scripts.ACTIONS[action]}
    used |= {f"{name}.ps1" for each in (*ITEMS, *OFFLINE) for name in windows_scripts.parts(*each)}
    assert used == set(PARTS)


def test_every_action_of_posix_has_a_script_on_windows() -> None:
    assert set(catalog.ACTIONS) <= set(windows_scripts.ACTIONS)


@pytest.mark.parametrize("action", ["triage", "prove", "exposure"])
def test_what_only_reads_has_no_word_for_change(action: str) -> None:
    script = command(action).script.decode()
    changing = r"::(Move|Delete|Replace|SetAttributes|SetLastWriteTimeUtc|Write\w+)\b"
    assert re.search(changing, script) is None
    assert len(re.findall(r"\bNew-Kept\b", script)) == 1, "defined, and not used"


@pytest.mark.parametrize(("action", "kind", "remedy"), [*ITEMS, *OFFLINE])
def test_a_script_for_what_is_not_files_keeps_to_the_same_rules(
    action: str, kind: str, remedy: str
) -> None:
    script = windows_scripts.script(action, kind, remedy)
    tree = _PARSER.parse(script).root_node
    assert [node for node in nodes(tree) if node.is_error or node.is_missing] == []
    own = {name.lower() for name in texts(script, "function_name")}
    called = {name.lower() for name in texts(script, "command_name")}
    assert called - own - OF_5_1 == set()
    sent = catalog.launch(command("triage"), outer="none").stdin.partition(b"\n")[0]
    used = set(re.findall(r"\$Given\.(?!PSObject)(\w+)", script.decode()))
    assert used <= set(json.loads(sent)) | ITEM_SETTINGS


@pytest.mark.parametrize(
    ("action", "kind", "remedy", "says"),
    [
        ("driver_disable", "files", "driver_disable", "no remedy for files"),
        ("triage", "kernel", "", "kind kernel on windows"),
        ("quarantine", "driver", "driver_disable", "no script carries out 'quarantine'"),
        ("race", "driver", "hand_over_only", "no script carries out"),
        ("offline_driver_disable", "files", "quarantine", "is for an artifact of kind driver"),
        ("offline_package_remove", "driver", "", "is for an artifact of kind update"),
    ],
)
def test_what_windows_has_no_script_for_is_refused(
    action: str, kind: str, remedy: str, says: str
) -> None:
    with pytest.raises(RefusedError, match=says):
        windows_scripts.script(action, kind, remedy)


def test_a_windows_that_does_not_run_is_told_by_its_volume() -> None:
    given = {"VOLUME": "D:"}
    made = catalog.command(
        "safeboot_clear", Host(name="w"), INCIDENT, token="t", timeout=60, settings=given
    )
    sent = json.loads(catalog.launch(made, outer="cmd").stdin.partition(b"\n")[0])
    assert sent["VOLUME"] == "D:"
    with pytest.raises(RefusedError, match="no script is named 'safeboot_clear'"):
        catalog.command(
            "safeboot_clear", Host(name="l", os="linux"), INCIDENT, token="t", timeout=5
        )


@pytest.mark.parametrize("each", OFFLINE)
def test_on_a_volume_nothing_is_done_before_it_is_told_from_the_running_system(
    each: tuple[str, str, str],
) -> None:
    script = windows_scripts.script(*each)
    assert script.count(b"function Read-Settings {") == 1 + (each[0][:7] == "offline")
    refusals = script.rpartition(b"function Read-Settings {")[2].partition(b"\n}\n")[0].decode()
    for reason in ("not_a_volume", "volume_of_the_running_system", "no_windows_installation_found"):
        assert f"Stop-Here '{reason}'" in refusals
    calls = calls_of(script)
    assert not {"Read-Boot", "Write-System", "Write-Services", "Read-Mark"} & set(calls), (
        "that would be of the machine that helps"
    )
    assert calls.index("Stop-Here") < calls.index("Read-Settings")
    assert b"-Online" not in script.rpartition(b"$HiveTries")[2]


@pytest.mark.parametrize("name", ["offline_act.ps1", "offline_takeback.ps1", "safeboot.ps1"])
def test_a_hive_that_was_loaded_is_unloaded_whatever_happens(name: str) -> None:
    script = part(name).decode()
    for opens, closes in (("Open-Hive\n", "Close-Hive"), ("Open-Volume\n", "Close-Volume")):
        if opens in script:
            after = script.partition(opens)[2]
            assert after.lstrip().startswith("try {")
            assert f"}} finally {{ {closes} }}" in after
