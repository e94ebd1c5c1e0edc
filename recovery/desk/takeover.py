"""What a row of a spreadsheet changes at the desk. Pure; evidence and the desk's own word win over the sheet's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from recovery.desk.sheet import Doubt, Row
from recovery.model.desk_events import (
    AnyDeskEvent,
    TicketClaimed,
    TicketDescribed,
    TicketEscalated,
    TicketOnSite,
    TicketOpened,
    TicketSaidDone,
)
from recovery.model.ticket import HELD, Stage, Ticket

LEASE = timedelta(hours=4)
"""How long a claim holds that only the sheet tells of: its people do not know the desk yet."""
_RANKS = {
    Stage.WAITING: 0,
    Stage.CAME_BACK: 0,
    Stage.CLAIMED: 1,
    Stage.ON_SITE: 2,
    Stage.SAYS_DONE: 3,
    Stage.ESCALATED: 4,
    Stage.PROVEN: 5,
}


class Change(msgspec.Struct, frozen=True):
    """What a row comes to."""

    events: tuple[AnyDeskEvent, ...] = ()
    doubt: Doubt | None = None
    note: str = ""


class Taken(msgspec.Struct, frozen=True):
    """What became of a sheet."""

    rows: int
    opened: int
    changed: int
    unchanged: int
    doubts: tuple[Doubt, ...] = ()
    notes: tuple[str, ...] = ()
    done: bool = True
    """False: rows were in doubt, and nothing was taken over."""


def change(row: Row, ticket: Ticket | None, now: datetime, *, mock: bool, by: str) -> Change:
    """What has to happen so that the desk knows what the row says."""
    if ticket is None:
        opened = TicketOpened(
            at=now,
            host=row.host,
            mock=mock,
            by=by,
            reason=row.reason,
            site=row.site,
            location=row.location,
            service=row.service,
            sheet=dict(row.cells),
        )
        return Change((opened, *_moves(row, now, mock=mock, by=by)))
    if ticket.sheet == row.cells:
        return Change()
    held = ticket.at(now)
    described = _described(row, ticket, now, mock=mock, by=by)
    if held.stage is Stage.PROVEN:
        return Change(described, note=_proven(row, held))
    if _is_anothers(row, held):
        return Change(doubt=Doubt(row.line, _anothers(row, held)))
    ahead = _RANKS[row.stage] > _RANKS[held.stage]
    moves = _moves(row, now, mock=mock, by=by) if ahead else ()
    behind = _RANKS[row.stage] < _RANKS[held.stage]
    note = f"{row.host}: the desk is further, {held.stage.value}" if behind else ""
    return Change((*described, *moves), note=note)


def _is_anothers(row: Row, ticket: Ticket) -> bool:
    has_one = ticket.stage in (*HELD, Stage.SAYS_DONE)
    return has_one and bool(row.owner) and row.owner.casefold() != ticket.owner.casefold()


def _anothers(row: Row, ticket: Ticket) -> str:
    return (
        f"{row.host} is {ticket.owner}'s at the desk, and {row.owner}'s in the sheet: "
        "two must not work on one machine"
    )


def _proven(row: Row, ticket: Ticket) -> str:
    claims_it = row.stage is Stage.SAYS_DONE
    return (
        ""
        if claims_it
        else f"{row.host}: proven at {ticket.since:%H:%M} UTC, whatever the sheet says"
    )


def _described(
    row: Row, ticket: Ticket, now: datetime, *, mock: bool, by: str
) -> tuple[AnyDeskEvent, ...]:
    said = TicketDescribed(
        at=now,
        host=row.host,
        mock=mock,
        by=by,
        site=row.site if row.site != ticket.site else "",
        location=row.location if row.location != ticket.location else "",
        service=row.service if row.service != ticket.service else "",
        reason=row.reason if not ticket.reason else "",
        sheet=dict(row.cells),
    )
    return (said,)


def _moves(row: Row, now: datetime, *, mock: bool, by: str) -> Sequence[AnyDeskEvent]:
    match row.stage:
        case Stage.CLAIMED:
            return (
                TicketClaimed(
                    at=now, host=row.host, mock=mock, by=by, tech=row.owner, until=now + LEASE
                ),
            )
        case Stage.ON_SITE:
            return (
                TicketOnSite(
                    at=now, host=row.host, mock=mock, by=by, tech=row.owner, until=now + LEASE
                ),
            )
        case Stage.SAYS_DONE:
            tech = row.owner or "the spreadsheet"
            return (TicketSaidDone(at=now, host=row.host, mock=mock, by=by, tech=tech),)
        case Stage.ESCALATED:
            to = row.owner or "the lead"
            reason = row.reason or "the spreadsheet says so"
            return (TicketEscalated(at=now, host=row.host, mock=mock, by=by, to=to, reason=reason),)
        case _:
            return ()
