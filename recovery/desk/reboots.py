"""Restarts, one by one: how many a host has had, who or what did each, and which boots prove it.

A restart is proven by two boots that were seen. What a run asked for, or a technician says, and what no new boot has
shown yet, stays a claim.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from recovery.detect.restarts import crash_behind, restart_behind
from recovery.model.case import CaseFile, SeenBoot, add_evidence
from recovery.model.desk_events import DeskEvent, TicketSaidDone, TicketTried
from recovery.model.events import (
    AnyEvent,
    HostObserved,
    RunStarted,
    StepFinished,
    StepIntended,
)
from recovery.model.evidence import AnyEvidence, BootIdentity, MachineReset
from recovery.ports import Stored

KINDS = (
    "run.started",
    "step.intended",
    "step.finished",
    "host.observed",
    "ticket.tried",
    "ticket.said_done",
)
HELPED = 15
"""So many restarts have brought machines back in July 2024 (Microsoft, for virtual machines in Azure)."""

Cause = Literal["planned", "crash", "by_hand", "reset", "power", "unexplained"]
"""`by_hand`: a technician says so. `unexplained`: nothing was asked for and the machine has no record of it."""

_RECENT = 16
"""Restarts that a host's records may still explain; of boots no more are kept."""
_WHO: dict[Cause, str] = {
    "crash": "itself",
    "unexplained": "itself",
    "power": "somebody at its power",
}


class Restart(msgspec.Struct, frozen=True, kw_only=True):
    """One restart of one host."""

    host: str
    number: int
    """Of this host, from 1."""
    at: datetime
    """When it was asked for or said, else when the new boot was seen first."""
    cause: Cause
    who: str
    """A run with its playbook, a technician, or the machine itself."""
    proven: bool = False
    """A boot was seen that is not the one before."""
    before: str = ""
    after: str = ""
    """The boots on either side, as far as they have an id or a time."""
    detail: str = ""


class RebootFold:
    """Folds the events about hosts into their restarts; those of the real hosts, or those of mock twins."""

    def __init__(self, *, mock: bool) -> None:
        """Nothing is known yet."""
        self._mock = mock
        self._runs: dict[str, RunStarted] = {}
        self._hosts: dict[str, _Host] = {}

    def add_all(self, events: Iterable[Stored]) -> None:
        """Take more events."""
        for stored in events:
            self._add(stored.event)

    def of(self, host: str) -> tuple[Restart, ...]:
        """The restarts of a host, oldest first."""
        found = self._hosts.get(host)
        return found.restarts() if found else ()

    def all(self) -> dict[str, tuple[Restart, ...]]:
        """Those of every host that has had one."""
        every = ((name, host.restarts()) for name, host in self._hosts.items())
        return {name: restarts for name, restarts in every if restarts}

    def _add(self, event: AnyEvent) -> None:
        if isinstance(event, RunStarted):
            self._runs[event.run] = event
            return
        run = self._runs.get(event.run)
        mock = event.mock if isinstance(event, DeskEvent) else run is not None and run.mock
        if not event.host or mock != self._mock:
            return
        host = self._hosts.setdefault(event.host, _Host(event.host))
        match event:
            case StepIntended(step="reboot"):
                playbook = run.playbook if run else "a playbook"
                host.ask(event.at, "planned", f"run {event.run} ({playbook})")
            case TicketTried() | TicketSaidDone():
                for _ in range(event.restarts):
                    host.ask(event.at, "by_hand", event.tech)
            case StepFinished() | HostObserved():
                for item in event.evidence:
                    host.see(item)
                host.explain()
            case _:
                pass


class _Host:
    """One host's boots, and the restarts that were asked for and not seen yet."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._case = CaseFile()
        self._done: list[Restart] = []
        self._asked: list[tuple[datetime, Cause, str]] = []

    def ask(self, at: datetime, cause: Cause, who: str) -> None:
        """A restart was asked for, or is said to have been."""
        self._asked.append((at, cause, who))

    def see(self, item: AnyEvidence) -> None:
        """One more observation."""
        before = self._case.boots
        self._case = add_evidence(self._case, item)
        if isinstance(item, MachineReset):
            self.ask(item.at, "reset", f"console ({item.source})")
        if isinstance(item, BootIdentity) and before:
            last = self._case.boots[-1]
            if last.first_seen != before[-1].first_seen:
                self._came_up(before[-1], last)

    def explain(self) -> None:
        """Say of restarts that nobody asked for what the machine's records say, as far as they have come."""
        for number in range(max(0, len(self._done) - _RECENT), len(self._done)):
            restart = self._done[number]
            if restart.cause == "unexplained" and restart.proven:
                cause, detail = self._recorded(restart)
                self._done[number] = msgspec.structs.replace(restart, cause=cause, detail=detail)

    def restarts(self) -> tuple[Restart, ...]:
        """In the order in which they were seen; those that nothing shows yet come last."""
        seen = [
            msgspec.structs.replace(restart, who=restart.who or _WHO.get(restart.cause, "somebody"))
            for restart in self._done
        ]
        claims = [
            Restart(host=self._name, number=0, at=at, cause=cause, who=who)
            for at, cause, who in self._asked
        ]
        return tuple(
            msgspec.structs.replace(restart, number=number)
            for number, restart in enumerate((*seen, *claims), 1)
        )

    def _came_up(self, old: SeenBoot, new: SeenBoot) -> None:
        """Another boot answers. What was asked for last explains it; several asks may have led to one boot seen."""
        at, who = new.first_seen, ""
        cause: Cause = "unexplained"
        if self._asked:
            *earlier, (at, cause, who) = self._asked
            self._asked = []
            self._done += [
                Restart(host=self._name, number=0, at=when, cause=why, who=name)
                for when, why, name in earlier
            ]
        self._done.append(
            Restart(
                host=self._name,
                number=0,
                at=at,
                cause=cause,
                who=who,
                proven=True,
                before=_shown(old.identity),
                after=_shown(new.identity),
            )
        )

    def _recorded(self, restart: Restart) -> tuple[Cause, str]:
        place = next(
            (
                number
                for number, boot in enumerate(self._case.boots)
                if _shown(boot.identity) == restart.after
            ),
            None,
        )
        if place is None:
            return "unexplained", ""
        for crash in self._case.crashes:
            if crash_behind(self._case, crash, place):
                code = "" if crash.stop_code is None else f"stop code {crash.stop_code:#x}"
                return "crash", " ".join(filter(None, (code, crash.module))) or crash.text[:80]
        record = restart_behind(self._case, place)
        if record is None:
            return "unexplained", ""
        said = f"{record.cause.replace('_', ' ')}{' by ' + record.who if record.who else ''}"
        if record.cause == "planned":
            return "planned", said
        return ("unexplained" if record.cause == "unexpected" else "power"), said


def _shown(boot: BootIdentity) -> str:
    if boot.boot_id:
        return boot.boot_id
    return "" if boot.boot_time is None else f"started {boot.boot_time:.0f}"
