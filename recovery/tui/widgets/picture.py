"""A picture in cells or in pixels, by what the terminal can do."""

from __future__ import annotations

import fcntl
import importlib
import io
import os
import struct
import sys
import termios
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from textual.widget import Widget
from textual.widgets import Static

from recovery.tui.inert import content

if TYPE_CHECKING:
    from PIL import Image

Way = Literal["auto", "sixel", "kitty", "blocks", "none"]
_CLASSES: Mapping[Way, str] = {
    "sixel": "SixelImage",
    "kitty": "TGPImage",
    "blocks": "HalfcellImage",
}
_KITTY = ("xterm-kitty", "xterm-ghostty")
_SIXEL = ("foot", "mlterm", "contour")
_SIXEL_PROGRAMS = ("WezTerm", "iTerm.app")
LACKING = "Pictures need textual-image: pip install 'fleet-recovery[pictures]'"


def way_of(wanted: Way, environment: Mapping[str, str]) -> Way:
    """How pictures are shown. By default what the terminal says of itself in the environment, else half blocks.

    The terminal is not asked: on a slow line its answer would arrive among the keys, and be taken for some. What
    stands between, such as tmux, does not pass pixels on.
    """
    if wanted != "auto":
        return wanted
    if any(name in environment for name in ("TEXTUAL_DRIVER", "TMUX", "STY", "NO_COLOR")):
        return "blocks"
    term = environment.get("TERM", "")
    if term in _KITTY or "KITTY_WINDOW_ID" in environment:
        return "kitty"
    if term.startswith(_SIXEL) or environment.get("TERM_PROGRAM") in _SIXEL_PROGRAMS:
        return "sixel"
    return "blocks"


def picture_widget(image: Image.Image, way: Way) -> Widget:
    """A widget that shows the image in the room it has, or says why it cannot."""
    if way not in _CLASSES:
        return Static(content("Pictures are switched off (tui.pictures: none)", "$muted"))
    try:
        library = _library()
    except ImportError:
        return Static(content(LACKING, "$muted"))
    widget: Widget = getattr(library, _CLASSES[way])(image)
    return widget


def _library() -> Any:
    """textual-image, kept from asking the terminal while it is imported."""
    name = "textual_image.widget"
    if name in sys.modules:
        return sys.modules[name]
    real = sys.__stdout__
    _tell_cell_size()
    vars(sys)["__stdout__"] = io.StringIO()
    try:
        return importlib.import_module(name)
    finally:
        vars(sys)["__stdout__"] = real


def _tell_cell_size() -> None:
    """Pixels of a cell, where the terminal's driver knows them; the library takes them from the environment."""
    if sys.__stdout__ is None:
        return
    try:
        answer = fcntl.ioctl(sys.__stdout__.fileno(), termios.TIOCGWINSZ, bytes(8))
    except (OSError, ValueError, AttributeError):
        return
    rows, columns, width, height = struct.unpack("HHHH", answer)
    if rows and columns and width >= columns and height >= rows:
        os.environ.setdefault("TEXTUAL_CELL_WIDTH", str(width // columns))
        os.environ.setdefault("TEXTUAL_CELL_HEIGHT", str(height // rows))
