"""The letters of text screens: 8 pixels wide, 16 high, as video hardware and Linux' console draw them.

`vga16.hex` is the hardware's font, as Debian's console-setup ships it. Each line is a character's number and its rows,
one byte each, the leftmost pixel first.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

WIDTH, HEIGHT = 8, 16


@cache
def rows() -> Mapping[str, bytes]:
    """The rows of each character."""
    lines = Path(__file__).with_name("vga16.hex").read_text("utf-8").splitlines()
    pairs = (line.split(":") for line in lines if line and not line.startswith("#"))
    return {chr(int(number, 16)): bytes.fromhex(drawn) for number, drawn in pairs}
