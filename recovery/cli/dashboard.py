"""`recovery tui`: the dashboard in this terminal, or in a browser."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from recovery.cli.main import app
from recovery.cli.output import data
from recovery.cli.running import IncidentOption, Mix, Mock, Seed, Speed
from recovery.cli.shared import Inventory, JournalOption, service, user
from recovery.errors import UsageError
from recovery.planning import DEFAULT_INCIDENT

Theme = Annotated[str, typer.Option("--theme", help="night, or day: light with high contrast.")]


@app.command("tui")
def dashboard(
    context: typer.Context,
    inventory: Inventory = [],
    incident: IncidentOption = "",
    mock: Mock = False,
    speed: Speed = "60x",
    seed: Seed = 0,
    mix: Mix = "",
    theme: Theme = "",
    journal: JournalOption = "",
) -> int:
    """Watch and steer the recovery on one screen. Leaving it stops no run."""
    acting = service(context, journal)
    settings = acting.settings
    _check_place(inventory)
    from recovery.tui.deck import Deck
    from recovery.tui.open import open_dashboard

    deck = Deck(
        inventory=tuple(inventory) or settings.inventory,
        incident=incident or settings.incident or DEFAULT_INCIDENT,
        mock=mock, speed=speed, seed=seed, mix=mix, by=user(),
        config=(context.find_root().obj or {}).get("config") or "",
        theme=theme or settings.tui.theme, keys=settings.tui.keys,
    )  # fmt: skip
    data(open_dashboard(acting, deck))
    return 0


def _check_place(inventory: list[str]) -> None:
    if "-" in inventory:
        raise UsageError("-i -: the keyboard is read from there; write the inventory to a file")
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise UsageError("this needs a terminal; `recovery status` and `recovery hosts` do not")
