"""The picture of a host's screen in all the room there is, with what was read off it in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static
from typing_extensions import override

from recovery.tui.draw.figures import clock, lines, span
from recovery.tui.inert import content
from recovery.tui.pictures import HostPicture
from recovery.tui.widgets.picture import Way, picture_widget


def caption(picture: HostPicture, now: datetime) -> Content:
    """What it is, how old it is, and what it shows."""
    age = ""
    if picture.at is not None:
        age = (
            f", {span(max(0.0, (now - picture.at).total_seconds()))} old ({clock(picture.at, now)})"
        )
    found = [
        content(f"Screen, {picture.title}{age}", "bold $primary"),
        content(picture.words),
    ]
    if picture.image is None:
        found.append(content(picture.why_not, "$warning"))
    return lines(found)


class PictureScreen(ModalScreen[None]):
    """One picture after the other."""

    DEFAULT_CSS = """
    PictureScreen > #frame { padding: 0 1; background: $surface; border: round $primary; }
    PictureScreen #caption { height: auto; }
    PictureScreen #picture { height: 1fr; }
    PictureScreen #picture > * { width: auto; height: 100%; max-width: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,p,q", "dismiss", "Close"),
        ("n,space,tab", "next", "The other one"),
    ]

    def __init__(self, pictures: Sequence[HostPicture], way: Way, now: datetime) -> None:
        """Of these, at least one, the first is shown first."""
        super().__init__()
        self._pictures = pictures
        self._way = way
        self._now = now
        self._place = 0

    @override
    def compose(self) -> ComposeResult:
        """Words above, the picture below."""
        with Vertical(id="frame") as box:
            more = "   n shows the other one" if len(self._pictures) > 1 else ""
            box.border_subtitle = f"Esc closes{more}"
            yield Static(id="caption", markup=False)
            yield Vertical(id="picture")

    async def on_mount(self) -> None:
        """Show the first."""
        await self._show()

    async def action_next(self) -> None:
        """Show the other one."""
        self._place = (self._place + 1) % len(self._pictures)
        await self._show()

    async def _show(self) -> None:
        picture = self._pictures[self._place]
        self.query_one("#caption", Static).update(caption(picture, self._now))
        place = self.query_one("#picture", Vertical)
        await place.remove_children()
        if picture.image is not None:
            await place.mount(picture_widget(picture.image, self._way))
