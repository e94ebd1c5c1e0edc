"""The controller is killed around power cycles: they are looked into, and no machine is left without power."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recovery.consoles.mock import MockConsole
from recovery.errors import TransportError, UnreachableError
from recovery.model.console import Power
from recovery.model.events import PowerFinished, PowerIntended
from recovery.model.host import ConsoleRef, Fleet, Host
from tests.engine.stage import Stage, hosts, mix, playbook
from tests.engine.test_consoles_on_the_twin import read
from tests.engine.test_killed_anywhere import DoomedLog, acts_in, events_in

_SCENES: dict[str, dict[str, Any]] = {
    "race": {"blue_screen": 1.0, "window": (5.0, 8.0)},
    "rollback": {"exposed": 1.0, "key_at_reboot": 1.0},
}
_ENDS = {"race": "recovered", "rollback": "handed_over"}


def stage_in(folder: Path, book: str) -> Stage:
    """One host with a console, whose power has to be cycled."""
    folder.mkdir(exist_ok=True)
    fleet = hosts(1, console=ConsoleRef(kind="mock"))
    stage = Stage(
        fleet,
        playbook(book),
        mix(**_SCENES[book]),
        path=str(folder / "journal.db"),
        ledger=folder / "ledger",
    )
    stage.reader = read
    stage.log_type = DoomedLog
    return stage


def killed(folder: Path, book: str, doom: Callable[[], None]) -> None:
    """Play in another process, which `doom` lets be killed."""
    child = os.fork()
    if child == 0:
        try:
            DoomedLog.commits, DoomedLog.alone = 0, True
            doom()
            stage_in(folder, book).play()
        finally:
            os._exit(99)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"not killed, status {status}"
    assert os.WTERMSIG(status) == signal.SIGKILL


def resumed(folder: Path, book: str) -> Stage:
    """Go on in this process, until the run ends."""
    DoomedLog.doom, DoomedLog.commits, DoomedLog.alone = 0, 0, True
    stage = stage_in(folder, book)
    stage.play()
    DoomedLog.alone = False
    return stage


def switches_in(folder: Path) -> list[str]:
    """The machine's power, as the twin was told."""
    return [act["act"] for act in acts_in(folder) if act["act"].startswith("power_")]


def told_in(folder: Path) -> list[PowerIntended | PowerFinished]:
    """What the journal says of the power."""
    events = [stored.event for stored in events_in(folder)]
    return [event for event in events if isinstance(event, PowerIntended | PowerFinished)]


def wrong_in(folder: Path, book: str) -> list[str]:
    """What is not as it has to be once the run has ended: each cycle has an intent of its own, and is whole."""
    outcome = resumed(folder, book).outcomes()
    switches, told = switches_in(folder), told_in(folder)
    intents = [event for event in told if isinstance(event, PowerIntended)]
    wrong = [] if outcome == {"h000": _ENDS[book]} else [f"it ended {outcome}"]
    if switches != ["power_off", "power_on"] * (len(switches) // 2):
        wrong.append(f"it was switched {switches}")
    if len(switches) > 2 * len(intents):
        wrong.append(f"it was switched {switches} for {len(intents)} intents")
    if [isinstance(event, PowerFinished) for event in told] != [False, True] * len(intents):
        wrong.append(f"the journal tells of {told}")
    if len({event.at for event in intents}) != len(intents):
        wrong.append(f"one intent is there twice: {intents}")
    done = sum(isinstance(event, PowerFinished) and event.outcome == "ok" for event in told)
    if len(switches) < 2 * done:
        wrong.append(f"{done} cycles are said to be done, and it was switched {switches}")
    return wrong


@pytest.mark.parametrize("before", [True, False], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("book", _SCENES)
def test_killed_at_every_event(book: str, before: bool, tmp_path: Path) -> None:
    whole = tmp_path / "undisturbed"
    assert resumed(whole, book).outcomes() == {"h000": _ENDS[book]}
    assert switches_in(whole)[:2] == ["power_off", "power_on"]
    wrong = []
    for event in range(1, len(events_in(whole)) + 1):

        def doom(event: int = event) -> None:
            DoomedLog.doom, DoomedLog.before = event, before

        folder = tmp_path / f"at-{event}"
        folder.mkdir()
        killed(folder, book, doom)
        wrong += [f"event {event}: {what}" for what in wrong_in(folder, book)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("sent", [False, True], ids=["before it is sent", "after it was done"])
@pytest.mark.parametrize("wanted", [False, True], ids=["taking power", "giving it back"])
@pytest.mark.parametrize("book", _SCENES)
def test_killed_within_the_switch(book: str, wanted: bool, sent: bool, tmp_path: Path) -> None:
    real = MockConsole.switch

    async def deadly(self: MockConsole, host: Host, *, on: bool, timeout: float) -> None:
        if sent or on != wanted:
            await real(self, host, on=on, timeout=timeout)
        if on == wanted:
            os.kill(os.getpid(), signal.SIGKILL)

    def doom() -> None:
        DoomedLog.doom = 0
        MockConsole.switch = deadly  # type: ignore[method-assign]

    folder = tmp_path / "killed"
    folder.mkdir()
    killed(folder, book, doom)
    assert isinstance(told_in(folder)[-1], PowerIntended)
    assert not wrong_in(folder, book)
    looked_into = told_in(folder)[1]
    assert isinstance(looked_into, PowerFinished)
    off = switches_in(folder)[:1] == ["power_off"] and (wanted, sent) in {
        (False, True),
        (True, False),
    }
    assert looked_into.outcome == ("ok" if off else "interrupted")
    assert looked_into.state == "on"


def cut_off(folder: Path, book: str) -> None:
    """The controller dies when it has taken the machine's power."""
    real = MockConsole.switch

    async def deadly(self: MockConsole, host: Host, *, on: bool, timeout: float) -> None:
        await real(self, host, on=on, timeout=timeout)
        os.kill(os.getpid(), signal.SIGKILL)

    def doom() -> None:
        DoomedLog.doom = 0
        MockConsole.switch = deadly  # type: ignore[method-assign]

    folder.mkdir()
    killed(folder, book, doom)
    assert switches_in(folder) == ["power_off"]


def test_a_console_that_says_nothing_is_asked_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "killed"
    cut_off(folder, "race")
    asked = 0
    real = MockConsole.power

    async def sulking(self: MockConsole, host: Host, timeout: float) -> Power:
        nonlocal asked
        asked += 1
        if asked <= 4:
            raise UnreachableError("the board does not answer")
        return await real(self, host, timeout)

    monkeypatch.setattr(MockConsole, "power", sulking)
    assert not wrong_in(folder, "race")
    assert told_in(folder)[1].at > told_in(folder)[0].at + timedelta(seconds=100)


def test_a_host_whose_console_is_gone_is_said_to_be_so(tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    cut_off(folder, "race")
    DoomedLog.doom, DoomedLog.alone = 0, False
    stage = stage_in(folder, "race")
    stage.fleet = Fleet(hosts=hosts(1))
    stage.play()
    closed = told_in(folder)[1]
    assert isinstance(closed, PowerFinished)
    assert (closed.outcome, closed.state) == ("interrupted", "unknown")
    assert closed.message == "it has no console any more"
    assert switches_in(folder) == ["power_off"]


def test_power_that_was_taken_and_did_not_come_back_is_given_back_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = 0
    real = MockConsole.switch

    async def stubborn(self: MockConsole, host: Host, *, on: bool, timeout: float) -> None:
        nonlocal refused
        if on and refused < 3:
            refused += 1
            return
        await real(self, host, on=on, timeout=timeout)

    monkeypatch.setattr(MockConsole, "switch", stubborn)
    folder = tmp_path / "stubborn"
    folder.mkdir()
    assert not wrong_in(folder, "race")
    told = told_in(folder)
    assert [(event.act, getattr(event, "outcome", "intended")) for event in told[:4]] == [
        ("cycle", "intended"),
        ("cycle", "failed"),
        ("on", "intended"),
        ("on", "ok"),
    ]


@pytest.mark.parametrize(("gone", "ends"), [(30.0, ["ok"]), (400.0, ["failed", "ok"])])
def test_a_board_that_goes_away_while_it_switches_costs_nobody_the_power(
    gone: float, ends: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The longer absence is noticed as failure, and looked into when the host is taken up again."""
    taken: list[float] = []
    switch, power = MockConsole.switch, MockConsole.power

    def away() -> bool:
        return bool(taken) and asyncio.get_running_loop().time() < taken[0] + gone

    async def taking(self: MockConsole, host: Host, *, on: bool, timeout: float) -> None:
        if away():
            raise UnreachableError("the board restarts")
        await switch(self, host, on=on, timeout=timeout)
        if not on and not taken:
            taken.append(asyncio.get_running_loop().time())
            raise UnreachableError("the board restarts")

    async def standing(self: MockConsole, host: Host, timeout: float) -> Power:
        if away():
            raise UnreachableError("the board restarts")
        return await power(self, host, timeout)

    monkeypatch.setattr(MockConsole, "switch", taking)
    monkeypatch.setattr(MockConsole, "power", standing)
    folder = tmp_path / "away"
    folder.mkdir()
    resumed(folder, "race")
    closed = [event for event in told_in(folder) if isinstance(event, PowerFinished)]
    assert [event.outcome for event in closed[: len(ends)]] == ends
    assert switches_in(folder)[:2] == ["power_off", "power_on"]


def test_a_board_that_refuses_for_a_while_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refused = MockConsole.switch, 0

    async def busy(self: MockConsole, host: Host, *, on: bool, timeout: float) -> None:
        nonlocal refused
        if on and refused < 2:
            refused += 1
            raise TransportError("409: another operation is under way")
        await real(self, host, on=on, timeout=timeout)

    monkeypatch.setattr(MockConsole, "switch", busy)
    folder = tmp_path / "busy"
    folder.mkdir()
    assert not wrong_in(folder, "race")
    assert refused == 2
