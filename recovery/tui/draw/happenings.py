"""Events as lines."""

from __future__ import annotations

from textual.content import Content

from recovery.journal.views import describe
from recovery.model.events import (
    AnyEvent,
    ApprovalAsked,
    GuardTripped,
    HandedOver,
    HostFinished,
    Outcome,
    RunFinished,
    RunHeld,
    StepFinished,
)
from recovery.ports import Stored
from recovery.tui.draw.figures import lines
from recovery.tui.inert import plain
from recovery.tui.snapshot import Snapshot

_BAD = (Outcome.FAILED, Outcome.UNREACHABLE)


def newest(snapshot: Snapshot, width: int, height: int) -> Content:
    """The newest events that an operator should see, the latest first."""
    found = snapshot.notable[-max(1, height) :]
    if not found:
        return Content.styled(" nothing has happened yet", "$muted")
    return lines([line(stored, width) for stored in reversed(found)])


def line(stored: Stored, width: int, *, run: bool = False) -> Content:
    """An event on one line of at most `width` cells."""
    event = stored.event
    host = plain(event.host, 60)
    where = f"{plain(event.run, 30)}  " if run else ""
    told = Content.assemble(
        (f" {event.at:%H:%M:%S}  {where}", "$muted"),
        (f"{host}  ", "bold") if host else "",
        (plain(describe(event), max(20, width)), style(event)),
    )
    return told.truncate(width, ellipsis=True)


def style(event: AnyEvent) -> str:
    """How an event is coloured; its words say the same."""
    match event:
        case GuardTripped():
            return "bold $error"
        case HostFinished(outcome=outcome) if outcome in _BAD:
            return "$error"
        case RunFinished(exit_code=code) if code:
            return "$warning"
        case ApprovalAsked() | RunHeld() | HandedOver():
            return "$warning"
        case StepFinished(outcome="failed" | "refused" | "new_crash" | "nothing_matched"):
            return "$error"
        case _:
            return ""
