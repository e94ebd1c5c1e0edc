"""`recovery tui`: the dashboard in this terminal, or in a browser."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from recovery.cli.main import app
from recovery.cli.output import data, say
from recovery.cli.running import IncidentOption, Mix, Mock, Seed, Speed
from recovery.cli.shared import Inventory, JournalOption, service, user
from recovery.errors import UnknownNameError, UsageError
from recovery.planning import DEFAULT_INCIDENT
from recovery.service import Service

if TYPE_CHECKING:
    from recovery.tui.deck import Deck

Theme = Annotated[str, typer.Option("--theme", help="night, or day: light with high contrast.")]
Technicians = Annotated[
    int, typer.Option(min=0, max=100_000, help="On duty in each shift, for the forecast; 0: none.")
]
Web = Annotated[bool, typer.Option("--web", help="Show it in a browser instead.")]
Listen = Annotated[str, typer.Option("--listen", help="With --web: ADDRESS:PORT to serve at.")]
_THEMES = ("night", "day")


@app.command("tui")
def dashboard(
    context: typer.Context,
    inventory: Inventory = [],
    incident: IncidentOption = "",
    mock: Mock = False,
    speed: Speed = "60x",
    seed: Seed = 0,
    mix: Mix = "",
    technicians: Technicians = 40,
    theme: Theme = "",
    web: Web = False,
    listen: Listen = "127.0.0.1:8017",
    journal: JournalOption = "",
) -> int:
    """Watch and steer the recovery on one screen. Leaving it stops no run."""
    acting = service(context, journal)
    settings = acting.settings
    _check(inventory, theme)
    from recovery.tui.deck import Deck

    deck = Deck(
        inventory=tuple(inventory) or settings.inventory,
        incident=incident or settings.incident or DEFAULT_INCIDENT,
        mock=mock, speed=speed, seed=seed, mix=mix, by=user(), technicians=technicians,
        config=(context.find_root().obj or {}).get("config") or "",
        theme=theme or settings.tui.theme, keys=settings.tui.keys,
        pictures=settings.tui.pictures,
    )  # fmt: skip
    if web:
        from recovery.tui.browser import serve_dashboard

        serve_dashboard(deck.words(settings.journal), listen, say)
        return 0
    return _in_this_terminal(acting, deck)


def _in_this_terminal(acting: Service, deck: Deck) -> int:
    is_page = "TEXTUAL_DRIVER" in os.environ
    if not is_page and not all(file.isatty() for file in (sys.stdin, sys.stdout, sys.stderr)):
        raise UsageError("this needs a terminal; `recovery status` and `recovery hosts` do not")
    from recovery.tui.open import open_dashboard

    farewell = open_dashboard(acting, deck)
    if not is_page:  # a page's standard output is its picture
        data(farewell)
    return 0


def _check(inventory: list[str], theme: str) -> None:
    if "-" in inventory:
        raise UsageError("-i -: the keyboard is read from there; write the inventory to a file")
    if theme and theme not in _THEMES:
        raise UnknownNameError("theme", theme, _THEMES)
