"""A host's page: what it is in and why, what is known of it, what was tried, and how it came to this."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from textual import work
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static
from typing_extensions import override

from recovery.errors import RecoveryError
from recovery.journal.views import Line
from recovery.model.host import Fleet, Host
from recovery.model.state import HostState
from recovery.tui.actions import Action, bindings
from recovery.tui.draw.figures import some
from recovery.tui.fleet_rows import age, code, shown
from recovery.tui.inert import content
from recovery.tui.pictures import HostPicture
from recovery.tui.screens.acting import ActingPage
from recovery.tui.screens.picture import PictureScreen, caption
from recovery.tui.signs import OUTCOMES, PROGRESS, VERDICTS
from recovery.tui.snapshot import Snapshot
from recovery.tui.widgets.picture import Way, picture_widget, way_of

_OWN = (
    Action("host.act", "x", "Act", "Act on this host", "Host", shown=True),
    Action("host.picture", "p", "Picture", "The picture of its screen, large", "Host", shown=True),
    Action("host.leave", "escape", "Back", "Back to the list", "Host", shown=True),
)
_MOST_LINES = 400
_WIDE = 120


class HostScreen(ActingPage):
    """One host, and beside the facts the picture that its console showed last."""

    DEFAULT_CSS = """
    HostScreen #head { padding: 0 1; background: $panel; height: auto; }
    HostScreen #page { height: 1fr; scrollbar-size-vertical: 1; }
    HostScreen #upper { height: auto; }
    HostScreen #facts { width: 1fr; height: auto; padding: 0 1; }
    HostScreen #console { width: 44; height: auto; padding: 0 1; border-left: solid $border; display: none; }
    HostScreen #way, HostScreen #caption, HostScreen #picture { height: auto; }
    HostScreen #picture > * { width: 100%; height: auto; }
    HostScreen.wide #console { display: block; }
    HostScreen #lines { height: auto; padding: 0 1; border-top: solid $border; }
    """
    NAME = "fleet"
    ACTIONS: ClassVar[tuple[Action, ...]] = _OWN
    BINDINGS: ClassVar[list[BindingType]] = bindings(_OWN)

    def __init__(self, name: str) -> None:
        """The page of the host of that name."""
        super().__init__()
        self._host = name
        self._asked: HostState | None = None
        self._asking = False
        self._pictures: tuple[HostPicture, ...] = ()

    @override
    def body(self) -> Iterable[Widget]:
        """Head; and below it, as one page that scrolls: facts, the console's place, the timeline."""
        yield Static(id="head", markup=False)
        with VerticalScroll(id="page"):
            with Horizontal(id="upper"):
                yield Static(id="facts", markup=False)
                with Vertical(id="console"):
                    yield Static(id="way", markup=False)
                    yield Static(id="caption", markup=False)
                    yield Vertical(id="picture")
            yield Static("… reads the journal", id="lines", markup=False)

    def on_mount(self) -> None:
        """Show what the snapshot knows, and ask for the rest."""
        super().on_mount()
        self.query_one("#page").focus()
        self._show_head(self._state or HostState(self._host))

    def on_resize(self) -> None:
        """The console's place needs room."""
        self.set_class(self.size.width >= _WIDE, "wide")

    @property
    def _state(self) -> HostState | None:
        return self.snapshot.hosts.get(self._host)

    def watch_snapshot(self, _old: Snapshot, _new: Snapshot) -> None:
        """Read the host anew where something happened to it."""
        state = self._state
        if state is None:
            self._show_head(HostState(self._host))
            self.query_one("#lines", Static).update(
                "No run has met this host yet: x t looks at it."
            )
        elif state is not self._asked and not self._asking:
            self._asked, self._asking = state, True
            self.read_journal()

    @work(exclusive=True, group="explain", exit_on_error=False)
    async def read_journal(self) -> None:
        """Read all that is known of the host; what cannot be read now is read with the next snapshot."""
        try:
            state, lines = await self.gateway.explain(self._host, mock=self.snapshot.mock)
        except RecoveryError as error:
            self._asked = None
            why = content(f"✗ The journal cannot be read: {error}", "bold $error")
            self.query_one("#lines", Static).update(why)
            return
        finally:
            self._asking = False
        self._show(state, lines)

    def _show(self, state: HostState, lines: Sequence[Line]) -> None:
        self._show_head(state)
        shown_lines = Content("\n").join(_timeline(lines))
        self.query_one("#lines", Static).update(shown_lines)
        if state.case.screen or state.case.crash_screen:
            self.read_pictures()
        self.watch_snapshot(self.snapshot, self.snapshot)

    def _show_head(self, state: HostState) -> None:
        fleet = self.snapshot.fleet
        host = self.snapshot.members.get(self._host) or Host(name=self._host)
        verdict, progress = VERDICTS[state.verdict], PROGRESS[state.progress]
        self.query_one("#head", Static).update(
            Content.assemble(
                content(self._host, "bold"),
                "   ",
                content(shown(verdict), verdict.style),
                "   ",
                content(shown(progress), progress.style),
            )
        )
        facts = [*_because(state), *_about(host, fleet), *_seen(state, self.snapshot)]
        self.query_one("#facts", Static).update(Content("\n").join(facts))
        way = f"{host.console.kind} {host.console.address}" if host.console else "none"
        self.query_one("#way", Static).update(content(f"Console: {way}"))
        if self._pictures:
            self.query_one("#caption", Static).update(caption(self._pictures[0], self.snapshot.now))

    @work(exclusive=True, group="pictures", exit_on_error=False)
    async def read_pictures(self) -> None:
        """Read the pictures of the screen, and show the newest where there is room."""
        try:
            found = await self.gateway.pictures(self._host, mock=self.snapshot.mock)
        except RecoveryError as error:
            self.tell(str(error), severe=True)
            return
        before = [picture.at for picture in self._pictures]
        self._pictures = found
        if not found or before == [picture.at for picture in found]:
            return
        self.query_one("#caption", Static).update(caption(found[0], self.snapshot.now))
        place = self.query_one("#picture", Vertical)
        await place.remove_children()
        if found[0].image is not None:
            await place.mount(picture_widget(found[0].image, self._way))

    @property
    def _way(self) -> Way:
        return way_of(self.dashboard.deck.pictures, os.environ)

    async def action_picture(self) -> None:
        """The pictures, large."""
        if not self._pictures:
            self.tell("no picture of its screen is kept: a console brings them, with triage")
            return
        await self.app.push_screen(PictureScreen(self._pictures, self._way, self.snapshot.now))

    def action_act(self) -> None:
        """On this host."""
        self.act_on((self._host,))

    def action_leave(self) -> None:
        """Back to where one came from."""
        _ = self.dismiss()


def _because(state: HostState) -> Iterator[Content]:
    if state.because:
        yield content("Because", "bold $primary")
        for reason in state.because:
            yield content(f"  · {reason}")


def _about(host: Host, fleet: Fleet) -> Iterator[Content]:
    site, service = fleet.site_of(host).name, fleet.service_of(host).name
    place = " ".join(part for part in (host.site, site, host.location) if part)
    yield content("Facts", "bold $primary")
    yield content(f"  {host.kind}, {host.os}, {host.transport} to {host.target}")
    yield content(
        f"  at {place or 'no known place'}; serves {service or host.service or 'nothing named'}"
    )
    if host.protected:
        yield content("  ! protected: changed only from this page", "$warning")


def _seen(state: HostState, snapshot: Snapshot) -> Iterator[Content]:
    case = state.case
    seen = (
        "never"
        if case.answered_at is None
        else age((snapshot.now - case.answered_at).total_seconds()) + " ago"
    )
    silent = (
        f", silent since {case.silent_since:%H:%M:%S} ({case.silence})" if case.silent_since else ""
    )
    yield content(f"  answered {seen}{silent}")
    if case.boot is not None:
        yield content(
            f"  boot {case.boot.boot_id or 'without id'}, {some(len(case.boots), 'boot')} seen"
        )
    if code(state):
        crashes = "1 crash" if len(case.crashes) == 1 else f"{len(case.crashes)} crashes"
        yield content(f"  stop code {code(state)}, {crashes} on record", "$error")
    if case.facts is not None and case.facts.release:
        yield content(f"  {case.facts.release} {case.facts.safe_mode and 'SAFE MODE'}")
    yield content("Attempts", "bold $primary")
    outcome = f", {shown(OUTCOMES[state.outcome])}" if state.outcome else ""
    yield content(
        f"  {state.attempts} of this step, {some(state.reboots, 'restart')} asked for{outcome}"
    )
    if state.message:
        yield content(f"  last: {state.message}")
    if state.runbook:
        yield content(f"  handed over with runbook {state.runbook}", "$warning")


def _timeline(lines: Sequence[Line]) -> Iterator[Content]:
    """The newest first: that is what people look for."""
    run = ""
    for line in list(reversed(lines))[:_MOST_LINES]:
        if line.run != run:
            run = line.run
            yield content(f"Run {run}", "bold $primary")
        times = f" ({line.times} times, until {line.until:%H:%M:%S})" if line.until else ""
        sign = next((s for name, s in VERDICTS.items() if name == line.verdict), None)
        yield Content.assemble(
            content(f"  {line.at:%m-%d %H:%M:%S}  ", "$muted"),
            content(f"{line.what}{times}", sign.style if sign else ""),
        )
    if len(lines) > _MOST_LINES:
        yield content(f"  … {len(lines) - _MOST_LINES} earlier lines: recovery explain", "$muted")
