"""The line at the bottom: what can be done here, by which key. One text: it changes with every screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content
from textual.events import Click
from textual.reactive import reactive
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
        self._places: list[tuple[int, Action]] = []
        """Where each action ends, for clicks."""

    def watch_snapshot(self) -> None:
        """Say what can be done now."""
        self._say()

    def on_resize(self) -> None:
        """Use the room there is."""
        self._say()

    async def on_click(self, event: Click) -> None:
        """As if the key were pressed."""
        for end, action in self._places:
            if event.x < end:
                await self.app.run_action(action.target)
                return

    def _say(self) -> None:
        right = Content.assemble(*(self._part(action) for action in self._help))
        left, room = Content(""), self.size.width - right.cell_length
        self._places = []
        for action in self._actions:
            part = self._part(action)
            if left.cell_length + part.cell_length > room:
                break
            left = Content.assemble(left, part)
            self._places.append((left.cell_length, action))
        gap = max(0, room - left.cell_length)
        self._places += [(self.size.width, action) for action in self._help]
        drawn = Content.assemble(left, " " * gap, right)
        if not drawn.is_same(self._drawn):
            self._drawn = drawn
            self.update(drawn, layout=False)

    def _part(self, action: Action) -> Content:
        grey = bool(action.ready(self.snapshot))
        key = keys_of(action, self._keys).partition(",")[0]
        return Content.assemble(
            (f" {key} ", "$muted" if grey else "bold $accent"),
            (f"{action.title} ", "$muted") if grey else f"{action.title} ",
        )
