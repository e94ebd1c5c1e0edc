"""The line at the bottom: what can be done here, by which key. One text: it changes with every screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widgets import Static

from recovery.tui.actions import Action, keys_of
from recovery.tui.snapshot import EMPTY, Snapshot

_HELP = "app.help"


class KeyLine(Static):
    """Shows as many actions as there is room for; what cannot be done now is grey. Help is always in sight."""

    snapshot: reactive[Snapshot] = reactive(EMPTY, init=False, repaint=False)

    def __init__(self, actions: Sequence[Action], keys: Mapping[str, str]) -> None:
        """For these actions, with the key map of the settings."""
        super().__init__(markup=False)
        self._actions = [action for action in actions if action.shown and action.id != _HELP]
        self._help = [action for action in actions if action.id == _HELP]
        self._keys = keys
        self._drawn = Content("")

    def watch_snapshot(self) -> None:
        """Say what can be done now."""
        self._say()

    def on_resize(self) -> None:
        """Use the room there is."""
        self._say()

    def _say(self) -> None:
        right = Content.assemble(*(self._part(action) for action in self._help))
        left, room = Content(""), self.size.width - right.cell_length
        for action in self._actions:
            part = self._part(action)
            if left.cell_length + part.cell_length > room:
                break
            left = Content.assemble(left, part)
        drawn = Content.assemble(left, " " * max(0, room - left.cell_length), right)
        if not drawn.is_same(self._drawn):
            self._drawn = drawn
            self.update(drawn, layout=False)

    def _part(self, action: Action) -> Content:
        grey = bool(action.ready(self.snapshot))
        part = Content.assemble(
            (
                f" {keys_of(action, self._keys).partition(',')[0]} ",
                "$muted" if grey else "bold $accent",
            ),
            (f"{action.title} ", "$muted") if grey else f"{action.title} ",
        )
        return part if grey else part.stylize(Style.from_meta({"@click": action.target}))
