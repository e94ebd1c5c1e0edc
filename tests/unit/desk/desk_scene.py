"""A desk in memory: events come as from the journal, verbs go by the rules."""

from __future__ import annotations

from datetime import datetime, timedelta

from recovery.desk import rules
from recovery.desk.fold import DeskFold
from recovery.desk.rules import Who
from recovery.model.events import AnyEvent, HandedOver, HostFinished, HostObserved, Outcome
from recovery.model.evidence import BootIdentity, Reachability, Verdict
from recovery.model.ticket import Ticket
from recovery.ports import Stored
from tests.unit.journal.happenings import RUN, at, started

ANN, BOB = Who(tech="ann"), Who(tech="bob")
HOST = "h1"


class Scene:
    """One host at the desk, second by second."""

    def __init__(self, *, handed_over: bool = True) -> None:
        self.fold = DeskFold()
        self._seq = 0
        self.add(started())
        if handed_over:
            self.add(handed(0))

    def add(self, *events: AnyEvent) -> None:
        for event in events:
            self._seq += 1
            self.fold.add(Stored(self._seq, event))

    @property
    def ticket(self) -> Ticket:
        found = self.fold.ticket(HOST, mock=False)
        assert found is not None
        return found

    def at(self, seconds: float) -> Ticket:
        return self.ticket.at(at(seconds))

    def claim(self, who: Who, seconds: float, minutes: float = 60) -> None:
        self.add(rules.claim(self.ticket, who, at(seconds), timedelta(minutes=minutes)))

    def on_site(self, who: Who, seconds: float) -> None:
        self.add(rules.on_site(self.ticket, who, at(seconds)))

    def tried(self, who: Who, seconds: float, reason: str = "no", restarts: int = 0) -> None:
        self.add(rules.tried(self.ticket, who, at(seconds), reason, restarts))

    def done(self, who: Who, seconds: float) -> None:
        self.add(rules.done(self.ticket, who, at(seconds)))

    def release(self, who: Who, seconds: float) -> None:
        self.add(rules.release(self.ticket, who, at(seconds), "lunch"))

    def escalate(self, who: Who, seconds: float) -> None:
        self.add(rules.escalate(self.ticket, who, at(seconds), "vendor", "disk is dead"))

    def sees(self, seconds: float, verdict: Verdict, *, answers: bool = True) -> None:
        self.add(seen(at(seconds), verdict, answers=answers))


def seen(
    when: datetime, verdict: Verdict, host: str = HOST, *, answers: bool = True
) -> HostObserved:
    """The host's evidence, or only that it is silent while its old verdict stands."""
    evidence = (
        BootIdentity(at=when, source="ssh", boot_id=f"b{when:%H%M%S}")
        if answers
        else Reachability(at=when, source="look", answers=False)
    )
    return HostObserved(
        at=when,
        run=RUN,
        host=host,
        evidence=(evidence,),
        verdict=verdict,
        because=(f"it is {verdict}",),
    )


def handed(seconds: float, host: str = HOST, runbook: str = "safe_mode") -> HandedOver:
    return HandedOver(at=at(seconds), run=RUN, host=host, runbook=runbook, reason="no answer")


def finished(seconds: float, verdict: Verdict, outcome: Outcome = Outcome.DONE) -> HostFinished:
    return HostFinished(at=at(seconds), run=RUN, host=HOST, outcome=outcome, verdict=verdict)
