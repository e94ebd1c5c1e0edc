"""What happens at the desk, in words for an operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from recovery.model.desk_events import (
    KeyAsked,
    KeyMissing,
    KeyRotated,
    KeyShown,
    KeyTried,
    TicketClaimed,
    TicketDescribed,
    TicketEscalated,
    TicketOnSite,
    TicketOpened,
    TicketReleased,
    TicketSaidDone,
    TicketTried,
)


def _tail(text: str) -> str:
    return f": {text}" if text else ""


def _restarts(count: int) -> str:
    return f", restarted {count} times" if count else ""


def _asked(event: KeyAsked) -> str:
    if event.refused:
        return f"{event.person} does NOT get the recovery key {event.key_id}: {event.refused}"
    return f"{event.person} asks for the recovery key {event.key_id}"


DESK: Mapping[type, Callable[[Any], str]] = {
    TicketOpened: lambda event: f"needs hands, says {event.by or 'somebody'}{_tail(event.reason)}",
    TicketDescribed: lambda event: f"a spreadsheet says more of it{_tail(event.reason)}",
    TicketClaimed: lambda event: f"claimed by {event.tech} until {event.until:%H:%M}",
    TicketOnSite: lambda event: f"{event.tech} is in front of it",
    TicketTried: lambda event: (
        f"{event.tech} tried{_restarts(event.restarts)}{_tail(event.reason)}"
    ),
    TicketSaidDone: lambda event: (
        f"{event.tech} says that it is done{_restarts(event.restarts)}; not proven yet"
    ),
    TicketReleased: lambda event: f"released by {event.tech}{_tail(event.reason)}",
    TicketEscalated: lambda event: f"escalated to {event.to}{_tail(event.reason)}",
    KeyAsked: _asked,
    KeyShown: lambda event: (
        f"the recovery key {event.key_id} is shown to {event.person} until {event.until:%H:%M:%S}, from {event.source}"
    ),
    KeyMissing: lambda event: f"no recovery key {event.key_id} for {event.person}: {event.reason}",
    KeyTried: lambda event: (
        f"the recovery key {event.key_id} {'unlocked it' if event.unlocked else 'did NOT unlock it'}, "
        f"says {event.person}"
    ),
    KeyRotated: lambda event: f"the recovery key {event.key_id} was rotated, says {event.person}",
}
