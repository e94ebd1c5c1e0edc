"""Text of a terminal's width. What comes from outside is shown as it is spelt, never carried out."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size


def inert(text: str) -> str:
    """Text with control characters, line breaks and marks of direction made visible."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Text of exactly `width` cells: cut with an ellipsis, or filled up. Wide characters count as two."""
    if width <= 0:
        return ""
    text = inert(text)
    length = cell_len(text)
    if length > width:
        return set_cell_size(set_cell_size(text, width - 1).rstrip() + "…", width)
    space = " " * (width - length)
    return space + text if right else text + space
