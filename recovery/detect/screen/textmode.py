"""Text screens of consoles, whose letters are told exactly, by their font."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

from recovery.detect.screen import glyphs
from recovery.detect.screen.look import Look, ink, near
from recovery.detect.screen.text import Line

_MOST_COLUMNS, _MOST_ROWS = 320, 120
_FEWEST = 8
"""Letters."""
_KNOWN = 0.85
"""Of the letters on the screen that have to be known, or it is another font."""
_NO_LETTER = "\ufffd"
_WIDTHS = (8, 9)
_DARK = 90
_LEAST_INK = 0.0004


def read(image: Image.Image, seen: Look) -> tuple[Line, ...]:
    """The lines of a text screen with the hardware's font, one pixel of it for each or two; empty for anything else."""
    if seen.family not in {"black", "navy", "other", "grey"} or max(seen.background[:2]) > _DARK:
        return ()
    if seen.ink < _LEAST_INK:
        return ()
    mask = ink(image, seen.background)
    for left, top, part in _places(image, mask, seen):
        for columns, rows in _shapes(part.size):
            found = _lines(part.resize((columns, rows), Image.Resampling.NEAREST), left, top)
            if found:
                return found
    return ()


def _places(
    image: Image.Image, mask: Image.Image, seen: Look
) -> Iterator[tuple[int, int, Image.Image]]:
    """Where a text screen may begin: in the corner of the picture, or in that of the rectangle within it."""
    yield 0, 0, mask
    box = near(image, seen.background).getbbox()
    if box and (seen.framed or box != (0, 0, *image.size)):
        yield box[0], box[1], mask.crop(box)


def _shapes(size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The sizes in which the letters may have one pixel for each of the font's."""
    width, height = size
    yield width, height
    if width % 2 == 0 and height % 2 == 0:
        yield width // 2, height // 2
    if height % 2 == 0:
        yield width, height // 2


def _lines(mask: Image.Image, left: int, top: int) -> tuple[Line, ...]:
    for width in _WIDTHS:
        columns, rows = mask.width // width, mask.height // glyphs.HEIGHT
        if 0 < columns <= _MOST_COLUMNS and 0 < rows <= _MOST_ROWS:
            text = _decoded(mask, width, columns, rows)
            if _is_text(text):
                return tuple(
                    Line(line.rstrip(), left, top + 16 * n, left + mask.width, top + 16 * (n + 1))
                    for n, line in enumerate(text)
                    if line.strip()
                )
    return ()


def _decoded(mask: Image.Image, width: int, columns: int, rows: int) -> list[str]:
    known = glyphs.letters()
    mask = mask.convert("1")
    height = rows * glyphs.HEIGHT
    strips = []
    for column in range(columns):
        left = column * width
        strip = mask.crop((left, 0, left + glyphs.WIDTH, height)).tobytes()
        strips.append(
            [
                known.get(strip[at : at + glyphs.HEIGHT], _NO_LETTER)
                for at in range(0, height, glyphs.HEIGHT)
            ]
        )
    return ["".join(row) for row in zip(*strips, strict=True)]


def _is_text(lines: list[str]) -> bool:
    text = "".join(lines).replace(" ", "")
    unknown = text.count(_NO_LETTER)
    return len(text) - unknown >= _FEWEST and unknown <= (1 - _KNOWN) * len(text)
