"""Quarantine and undo: what moves, what is left alone and why, and that everything comes back exactly."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recovery.remote import replies
from recovery.remote.records import Manifest, Moved, Refused
from tests.needs import need
from tests.unit.remote.shells import (
    BAD_TIME,
    GOOD_TIME,
    HEADER,
    Machine,
    Shell,
    acted,
    listing,
    profile,
    reasons,
)

HOSTILE = (
    b"C-00000291 with blanks .sys",
    b"C-00000291\nline\n\n.sys",
    b"C-00000291'quote\".sys",
    b"C-00000291$(touch pwned)`touch pwned`;&|.sys",
    b"C-00000291\\n\\0101%s%b.sys",
    b"C-00000291\x1b[2J\x1b]0;x\x07.sys",
    "C-00000291-ünï-\u202eelbadaer.sys".encode(),
    b"C-00000291\xff\xfe\x80.sys",
    b"C-00000291*[a]?.sys",
    b"C-00000291" + b"x" * 241 + b".sys",
)


@pytest.fixture
def machine(any_machine: Machine) -> Machine:
    """Machines that can rename into quarantine, and such that have to copy."""
    return any_machine


def test_bad_files_move_and_undo_puts_them_back_exactly(machine: Machine) -> None:
    first = machine.file("C-00000291-1.sys", content=b"one")
    second = machine.file("C-00000291-2.sys", at=BAD_TIME + 5, content=b"two")
    first.chmod(0o640)
    second.chmod(0o4711)
    if os.geteuid() == 0:
        os.chown(second, 1234, 4321)
        second.chmod(0o4711)
    os.utime(second, (BAD_TIME + 5, BAD_TIME + 5))
    machine.file("C-00000999-1.sys")
    before = machine.shape()

    reply = machine.ask("quarantine", "i1")

    assert acted(reply) == (2, 0, False)
    assert machine.names() == {b"C-00000999-1.sys"}
    moved = [record for record in reply.records if isinstance(record, Moved)]
    assert [replies.text_of(record.from_hex) for record in moved] == [str(first), str(second)]
    assert moved[0].sha256 == hashlib.sha256(HEADER + b"one").hexdigest()
    assert listing(reply).bad is False
    assert listing(reply).quarantined == 2
    assert listing(reply).intents == ("i1",)
    assert machine.quarantine.stat().st_mode & 0o777 == 0o700

    undone = machine.ask("undo", "u1")

    assert acted(undone, "undo") == (2, 0, False)
    assert machine.shape() == before
    assert listing(undone).bad is True
    assert listing(undone).quarantined == 0
    assert listing(undone).intents == ()
    assert [record.undone for record in undone.records if isinstance(record, Manifest)] == [True]


def test_the_manifest_says_what_was_taken(machine: Machine) -> None:
    path = machine.file("C-00000291-1.sys")
    path.chmod(0o640)
    machine.ask("quarantine", "i1")
    head, entry, end = (machine.quarantine / "i1" / "manifest").read_text().splitlines()
    number, digest, size, mtime, mode, owner, octal = entry.split(" ")
    assert head.startswith("fleet-recovery 1 ")
    assert (number, size, mtime, mode) == ("1", "17", str(BAD_TIME), "640")
    assert digest == hashlib.sha256(HEADER + b"\0\1payload").hexdigest()
    assert owner == f"{os.getuid()}:{os.getgid()}"
    assert bytes(int(byte, 8) for byte in octal.split("\\")[1:]) == os.fsencode(path)
    assert end == "end 1"


def test_repeating_either_changes_nothing(machine: Machine) -> None:
    machine.file("C-00000291-1.sys")
    before = machine.shape()
    machine.ask("quarantine", "i1")
    held = machine.held()
    assert acted(machine.ask("quarantine", "i1")) == (0, 1, False)
    assert acted(machine.ask("race", "i2")) == (0, 1, False)
    assert machine.held() == held
    machine.ask("undo", "u1")
    assert acted(machine.ask("undo", "u1"), "undo") == (0, 1, False)
    assert acted(machine.ask("undo", "u2"), "undo") == (0, 0, True)
    assert machine.shape() == before


def test_an_intent_that_was_undone_is_not_carried_out_again(machine: Machine) -> None:
    machine.file("C-00000291-1.sys")
    machine.ask("quarantine", "i1")
    machine.ask("undo", "u1")
    assert reasons(machine.ask("quarantine", "i1")) == ["exists"]
    assert machine.names() == {b"C-00000291-1.sys"}
    assert acted(machine.ask("quarantine", "i2")) == (1, 0, False)
    assert acted(machine.ask("undo", "u2"), "undo") == (1, 0, False)


def test_a_bad_file_that_comes_back_is_taken_by_the_same_intent(machine: Machine) -> None:
    machine.file("C-00000291-1.sys", content=b"first")
    machine.ask("race", "i1")
    machine.file("C-00000291-1.sys", content=b"second")
    machine.file("C-00000291-2.sys", content=b"third")
    assert acted(machine.ask("race", "i1")) == (2, 1, False)
    assert machine.names() == set()
    assert sorted(path.read_bytes()[8:] for path in machine.held()) == [
        b"first",
        b"second",
        b"third",
    ]


def test_nothing_to_do_is_said_aloud_and_leaves_no_trace(machine: Machine) -> None:
    machine.file("C-00000292-1.sys")
    reply = machine.ask("quarantine")
    assert acted(reply) == (0, 0, True)
    assert reasons(reply) == []
    assert not machine.quarantine.exists()
    assert acted(machine.ask("undo", "u1"), "undo") == (0, 0, True)
    assert not machine.quarantine.exists()


def test_a_good_file_protects_the_folder(machine: Machine) -> None:
    machine.file("C-00000291-1.sys")
    machine.file("C-00000291-2.sys", at=GOOD_TIME)
    reply = machine.ask("quarantine")
    assert (acted(reply), reasons(reply)) == ((0, 0, False), ["not_bad"])
    assert len(machine.names()) == 2


def test_what_is_no_plain_file_of_the_artifact_is_left_alone(machine: Machine) -> None:
    machine.file("C-00000291-1.sys")
    (machine.folder / "C-00000291-2.sys").symlink_to("C-00000291-1.sys")
    (machine.folder / "C-00000291-3.sys").mkdir()
    (machine.folder / "C-00000291-4.sys").write_bytes(b"MZ")
    os.mkfifo(machine.folder / "C-00000291-5.sys")
    reply = machine.ask("quarantine")
    assert acted(reply) == (1, 0, False)
    assert reasons(reply) == ["link", "directory", "header", "unsupported"]
    assert machine.names() == {b"C-00000291-%d.sys" % number for number in (2, 3, 4, 5)}


@pytest.mark.parametrize("years", [3, -3])
def test_a_clock_that_is_off_stops_the_act(machine: Machine, years: int) -> None:
    machine.file("C-00000291-1.sys")
    machine.clock += years * 365 * 86400
    reply = machine.ask("quarantine")
    assert (acted(reply), reasons(reply)) == ((0, 0, False), ["clock"])
    assert machine.names() == {b"C-00000291-1.sys"}
    assert "clock is too far off" in replies.why_not(reply)


def test_without_time_rule_the_clock_does_not_matter(machine: Machine) -> None:
    machine.incident = profile(machine.folder, machine.quarantine, with_times=False)
    machine.file("C-00000291-1.sys")
    machine.clock = 0.0
    assert acted(machine.ask("quarantine")) == (1, 0, False)


def test_a_file_that_changed_since_triage_is_refused(machine: Machine) -> None:
    machine.file("C-00000291-1.sys")
    machine.file("C-00000291-2.sys")
    expected = machine.expected()
    machine.file("C-00000291-2.sys", content=b"something else")
    machine.file("C-00000291-3.sys", content=b"new")
    reply = machine.ask("quarantine", EXPECT=expected)
    assert acted(reply) == (1, 0, False)
    assert reasons(reply) == ["changed", "changed"]
    assert machine.names() == {b"C-00000291-2.sys", b"C-00000291-3.sys"}


def test_only_changed_files_leave_no_empty_quarantine(machine: Machine) -> None:
    machine.file("C-00000291-1.sys")
    reply = machine.ask("quarantine", EXPECT="2f61:" + "0" * 64)
    assert (acted(reply), reasons(reply)) == ((0, 0, False), ["changed"])
    assert list(machine.quarantine.iterdir()) == []
    assert acted(machine.ask("undo", "u1"), "undo") == (0, 0, True)


def test_hostile_names_move_and_come_back(machine: Machine) -> None:
    for number, name in enumerate(HOSTILE):
        machine.file(name, content=b"%d" % number)
    before = machine.shape()
    seen = machine.listing()
    assert all(file.path.isprintable() for file in seen.files)
    assert any(r"\x1b[2J" in file.path for file in seen.files)
    reply = machine.ask("quarantine", EXPECT=machine.expected())
    assert (acted(reply), reasons(reply)) == ((len(HOSTILE), 0, False), [])
    assert machine.names() == set()
    assert acted(machine.ask("undo", "u1"), "undo") == (len(HOSTILE), 0, False)
    assert machine.shape() == before
    assert not list(machine.folder.parent.rglob("pwned"))


names = st.binary(min_size=0, max_size=60).map(
    lambda raw: raw.replace(b"/", b"_").replace(b"\0", b"_")
)


@given(st.sets(names, min_size=1, max_size=4), st.sampled_from(["dash", "bash", "busybox"]))
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_file_is_called_undo_is_exact(raw: set[bytes], kind: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        machine = Machine(Shell(kind, Path(place) / "tools"), Path(place))
        for name in raw:
            machine.file(b"C-00000291" + name + b".sys", content=name)
        before = machine.shape()
        assert acted(machine.ask("quarantine")) == (len(raw), 0, False)
        assert machine.names() == set()
        assert acted(machine.ask("undo", "u1"), "undo") == (len(raw), 0, False)
        assert machine.shape() == before


def _link_to_elsewhere(path: Path) -> None:
    elsewhere = path.parent / "elsewhere"
    if path.exists():
        path.rename(elsewhere)
    else:
        elsewhere.mkdir(parents=True)
    path.symlink_to(elsewhere)


@pytest.mark.parametrize("action", ["quarantine", "undo"])
def test_folders_that_are_links_are_refused(shell: Shell, tmp_path: Path, action: str) -> None:
    for name, of in (("a", "folder"), ("b", "quarantine")):
        machine = Machine(shell, tmp_path / name)
        machine.file("C-00000291-1.sys")
        machine.quarantine.mkdir(parents=True)
        _link_to_elsewhere(getattr(machine, of))
        reply = machine.ask(action)
        assert reasons(reply) == ["link"]
        assert acted(reply, action) == (0, 0, False)
        assert len(machine.names()) == 1


def test_a_link_in_the_place_of_the_intents_folder_is_refused(machine: Machine) -> None:
    machine.file("C-00000291-1.sys")
    machine.quarantine.mkdir(parents=True)
    (machine.quarantine / "i1").symlink_to("/tmp")
    assert reasons(machine.ask("quarantine", "i1")) == ["link"]
    assert len(machine.names()) == 1


def test_a_quarantine_of_somebody_else_is_refused(machine: Machine) -> None:
    need("root")
    machine.file("C-00000291-1.sys")
    machine.quarantine.mkdir(parents=True)
    os.chown(machine.quarantine, 1234, 1234)
    assert reasons(machine.ask("quarantine")) == ["permission"]
    assert len(machine.names()) == 1


def test_a_quarantine_that_others_may_open_is_closed(machine: Machine) -> None:
    machine.file("C-00000291-1.sys")
    machine.quarantine.mkdir(parents=True, mode=0o777)
    machine.quarantine.chmod(0o777)
    machine.ask("quarantine")
    assert machine.quarantine.stat().st_mode & 0o777 == 0o700


def test_an_act_that_is_under_way_keeps_the_next_one_out(shell: Shell, tmp_path: Path) -> None:
    machine = Machine(shell, tmp_path)
    machine.file("C-00000291-1.sys")
    machine.quarantine.mkdir(parents=True, mode=0o700)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    born = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    lock = machine.quarantine / ".lock"
    lock.write_text(f"{os.getpid()} {born} {boot}\n")
    assert reasons(machine.ask("quarantine")) == ["busy"]
    assert machine.names() == {b"C-00000291-1.sys"}
    for stale in (
        f"{os.getpid()} {born} another-boot\n",
        f"{os.getpid()} 1 {boot}\n",
        f"4194304 7 {boot}\n",
    ):
        lock.write_text(stale)
        assert reasons(machine.ask("undo")) == []
        assert not lock.exists()


def test_a_lock_that_a_crash_left_empty_does_not_hold_for_ever(
    shell: Shell, tmp_path: Path
) -> None:
    machine = Machine(shell, tmp_path)
    machine.file("C-00000291-1.sys")
    machine.quarantine.mkdir(parents=True, mode=0o700)
    (machine.quarantine / ".lock").touch()
    assert reasons(machine.ask("quarantine")) == ["busy"]
    assert acted(machine.ask("quarantine")) == (1, 0, False)


def test_too_many_files_are_nothing_to_act_on(shell: Shell, tmp_path: Path) -> None:
    machine = Machine(shell, tmp_path)
    machine.incident = profile(machine.folder, machine.quarantine, with_times=False)
    for number in range(501):
        machine.file(f"C-00000291-{number:04}.sys")
    reply = machine.ask("quarantine")
    assert reply.acted("quarantine") is None
    assert {trouble.reason for trouble in reply.trouble} == {"too_many_files"}
    assert len(machine.names()) == 501


def test_a_full_disk_moves_nothing(shell: Shell, tmp_path: Path) -> None:
    machine = Machine(shell, tmp_path)
    machine.file("C-00000291-1.sys")
    machine.quarantine.mkdir(parents=True, mode=0o700)
    (machine.quarantine / "i1").mkdir()
    (machine.quarantine / "i1" / "manifest.new").symlink_to("/dev/full")
    completed = machine.completed("quarantine", "i1")
    reply = replies.read(completed, "i1")
    assert (acted(reply), reasons(reply)) == ((0, 0, False), ["space"])
    assert machine.names() == {b"C-00000291-1.sys"}


def test_refusals_name_their_file(machine: Machine) -> None:
    path = machine.folder / "C-00000291-1.sys"
    path.mkdir()
    refused = machine.ask("quarantine").refused
    assert refused == (Refused(reason="directory", path_hex=os.fsencode(path).hex()),)


def test_settings_of_a_profile_without_quarantine_can_still_be_read(machine: Machine) -> None:
    machine.file("C-00000291-1.sys")
    linux = machine.incident.platforms["linux"]
    bare = msgspec.structs.replace(linux, remedies={})
    machine.incident = msgspec.structs.replace(machine.incident, platforms={"linux": bare})
    assert machine.listing().bad
    assert machine.listing().quarantined == 0
