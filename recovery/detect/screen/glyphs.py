"""The letters of text screens: 8 pixels wide, 16 high, as video hardware and Linux' console draw them.

`vga16.hex` has a line for each: a character's number and its rows, one byte each, the leftmost pixel first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

WIDTH, HEIGHT = 8, 16


@cache
def rows() -> Mapping[str, bytes]:
    """The rows of each character."""
    return dict(reversed(_drawn()))


@cache
def letters() -> Mapping[bytes, str]:
    """The character that rows draw; light on dark or dark on light."""
    found = {drawn: letter for letter, drawn in reversed(_drawn())}
    reverse = {bytes(0xFF - row for row in drawn): letter for drawn, letter in found.items()}
    blank = {bytes(HEIGHT): " ", b"\xff" * HEIGHT: " "}
    return reverse | found | blank


@cache
def _drawn() -> Sequence[tuple[str, bytes]]:
    lines = Path(__file__).with_name("vga16.hex").read_text("utf-8").splitlines()
    pairs = (line.split(":") for line in lines if line and not line.startswith("#"))
    return [(chr(int(number, 16)), bytes.fromhex(drawn)) for number, drawn in pairs]
