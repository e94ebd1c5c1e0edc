"""The line at the top: the screens, the world that is shown, and the time."""

from __future__ import annotations

from textual.content import Content
from textual.events import Click
from textual.reactive import reactive
from textual.widgets import Static

from recovery.tui.snapshot import EMPTY, Snapshot

_TABS = (
    ("situation", "Situation"),
    ("fleet", "Fleet"),
    ("runs", "Runs"),
    ("hands", "Hands"),
    ("journal", "Journal"),
)
_ROOM_FOR_WORDS = 100


class Banner(Static):
    """Tabs, and everything that must not be misread: whether hosts are simulated, whether the picture is whole."""

    snapshot: reactive[Snapshot] = reactive(EMPTY, init=False, repaint=False)

    def __init__(self, current: str) -> None:
        """On the screen of this mode."""
        super().__init__(markup=False)
        self._current = current
        self._shown = ""

    def watch_snapshot(self) -> None:
        """Say what is new."""
        self._say()

    def on_resize(self) -> None:
        """Use the room there is."""
        self._say()

    async def on_click(self, event: Click) -> None:
        """To the screen of that tab."""
        end = 0
        for (mode, _), tab in zip(_TABS, self._tabs(), strict=True):
            end += tab.cell_length
            if event.x < end:
                await self.app.run_action(f"app.switch_mode('{mode}')")
                return

    def _say(self) -> None:
        text = Content.assemble(*self._tabs(), *self._world())
        line = text
        for clock in self._clocks():
            room = self.size.width - text.cell_length - len(clock) - 1
            if room > 0:
                line = Content.assemble(text, " " * room, clock)
                break
        if line.markup != self._shown:
            self._shown = line.markup
            self.update(line, layout=False)

    def _tabs(self) -> list[Content]:
        tabs = []
        for number, (mode, title) in enumerate(_TABS, 1):
            look = "bold reverse" if mode == self._current else "$muted"
            tabs.append(Content.styled(f" {number} {title} ", look))
        return tabs

    def _world(self) -> list[Content]:
        snapshot, parts = self.snapshot, []
        if snapshot.mock:
            wide = self.size.width >= _ROOM_FOR_WORDS
            words = " MOCK: nothing here is real " if wide else " MOCK "
            parts.append(Content.styled(words, "bold $background on $warning"))
        if snapshot.problem:
            parts.append(Content.styled(" ✗ not up to date ", "bold $error"))
        elif snapshot.stage == "inventory":
            parts.append(Content.styled(" reads the inventory… ", "$warning"))
        elif snapshot.stage == "journal":
            parts.append(
                Content.styled(
                    f" reads the journal, {snapshot.behind:,} events to go… ", "$warning"
                )
            )
        return [Content(" "), *parts]

    def _clocks(self) -> tuple[str, ...]:
        """The time, in full and in short."""
        if self.snapshot.stage == "starting":
            return ()
        now = self.snapshot.now
        return f"{now:%Y-%m-%d %H:%M:%S} UTC", f"{now:%H:%M:%S} UTC", f"{now:%H:%M:%S}"
