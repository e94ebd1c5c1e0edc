"""A list from which one line is chosen, without a frame of its own."""

from __future__ import annotations

from textual.widgets import OptionList


class Choices(OptionList):
    """The line under the cursor keeps its colours."""

    DEFAULT_CSS = """
    Choices, Choices:focus { border: none; background: $surface; padding: 0; }
    Choices > .option-list--option-highlighted { background: $primary-muted; color: $foreground; }
    Choices:focus > .option-list--option-highlighted { background: $primary-muted; color: $foreground; }
    """
