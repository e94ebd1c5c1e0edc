"""Hosts that say the same, folded: how many there are of each reply, and how it differs from that of the most."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option
from typing_extensions import override

from recovery.inventory.ranges import fold
from recovery.report.folding import Group, compare
from recovery.tui.fleet_rows import HostRow, replies
from recovery.tui.inert import content
from recovery.tui.widgets.choices import Choices

_MOST = 500
"""Groups that are listed."""
_STYLES = {" ": "", "-": "$error", "+": "$success"}


class FoldedScreen(ModalScreen[None]):
    """Groups at the left, the reply of one at the right."""

    DEFAULT_CSS = """
    FoldedScreen > Vertical { width: 100%; height: 100%; background: $surface; border: round $primary; }
    FoldedScreen Horizontal { height: 1fr; }
    FoldedScreen Choices { width: 34; height: 1fr; }
    FoldedScreen VerticalScroll { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,f", "dismiss", "Back")]

    def __init__(self, rows: Sequence[HostRow], what: str) -> None:
        """Fold what these hosts say."""
        super().__init__()
        self._rows = rows
        self._what = what
        self._groups: Sequence[Group] = ()

    @override
    def compose(self) -> ComposeResult:
        """The groups, and what one of them says."""
        with Vertical() as box:
            box.border_title = content(f"The same replies: {self._what}", longest=100)
            box.border_subtitle = (
                "↑↓ choose   Tab: the reply   - most say, these not   + only these say   Esc back"
            )
            with Horizontal():
                yield Choices(id="groups")
                with VerticalScroll():
                    yield Static("… folds", id="reply", markup=False)

    def on_mount(self) -> None:
        """Fold."""
        self.query_one(OptionList).focus()
        self.fold_rows()

    @work
    async def fold_rows(self) -> None:
        """Fold on another thread, and list the groups."""
        self._groups = await asyncio.to_thread(replies, self._rows)
        options = self.query_one(OptionList)
        for group in self._groups[:_MOST]:
            words = f"{len(group.hosts):>7,}  {group.reply[0].partition(': ')[2]}"
            options.add_option(Option(content(words)))
        if self._groups:
            options.highlighted = 0
        else:
            self.query_one("#reply", Static).update("No host is listed.")

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        group, common = self._groups[event.option_index], self._groups[0]
        count = len(group.hosts)
        lines = [
            content(f"{count:,} host{'s' if count != 1 else ''}: {fold(group.hosts)}", "bold"),
            Content(""),
        ]
        lines += [
            content(f"{change.mark} {change.text}", _STYLES[change.mark])
            for change in compare(common.reply, group.reply)
        ]
        self.query_one("#reply", Static).update(Content("\n").join(lines))
