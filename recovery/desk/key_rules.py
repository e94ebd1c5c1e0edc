"""Who may see a recovery key now. Pure; asked inside the journal's transaction, before any source is."""

from __future__ import annotations

from datetime import datetime

import msgspec

from recovery.desk.fold import DeskFold

ALARM = 5
"""Refusals of one person after which operators are told."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A person wants a key."""

    host: str
    key_id: str
    """Whole, or its beginning."""
    person: str


def refusal(fold: DeskFold, question: Question, now: datetime, per_hour: int, *, mock: bool) -> str:
    """Why the person does not get the key; empty when they may.

    It is for a host whose ticket they hold, one host at a time, so many an hour, and not for a key that another host
    has said is its own: then they stand in front of that one.
    """
    person, host = question.person, question.host
    ticket = fold.ticket(host, mock=mock)
    holder = ticket.holder(now) if ticket else ""
    if holder != person:
        who = f"{holder} holds it" if holder else "nobody holds it"
        return (
            f"{person} has to hold the ticket of {host}, and {who if ticket else 'there is none'}"
        )
    keys = fold.keys(mock=mock)
    shown = keys.on_show(person, now)
    if shown and shown != host:
        return f"{person} is being shown the key of {shown}: one host at a time"
    if keys.asked_within(person, now) >= per_hour:
        return f"{person} has asked for {per_hour} keys within an hour"
    owners = fold.hosts_of_key(question.key_id, mock=mock)
    if owners and host not in owners:
        return f"this key id is that of {', '.join(sorted(owners)[:3])}: is this the right machine?"
    return ""
