"""Opening the dashboard on a service."""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
from threading import Thread

from rich.console import Console

from recovery.service import Service
from recovery.tui.app import Dashboard
from recovery.tui.deck import Deck
from recovery.tui.feed import Feed
from recovery.tui.service_gateway import ServiceGateway
from recovery.tui.themes import themes
from recovery.worlds import SystemClock

_GARBAGE = (20_000, 20, 400)
"""As for all commands, but whole collections are rare: with a large fleet each of them stops the screen for 100 ms."""
_TURN = 0.001
"""Seconds for which the thread that reads may keep the one that draws from its turn."""


def open_dashboard(service: Service, deck: Deck) -> str:
    """Show it until somebody leaves; what they should know then. Raises `RecoveryError`."""
    feed = Feed(service.settings.journal, SystemClock(), deck.inventory, mock=deck.world)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    Thread(target=_end_with, args=(sys.stdin.fileno(),), daemon=True).start()
    sys.setswitchinterval(_TURN)
    gc.set_threshold(*_GARBAGE)
    looks = themes(Console().color_system)
    dashboard = Dashboard(feed, ServiceGateway(service, deck), deck, looks)
    try:
        farewell = dashboard.run()
    finally:
        feed.close()
    if dashboard.failure is not None:
        raise dashboard.failure
    return farewell or ""


def _end_with(terminal: int) -> None:
    """End once nobody is at the other end, as the kernel ends what a terminal controls.

    It sends no signal where it controls nothing (`docker exec`, `setsid`); Textual then reads the end of the file for
    ever, and waits for a terminal that takes what it draws.
    """
    hung_up = select.poll()
    hung_up.register(terminal, 0)
    hung_up.poll()
    os.kill(os.getpid(), signal.SIGHUP)
