"""Lines of text on a screen, and those who read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from PIL import Image


class Line(msgspec.Struct, frozen=True):
    """One line that was read; its place in pixels of the picture that was given."""

    text: str
    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0


class Recognised(msgspec.Struct, frozen=True):
    """What a reader made of a picture."""

    lines: tuple[Line, ...] = ()
    """From top to bottom."""
    problem: str = ""
    """Why it read nothing."""


class TextReader(Protocol):
    """Somebody who reads the text of a picture (OCR)."""

    @property
    def name(self) -> str:
        """For people."""

    def read(self, image: Image.Image) -> Recognised:
        """The lines of an RGB picture. Never raises for what the picture shows; bounded in time."""
