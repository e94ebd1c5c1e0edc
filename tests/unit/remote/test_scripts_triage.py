"""Triage: what a host says about itself, by the profile's rules, and what it must not claim."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from recovery.model.evidence import BootIdentity, ServiceState
from recovery.model.incident import Proof
from recovery.model.remedy import REMEDIES, RemedyKind
from recovery.remote import catalog, replies
from recovery.remote.records import Boot, File, Folder, ServiceRecord, System
from tests.needs import need
from tests.unit.remote.shells import (
    BAD_TIME,
    BEGAN,
    GOOD_TIME,
    HEADER,
    Machine,
    Shell,
    profile,
    with_artifact,
)


def test_it_tells_which_boot_answers(machine: Machine) -> None:
    boot, system = machine.ask("triage").records[:2]
    assert isinstance(boot, Boot)
    assert boot.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert boot.boot_time is not None
    assert boot.uptime is not None
    assert boot.clock is not None
    assert abs(boot.boot_time + boot.uptime - boot.clock) < 5
    assert isinstance(system, System)
    assert replies.text_of(system.hostname_hex) == os.uname().nodename


@pytest.mark.parametrize(
    ("files", "bad"),
    [
        ({}, False),
        ({"C-00000291-00000000-00000029.sys": BAD_TIME}, True),
        ({"C-00000291-1.sys": BAD_TIME - 300}, True),
        ({"C-00000291-1.sys": BAD_TIME - 301}, False),
        ({"C-00000291-1.sys": GOOD_TIME - 1}, True),
        ({"C-00000291-1.sys": GOOD_TIME}, False),
        ({"C-00000291-1.sys": BAD_TIME, "C-00000291-2.sys": GOOD_TIME}, False),
        ({"C-00000291-1.sys": BAD_TIME, "C-00000291-2.sys": BAD_TIME - 86400}, True),
        ({"C-00000292-1.sys": BAD_TIME}, False),
    ],
)
def test_a_folder_is_judged_as_a_whole(machine: Machine, files: dict[str, int], bad: bool) -> None:
    for name, at in files.items():
        machine.file(name, at=at)
    listing = machine.listing()
    assert listing.exists
    assert listing.bad is bad


def test_each_file_is_told_with_what_it_is(machine: Machine) -> None:
    machine.file("C-00000291-1.sys")
    machine.file("C-00000291-2.sys", at=GOOD_TIME)
    machine.file("C-00000291-3.sys", at=BAD_TIME - 9999)
    (machine.folder / "C-00000291-4.sys").write_bytes(b"MZ not ours")
    (machine.folder / "C-00000291-5.sys").symlink_to("C-00000291-1.sys")
    (machine.folder / "C-00000291-6.sys").symlink_to("/nowhere")
    (machine.folder / "C-00000291-7.sys").mkdir()
    os.mkfifo(machine.folder / "C-00000291-8.sys")
    (machine.folder / "C-00000291-9.sys").touch()
    states = [file.state for file in machine.listing().files]
    assert states == [
        "bad",
        "good",
        "old",
        "foreign",
        "link",
        "link",
        "directory",
        "other",
        "foreign",
    ]
    bad = machine.listing().files[0]
    assert (bad.size, bad.mtime, bad.header) == (17, BAD_TIME, HEADER.hex())
    assert bad.path == str(machine.folder / "C-00000291-1.sys")
    assert len(bad.sha256) == 64


def test_without_times_every_file_with_the_header_is_bad(machine: Machine) -> None:
    machine.incident = profile(machine.folder, machine.quarantine, with_times=False)
    machine.file("C-00000291-1.sys", at=GOOD_TIME)
    assert machine.listing().bad


def test_without_a_header_only_name_and_time_count(machine: Machine) -> None:
    machine.incident = with_artifact(machine.incident, header="")
    path = machine.folder / "C-00000291-1.sys"
    path.write_bytes(b"anything")
    os.utime(path, (BAD_TIME, BAD_TIME))
    assert machine.listing().bad


@pytest.mark.parametrize("pattern", ["C-[2]?*.sys", "C-[2]x1.sys"])
def test_brackets_in_a_pattern_are_no_glob(machine: Machine, pattern: str) -> None:
    machine.incident = with_artifact(machine.incident, pattern=pattern)
    machine.file("C-2x1.sys")
    machine.file("C-[2]x1.sys")
    assert [Path(file.path).name for file in machine.listing().files] == ["C-[2]x1.sys"]


def test_a_folder_that_is_missing_is_said_to_be_missing(machine: Machine) -> None:
    machine.folder.rmdir()
    listing = machine.listing()
    assert not listing.exists
    assert not listing.bad


def test_a_folder_that_may_not_be_read_is_never_called_clean(shell: Shell) -> None:
    need("root")
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        machine = Machine(shell, Path(place))
        machine.file("C-00000291-1.sys")
        machine.folder.chmod(0o700)
        nobody = [need("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"]
        shell.argv = [*nobody, *shell.argv]
        reply = machine.ask("triage")
    assert [trouble.reason for trouble in reply.trouble] == ["permission"]
    assert not any(isinstance(record, Folder) for record in reply.records)
    assert replies.why_not(reply) == f"permission ({machine.folder})"


def test_more_files_than_are_listed_are_no_listing(machine: Machine) -> None:
    for number in range(501):
        (machine.folder / f"C-00000291-{number:04}.sys").touch()
    reply = machine.ask("triage")
    assert [trouble.reason for trouble in reply.trouble] == ["too_many_files"]
    assert sum(isinstance(record, File) for record in reply.records) == 500
    assert not any(isinstance(record, Folder) for record in reply.records)


def test_services_are_looked_for_among_processes(machine: Machine) -> None:
    proof = Proof(services=("no-such-daemon",), processes=("sleep", "also-not-there-at-all"))
    machine.incident = profile(machine.folder, machine.quarantine, proof=proof)
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        try:
            found = replies.evidence(machine.ask("prove"), at=BEGAN, source="test")
        finally:
            sleeper.kill()
    states = {item.name: item.running for item in found if isinstance(item, ServiceState)}
    assert states == {"no-such-daemon": False, "sleep": True, "also-not-there-at-all": False}


def test_a_long_process_name_is_found_by_what_the_kernel_keeps(
    machine: Machine, tmp_path: Path
) -> None:
    program = tmp_path / "falcon-sensor-with-a-long-name"
    program.write_bytes(Path(need("busybox")).read_bytes())
    program.chmod(0o755)
    proof = Proof(processes=(program.name,))
    machine.incident = profile(machine.folder, machine.quarantine, proof=proof)
    with subprocess.Popen(["sleep", "60"], executable=program) as sleeper:
        try:
            records = machine.ask("prove").records
        finally:
            sleeper.kill()
    assert [record.running for record in records if isinstance(record, ServiceRecord)] == [True]


def test_a_script_that_arrives_cut_does_nothing(machine: Machine) -> None:
    machine.file("C-00000291-1.sys")
    script = catalog.render(machine.command("quarantine", "i1"))
    for end in {*range(0, len(script) - 3, 1499), *range(len(script) - 22, len(script) - 1)}:
        completed = machine.shell.run(script[:end])
        assert b'"record"' not in completed.stdout
        assert machine.names() == {b"C-00000291-1.sys"}
    assert not machine.quarantine.exists()


def test_noise_of_a_login_does_not_hide_the_first_record(machine: Machine) -> None:
    script = b"printf 'Welcome, no line end'\n" + catalog.render(machine.command("triage", "t1"))
    reply = replies.read(machine.shell.run(script), "t1")
    assert isinstance(reply.records[0], Boot)


def test_a_clock_that_is_years_off_is_told_and_not_hidden(machine: Machine) -> None:
    machine.file("C-00000291-1.sys")
    machine.clock -= 3 * 365 * 86400
    found = replies.evidence(machine.ask("triage"), at=BEGAN, source="test")
    boot = next(item for item in found if isinstance(item, BootIdentity))
    assert boot.clock is not None
    assert boot.clock - machine.clock > 2.9 * 365 * 86400


def _scripts() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every script that the catalog can make, by the parts that it is made of."""
    yield from catalog.ACTIONS.items()
    remedies: tuple[tuple[str, RemedyKind], ...] = (
        ("package", "package_version"),
        ("package", "package_remove"),
        ("kernel", "kernel_previous"),
        ("missing_file", "restore_file"),
        ("none", "hand_over_only"),
    )
    for kind, remedy in remedies:
        yield f"look-{kind}", catalog._parts("triage", kind, remedy)
        if remedy != "hand_over_only":
            yield remedy, catalog._parts(remedy, kind, remedy)
        if REMEDIES[remedy].undo and remedy != "hand_over_only":
            yield f"undo-{remedy}", catalog._parts("undo", kind, remedy)


def test_scripts_pass_shellcheck(tmp_path: Path) -> None:
    checker = need("shellcheck")
    made = Machine.__new__(Machine)
    made.incident, made.clock = profile("/d", "/q"), 0.0
    for action, names in _scripts():
        settings = {"ARGV": "74727565"} if action == "run" else None
        parts = "\n".join(
            (Path(catalog.__file__).parent / "posix" / f"{part}.sh").read_text() for part in names
        )
        preamble = catalog.render(
            msgspec.structs.replace(
                made.command(action if action in catalog.ACTIONS else "triage", "t1", settings),
                script=b"",
            )
        )
        head, _, call = preamble.decode().rpartition("fr_main")
        script = tmp_path / f"{action}.sh"
        script.write_text(f"{head}\n{_SETTINGS}\n{parts}\nfr_main{call}")
        # SC2034: what the preamble and the shared part set is not all used by each script.
        # SC2317: what a part offers is not all called by each script.
        done = subprocess.run(
            [checker, "-s", "sh", "-e", "SC2034,SC2317", str(script)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == ""


_SETTINGS = "\n".join(
    f"{name}='x'" for name in (
        "KIND", "REMEDY", "NAME", "SERVICE", "MODULE", "PACKAGE", "BAD_VERSIONS", "GOOD_VERSIONS", "HASHES", "VERSIONS",
        "COPIES", "ROOT",
    )
)  # fmt: skip


def test_nothing_but_the_standard_shell_is_asked_for() -> None:
    parts = (Path(catalog.__file__).parent / "posix").glob("*.sh")
    text = "\n".join(part.read_text() for part in parts)
    assert sys.getsizeof(text) > 1000
    for foreign in ("[[", "local ", "declare", "function ", "python", "perl", "<<<", "$'"):
        assert foreign not in text
