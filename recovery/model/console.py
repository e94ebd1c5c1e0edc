"""What a console shows and can do: the words that its port, the evidence and the rules share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from recovery.model.reading import Label

Power = Literal["on", "off", "paused", "crashed", "unknown"]
"""`crashed`: it has power, and its hypervisor holds it after a panic. `paused`: it has power and does not run."""

PowerAct = Literal["on", "off", "cycle"]
"""`cycle`: off, seen to be off, then on."""

ConsoleAct = PowerAct | Literal["boot_once"]
"""What a console is asked to do to a machine. `boot_once`: choose the device of the next start, without starting."""

BootDevice = Literal["disk", "network", "media"]
"""`media`: the virtual medium that is inserted for the next start."""

BootName = Literal["disk", "pxe", "cd"]
BOOT_DEVICES: Mapping[BootName, BootDevice] = {"disk": "disk", "pxe": "network", "cd": "media"}
"""The devices as people name them."""

_LONGEST_MEDIUM = 2000
_MEDIA = ("http", "https", "nfs", "cifs")
"""Ways by which management boards fetch media (DMTF DSP0268, `VirtualMedia.TransferProtocolType`)."""


def medium_problem(device: BootDevice, medium: str) -> str:
    """Why a start from `device` cannot have `medium`, the URL of an image; empty where it can."""
    if bool(medium) is not (device == "media"):
        return "a medium is given for a start from a CD, and for no other"
    try:
        parts = urlsplit(medium)
    except ValueError:
        parts = urlsplit("")
    if medium and (
        parts.scheme not in _MEDIA or not parts.hostname or len(medium) > _LONGEST_MEDIUM
    ):
        return f"the medium is no URL that a board can fetch ({', '.join(_MEDIA)})"
    if parts.username is not None or parts.password is not None:
        return "the medium's URL names a user or a password, which would be written down"
    return ""


CRASHED: frozenset[Label] = frozenset({"bugcheck", "linux_panic"})
"""Screens of a machine that has crashed."""

RUNNING: frozenset[Label] = frozenset({"sign_in", "desktop", "text_console"})
"""Screens of a system that runs."""
