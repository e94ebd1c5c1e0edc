"""Text of a terminal's width. What comes from outside is shown as it is spelt, never carried out."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from recovery.tui.inert import plain


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Text of exactly `width` cells: cut with an ellipsis, or filled up. Wide characters count as two."""
    if width <= 0:
        return ""
    text = plain(text)
    length = cell_len(text)
    if length > width:
        return set_cell_size(set_cell_size(text, width - 1).rstrip() + "…", width)
    space = " " * (width - length)
    return space + text if right else text + space
