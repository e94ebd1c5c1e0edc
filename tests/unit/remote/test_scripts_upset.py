"""Scripts on machines where programs are missing or fail, and where others change files meanwhile."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from recovery.remote import replies
from recovery.remote.records import Folder
from recovery.remote.replies import Reply
from tests.needs import need
from tests.unit.remote.shells import GOOD_TIME, Machine, Shell, acted, profile, reasons

_READING = ["od", "sha256sum", "stat"]
_MOVING = [*_READING, "chmod", "cp", "mkdir", "mv", "rm", "rmdir", "sync"]


def _stand_in(machine: Machine, name: str, script: str) -> None:
    """Put a program in front of the real one, which the script calls by `{real}`."""
    folder = machine.folder.parent.parent / "stand-ins"
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text("#!/bin/sh\n" + script.format(real=shutil.which(name)))
    program.chmod(0o755)
    machine.shell.environ["PATH"] = f"{folder}:{machine.shell.environ['PATH']}"


def _judged(reply: Reply) -> bool:
    """Whether the reply claims to have seen the folder."""
    return any(isinstance(record, Folder) for record in reply.records)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    need("linux")
    return Machine(Shell("dash", tmp_path / "tools"), tmp_path)


@pytest.fixture
def copying(tmp_path: Path) -> Iterator[Machine]:
    """A machine whose quarantine is on another file system."""
    need("linux")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        yield Machine(Shell("dash", tmp_path / "tools"), tmp_path, Path(other) / "quarantine")


@pytest.mark.parametrize("fails", ["exit 1", "exit 127", "head -c 3 | {real} -An -v -tx1"])
def test_a_header_that_cannot_be_read_makes_no_folder_clean(machine: Machine, fails: str) -> None:
    machine.file("C-00000291-1.sys")
    _stand_in(machine, "od", f'case "$*" in *-N*) {fails}; exit ;; esac\n{{real}} "$@"\n')
    triage = machine.ask("triage")
    assert not _judged(triage)
    assert [trouble.reason for trouble in triage.trouble] == ["unreadable"]
    assert acted(machine.ask("quarantine", "i1")) == (0, 0, False)
    assert machine.names() == {b"C-00000291-1.sys"}


def test_a_file_shorter_than_the_header_is_of_others(machine: Machine) -> None:
    (machine.folder / "C-00000291-1.sys").write_bytes(b"\xaa\xaa")
    assert [file.state for file in machine.listing().files] == ["foreign"]


def test_a_clock_that_cannot_be_read_stops_the_act_and_not_the_answer(machine: Machine) -> None:
    machine.file("C-00000291-1.sys")
    _stand_in(machine, "date", "exit 1\n")
    assert machine.listing().bad
    reply = machine.ask("quarantine", "i1")
    assert (acted(reply), reasons(reply)) == ((0, 0, False), ["clock"])


@pytest.fixture
def bare(tmp_path: Path) -> Machine:
    """A machine with few programs, shut into its own root, so that some can really be missing."""
    need("root")
    dash, busybox = need("dash"), need("busybox")
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / "dev").mkdir()
    shutil.copy(dash, root / "bin/sh")
    listed = subprocess.run([need("ldd"), dash], capture_output=True, text=True, check=True).stdout
    for library in re.findall(r"/\S+", listed):
        (root / library[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, root / library[1:])
    shutil.copy(busybox, root / "bin/busybox")
    for name in (*_MOVING, "cat", "chown", "date", "ln", "sleep", "touch", "tr", "uname"):
        (root / "bin" / name).symlink_to("busybox")
    os.mknod(root / "dev/null", 0o20666, os.makedev(1, 3))
    machine = Machine(Shell("dash", tmp_path / "tools"), root)
    machine.shell.argv = [need("chroot"), str(root), "/bin/sh", "-s"]
    machine.shell.environ["PATH"] = f"{os.environ['PATH']}:/bin"
    machine.incident = profile("/drivers/CrowdStrike", "/state/quarantine")
    return machine


def test_the_bare_machine_has_what_is_needed(bare: Machine) -> None:
    bare.file("C-00000291-1.sys")
    assert acted(bare.ask("quarantine")) == (1, 0, False)
    assert acted(bare.ask("undo", "u1"), "undo") == (1, 0, False)


@pytest.mark.parametrize("name", _READING)
def test_a_missing_program_is_named_and_nothing_is_judged(bare: Machine, name: str) -> None:
    bare.file("C-00000291-1.sys")
    (bare.folder.parent.parent / "bin" / name).unlink()
    reply = replies.read(bare.completed("triage", "t1"), "t1")
    assert not _judged(reply)
    assert [trouble.reason for trouble in reply.trouble] == [f"missing_{name}"]


@pytest.mark.parametrize("name", _MOVING)
def test_a_missing_program_is_named_and_nothing_is_moved(bare: Machine, name: str) -> None:
    bare.file("C-00000291-1.sys")
    (bare.folder.parent.parent / "bin" / name).unlink()
    reply = replies.read(bare.completed("quarantine", "i1"), "i1")
    assert reply.acted("quarantine") is None
    assert {trouble.reason for trouble in reply.trouble} == {f"missing_{name}"}
    assert bare.names() == {b"C-00000291-1.sys"}
    assert not bare.quarantine.exists()


def test_a_good_file_that_arrives_while_the_bad_one_is_copied_stays(copying: Machine) -> None:
    path = copying.file("C-00000291-1.sys")
    other = copying.file("other", at=GOOD_TIME, content=b"reverted")
    _stand_in(
        copying,
        "sync",
        f'{{real}} "$@"\ncase "$1" in *.file.new) mv "{other}" "{path}" 2>/dev/null ;; esac\n',
    )
    reply = copying.ask("quarantine", "i1")
    assert (acted(reply), reasons(reply)) == ((0, 0, False), ["changed"])
    assert path.read_bytes().endswith(b"reverted")
    assert copying.held() == []


def test_what_is_no_manifest_of_ours_is_not_written_over(machine: Machine) -> None:
    machine.file("C-00000291-1.sys")
    machine.ask("quarantine", "i1")
    (machine.quarantine / "i1" / "manifest").write_text("torn\n")
    machine.file("C-00000291-2.sys", content=b"another")
    reply = machine.ask("quarantine", "i1")
    assert (acted(reply), reasons(reply)) == ((0, 0, False), ["exists"])
    (held,) = machine.held()
    assert held.read_bytes().endswith(b"payload")
    assert machine.names() == {b"C-00000291-2.sys"}


def test_the_rest_of_a_copy_that_was_cut_off_does_not_stay(copying: Machine) -> None:
    copying.file("C-00000291-1.sys")
    _stand_in(copying, "cp", '{real} "$@"; kill -9 0\n')
    copying.completed("quarantine", "i1")
    assert list(copying.quarantine.glob("i1/*.new"))
    _stand_in(copying, "cp", 'exec {real} "$@"\n'.replace("{real}", "/bin/cp"))
    assert acted(copying.ask("quarantine", "i1")) == (1, 0, False)
    assert list(copying.quarantine.glob("i1/*.new")) == []


def test_a_manifest_that_somebody_else_planted_counts_for_nothing(machine: Machine) -> None:
    need("root")
    machine.file("C-00000291-1.sys")
    machine.ask("quarantine", "i1")
    assert machine.listing().intents == ("i1",)
    os.chown(machine.quarantine, 65534, 65534)
    assert (machine.listing().intents, machine.listing().quarantined) == ((), 0)


def test_a_mark_that_somebody_else_planted_counts_for_nothing(machine: Machine) -> None:
    need("root")
    boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    folder = Path("/run/fleet-recovery")
    folder.mkdir(exist_ok=True)
    mark = folder / f"reboot-{boot}"
    mark.write_text(f"planted {boot} 1\n")
    try:
        os.chown(mark, 65534, 65534)
        assert b"planted" not in machine.completed("triage", "t1").stdout
        os.chown(mark, 0, 0)
        assert b"planted" in machine.completed("triage", "t1").stdout
    finally:
        mark.unlink()
