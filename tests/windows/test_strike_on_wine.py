"""The strike, really run by a cmd.exe: what it moves, what it leaves alone, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from recovery.model.evidence import ArtifactListing
from recovery.model.host import Host
from recovery.model.incident import Incident
from recovery.playbook.incidents import parse_incident
from recovery.playbook.library import read_incident
from recovery.remote import catalog, replies
from recovery.remote.records import Installation, Moved
from recovery.remote.replies import Reply
from recovery.remote.strike import manifest_name
from tests.windows.wine import VAULT, Wine, windows

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wine")]

INCIDENT = parse_incident(*read_incident("crowdstrike-291"))
BEGAN = INCIDENT.began
HOST = Host(name="w", os="windows")
CONTENT = b"\xaa\xaa\xaa\xaa\x01\x00\x23\x01 payload"
FOLDER = "\\Windows\\System32\\drivers\\CrowdStrike"
ARTIFACT = (
    f"%WINDIR%\\System32\\drivers\\CrowdStrike\\{INCIDENT.platforms['windows'].artifact.pattern}"
)
MANIFEST = f"{manifest_name(ARTIFACT.encode().hex())}.manifest"


async def strike(
    wine: Wine, token: str = "i1", incident: Incident = INCIDENT, **settings: str
) -> Reply:
    made = catalog.command("strike", HOST, incident, token=token, timeout=30, settings=settings)
    completed = await wine.run(catalog.launch(made, outer="cmd").line)
    return replies.read(completed, token)


def bad(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).write_bytes(CONTENT)
    return [folder / name for name in names]


def of_c(wine: Wine) -> Path:
    return windows(wine.drive("c"))


def acted(reply: Reply) -> tuple[int, int, bool]:
    done = reply.acted("quarantine")
    assert done is not None
    return done.files, done.already, done.nothing


def listing(reply: Reply) -> ArtifactListing:
    found = replies.evidence(reply, at=BEGAN, source="test")
    return next(item for item in found if isinstance(item, ArtifactListing))


def moved(reply: Reply) -> list[str]:
    return sorted(
        replies.text_of(record.from_hex) for record in reply.records if isinstance(record, Moved)
    )


def installations(reply: Reply) -> list[str]:
    return [
        replies.text_of(record.path_hex)
        for record in reply.records
        if isinstance(record, Installation)
    ]


def entries(vault: Path, token: str = "i1") -> list[dict[str, str]]:
    raw = (vault / token / MANIFEST).read_bytes().decode("utf-16-le")
    return [json.loads(line) for line in raw.splitlines()]


async def test_bad_files_go_to_quarantine_with_a_manifest(wine: Wine) -> None:
    folder = of_c(wine)
    bad(folder, "C-00000291-00000000-00000032.sys", "C-00000291.sys")
    kept = bad(folder, "C-00000292-00000000-00000001.sys", "C-0000029.sys", "csagent.sys")
    reply = await strike(wine)
    assert acted(reply) == (2, 0, False)
    assert installations(reply) == ["C:\\Windows"]
    assert moved(reply) == [
        f"C:{FOLDER}\\C-00000291-00000000-00000032.sys",
        f"C:{FOLDER}\\C-00000291.sys",
    ]
    assert sorted(folder.iterdir()) == sorted(kept)
    vault = wine.drive("c") / VAULT
    first, *files = entries(vault)
    assert first == {"manifest": 1, "artifact": ARTIFACT.encode().hex()}
    assert sorted(entry["from"] for entry in files) == moved(reply)
    for entry in files:
        assert (vault / "i1" / entry["file"]).read_bytes() == CONTENT
        assert entry["size"] == str(len(CONTENT))
    seen = listing(reply)
    assert (seen.bad, seen.quarantined, seen.intents) == (False, 2, ("i1",))


NAMES = [
    "C-00000291 with blanks.sys",
    "C-00000291&calc.sys",
    "C-00000291^caret.sys",
    "C-00000291!bang!.sys",
    "C-00000291(1).sys",
    "C-00000291'quote`.sys",
    "C-00000291;a,b=c.sys",
    "C-00000291-grün-日本-\N{SNOWMAN}.sys",
]


@pytest.mark.parametrize("name", NAMES)
async def test_no_name_is_read_as_anything_but_a_name(wine: Wine, name: str) -> None:
    folder = of_c(wine)
    bad(folder, name)
    reply = await strike(wine)
    assert moved(reply) == [f"C:{FOLDER}\\{name}"]
    assert acted(reply) == (1, 0, False)
    assert list(folder.iterdir()) == []
    assert [path.name for path in (wine.drive("c") / VAULT / "i1").glob("*.file")] == [
        f"{name}.1.file"
    ]


async def test_a_read_only_file_goes_too_and_stays_read_only(wine: Wine) -> None:
    (file,) = bad(of_c(wine), "C-00000291-1.sys")
    file.chmod(0o444)
    assert acted(await strike(wine)) == (1, 0, False)
    (held,) = (wine.drive("c") / VAULT / "i1").glob("*.file")
    assert held.stat().st_mode & 0o222 == 0


async def test_a_system_file_goes_too(wine: Wine) -> None:
    """Wine keeps no hidden attribute on every disk, so that one is not tried."""
    (file,) = bad(of_c(wine), "C-00000291-1.sys")
    await wine.run(f"attrib +s C:{FOLDER}\\{file.name}")
    assert acted(await strike(wine)) == (1, 0, False)
    assert not file.exists()


async def test_nothing_that_matches_is_said_loudly_and_leaves_nothing_behind(wine: Wine) -> None:
    bad(of_c(wine), "C-00000292.sys")
    reply = await strike(wine)
    assert acted(reply) == (0, 0, True)
    assert not (wine.drive("c") / "ProgramData" / "FleetRecovery").exists()


async def test_the_second_run_finds_the_first_ones_files(wine: Wine) -> None:
    bad(of_c(wine), "C-00000291-1.sys", "C-00000291-2.sys")
    await strike(wine)
    before = entries(wine.drive("c") / VAULT)
    assert acted(await strike(wine)) == (0, 2, False)
    assert entries(wine.drive("c") / VAULT) == before


async def test_a_file_that_came_back_is_moved_beside_the_first(wine: Wine) -> None:
    folder = of_c(wine)
    bad(folder, "C-00000291-1.sys")
    await strike(wine)
    bad(folder, "C-00000291-1.sys")
    assert acted(await strike(wine)) == (1, 1, False)
    assert sorted(path.name for path in (wine.drive("c") / VAULT / "i1").glob("*.file")) == [
        "C-00000291-1.sys.1.file",
        "C-00000291-1.sys.2.file",
    ]


async def test_what_was_undone_is_not_struck_again_by_the_same_intent(wine: Wine) -> None:
    folder = of_c(wine)
    bad(folder, "C-00000291-1.sys")
    await strike(wine)
    (wine.drive("c") / VAULT / "i1" / "undone").touch()
    bad(folder, "C-00000291-1.sys")
    reply = await strike(wine)
    assert acted(reply)[0] == 0
    assert [record.reason for record in reply.refused] == ["exists"]
    assert listing(reply).bad
    assert acted(await strike(wine, "i2"))[0] == 1


async def test_every_windows_of_the_machine_is_struck(wine: Wine) -> None:
    folders = [of_c(wine), windows(wine.drive("d")), windows(wine.drive("q"))]
    wine.drive("e")
    for folder in folders:
        bad(folder, "C-00000291-1.sys")
    reply = await strike(wine)
    assert installations(reply) == ["C:\\Windows", "D:\\Windows", "Q:\\Windows"]
    assert moved(reply) == [f"{letter}:{FOLDER}\\C-00000291-1.sys" for letter in "CDQ"]
    assert [list(folder.iterdir()) for folder in folders] == [[], [], []]
    for letter in "cdq":
        assert len(list((wine.drive(letter) / VAULT / "i1").glob("*.file"))) == 1


async def test_in_winpe_the_windows_volume_is_found_and_winpe_itself_left_alone(
    wine: Wine,
) -> None:
    """There %WINDIR% and %SystemDrive% are WinPE's own, here C: and X:."""
    own = of_c(wine)
    (wine.drive("c") / "windows" / "system32" / "wpeutil.exe").touch()
    pe = windows(wine.drive("x"))
    (wine.drive("x") / "Windows" / "System32" / "wpeutil.exe").touch()
    target = windows(wine.drive("d"))
    for folder in (own, pe, target):
        bad(folder, "C-00000291-1.sys")
    reply = await strike(wine)
    assert installations(reply) == ["D:\\Windows"]
    assert moved(reply) == [f"D:{FOLDER}\\C-00000291-1.sys"]
    assert (len(list(own.iterdir())), len(list(pe.iterdir())), list(target.iterdir())) == (1, 1, [])
    assert (wine.drive("d") / VAULT / "i1" / MANIFEST).exists()


async def test_a_locked_disk_is_not_taken_for_a_healthy_machine(wine: Wine) -> None:
    """A volume that BitLocker holds locked shows no Windows."""
    of_c(wine)
    (wine.drive("c") / "windows" / "system32" / "wpeutil.exe").touch()
    wine.drive("d")
    reply = await strike(wine)
    assert [trouble.reason for trouble in reply.trouble] == ["no_windows_installation_found"]
    assert reply.acted("quarantine") is None


async def test_files_of_the_name_elsewhere_are_left_alone(wine: Wine) -> None:
    """An emergency script of July 2024 deleted in drivers itself, and missed its folder."""
    folder = of_c(wine)
    (stray,) = bad(folder.parent, "C-00000291-1.sys")
    try:
        assert acted(await strike(wine)) == (0, 0, True)
        assert stray.exists()
    finally:
        stray.unlink()


async def test_a_quarantine_that_cannot_be_written_moves_nothing(wine: Wine) -> None:
    folder = of_c(wine)
    bad(folder, "C-00000291-1.sys", "C-00000291-2.sys")
    vault = wine.drive("c") / VAULT
    vault.parent.mkdir(parents=True)
    vault.write_text("a file stands where the folder should be")
    reply = await strike(wine)
    assert acted(reply) == (0, 0, False)
    assert {record.reason for record in reply.refused} == {"permission"}
    assert len(list(folder.iterdir())) == 2
    assert listing(reply).bad


async def test_a_folder_of_the_artifacts_name_is_left_alone(wine: Wine) -> None:
    folder = of_c(wine)
    (folder / "C-00000291-dir.sys").mkdir()
    bad(folder, "C-00000291-1.sys")
    reply = await strike(wine)
    assert moved(reply) == [f"C:{FOLDER}\\C-00000291-1.sys"]
    assert [path.name for path in folder.iterdir()] == ["C-00000291-dir.sys"]
    assert listing(reply).bad


def expect(*paths: str) -> str:
    return " ".join(f"{path.encode().hex()}:{'0' * 64}" for path in paths)


def only_listed() -> Incident:
    platform = INCIDENT.platforms["windows"]
    artifact = msgspec.structs.replace(platform.artifact, strike="listed")
    changed = msgspec.structs.replace(platform, artifact=artifact)
    return msgspec.structs.replace(INCIDENT, platforms={"windows": changed})


async def test_where_the_profile_does_not_allow_more_only_listed_files_go(wine: Wine) -> None:
    folder = of_c(wine)
    bad(folder, "C-00000291-1.sys", "C-00000291-2.sys", "C-00000291-3.sys")
    seen = expect(*(f"C:{FOLDER}\\C-00000291-{number}.sys" for number in (1, 3, 4)))
    reply = await strike(wine, incident=only_listed(), EXPECT=seen)
    assert acted(reply) == (2, 0, False)
    assert [path.name for path in folder.iterdir()] == ["C-00000291-2.sys"]
    assert not listing(reply).bad


@pytest.mark.parametrize("outer", ["none", "cmd"])
async def test_both_ways_to_send_it_do_the_same(wine: Wine, outer: str) -> None:
    bad(of_c(wine), "C-00000291-1.sys")
    made = catalog.command("strike", HOST, INCIDENT, token="i1", timeout=30)
    line = catalog.launch(made, outer=outer).line  # type: ignore[arg-type]
    assert acted(replies.read(await wine.run(line), "i1")) == (1, 0, False)


async def test_the_environment_does_not_say_where_windows_is(wine: Wine) -> None:
    made = catalog.command("strike", HOST, INCIDENT, token="i1", timeout=30)
    line = catalog.launch(made, outer="none").line.lower()
    assert not any(f"%{name.lower()}" in line for name in ("WINDIR", "System", "Program", "Home"))


async def test_a_32_bit_cmd_finds_no_windows_rather_than_nothing_bad(wine: Wine) -> None:
    """It is shown SysWOW64 in the place of System32, where no bad file is. Windows sets the variable for it."""
    (file,) = bad(of_c(wine), "C-00000291-1.sys")
    made = catalog.command("strike", HOST, INCIDENT, token="i1", timeout=30)
    line = catalog.launch(made, outer="cmd").line
    told = line.replace("set NoD", "set PROCESSOR_ARCHITEW6432=AMD64^&set NoD", 1)
    reply = replies.read(await wine.run(told), "i1")
    assert [trouble.reason for trouble in reply.trouble] == ["no_windows_installation_found"]
    assert reply.acted("quarantine") is None
    assert file.exists()
