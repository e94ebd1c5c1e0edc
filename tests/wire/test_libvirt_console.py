"""The libvirt console by a real `virsh`, on libvirt's own test driver, which needs no daemon."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from recovery.consoles.libvirt import LibvirtConsole, read_event
from recovery.errors import (
    DeadlineError,
    SessionLostError,
    TransportError,
    UnreachableError,
    UnsupportedError,
)
from recovery.model.host import ConsoleRef, Host
from tests.needs import missing


@pytest.fixture
def console() -> LibvirtConsole:
    if shutil.which("virsh") is None:
        missing("virsh of the package libvirt-clients")
    return LibvirtConsole()


def host(address: str = "test:///default", domain: str = "test") -> Host:
    ref = ConsoleRef(kind="libvirt", address=address, options={"domain": domain})
    return Host(name="h", console=ref)


async def test_the_state_of_a_machine(console: LibvirtConsole) -> None:
    assert await console.power(host(), 20) == "on"
    await console.aclose()


async def test_power_is_taken_and_given(console: LibvirtConsole) -> None:
    await console.switch(host(), on=False, timeout=20)
    # Each connection to the test driver has a world of its own, in which the machine runs already.
    with pytest.raises(TransportError, match=r"virsh start: .*already"):
        await console.switch(host(), on=True, timeout=20)


async def test_a_picture_is_taken(console: LibvirtConsole) -> None:
    assert (await console.picture(host(), 20)).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("address", "domain", "words"),
    [
        ("/etc/passwd", "test", "is a URI such as"),
        ("test:///default", "--help", "no name of a domain"),
        ("test:///default", "a b", "no name of a domain"),
        ("test:///default", "1", "the id of whichever machine"),
    ],
)
async def test_what_is_no_address_is_refused(
    console: LibvirtConsole, address: str, domain: str, words: str
) -> None:
    with pytest.raises(UnsupportedError, match=words):
        await console.power(host(address, domain), 20)


async def test_a_machine_or_daemon_that_is_not_there(
    console: LibvirtConsole, tmp_path: Path
) -> None:
    with pytest.raises(TransportError, match="domstate"):
        await console.power(host(domain="nobody"), 20)
    with pytest.raises(UnreachableError, match="does not answer"):
        await console.power(host(f"qemu+unix:///system?socket={tmp_path}/none"), 20)
    with pytest.raises(UnsupportedError, match="device of one start"):
        await console.boot_once(host(), "network", "", 20)


STAMP = "2024-07-19 05:00:01.123+0000: event"


def stand_in(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A virsh that answers as the test driver cannot."""
    program = folder / "virsh"
    program.write_text(f'#!/bin/sh\necho "$@" >>{folder}/words\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


async def test_events_come_until_virsh_ends(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = f"{STAMP} 'lifecycle' for domain 'vm': Crashed Panicked\\nnonsense\\n{STAMP} 'reboot' for domain 'vm'\\n"
    stand_in(tmp_path, f'printf "{lines}"', monkeypatch)
    told = LibvirtConsole().news(host(domain="vm"))
    assert [(await anext(told)).kind for _ in range(2)] == ["panic", "reset"]
    with pytest.raises(SessionLostError):
        await anext(told)


async def test_a_listener_that_stops_ends_virsh(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stand_in(
        tmp_path, f"printf \"{STAMP} 'reboot' for domain 'vm'\\n\"; exec sleep 60", monkeypatch
    )
    told = LibvirtConsole().news(host(domain="vm"))
    assert (await anext(told)).kind == "reset"
    await told.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("paused", ["domstate", "resume"]),
        ("crashed", ["domstate", "destroy", "start"]),
        ("shut off", ["domstate", "start"]),
    ],
)
async def test_each_state_has_its_way_to_be_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: str, words: list[str]
) -> None:
    stand_in(tmp_path, f"echo {state}", monkeypatch)
    await LibvirtConsole().switch(host(), on=True, timeout=10)
    said = (tmp_path / "words").read_text().splitlines()
    assert [line.split()[3] for line in said] == words


@pytest.mark.parametrize("language", ["C", "de_DE.UTF-8"])
async def test_a_state_is_found_beside_what_ssh_says_and_in_english(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, language: str
) -> None:
    script = (
        "echo \"Warning: Permanently added 'kvm' to the list of known hosts.\" >&2\n"
        '[ "$LC_ALL" = C ] && echo running || echo laufend'
    )
    stand_in(tmp_path, script, monkeypatch)
    monkeypatch.setenv("LC_ALL", language)
    assert await LibvirtConsole().power(host(), 10) == "on"


async def test_a_virsh_that_cannot_be_started_is_a_failure_of_the_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stand_in(tmp_path, "", monkeypatch)
    (tmp_path / "virsh").write_text("#!/nowhere/sh\n")
    with pytest.raises(TransportError, match="cannot be started"):
        await LibvirtConsole().power(host(), 10)
    with pytest.raises(TransportError, match="cannot be started"):
        await anext(LibvirtConsole().news(host()))


async def test_a_virsh_that_hangs_or_has_no_screen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stand_in(tmp_path, "exec sleep 60", monkeypatch)
    with pytest.raises(DeadlineError, match=r"within 0.2 s"):
        await LibvirtConsole().power(host(), 0.2)
    stand_in(tmp_path, "echo 'this function is not supported by the driver'; exit 1", monkeypatch)
    with pytest.raises(UnsupportedError, match="not supported"):
        await LibvirtConsole().picture(host(), 10)
    stand_in(tmp_path, "exit 0", monkeypatch)
    with pytest.raises(TransportError, match="wrote no picture"):
        await LibvirtConsole().picture(host(), 10)


async def test_without_virsh_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnsupportedError, match="libvirt-clients"):
        await LibvirtConsole().power(host(), 20)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("2024-07-19 05:00:01.123+0000: event 'lifecycle' for domain 'vm': Crashed Panicked\n", "panic"),
        ("2024-07-19 05:00:01.123+0000: event 'reboot' for domain 'vm'\n", "reset"),
        ("2024-07-19 05:00:01.123+0000: event 'lifecycle' for domain vm: Started Booted\n", "power_on"),
        ("2024-07-19 05:00:01.123+0000: event 'lifecycle' for domain 'vm': Stopped Destroyed\n", "power_off"),
        ("2024-07-19 05:00:01.123+0000: event 'rtc-change' for domain 'vm': 1\n", None),
        ("2024-07-19 05:00:01.123+0000: event 'lifecycle' for domain 'vm': Defined Added\n", None),
        ("events received: 1\n", None),
        ("", None),
    ],
)  # fmt: skip
def test_events_in_the_words_of_virsh(line: str, kind: str | None) -> None:
    found = read_event(line)
    assert (found.kind if found else None) == kind
