"""The screens that a simulated machine's console shows, drawn with Pillow alone.

Texts and colours are those that Windows, Linux and firmware show; fonts are whatever `Style` names, so that no reader
of pictures gets used to one hand.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from recovery.sim.screens import others, windows
from recovery.sim.screens.canvas import (
    BLACK,
    INSIDER,
    NAVY,
    VGA_BLUE,
    WINDOWS_8,
    WINDOWS_10,
    Canvas,
    Colour,
    Facts,
    Painter,
    Style,
)

if TYPE_CHECKING:
    from PIL import Image


class _Screen(msgspec.Struct, frozen=True):
    background: Colour
    paint: Painter


def _nothing(_: Canvas, __: Facts) -> None:
    """A picture of one colour."""


_SCREENS: Mapping[str, _Screen] = {
    "windows10_bugcheck": _Screen(WINDOWS_10, windows.windows_10),
    "windows8_bugcheck": _Screen(WINDOWS_8, windows.windows_8),
    "windows11_bugcheck": _Screen(BLACK, windows.windows_11),
    "insider_bugcheck": _Screen(INSIDER, windows.windows_10),
    "windows7_bugcheck": _Screen(NAVY, windows.windows_7),
    "recovery": _Screen(WINDOWS_8, windows.recovery),
    "automatic_repair": _Screen(WINDOWS_8, windows.automatic_repair),
    "choose_option": _Screen(WINDOWS_8, windows.choose_option),
    "preparing_repair": _Screen(BLACK, windows.preparing_repair),
    "bitlocker": _Screen(WINDOWS_8, windows.bitlocker),
    "firmware": _Screen(VGA_BLUE, others.firmware),
    "grub": _Screen(BLACK, others.grub),
    "boot_error": _Screen(BLACK, others.boot_error),
    "linux_panic": _Screen(BLACK, others.panic),
    "login": _Screen(BLACK, others.login),
    "lock": _Screen(BLACK, others.lock),
    "desktop": _Screen(BLACK, others.desktop),
    "updating": _Screen(WINDOWS_10, others.updating),
    "blank": _Screen(BLACK, _nothing),
}


def names() -> tuple[str, ...]:
    """The screens there are."""
    return tuple(_SCREENS)


def draw(
    name: str,
    size: tuple[int, int] = (1280, 720),
    facts: Facts | None = None,
    style: Style | None = None,
) -> Image.Image:
    """The picture of a screen. `name` is one of `names()`; anything else is a `KeyError`."""
    screen = _SCREENS[name]
    canvas = Canvas(size, screen.background, style or Style())
    screen.paint(canvas, facts or Facts())
    return canvas.image


def encoded(image: Image.Image, form: str = "PNG", **how: Any) -> bytes:
    """The bytes of a picture, as a console would send them: `PNG`, `JPEG`, `BMP`, `PPM`."""
    buffer = io.BytesIO()
    image.save(buffer, form, **how)
    return buffer.getvalue()


def png(
    name: str,
    size: tuple[int, int] = (1280, 720),
    facts: Facts | None = None,
    style: Style | None = None,
) -> bytes:
    """The same as bytes."""
    return encoded(draw(name, size, facts, style))
