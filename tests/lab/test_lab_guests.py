"""The lab's machines behave as their description says, seen by SSH, serial line, monitor and disk."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import asyncssh
import pytest
from PIL import Image as Picture

from tests.lab.conftest import OpenLab
from tests.lab.disk import BAD_FILE, BAD_MTIME, FOLDER, OTHER_FILE, channel_file
from tests.lab.fleet import Lab
from tests.lab.guest import Guest, GuestSpec, Mark
from tests.lab.image import CHECKOUT, Image

pytestmark = [pytest.mark.slow, pytest.mark.lab]


async def run(lab: Lab, guest: Guest, command: str) -> str:
    """Run a command as an operator would: with the lab's key, and only on the machine with the known host key."""
    options = {
        "username": "root",
        "client_keys": [str(lab.private_key)],
        "known_hosts": str(lab.known_hosts),
        "config": [],
    }
    async with (
        asyncio.timeout(20),
        asyncssh.connect(guest.address, guest.port, **options) as connection,
    ):
        return str((await connection.run(command, check=True)).stdout)


async def mark(guest: Guest, kind: Mark, count: int = 1) -> list[str]:
    """Wait for a mark on the serial line without holding the event loop up."""
    return await asyncio.to_thread(guest.wait, kind, count)


async def test_a_healthy_guest_answers_by_ssh_and_stays_up(open_lab: OpenLab) -> None:
    with open_lab(GuestSpec("well", None)) as lab:
        guest = lab["well"]
        await mark(guest, "up")
        lines = (
            await run(lab, guest, "hostname; cat /proc/sys/kernel/random/boot_id; id -u; date +%s")
        ).split()
        assert lines[:3] == ["well", guest.boots[0], "0"]
        assert abs(int(lines[3]) - time.time()) < 60
        # The driver looks at its folder once a second: it has looked at the good content by now, and did nothing.
        await run(lab, guest, "sleep 3")
        assert guest.panics == 0
        assert guest.boots == [lines[1]]


async def test_a_bad_file_makes_a_boot_loop(looping: Lab) -> None:
    guest = looping["loop"]
    await mark(guest, "panic", 2)
    await mark(guest, "up", 3)
    assert len(set(guest.boots)) == len(guest.boots) >= 3
    events = await asyncio.to_thread(guest.monitor.wait_events, "GUEST_PANICKED", 2, 10)
    assert [event["data"]["action"] for event in events] == ["run", "run"]


async def test_each_boot_answers_inside_its_window(looping: Lab) -> None:
    guest = looping["loop"]
    for boot in (1, 2):
        await mark(guest, "up", boot)
        answer = await run(looping, guest, "cat /proc/sys/kernel/random/boot_id")
        assert answer.strip() == guest.boots[boot - 1]
        assert guest.panics == boot - 1


async def test_the_stop_message_stands_on_a_blue_screen(looping: Lab, tmp_path: Path) -> None:
    guest = looping["loop"]
    await asyncio.to_thread(guest.monitor.wait_events, "GUEST_PANICKED", 1, 120)
    guest.picture(tmp_path / "screen.png")
    with Picture.open(tmp_path / "screen.png") as picture:
        pixels = picture.convert("RGB").tobytes()
    counted = Counter(zip(pixels[::3], pixels[1::3], pixels[2::3], strict=True))
    (ground, most), (text, some), *_ = counted.most_common()
    assert ground[:2] == (0, 0)
    assert ground[2] > 100
    assert len(set(text)) == 1
    assert most > some > 1000


async def test_the_port_takes_connections_while_the_guest_is_dead(looping: Lab) -> None:
    guest = looping["loop"]
    await mark(guest, "panic")
    with socket.create_connection((guest.address, guest.port), timeout=5) as connection:
        assert connection.getpeername() == (guest.address, guest.port)
        connection.settimeout(0.5)
        assert _first_word(connection) == b""


def _first_word(connection: socket.socket) -> bytes:
    """What the peer says first; nothing when it closes or stays silent for the socket's time limit."""
    try:
        return connection.recv(64)
    except (TimeoutError, ConnectionError):
        return b""


async def test_taking_the_file_away_costs_one_last_panic(looping: Lab) -> None:
    guest = looping["loop"]
    await mark(guest, "up")
    await run(
        looping, guest, f"mkdir /var/lib/held && mv {FOLDER}/{BAD_FILE} /var/lib/held/ && sync"
    )
    await mark(guest, "up", 2)
    assert guest.panics == 1
    await run(looping, guest, "sleep 8")
    assert guest.panics == 1
    assert len(guest.boots) == 2
    held = guest.files("/var/lib")[f"/var/lib/held/{BAD_FILE}"]
    assert (held.mtime_ns, held.mode, held.uid, held.size) == (
        BAD_MTIME * 10**9,
        0o644,
        0,
        len(channel_file(291)),
    )
    assert list(guest.files(FOLDER)) == [f"{FOLDER}/{OTHER_FILE}"]


async def test_a_file_put_back_makes_it_loop_again(open_lab: OpenLab) -> None:
    with open_lab(GuestSpec("loop", 3)) as lab:
        guest = lab["loop"]
        await mark(guest, "up")
        await run(lab, guest, f"mv {FOLDER}/{BAD_FILE} /root/ && sync")
        await mark(guest, "up", 2)
        await run(lab, guest, f"mv /root/{BAD_FILE} {FOLDER}/ && sync")
        await mark(guest, "panic", 3)
        assert len(set(guest.boots)) == 3


async def test_reboot_starts_another_boot_without_a_panic(open_lab: OpenLab) -> None:
    with open_lab(GuestSpec("well", None)) as lab:
        guest = lab["well"]
        await mark(guest, "up")
        await run(lab, guest, "echo kept >/var/lib/note; reboot")
        await mark(guest, "up", 2)
        assert guest.panics == 0
        assert (await run(lab, guest, "cat /var/lib/note")).strip() == "kept"


async def test_the_whole_fleet_comes_up_and_only_the_bad_ones_loop(lab_fleet: Lab) -> None:
    bad = [guest for guest in lab_fleet.guests.values() if guest.spec.window is not None]
    await asyncio.gather(*(mark(guest, "up", 2) for guest in bad))
    assert [guest.panics >= 1 for guest in bad] == [True, True, True]
    assert len(lab_fleet["lab-healthy"].boots) == 1
    assert lab_fleet["lab-healthy"].panics == 0


_STARTS_A_GUEST = """
import sys
import time
from collections import Counter
from pathlib import Path
from tests.lab.fleet import Lab
from tests.lab.guest import GuestSpec
from tests.lab.image import Image
with Lab(Image(Path(sys.argv[1])), Path(sys.argv[2]), [GuestSpec("orphan", None)]) as lab:
    print(lab["orphan"].pid, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_guests_end_with_the_process_that_started_them(
    lab_image: Image, tmp_path: Path, end: signal.Signals
) -> None:
    command = [sys.executable, "-c", _STARTS_A_GUEST, str(lab_image.root), str(tmp_path)]
    starter = subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert starter.stdin
    assert starter.stdout
    with starter.stdin, starter.stdout:
        guest = os.pidfd_open(int(starter.stdout.readline()))
        starter.send_signal(end)
        starter.wait()
        ended = asyncio.run(_readable(guest))
    os.close(guest)
    assert ended


async def _readable(descriptor: int) -> bool:
    """Whether the process of a pidfd ends within ten seconds."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, ended.set)
    try:
        async with asyncio.timeout(10):
            return await ended.wait()
    except TimeoutError:
        return False
