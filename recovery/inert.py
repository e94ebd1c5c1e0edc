"""Text from outside, made harmless for people's screens."""

from __future__ import annotations


def visible(text: str) -> str:
    r"""The text with control, escape and direction characters made visible: `\x1b`."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
