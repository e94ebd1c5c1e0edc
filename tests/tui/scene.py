"""A small fleet in an incident, told event by event, and the doubles that a dashboard is tested with."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from recovery.journal.board import Board
from recovery.journal.log import Log
from recovery.model.events import (
    AnyEvent,
    HandedOver,
    HostAdmitted,
    HostFinished,
    Outcome,
    RunFinished,
    StepFinished,
    StepOutcome,
    WaveClosed,
    WaveOpened,
)
from recovery.model.evidence import AnyEvidence, CrashRecord, Progress, Reachability, Verdict
from recovery.planning import Prepared, Request, record_start
from recovery.ports import Stored
from recovery.service import Service
from recovery.settings import Settings
from recovery.tui.app import Dashboard
from recovery.tui.deck import Deck
from recovery.tui.feed import Feed
from recovery.tui.snapshot import Snapshot
from tests.tui.doubles import FakeGateway, FakeSource

BEGAN = datetime(2024, 7, 19, 6, 0, tzinfo=UTC)
RUN = "r240719-060000"
CARRIED = "process 4711 on ops-1"

INVENTORY = """
sites:
  ATL: {name: Atlanta hub}
  MSP: {name: Minneapolis base}
  BOS: {name: Boston}
services:
  directory: {tier: 1, cost_per_hour: 60000}
  check-in: {name: Check-in and bag drop, tier: 1, cost_per_hour: 90000, needs: [directory]}
  gate: {name: Boarding, tier: 1, cost_per_hour: 120000, needs: [directory, check-in]}
  office: {name: Offices, tier: 4, cost_per_hour: 1500}
hosts:
  atl-dc-[1-2]: {address: "10.0.0.[1-2]", site: ATL, service: directory, kind: server, protected: true}
  atl-kiosk-[01-20]: {address: "10.0.1.[1-20]", site: ATL, service: check-in, kind: kiosk, location: hall}
  atl-gate-[01-10]: {address: "10.0.2.[1-10]", site: ATL, service: gate, location: gates}
  msp-kiosk-[01-12]: {address: "10.1.1.[1-12]", site: MSP, service: check-in, kind: kiosk}
  msp-off-[01-06]: {address: "10.1.2.[1-6]", site: MSP, service: office}
  bos-gate-[01-10]: {address: "10.2.1.[1-10]", site: BOS, service: gate}
"""
"""Sixty hosts."""

NOTHING_IS_HEARD = Reachability(at=BEGAN, source="look", answers=False, reason="no answer in 1.5 s")


def at(seconds: float) -> datetime:
    """So many seconds after the run began."""
    return BEGAN + timedelta(seconds=seconds)


class FixedClock:
    """Stands still until it is set."""

    def __init__(self, now: datetime = BEGAN) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()


class Stage:
    """A journal that is written as told, and the snapshots that a real feed makes of it."""

    def __init__(self, folder: Path, *, mock: bool = True) -> None:
        self.inventory = folder / "airline.yaml"
        self.inventory.write_text(INVENTORY)
        self.journal = str(folder / "journal.db")
        self.mock = mock
        self.clock = FixedClock()
        self.service = Service(Settings(journal=self.journal))
        self.feed = Feed(self.journal, self.clock, (str(self.inventory),), mock=mock)

    def prepare(self, playbook: str = "rollback", limits: Sequence[str] = ()) -> Prepared:
        """A real plan."""
        request = Request(
            playbook=playbook,
            inventory=(str(self.inventory),),
            limits=tuple(limits),
            mock=self.mock,
            by="ada",
        )
        return self.service.prepare(request)

    def begin(self, run: str = RUN, playbook: str = "rollback", seconds: float = 0) -> Prepared:
        """A run begins."""
        prepared = self.prepare(playbook)
        with closing(Log.open(self.journal)) as log:
            record_start(log, log.append, at(seconds), run, prepared)
        return prepared

    def say(self, *events: AnyEvent) -> None:
        """This happens."""
        with closing(Log.open(self.journal)) as log:
            log.append(*events)

    def snapshot(self, *, live: bool = True) -> Snapshot:
        """What the feed makes of all of it; open runs are carried out if they are `live`."""
        for _ in range(1000):
            snapshot = self.feed.poll()
            if snapshot is not None and snapshot.stage == "live" and not snapshot.behind:
                return carried(snapshot) if live else snapshot
        raise AssertionError("the feed does not come to an end")


def carried(snapshot: Snapshot) -> Snapshot:
    """With open runs carried out by a process of a known name."""
    lines = tuple(
        msgspec.structs.replace(line, carried_by=CARRIED) if line.is_open else line
        for line in snapshot.runs
    )
    return msgspec.structs.replace(snapshot, runs=lines)


def stepped(
    host: str,
    seconds: float,
    verdict: Verdict,
    *,
    step: str = "triage",
    index: int = 0,
    outcome: StepOutcome = "ok",
    progress: Progress = Progress.UNTOUCHED,
    message: str = "",
    evidence: tuple[AnyEvidence, ...] = (),
    because: tuple[str, ...] = (),
    run: str = RUN,
) -> StepFinished:
    """A step of a host ends."""
    return StepFinished(
        at=at(seconds),
        run=run,
        host=host,
        index=index,
        step=step,
        attempt=1,
        outcome=outcome,
        message=message,
        evidence=evidence,
        verdict=verdict,
        because=because or (f"{verdict} by what {step} saw",),
        progress=progress,
    )


def crash(stop_code: int = 0x50, module: str = "csagent.sys") -> CrashRecord:
    """A crash as a dump tells it."""
    return CrashRecord(
        at=BEGAN, source="ssh", stop_code=stop_code, module=module, record="dump", text="x"
    )


def ended(
    host: str, seconds: float, outcome: Outcome, verdict: Verdict, message: str = "", run: str = RUN
) -> HostFinished:
    """The pursuit of a host ends."""
    progress = {
        Outcome.HANDED_OVER: Progress.WITH_TECHNICIAN,
        Outcome.RECOVERED: Progress.DONE,
        Outcome.HEALTHY: Progress.UNTOUCHED,
    }.get(outcome, Progress.GAVE_UP)
    return HostFinished(
        at=at(seconds),
        run=run,
        host=host,
        outcome=outcome,
        message=message,
        verdict=verdict,
        progress=progress,
    )


def handed_over(host: str, seconds: float, reason: str, run: str = RUN) -> HandedOver:
    """A host needs hands."""
    return HandedOver(at=at(seconds), run=run, host=host, runbook="safe_mode", reason=reason)


def names(prefix: str, count: int, width: int = 2) -> list[str]:
    """`prefix01`, `prefix02`, ..."""
    return [f"{prefix}{number:0{width}}" for number in range(1, count + 1)]


def triaged(stage: Stage) -> None:
    """Every host was looked at: 12 are fine, 24 loop, 8 show a recovery screen, 4 need a key, 8 are exposed, 4 dark."""
    kinds: list[tuple[list[str], Verdict, tuple[AnyEvidence, ...]]] = [
        ([*names("atl-dc-", 2, 1), *names("bos-gate-", 10)], Verdict.HEALTHY, ()),
        ([*names("atl-kiosk-", 20), *names("atl-gate-", 4)], Verdict.CRASH_LOOP, (crash(),)),
        (names("msp-kiosk-", 8), Verdict.RECOVERY_SCREEN, ()),
        (names("msp-kiosk-", 12)[8:], Verdict.NEEDS_KEY, ()),
        ([*names("atl-gate-", 10)[4:], *names("msp-off-", 2)], Verdict.EXPOSED, ()),
        (names("msp-off-", 6)[2:], Verdict.DARK, (NOTHING_IS_HEARD,)),
    ]
    events: list[AnyEvent] = []
    for hosts, verdict, evidence in kinds:
        for host in hosts:
            events.append(stepped(host, 30 + len(events), verdict, evidence=evidence))
            if verdict == Verdict.HEALTHY:
                events.append(ended(host, 31 + len(events), Outcome.HEALTHY, verdict))
    stage.say(*events)


def half_way(stage: Stage) -> None:
    """The third wave goes on: ten kiosks are proven, two are in the middle, one failed and two went to people."""
    triaged(stage)
    events: list[AnyEvent] = []
    for number, host in enumerate(names("atl-kiosk-", 10)):
        seconds, wave = 210 + number * 60, 1 if number == 0 else 2 if number < 6 else 3
        if number in (1, 6):
            events.append(WaveClosed(at=at(seconds - 1), run=RUN, wave=wave - 1))
        if number in (0, 1, 6):
            size = {1: 1, 2: 5, 3: 12}[wave]
            events.append(WaveOpened(at=at(seconds), run=RUN, wave=wave, size=size))
        events += [
            HostAdmitted(at=at(seconds), run=RUN, host=host, wave=wave),
            _done(host, seconds + 20, Verdict.CRASH_LOOP, "rollback", 1, Progress.FIXED),
            _done(host, seconds + 30, Verdict.CRASH_LOOP, "reboot", 2, Progress.REBOOTING),
            _done(host, seconds + 55, Verdict.RECOVERED, "prove", 4, Progress.DONE),
            ended(host, seconds + 56, Outcome.RECOVERED, Verdict.RECOVERED),
        ]
    for host in ("atl-kiosk-11", "atl-kiosk-12", "atl-kiosk-13"):
        events += [
            HostAdmitted(at=at(800), run=RUN, host=host, wave=3),
            _done(host, 805, Verdict.CRASH_LOOP, "rollback", 1, Progress.FIXED),
        ]
    for host in ("msp-kiosk-01", "msp-kiosk-09"):
        verdict = Verdict.RECOVERY_SCREEN if host.endswith("1") else Verdict.NEEDS_KEY
        events += [
            handed_over(host, 810, "it waits at a screen that only a person can leave"),
            ended(host, 811, Outcome.HANDED_OVER, verdict),
        ]
    events.append(
        ended("atl-kiosk-13", 815, Outcome.FAILED, Verdict.CRASH_LOOP, "the file is locked")
    )
    stage.say(*events)


def _done(
    host: str, seconds: float, verdict: Verdict, step: str, index: int, progress: Progress
) -> StepFinished:
    return stepped(host, seconds, verdict, step=step, index=index, progress=progress)


def over(seconds: float = 900, run: str = RUN) -> RunFinished:
    """The run ends."""
    counts = {"recovered": 10, "handed_over": 2, "failed": 1}
    return RunFinished(
        at=at(seconds), run=run, exit_reason="1 host failed", exit_code=4, counts=counts
    )


def dashboard(stage: Stage, snapshot: Snapshot | None = None, **deck: Any) -> Dashboard:
    """A dashboard over doubles. `source` and `gateway` are on it."""
    wanted = Deck(inventory=(str(stage.inventory),), mock=stage.mock, by="ada", **deck)
    return Dashboard(FakeSource(snapshot), FakeGateway(stage), wanted)


def board_of(*events: AnyEvent, mock: bool = False) -> Board:
    """A board that has seen these events."""
    board = Board(mock=mock)
    for seq, event in enumerate(events, 1):
        board.add(Stored(seq, event))
    return board
