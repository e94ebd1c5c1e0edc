"""Text from outside, made harmless: no markup, no escapes, no direction tricks, bounded."""

from __future__ import annotations

from textual.content import Content

from recovery.inert import visible
from recovery.redact import scrub

_LONGEST = 2000


def plain(text: str, longest: int = _LONGEST) -> str:
    """The text on one line with secrets masked, control, format and direction characters made visible, and cut."""
    text = scrub(text[: longest + 1])
    text = visible(text)
    return text if len(text) <= longest else text[: max(0, longest - 1)] + "…"


def content(text: str, style: str = "", longest: int = _LONGEST) -> Content:
    """As `plain`, in a form in which Textual looks for no markup."""
    return Content.styled(plain(text, longest), style) if style else Content(plain(text, longest))
