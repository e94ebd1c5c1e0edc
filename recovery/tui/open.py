"""Opening the dashboard on a service."""

from __future__ import annotations

import gc
import sys

from recovery.service import Service
from recovery.tui.app import Dashboard
from recovery.tui.deck import Deck
from recovery.tui.feed import Feed
from recovery.tui.service_gateway import ServiceGateway
from recovery.worlds import SystemClock

_GARBAGE = (20_000, 20, 400)
"""As for all commands, but whole collections are rare: with a large fleet each of them stops the screen for 100 ms."""
_TURN = 0.001
"""Seconds for which the thread that reads may keep the one that draws from its turn."""


def open_dashboard(service: Service, deck: Deck) -> str:
    """Show it until somebody leaves; what they should know then. Raises `RecoveryError`."""
    feed = Feed(
        service.settings.journal, SystemClock(), deck.inventory, mock=True if deck.mock else None
    )
    sys.setswitchinterval(_TURN)
    gc.set_threshold(*_GARBAGE)
    dashboard = Dashboard(feed, ServiceGateway(service, deck), deck)
    try:
        return dashboard.run() or ""
    finally:
        feed.close()
