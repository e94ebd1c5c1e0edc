"""What a picture of a console shows."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

Label = Literal[
    "bugcheck",
    "recovery_screen",
    "needs_key",
    "firmware",
    "boot_menu",
    "linux_panic",
    "text_console",
    "sign_in",
    "desktop",
    "blank",
    "unknown",
]
LABELS: tuple[Label, ...] = get_args(Label)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one picture of a console shows, and what could be read off it. What was not read is empty, never guessed."""

    label: Label
    confidence: float
    """From 0 to 1: how sure it is that the label is right."""
    meaning: str
    """For people; where the label is `unknown`, what is known all the same."""
    alternatives: tuple[Label, ...] = ()
    """The labels that it may be, where what could be seen does not tell them apart."""
    busy: bool = False
    """The machine puts in updates, or repairs itself, and says that it is not to be switched off."""
    stop_code: int | None = None
    stop_code_name: str = ""
    """Microsoft's name; without `stop_code` the text that stands in its place and is in no list."""
    module: str = ""
    """The file that the screen says failed."""
    percent: int | None = None
    key_id: str = ""
    """The id of the recovery key that is asked for: a GUID, or its first eight digits where no more is shown."""
    panic: str = ""
    """The line in which a kernel gives up."""
    text: tuple[str, ...] = ()
    """Lines that were read, from top to bottom; bounded."""
    read_by: str = ""
    """`font` for a text screen whose letters were told exactly, the name of a text recogniser, or empty."""
    width: int = 0
    """Pixels."""
    height: int = 0
    guest: tuple[int, int, int, int] | None = None
    """Left, top, right, bottom of the machine's own screen where a viewer's frame surrounds it."""
    problems: tuple[str, ...] = ()
    """What of the picture is lost or could not be done."""
