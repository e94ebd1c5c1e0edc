"""What the scripts print on a simulated machine."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from recovery.detect.rules import judge
from recovery.model.case import CaseFile, add_evidence
from recovery.model.evidence import ArtifactListing, BootIdentity, CrashRecord, RebootMark
from recovery.model.host import Fleet, Os
from recovery.model.incident import Incident
from recovery.ports import Completed
from recovery.remote import records
from recovery.remote.replies import evidence, read
from recovery.sim.world import World
from tests.unit.sim.twin_factory import (
    EPOCH,
    STEADY,
    HandClock,
    ask,
    command,
    faults,
    host,
    incident,
    mix,
    world,
)

SERVER = host(kind="server")
FOLDER = "C:\\Windows\\System32\\drivers\\CrowdStrike"


def of(reply: Any, kind: type) -> list[Any]:
    return [record for record in reply.records if isinstance(record, kind)]


def seen(reply: Any, kind: type) -> list[Any]:
    return [item for item in evidence(reply, at=EPOCH, source="mock") if isinstance(item, kind)]


def text(encoded: str) -> str:
    return bytes.fromhex(encoded).decode()


def exposed(**fields: Any) -> tuple[World, HandClock]:
    clock = HandClock()
    return world(SERVER, clock=clock, **{**STEADY, "exposed": 1, **fields}), clock


def test_triage_tells_boot_system_files_folder_and_services_in_the_order_of_the_scripts() -> None:
    twin, _ = exposed()
    reply = ask(twin, SERVER, "triage")
    assert [type(record) for record in reply.records] == [
        records.Boot, records.System, records.File, records.Folder, records.ServiceRecord, records.Facts,
    ]  # fmt: skip
    boot, system, file, folder, service, facts = reply.records
    assert (facts.safe_mode, facts.pending_reboot) == ("", False)
    assert boot.boot_id == twin.machine("h1").boot_id
    assert boot.clock == EPOCH.timestamp()
    assert boot.uptime == pytest.approx(EPOCH.timestamp() - boot.boot_time, abs=1)
    assert (system.os, text(system.hostname_hex)) == ("windows", "h1")
    assert text(file.path_hex).startswith(f"{FOLDER}\\C-00000291-00000000-")
    assert text(file.path_hex).endswith(".sys")
    assert (file.state, file.header) == ("bad", "aaaaaaaa01002301")
    assert len(file.sha256) == 64
    assert (text(folder.path_hex), folder.bad, folder.quarantined) == (FOLDER, True, 0)
    assert (text(service.name_hex), service.running) == ("CSFalconService", True)


def test_prove_reads_what_triage_reads() -> None:
    twin, _ = exposed()
    assert ask(twin, SERVER, "prove").records == ask(twin, SERVER, "triage").records


def test_a_good_file_makes_the_folder_good() -> None:
    twin, _ = exposed(exposed=0, reverted=1)
    (listing,) = seen(ask(twin, SERVER, "triage"), ArtifactListing)
    assert not listing.bad
    assert [file.state for file in listing.files] == ["bad", "good"]
    reply = ask(twin, SERVER, "quarantine", "i1")
    assert [refused.reason for refused in reply.refused] == ["not_bad"]
    assert reply.acted("quarantine").files == 0


def test_quarantine_moves_the_file_and_leaves_a_manifest() -> None:
    twin, _ = exposed()
    (file,) = of(ask(twin, SERVER, "triage"), records.File)
    reply = ask(twin, SERVER, "quarantine", "i1", EXPECT=f"{file.path_hex}:{file.sha256}")
    (moved,) = of(reply, records.Moved)
    assert (moved.from_hex, moved.sha256) == (file.path_hex, file.sha256)
    assert text(moved.to_hex) == "C:\\ProgramData\\Kept\\i1\\1.file"
    acted = reply.acted("quarantine")
    assert (acted.files, acted.already, acted.nothing) == (1, 0, False)
    (listing,) = seen(reply, ArtifactListing)
    assert (listing.bad, listing.quarantined, listing.intents) == (False, 1, ("i1",))


@pytest.mark.parametrize("token", ["i1", "i2"])
def test_a_second_quarantine_finds_it_done(token: Any) -> None:
    twin, _ = exposed()
    ask(twin, SERVER, "quarantine", "i1")
    acted = ask(twin, SERVER, "quarantine", token).acted("quarantine")
    assert (acted.files, acted.already, acted.nothing) == (0, 1, False)


def test_race_does_what_quarantine_does() -> None:
    one, _ = exposed()
    two, _ = exposed()
    assert ask(one, SERVER, "race", "i1").records == ask(two, SERVER, "quarantine", "i1").records


def test_nothing_to_move_is_said() -> None:
    twin, _ = exposed(exposed=0)
    assert ask(twin, SERVER, "quarantine", "i1").acted("quarantine").nothing


def test_a_file_that_changed_since_triage_is_left_alone() -> None:
    twin, _ = exposed()
    (file,) = of(ask(twin, SERVER, "triage"), records.File)
    reply = ask(twin, SERVER, "quarantine", "i1", EXPECT=f"{file.path_hex}:{'0' * 64}")
    assert [(refused.reason, refused.path_hex) for refused in reply.refused] == [
        ("changed", file.path_hex)
    ]
    assert reply.acted("quarantine").files == 0
    assert twin.machine("h1").is_bad


def test_a_credential_without_the_right_is_refused_by_the_disk() -> None:
    twin, _ = exposed(quarantine_fails=1)
    reply = ask(twin, SERVER, "quarantine", "i1")
    assert [refused.reason for refused in reply.refused] == ["permission"]
    assert twin.machine("h1").is_bad


@pytest.mark.parametrize(("skew", "refused"), [(900, True), (-900, True), (200, False)])
def test_a_wrong_clock_is_told_and_keeps_files_where_they_are(skew: Any, refused: Any) -> None:
    twin, _ = exposed(clock_off=1, clock_by=[skew, skew])
    (boot,) = seen(ask(twin, SERVER, "triage"), BootIdentity)
    assert boot.clock == EPOCH.timestamp() + skew
    assert boot.clock - boot.boot_time == pytest.approx(boot.uptime, abs=1)
    now = f"{EPOCH.timestamp():.0f}"
    reply = ask(twin, SERVER, "quarantine", "i1", CONTROLLER_CLOCK=now)
    assert [record.reason for record in reply.refused] == (["clock"] if refused else [])


def test_without_times_in_the_profile_no_clock_matters_and_every_file_is_bad() -> None:
    clock, profile = HandClock(), incident(with_times=False)
    faulty = mix(crash_loop=0.5, reverted=0.5, lucky=1.0, clock_off=1, clock_by=[900, 900])
    fleet = Fleet(hosts=tuple(host(f"h{number}", kind="server") for number in range(20)))
    twin = World(fleet, profile, faulty, 1, clock=clock)
    clock.elapsed = 100_000
    machines = [twin.machine(one.name) for one in fleet.hosts]
    assert {machine.is_bad for machine in machines} == {True, False}
    assert not any(machine.good for machine in machines)
    for one in fleet.hosts:
        if twin.contact(one)[0] == "open":
            assert not ask(twin, one, "race", "i1", CONTROLLER_CLOCK="1").refused


def test_undo_puts_back_exactly_what_was_moved() -> None:
    twin, _ = exposed()
    before = of(ask(twin, SERVER, "triage"), records.File)
    ask(twin, SERVER, "quarantine", "i1")
    reply = ask(twin, SERVER, "undo", "u1")
    assert reply.acted("undo").files == 1
    assert of(reply, records.File) == before
    (manifest,) = of(reply, records.Manifest)
    assert (manifest.intent, manifest.files, manifest.undone) == ("i1", 0, True)
    again = ask(twin, SERVER, "undo", "u1").acted("undo")
    assert (again.files, again.already, again.nothing) == (0, 1, False)
    other = ask(twin, SERVER, "undo", "u2").acted("undo")
    assert (other.files, other.already, other.nothing) == (0, 0, True)


def test_undo_where_nothing_was_moved_says_so() -> None:
    twin, _ = exposed()
    assert ask(twin, SERVER, "undo", "u1").acted("undo").nothing


def test_undo_does_not_overwrite_a_file_that_came_since() -> None:
    twin, _ = exposed(exposed=0)
    twin.strike("h1")
    ask(twin, SERVER, "quarantine", "i1")
    twin.strike("h1")
    reply = ask(twin, SERVER, "undo", "u1")
    assert [refused.reason for refused in reply.refused] == ["exists"]
    assert reply.acted("undo").files == 0
    (manifest,) = of(reply, records.Manifest)
    assert (manifest.files, manifest.undone) == (1, False)


def test_two_quarantined_files_of_one_name_cannot_both_go_back() -> None:
    twin, _ = exposed(exposed=0)
    for token in ("i1", "i2"):
        twin.strike("h1")
        ask(twin, SERVER, "quarantine", token)
    reply = ask(twin, SERVER, "undo", "u1")
    assert [refused.reason for refused in reply.refused] == ["exists"]
    manifests = of(reply, records.Manifest)
    assert [(m.intent, m.files, m.undone) for m in manifests] == [("i1", 0, True), ("i2", 1, False)]


def test_several_quarantines_of_one_intent_add_to_one_manifest() -> None:
    twin, _ = exposed()
    ask(twin, SERVER, "quarantine", "i1")
    twin.strike("h1")
    reply = ask(twin, SERVER, "quarantine", "i1")
    assert [text(moved.to_hex)[-6:] for moved in of(reply, records.Moved)] == ["2.file"]
    (manifest,) = of(reply, records.Manifest)
    assert manifest.files == 2


def test_undo_takes_back_all_quarantines_and_each_only_once() -> None:
    twin, _ = exposed()
    for token in ("i1", "i2"):
        ask(twin, SERVER, "quarantine", token)
        assert ask(twin, SERVER, "undo", f"u{token}").acted("undo").files == 1
    ask(twin, SERVER, "quarantine", "i3")
    manifests = of(ask(twin, SERVER, "triage"), records.Manifest)
    assert [(m.intent, m.files, m.undone) for m in manifests] == [
        ("i1", 0, True),
        ("i2", 0, True),
        ("i3", 1, False),
    ]


def test_undo_of_a_part_leaves_the_manifest_open() -> None:
    twin, _ = exposed(exposed=0)
    machine = twin.machine("h1")
    machine.bad, machine.good = (1, 2), False
    ask(twin, SERVER, "quarantine", "i1")
    twin.strike("h1")
    reply = ask(twin, SERVER, "undo", "u1")
    assert [refused.reason for refused in reply.refused] == ["exists"]
    assert reply.acted("undo").files == 1
    (manifest,) = of(reply, records.Manifest)
    assert (manifest.files, manifest.undone) == (1, False)


def test_reboot_marks_its_boot_and_is_asked_for_once() -> None:
    twin, clock = exposed()
    ask(twin, SERVER, "quarantine", "q")
    boot_id = twin.machine("h1").boot_id
    acted = ask(twin, SERVER, "reboot", "r1", EXPECT_BOOT=boot_id).acted("reboot")
    assert (acted.files, acted.already) == (1, 0)
    again = ask(twin, SERVER, "reboot", "r2", EXPECT_BOOT=boot_id)
    assert (again.acted("reboot").files, again.acted("reboot").already) == (0, 1)
    (mark,) = seen(ask(twin, SERVER, "prove"), RebootMark)
    assert mark.intent == "r1"
    clock.elapsed += 30
    after = ask(twin, SERVER, "prove")
    assert not seen(after, RebootMark)
    (boot,) = seen(after, BootIdentity)
    assert boot.boot_id != boot_id


def test_reboot_of_another_boot_than_the_judged_one_is_refused() -> None:
    twin, clock = exposed()
    reply = ask(twin, SERVER, "reboot", "r1", EXPECT_BOOT="someone-else")
    assert [record.reason for record in reply.refused] == ["changed"]
    assert reply.acted("reboot") is None
    clock.elapsed += 30
    assert twin.machine("h1").boot == 1


@pytest.mark.parametrize(("fails", "status"), [(0, 0), (1, 1)])
def test_an_operators_command_has_an_exit_status(fails: Any, status: Any) -> None:
    twin, _ = exposed(command_fails=fails)
    (printed,) = of(ask(twin, SERVER, "run", "r1", ARGV="6c73"), records.Printed)
    assert printed.exit == status


@pytest.mark.parametrize("os", ["windows", "linux"])
@pytest.mark.parametrize(("condition", "is_ours"), [("crash_loop", True), ("other_crash", False)])
def test_crash_records_tell_this_incident_from_others(
    os: Any, condition: Any, is_ours: Any
) -> None:
    one = host(kind="server", os=os)
    clock = HandClock()
    twin = world(one, clock=clock, **{**STEADY, condition: 1, "other_every": [30, 30]})
    while twin.contact(one)[0] != "open":
        clock.elapsed += 1
    reply = ask(twin, one, "triage")
    (crash,) = seen(reply, CrashRecord)
    if os == "windows":
        assert (crash.stop_code, crash.module) == (
            (0x50, "csagent.sys") if is_ours else (0x9F, "mocknic.sys")
        )
    else:
        assert ("csagent" in crash.text) == is_ours
    case = CaseFile()
    for item in evidence(reply, at=clock.now(), source="mock"):
        case = add_evidence(case, item)
    if is_ours:
        assert judge(case, incident(), os, clock.now()).verdict == "crash_loop"


def test_in_safe_mode_protection_does_not_run() -> None:
    twin, clock = exposed(safe_mode=1)
    ask(twin, SERVER, "quarantine", "i1")
    ask(twin, SERVER, "reboot", "r1")
    clock.elapsed += 60
    reply = ask(twin, SERVER, "prove")
    (service,) = of(reply, records.ServiceRecord)
    assert [facts.safe_mode for facts in of(reply, records.Facts)] == ["network"]
    assert not service.running


@pytest.mark.parametrize(("os", "action"), [("macos", "triage"), ("windows", "defrost")])
def test_what_there_is_no_script_for_is_trouble(os: Any, action: Any) -> None:
    one = host(os=os)
    twin = world(one, clock=HandClock(), crash_loop=1.0 if os == "macos" else 0.0)
    _, boot = twin.contact(one)
    fate, reply = twin.answer(one, boot, command(action))
    assert fate == "whole"
    assert [record.reason for record in read(Completed(stdout=reply), "t1").trouble] == [
        "unsupported"
    ]


def test_names_of_hosts_cannot_break_the_form() -> None:
    odd = host('"}\n{"record":"end"', kind="server")
    twin = world(odd, clock=HandClock(), exposed=1.0)
    (system,) = of(ask(twin, odd, "triage"), records.System)
    assert text(system.hostname_hex) == odd.name


def test_paths_of_other_profiles_are_filled_in() -> None:
    base = incident()
    platform = base.platforms["linux"]
    profile = Incident(
        name="other",
        title="Other",
        began=base.began,
        platforms={
            "linux": type(platform)(
                artifact=type(platform.artifact)(directory="%Nowhere%/x/", pattern="bad-?.ko"),
                proof=platform.proof,
                remedies={},
            )
        },
    )
    one = host(os="linux")
    twin = World(Fleet(hosts=(one,)), profile, mix(exposed=1.0), 1, clock=HandClock())
    (file,) = of(ask(twin, one, "triage"), records.File)
    assert text(file.path_hex).startswith("C:/x/bad-0.ko")
    assert file.mtime == base.began.timestamp()
    assert file.sha256 == hashlib.sha256(f"other\0{twin.machine('h1').bad[0]}".encode()).hexdigest()
    assert faults(exposed=1.0).exposed == 1.0


@pytest.mark.parametrize(("os", "told"), [("windows", ("triage", "prove")), ("linux", ("triage",))])
def test_the_machine_at_large_is_told_of_by_the_scripts_that_do(
    os: Os, told: tuple[str, ...]
) -> None:
    one = host(kind="server", os=os)
    twin = world(one, clock=HandClock(), **{**STEADY, "exposed": 1})
    for action in ("triage", "prove"):
        found = of(ask(twin, one, action), records.Facts)
        assert bool(found) is (action in told)
