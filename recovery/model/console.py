"""What a console shows and can do: the words that its port, the evidence and the rules share."""

from __future__ import annotations

from typing import Literal

import msgspec

Power = Literal["on", "off", "paused", "crashed", "unknown"]
"""`crashed`: it has power, and its hypervisor holds it after a panic. `paused`: it has power and does not run."""

PowerAct = Literal["on", "off", "cycle"]
"""`cycle`: off, seen to be off, then on."""

BootDevice = Literal["disk", "network", "media"]
"""`media`: the virtual medium that is inserted for the next start."""

ScreenLabel = Literal[
    "bugcheck",
    "recovery_screen",
    "needs_key",
    "blue_windows",
    "firmware",
    "boot_menu",
    "linux_panic",
    "text_console",
    "updating",
    "sign_in",
    "desktop",
    "blank",
    "unknown",
]
"""What a picture shows. `blue_windows`: bug check, recovery screen or key prompt, whose text could not be read."""

CRASHED: frozenset[ScreenLabel] = frozenset({"bugcheck", "linux_panic"})
"""Screens of a machine that has crashed."""

RUNNING: frozenset[ScreenLabel] = frozenset({"sign_in", "desktop", "text_console", "updating"})
"""Screens of a system that runs."""


class Reading(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was read off one picture."""

    label: ScreenLabel = "unknown"
    confidence: float = 0.0
    """From 0 to 1."""
    stop_code: int | None = None
    module: str = ""
    """What the screen says has failed."""
    percent: int | None = None
    key_id: str = ""
    """Id of the BitLocker key that is asked for."""
    panic: str = ""
    """The line of a panic that says why."""
