"""Fonts that the machine has; the corpus takes Pillow's own where there is none."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PIL import ImageFont

_FOLDER = Path("/usr/share/fonts")
_TEXT = (
    "truetype/open-sans/OpenSans-Light.ttf",
    "truetype/open-sans/OpenSans-Regular.ttf",
    "truetype/dejavu/DejaVuSans.ttf",
    "truetype/lato/Lato-Light.ttf",
    "truetype/liberation/LiberationSans-Regular.ttf",
)
_FIXED = ("truetype/dejavu/DejaVuSansMono.ttf", "truetype/liberation/LiberationMono-Regular.ttf")
_IDEOGRAPHS = "opentype/noto/NotoSansCJK-Regular.ttc"


@cache
def text() -> tuple[str, ...]:
    """Proportional fonts; the empty name is Pillow's."""
    return ("", *_there(_TEXT))


@cache
def fixed() -> tuple[str, ...]:
    """Fonts of fixed width; the empty name is the hardware's."""
    return ("", *_there(_FIXED))


@cache
def broad() -> str:
    """One with accents and Cyrillic letters; empty where there is none."""
    return next(iter(_there(_TEXT[1:3])), "")


@cache
def ideographs() -> str:
    """One with Chinese, Japanese and Korean characters; empty where there is none."""
    return next(iter(_there((_IDEOGRAPHS,))), "")


def load(name: str, size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font of so many pixels."""
    return ImageFont.truetype(name, size) if name else ImageFont.load_default(size)


def _there(names: tuple[str, ...]) -> list[str]:
    return [str(_FOLDER / name) for name in names if (_FOLDER / name).exists()]
