"""Looking through consoles that fail, lie or say nothing: what goes wrong is evidence, and never an end."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from recovery.detect.screen_rules import console_notes
from recovery.engine import power
from recovery.engine.deadline import Supervisor
from recovery.engine.eyes import Eyes
from recovery.engine.power import switch
from recovery.errors import (
    AuthRefusedError,
    JournalError,
    TransportError,
    UnreachableError,
    UnsupportedError,
)
from recovery.journal.words import seen as describe_seen
from recovery.model.case import CaseFile, add_all
from recovery.model.console import BootDevice, Power
from recovery.model.evidence import CrashRecord, MachineReset, PowerSeen, ScreenSeen
from recovery.model.host import ConsoleRef, Host
from recovery.model.reading import Label, Reading
from recovery.model.secret import Secret
from recovery.playbook.incidents import parse_incident
from recovery.playbook.library import read_incident
from recovery.ports import News
from recovery.redact import register
from recovery.sim.virtual import run

NOW = datetime(2024, 7, 19, 8, 0, tzinfo=UTC)
HOST = Host(name="h", console=ConsoleRef(kind="fake"))


class Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class Fake:
    """A console whose answers are given."""

    name = "fake"

    def __init__(self) -> None:
        self.states: list[Power | Exception] = ["on"]
        self.screen: bytes | Exception = b"screen"
        self.crash: bytes | Exception | None = None
        self.asked: list[bool] = []

    async def picture(self, host: Host, timeout: float) -> bytes:
        if isinstance(self.screen, Exception):
            raise self.screen
        return self.screen

    async def crash_picture(self, host: Host, timeout: float) -> bytes | None:
        if isinstance(self.crash, Exception):
            raise self.crash
        return self.crash

    async def power(self, host: Host, timeout: float) -> Power:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return state

    async def switch(self, host: Host, *, on: bool, timeout: float) -> None:
        self.asked.append(on)

    async def boot_once(self, host: Host, device: BootDevice, medium: str, timeout: float) -> None:
        raise NotImplementedError

    def news(self, host: Host) -> AsyncIterator[News]:
        raise UnsupportedError

    async def aclose(self) -> None:
        raise NotImplementedError


class FullDisk:
    def keep(self, host: str, picture: bytes, *, crash: bool) -> str:
        raise JournalError("no space")


def read(picture: bytes) -> Reading:
    if picture == b"broken":
        raise TransportError("took too long")
    label: Label = "bugcheck" if picture == b"crash" else "desktop"
    secret = register(Secret("hunter-of-screens")).reveal()
    return Reading(label=label, confidence=1.0, meaning=f"says {secret}", text=(secret,) * 50)


def eyes(fake: Fake, keeper: FullDisk | None = None) -> Eyes:
    return Eyes({"fake": fake}, read, keeper, Clock(), Supervisor())


async def test_what_stands_there_and_what_was_kept() -> None:
    fake = Fake()
    fake.crash = b"crash"
    found = await eyes(fake, FullDisk()).see(HOST)
    assert [type(item) for item in found] == [PowerSeen, ScreenSeen, ScreenSeen]
    screens = [item for item in found if isinstance(item, ScreenSeen)]
    assert [(item.last_crash, item.picture) for item in screens] == [(False, ""), (True, "")]
    assert "hunter" not in repr(screens)
    assert len(screens[0].reading.text) == 12


async def test_a_machine_that_is_off_shows_only_its_last_crash() -> None:
    fake = Fake()
    fake.states, fake.crash = ["off"], b"crash"
    found = await eyes(fake).see(HOST)
    assert [type(item) for item in found] == [ScreenSeen, PowerSeen]


class Cloud(Fake):
    """A console with checks of its own."""

    said: str | Exception = "system ok, instance impaired"

    async def checks(self, host: Host, timeout: float) -> str:
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


@pytest.mark.parametrize(
    ("said", "state", "seen"),
    [
        ("system ok, instance impaired", "on", ("on", "system ok, instance impaired", "")),
        ("system ok, instance impaired", "off", ("off", "", "")),
        (TransportError("EC2: no"), "on", ("on", "", "")),
    ],
)
async def test_what_a_cloud_checks_by_itself_is_evidence(
    said: str | Exception, state: Power, seen: tuple[str, str, str]
) -> None:
    cloud = Cloud()
    cloud.states, cloud.said = [state], said
    (found,) = [item for item in await eyes(cloud).see(HOST) if isinstance(item, PowerSeen)]
    assert (found.state, found.checks, found.reason) == seen
    case = add_all(CaseFile(), (found,))
    incident = parse_incident(*read_incident("crowdstrike-291"))
    notes = console_notes(case, incident, NOW)
    assert ("its console's checks: system ok, instance impaired" in notes) is bool(seen[1])
    assert seen[1] in describe_seen(found)


async def test_what_goes_wrong_is_said() -> None:
    fake = Fake()
    fake.states = [AuthRefusedError("the board refused the credential")]
    fake.screen, fake.crash = UnreachableError(), UnsupportedError()
    (seen,) = await eyes(fake).see(HOST)
    assert isinstance(seen, PowerSeen)
    assert (seen.state, seen.reason) == ("unknown", "the board refused the credential")


async def test_a_picture_that_cannot_be_read_is_unknown() -> None:
    fake = Fake()
    fake.screen = b"broken"
    (seen,) = await eyes(fake).picture(HOST)
    assert isinstance(seen, ScreenSeen)
    assert seen.reading.label == "unknown"


async def test_hosts_without_a_console_have_nothing_to_show() -> None:
    looking, plain = eyes(Fake()), Host(name="p")
    assert await looking.see(plain) == await looking.picture(plain) == ()
    assert (await looking.switch(plain, "off")).message == "it has no console"


@pytest.mark.parametrize(
    ("news", "kind"),
    [
        (News(kind="panic", at=NOW, stop_code=0x50), CrashRecord),
        (News(kind="reset", at=NOW), MachineReset),
        (News(kind="power_off", at=NOW), PowerSeen),
        (News(kind="lost", at=NOW), type(None)),
    ],
)
def test_news_is_evidence(news: News, kind: type) -> None:
    async def told() -> object:
        return eyes(Fake()).told(HOST, news)

    assert type(run(told(), speed="max", epoch=NOW)) is kind


def switched(fake: Fake, act: str) -> power.Switched:
    async def work() -> power.Switched:
        return await switch(fake, HOST, act, Supervisor())  # type: ignore[arg-type]

    return run(work(), speed="max", epoch=NOW)


def test_what_is_so_already_is_not_asked_for() -> None:
    fake = Fake()
    assert switched(fake, "on").done
    assert fake.asked == []


def test_a_request_that_is_lost_is_sent_again() -> None:
    fake = Fake()
    fake.states = [*(["on"] * 30), "off"]  # type: ignore[list-item]
    assert switched(fake, "off") == (True, "off", "seen off")
    assert len(fake.asked) == 2


def test_a_machine_that_never_goes_off_is_not_switched_on() -> None:
    fake = Fake()
    found = switched(fake, "cycle")
    assert (found.done, set(fake.asked)) == (False, {False})
    assert "asked to go off 3 times, and is on" in found.message


def test_power_that_went_unseen_is_given_back() -> None:
    fake = Fake()
    fake.states = ["unknown"]
    found = switched(fake, "cycle")
    assert not found.done
    assert fake.asked[-1] is True, "the machine may be off by now"
    assert "asked to go off" in found.message


def test_a_console_that_fails_for_a_while_is_asked_again_and_one_that_refuses_is_not() -> None:
    fake = Fake()
    fake.states = [UnreachableError("away"), "on", "off"]
    assert switched(fake, "off").done
    fake.states = [AuthRefusedError("no"), "on"]
    assert switched(fake, "off").message == "no"
    fake.states = [UnsupportedError("has none")]
    assert switched(fake, "off") == (False, "unknown", "has none")


async def test_a_screen_that_stands_is_read_once_unless_that_went_wrong() -> None:
    asked: list[bytes] = []

    def slow_once(picture: bytes) -> Reading:
        asked.append(picture)
        problems = ("the recogniser took too long",) if len(asked) == 1 else ()
        return Reading(label="unknown", confidence=0.5, meaning="", problems=problems)

    looks = Eyes({"fake": Fake()}, slow_once, None, Clock(), Supervisor())
    for _ in range(4):
        await looks.picture(HOST)
    assert len(asked) == 2


async def test_few_readings_are_remembered_and_no_picture() -> None:
    fake, asked = Fake(), 0

    def counted(picture: bytes) -> Reading:
        nonlocal asked
        asked += 1
        return Reading(label="desktop", confidence=0.5, meaning="")

    looks = Eyes({"fake": fake}, counted, None, Clock(), Supervisor())
    tracemalloc.start()
    try:
        for number in range(300):
            fake.screen = number.to_bytes(2, "big") + bytes(500_000)
            await looks.picture(HOST)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 10_000_000
    fake.screen = bytes(500_002)
    await looks.picture(HOST)
    assert asked == 301
