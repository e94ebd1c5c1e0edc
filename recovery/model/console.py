"""What a console shows and can do: the words that its port, the evidence and the rules share."""

from __future__ import annotations

from typing import Literal

from recovery.model.reading import Label

Power = Literal["on", "off", "paused", "crashed", "unknown"]
"""`crashed`: it has power, and its hypervisor holds it after a panic. `paused`: it has power and does not run."""

PowerAct = Literal["on", "off", "cycle"]
"""`cycle`: off, seen to be off, then on."""

ConsoleAct = PowerAct | Literal["boot_once"]
"""What a console is asked to do to a machine. `boot_once`: choose the device of the next start, without starting."""

BootDevice = Literal["disk", "network", "media"]
"""`media`: the virtual medium that is inserted for the next start."""

CRASHED: frozenset[Label] = frozenset({"bugcheck", "linux_panic"})
"""Screens of a machine that has crashed."""

RUNNING: frozenset[Label] = frozenset({"sign_in", "desktop", "text_console"})
"""Screens of a system that runs."""
