"""The libvirt console by a real `virsh`, on libvirt's own test driver, which needs no daemon."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from recovery.consoles.libvirt import LibvirtConsole, read_event
from recovery.errors import TransportError, UnreachableError, UnsupportedError
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
