"""What a dashboard was opened for."""

from __future__ import annotations

from typing import Literal

import msgspec

from recovery.planning import DEFAULT_INCIDENT


class Deck(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `recovery tui`."""

    inventory: tuple[str, ...] = ()
    incident: str = DEFAULT_INCIDENT
    mock: bool = False
    """Runs that are begun here are on the mock twin."""
    speed: str = "60x"
    seed: int = 0
    mix: str = ""
    technicians: int = 0
    """On duty in each shift, for the forecast; without any there is none."""
    config: str = ""
    """The settings' file, for the processes that are started."""
    by: str = ""
    """Who sits in front of it."""
    theme: str = "night"
    pictures: Literal["auto", "sixel", "kitty", "blocks", "none"] = "auto"
    """How pictures of screens are shown."""
    keys: dict[str, str] = {}
    """Action to the keys that it has instead of its own."""

    @property
    def world(self) -> bool | None:
        """The world to show: with hosts to act on the one in which that happens, else that of the journal (None)."""
        return self.mock if self.mock or self.inventory else None

    def words(self, journal: str) -> list[str]:
        """The words behind `recovery` that open this dashboard on this journal."""
        words = [f"--config={self.config}"] if self.config else []
        words += ["tui", "--journal", journal, "--incident", self.incident]
        for source in self.inventory:
            words += ["-i", source]
        if self.mock:
            words += ["--mock", "--speed", self.speed]
            words += ["--seed", str(self.seed)] if self.seed else []
            words += ["--mix", self.mix] if self.mix else []
        words += ["--technicians", str(self.technicians)]
        if self.theme != Deck().theme:
            words += ["--theme", self.theme]
        return words
