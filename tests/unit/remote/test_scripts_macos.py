"""macOS hosts: what their own tools say, read by the scripts, with stand-ins for the tools."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from recovery.errors import UnsupportedError
from recovery.model.evidence import (
    AnyEvidence,
    ArtifactListing,
    BootIdentity,
    CrashRecord,
    InstalledUpdate,
    KernelModule,
    KernelModules,
    ServiceState,
    UpdateHistory,
)
from recovery.model.host import Host
from recovery.model.incident import Incident, Platform, Proof
from recovery.remote import catalog, replies
from tests.needs import need
from tests.unit.remote.shells import BEGAN, HEADER, Shell, profile

T = TypeVar("T")

KEXTS = """Executing: /usr/bin/kmutil showloaded
No variant specified, falling back to release
Index Refs Address            Size       Wired      Name (Version) UUID <Linked Against>
    1  142 0                  0          0          com.apple.kpi.bsd (23.5.0) 8F2 <>
  200    0 0xffffff7f9a000000 0x9000     0x9000     com.example.driver.Disk (1.2.3) 77A <5 4 3 1>
"""
EXTENSIONS = """2 extension(s)
--- com.apple.system_extension.endpoint_security
enabled\tactive\tteamID\tbundleID (version)\tname\t[state]
*\t*\tX9E956P446\tcom.crowdstrike.falcon.Agent (7.14/178.3)\tFalcon Sensor\t[activated enabled]
\t\tUBF8T346G9\tcom.microsoft.wdav.epsext (101.2/101.2)\tEndpoint\t[activated waiting for user]
"""
PANIC = (
    '{"bug_type":"210","timestamp":"2024-07-19 04:15:00.00 +0000"}\n'
    '{"build":"macOS 14.5","panicString":"panic(cpu 1 caller 0xfffffe0021): falcon: bad pointer\\nDebugger"}\n'
)
OLD_PANIC = "Fri Jul 19 04:15:00 2024\npanic(cpu 0 caller 0xffffff80): Kernel trap\nBacktrace\n"
TOOLS = {
    "uname": "case $1 in -sr) echo Darwin 23.5.0 ;; -n) echo mac-01 ;; *) echo Darwin ;; esac",
    "sw_vers": "echo 14.5",
    "sysctl": "case $2 in kern.bootsessionuuid) echo 5A1B0C3D-1111-2222-3333-444455556666 ;;"
    " *) echo '{ sec = 1700000000, usec = 5 } Tue Nov 14 22:13:20 2023' ;; esac",
    "shasum": "sha256sum",
    # As of BSD: -f with letters of its own.
    "stat": 'case $2 in "%z %m") stat_with="%s %Y" ;; %m) stat_with=%Y ;; *) exit 1 ;; esac\n'
    '[ "$1" = -f ] && exec /usr/bin/stat -c "$stat_with" "$3"',
    "launchctl": "printf 'PID\\tStatus\\tLabel\\n77\\t0\\tcom.example.agentd\\n-\\t0\\tcom.example.off\\n'",
    "ps": "printf 'launchd\\nfalcond\\n'",
    "pkgutil": 'case $1 in --pkgs) printf "com.apple.pkg.Core\\ncom.crowdstrike.sensor\\n" ;;'
    ' *) printf "package-id: x\\nversion: 7.14.1\\nvolume: /\\nlocation: \\ninstall-time: 1719800000\\n" ;; esac',
    "kmutil": "cat <<'X'\n" + KEXTS + "X",
    "systemextensionsctl": "cat <<'X'\n" + EXTENSIONS + "X",
}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A `sh` before whose tools those of macOS stand."""
    need("linux")
    found = Shell("dash", tmp_path)  # busybox would take its own tools first
    tools = tmp_path / "tools-of-macos"
    tools.mkdir()
    for name, body in TOOLS.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    found.environ["PATH"] = f"{tools}:{os.environ['PATH']}"
    return found


def _incident(folder: Path) -> Incident:
    linux = profile(folder, "/q").platforms["linux"]
    proof = Proof(services=("com.example.agentd", "com.example.off"), processes=("falcond", "nope"))
    platform = Platform(artifact=linux.artifact, proof=proof, remedies=linux.remedies)
    return Incident(name="test", title="Test", began=BEGAN, platforms={"macos": platform})


def _ask(shell: Shell, folder: Path, action: str = "triage") -> tuple[AnyEvidence, ...]:
    command = catalog.command(
        action,
        Host(name="mac-01", os="macos"),
        _incident(folder),
        token="t1",
        timeout=30.0,
        settings={"FR_ROOT": str(folder.parent)},
    )
    completed = shell.run(catalog.render(command))
    assert completed.stderr == b""
    return replies.evidence(replies.read(completed, "t1"), at=BEGAN, source="ssh")


def _only(found: tuple[AnyEvidence, ...], kind: type[T]) -> T:
    return next(item for item in found if isinstance(item, kind))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An artifact folder with one bad file, and two reports on panics beside it."""
    made = tmp_path / "root" / "drivers"
    made.mkdir(parents=True)
    bad = made / "C-00000291-1.sys"
    bad.write_bytes(HEADER + b"x")
    at = datetime(2024, 7, 19, 4, 30, tzinfo=UTC).timestamp()
    os.utime(bad, (at, at))
    reports = made.parent / "Library/Logs/DiagnosticReports"
    reports.mkdir(parents=True)
    for name, text, age in (("new.panic", PANIC, 100), ("old.panic", OLD_PANIC, 200)):
        (reports / name).write_text(text)
        os.utime(reports / name, (at - age, at - age))
    (reports / "app.ips").write_text("not a panic")
    return made


def test_which_boot_answers(shell: Shell, folder: Path) -> None:
    boot = _only(_ask(shell, folder), BootIdentity)
    assert boot.boot_id == "5A1B0C3D-1111-2222-3333-444455556666"
    assert boot.boot_time == 1700000000
    assert boot.clock is not None
    assert boot.uptime == boot.clock - 1700000000


def test_the_folder_is_judged_by_the_same_rule(shell: Shell, folder: Path) -> None:
    listing = _only(_ask(shell, folder), ArtifactListing)
    assert listing.bad
    assert [(file.state, len(file.sha256)) for file in listing.files] == [("bad", 64)]


def test_panics_are_told_with_their_text_newest_first(shell: Shell, folder: Path) -> None:
    crashes = [item for item in _ask(shell, folder) if isinstance(item, CrashRecord)]
    assert [crash.text for crash in crashes] == [
        "panic(cpu 1 caller 0xfffffe0021): falcon: bad pointer",
        "panic(cpu 0 caller 0xffffff80): Kernel trap",
    ]
    assert {crash.record for crash in crashes} == {"panic_report"}
    assert crashes[0].crashed_at is not None


def test_services_are_labels_of_launchd_that_run(shell: Shell, folder: Path) -> None:
    states = {s.name: s.running for s in _ask(shell, folder) if isinstance(s, ServiceState)}
    assert states == {
        "com.example.agentd": True,
        "com.example.off": False,
        "falcond": True,
        "nope": False,
    }


def test_extensions_inside_and_outside_of_the_kernel(shell: Shell, folder: Path) -> None:
    for action in ("triage", "exposure"):
        assert _only(_ask(shell, folder, action), KernelModules).modules == (
            KernelModule(
                name="com.example.driver.Disk", kind="kext", version="1.2.3", running=True
            ),
            KernelModule(
                name="com.crowdstrike.falcon.Agent",
                kind="extension",
                mode="user",
                version="7.14",
                running=True,
            ),
            KernelModule(
                name="com.microsoft.wdav.epsext", kind="extension", mode="user", version="101.2"
            ),
        )


def test_what_was_installed_by_others_than_the_system(shell: Shell, folder: Path) -> None:
    assert _only(_ask(shell, folder), UpdateHistory).updates == (
        InstalledUpdate(name="com.crowdstrike.sensor 7.14.1", installed_at=1719800000),
    )


def test_proving_reads_the_same_boot(shell: Shell, folder: Path) -> None:
    one, two = (_only(_ask(shell, folder, action), BootIdentity) for action in ("triage", "prove"))
    assert one.boot_id == two.boot_id


@pytest.mark.parametrize("action", ["quarantine", "race", "undo", "reboot"])
def test_nothing_is_changed_on_macos(action: str, tmp_path: Path) -> None:
    host = Host(name="mac-01", os="macos")
    with pytest.raises(UnsupportedError, match="read and not changed"):
        catalog.command(action, host, _incident(tmp_path), token="t1", timeout=5.0)


def test_other_systems_get_none_of_it(tmp_path: Path) -> None:
    incident = profile(tmp_path, "/q")
    sent = catalog.command(
        "triage", Host(name="h", os="linux"), incident, token="t1", timeout=5.0
    ).script
    assert b"launchctl" not in sent
