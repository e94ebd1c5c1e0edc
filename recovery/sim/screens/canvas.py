"""What a screen is drawn on: places are parts of its size, and fonts are those of a `Style`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from PIL import Image, ImageDraw, ImageFont

from recovery.detect.screen import glyphs

Colour = tuple[int, int, int]

WINDOWS_10: Colour = (0, 120, 215)
WINDOWS_8: Colour = (32, 104, 180)
NAVY: Colour = (0, 0, 128)
VGA_BLUE: Colour = (0, 0, 170)
GREY: Colour = (170, 170, 170)
BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)
INSIDER: Colour = (27, 122, 43)

_EYE = 4
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """How a screen is drawn; everything has a default that resembles the real one."""

    background: Colour | None = None
    """Instead of the screen's own."""
    font: str = ""
    """A TrueType file for proportional text; empty is Pillow's own."""
    fixed: str = ""
    """The same for text of fixed width."""
    shift: tuple[float, float] = (0.0, 0.0)
    """By which part of width and height the text is moved."""
    scale: float = 1.0
    """Of the letters."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on the screens."""

    stop_code: int = 0x50
    stop_name: str = "PAGE_FAULT_IN_NONPAGED_AREA"
    module: str = "csagent.sys"
    percent: int = 20
    key_id: str = "A1B2C3D4-5E6F-7081-92A3-B4C5D6E7F809"
    host: str = "host"
    panic: str = "VFS: Unable to mount root fs on unknown-block(0,0)"


class Canvas:
    """A picture that is being drawn; places are parts of its width and height."""

    def __init__(self, size: tuple[int, int], background: Colour, style: Style) -> None:
        self.style = style
        self.ground = background
        self.image = Image.new("RGB", size, style.background or background)
        self.pen = ImageDraw.Draw(self.image)
        self.width, self.height = size

    def font(self, size: float, *, fixed: bool = False) -> _Font:
        """A font; `size` is the height of the letters as a part of the picture's."""
        pixels = max(6.0, size * self.height * self.style.scale)
        name = self.style.fixed if fixed else self.style.font
        return ImageFont.truetype(name, pixels) if name else ImageFont.load_default(pixels)

    def text(self, at: tuple[float, float], text: str, size: float, colour: Colour = WHITE) -> None:
        """One line."""
        x, y = self._moved(at)
        self.pen.text((x, y), text, font=self.font(size), fill=colour)

    def centred(self, y: float, text: str, size: float, colour: Colour = WHITE) -> None:
        """One line in the middle."""
        font = self.font(size)
        x = (self.width - font.getlength(text)) / 2
        self.pen.text((x, self._moved((0, y))[1]), text, font=font, fill=colour)

    def paragraph(
        self, at: tuple[float, float], text: str, size: float, right: float = 0.85
    ) -> float:
        """Lines broken at `right`; returns where the next one would begin, as a part of the height."""
        font = self.font(size)
        x, y = self._moved(at)
        step = size * self.height * self.style.scale * 1.36
        line = ""
        for word in [*text.split(" "), "\n"]:
            if word == "\n" or font.getlength(f"{line} {word}") > right * self.width - x:
                self.pen.text((x, y), line, font=font, fill=WHITE)
                y, line = y + step, word
            else:
                line = f"{line} {word}".strip()
        return y / self.height - self.style.shift[1]

    def grid(self, lines: Sequence[str], colour: Colour = GREY) -> None:
        """A text screen of 80 columns, scaled to the picture as a video card's output is.

        Where the style names a font for it, that is used, in cells of the same size.
        """
        screen = Image.new("RGB", (640, 400), self.style.background or self.ground)
        pen = ImageDraw.Draw(screen)
        other = ImageFont.truetype(self.style.fixed, 13) if self.style.fixed else None
        letters = glyphs.rows()
        for row, line in enumerate(lines):
            for column, letter in enumerate(line):
                at = (column * glyphs.WIDTH, row * glyphs.HEIGHT)
                if other is not None:
                    pen.text(at, letter, font=other, fill=colour)
                elif letter in letters:
                    mask = Image.frombytes("1", (glyphs.WIDTH, glyphs.HEIGHT), letters[letter])
                    pen.bitmap(at, mask, fill=colour)
        fitted = screen.resize((self.width, self.height), _resampling(self.width, self.height))
        self.image.paste(fitted, (0, 0))

    def box(
        self, at: tuple[float, float, float, float], fill: Colour, outline: Colour | None = None
    ) -> None:
        """A rectangle: left, top, right, bottom."""
        w, h = self.width, self.height
        self.pen.rectangle((at[0] * w, at[1] * h, at[2] * w, at[3] * h), fill, outline)

    def code(self, at: tuple[float, float], size: float, seed: int) -> None:
        """Something like a QR code; `size` is a part of the height."""
        cell = max(1, round(size * self.height / 25))
        x0, y0 = (int(v) for v in self._moved(at))
        self.pen.rectangle((x0 - cell, y0 - cell, x0 + 26 * cell, y0 + 26 * cell), WHITE)
        paper = self.style.background or WINDOWS_10
        for row in range(25):
            for column in range(25):
                seed = (seed * 1103515245 + 12345) % 2**31
                if _dark(row, column, chance=bool(seed >> 16 & 1)):
                    x, y = x0 + column * cell, y0 + row * cell
                    self.pen.rectangle((x, y, x + cell - 1, y + cell - 1), paper)

    def _moved(self, at: tuple[float, float]) -> tuple[float, float]:
        return (at[0] + self.style.shift[0]) * self.width, (
            at[1] + self.style.shift[1]
        ) * self.height


def _dark(row: int, column: int, *, chance: bool) -> bool:
    """Whether a module of a QR code of 25 by 25 is dark: the three eyes always are where they have to be."""
    for top, left in ((0, 0), (0, 18), (18, 0)):
        ring = max(abs(row - top - 3), abs(column - left - 3))
        if ring <= _EYE:
            return ring not in {2, _EYE}
    return chance


def _resampling(width: int, height: int) -> Image.Resampling:
    """Whole multiples keep their edges, as on a console; the rest is smoothed, as by a viewer."""
    whole = width % 640 == 0 and height % 400 == 0
    return Image.Resampling.NEAREST if whole else Image.Resampling.BILINEAR


Painter = Callable[[Canvas, Facts], None]
