"""The dashboard as an application: modes, themes, bindings, and the worker that brings snapshots."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import msgspec
from textual import events, work
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.dom import DOMNode
from textual.reactive import reactive
from textual.screen import Screen
from textual.theme import Theme
from typing_extensions import override

from recovery.errors import RecoveryError
from recovery.tui.actions import Action, bindings, keymap
from recovery.tui.deck import Deck
from recovery.tui.feed import Source
from recovery.tui.gateway import Gateway
from recovery.tui.outlook import why_none
from recovery.tui.pages import MODES
from recovery.tui.palette import ActionCommands
from recovery.tui.screens.help import HelpScreen
from recovery.tui.screens.host import HostScreen
from recovery.tui.screens.page import Page
from recovery.tui.screens.plan import PLAN_ACTIONS
from recovery.tui.screens.quit import QuitScreen
from recovery.tui.screens.report import ReportScreen
from recovery.tui.snapshot import EMPTY, Outlook, Snapshot
from recovery.tui.themes import FINE

_SCREENS = (
    ("situation", "Situation", "How things stand"),
    ("fleet", "Fleet", "Every host, to search and to act on"),
    ("runs", "Runs", "Plan, begin and watch runs"),
    ("hands", "Hands", "Hosts that wait for a person"),
    ("journal", "Journal", "Everything that happened"),
)
ACTIONS = (
    *(
        Action(
            f"app.{mode}", str(number), title, tooltip, "Screens", call=f"app.switch_mode('{mode}')"
        )
        for number, (mode, title, tooltip) in enumerate(_SCREENS, 1)
    ),
    *(
        Action(
            f"app.{name}",
            key,
            title,
            tooltip,
            "Everywhere",
            shown=name != "next_theme",
            call=f"app.{name}",
        )
        for name, key, title, tooltip in (
            ("report", "s", "Report", "The status report for management"),
            ("help", "question_mark", "Help", "All keys of this screen"),
            ("command_palette", "ctrl+p", "Commands", "Search everything that can be done"),
            ("next_theme", "f2", "Dark or light", "Switch between the dark and the light look"),
            ("ask_quit", "q,ctrl+c", "Quit", "Leave; runs go on without this screen"),
        )
    ),
    Action(
        "app.quit",
        "ctrl+q",
        "Leave",
        "As Quit, and also from a dialog or a field",
        "Everywhere",
        call="app.ask_quit",
        foremost=True,
    ),
)

_PACE = 0.2
_PACE_BEHIND = 0.01
"""Seconds between two looks at the journal, and when it has more."""

_LOOK_AHEAD = 2.0
_FORECASTS_APART = 240.0
"""Seconds between two looks whether a forecast is due, and between two forecasts."""

_DELAY = 0.01
"""Seconds for which a screen that was switched to may gather itself before it is drawn."""


class Dashboard(App[str]):
    """The instrument. It shows what the feed brings, and asks the gateway to act."""

    TITLE = "Fleet Recovery"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[Any] = {ActionCommands}
    COMMAND_PALETTE_BINDING = "ctrl+p"
    MODES: ClassVar[Any] = MODES
    DEFAULT_MODE = "situation"
    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS)

    snapshot: reactive[Snapshot] = reactive(EMPTY, init=False, repaint=False)

    def __init__(
        self, source: Source, gateway: Gateway, deck: Deck, looks: tuple[Theme, Theme] = FINE
    ) -> None:
        """Show what `source` brings, in the dark or the light one of the `looks`."""
        super().__init__()
        self.source = source
        self.gateway = gateway
        self.deck = deck
        self.failure: RecoveryError | None = None
        """What ended it."""
        self._outlook: Outlook | None = None
        self._no_outlook = "it is being made"
        self._looks = looks
        for theme in looks:
            self.register_theme(theme)
        self.theme = deck.theme
        own = [page.ACTIONS for page in MODES.values()]
        screens = [(*actions, *ACTIONS) for actions in (*own, HostScreen.ACTIONS)]
        self.set_keymap(keymap(deck.keys, [*screens, PLAN_ACTIONS]))

    def on_mount(self) -> None:
        """Begin to follow the journal, and to look ahead."""
        self.follow()
        self.look_ahead()

    @work(exclusive=True, group="feed")
    async def follow(self) -> None:
        """Bring snapshots for as long as the dashboard is open; keys are answered meanwhile."""
        while True:
            try:
                snapshot = await asyncio.to_thread(self.source.poll)
            except RecoveryError as error:
                self.failure = error
                self.exit(return_code=2)
                return
            if snapshot is not None:
                self.snapshot = self._with_outlook(snapshot)
            behind = self.snapshot.stage != "live" or self.snapshot.behind
            await asyncio.sleep(_PACE_BEHIND if behind else _PACE)

    def _with_outlook(self, snapshot: Snapshot) -> Snapshot:
        why = why_none(snapshot, self.deck.technicians) or self._no_outlook
        return msgspec.structs.replace(snapshot, outlook=self._outlook, no_outlook=why)

    @work(exclusive=True, group="outlook")
    async def look_ahead(self) -> None:
        """Have a forecast made now and then, where something has happened since the last one."""
        seen = -1
        while True:
            await asyncio.sleep(_LOOK_AHEAD)
            snapshot = self.snapshot
            live = snapshot.stage == "live" and not snapshot.behind
            if not live or snapshot.seq == seen or why_none(snapshot, self.deck.technicians):
                continue
            seen = snapshot.seq
            try:
                self._outlook, self._no_outlook = await self.gateway.forecast(), ""
            except RecoveryError as error:
                self._no_outlook = str(error)
            self.snapshot = self._with_outlook(self.snapshot)
            await asyncio.sleep(_FORECASTS_APART)

    @override
    async def on_event(self, event: events.Event) -> None:
        """A key comes before news."""
        at_work = isinstance(event, events.InputEvent) and not isinstance(event, events.MouseMove)
        if at_work and not event.is_forwarded:
            self.source.give_way()
        await super().on_event(event)

    @override
    def delay_update(self, delay: float = _DELAY) -> None:
        """Textual holds the picture back while it switches screens; these are quick."""
        super().delay_update(min(delay, _DELAY))

    def actions(self) -> tuple[Action, ...]:
        """What can be done here: the screen's own actions, then those of all screens."""
        return self.actions_on(self.page)

    @property
    def page(self) -> Page | None:
        """The page that is looked at, also while a dialog stands before it."""
        pages = (screen for screen in reversed(self.screen_stack) if isinstance(screen, Page))
        return next(pages, None)

    def aimed(self) -> Snapshot:
        """The snapshot with what somebody points at."""
        return self.page.aimed(self.snapshot) if self.page is not None else self.snapshot

    def actions_on(self, page: Page | None) -> tuple[Action, ...]:
        """The actions of a screen, then those of all screens."""
        return (*(page.ACTIONS if page is not None else ()), *ACTIONS)

    @override
    async def run_action(
        self,
        action: Any,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """As Textual does; a key that does nothing now says why."""
        done = await super().run_action(action, default_namespace, namespaces)
        page = self.screen
        if not done and isinstance(page, Page) and page.is_mounted and isinstance(action, str):
            why = page.why_not(action.partition("(")[0].rpartition(".")[2])
            if why:
                page.tell(f"not now: {why}")
        return done

    async def perform(self, action: Action) -> None:
        """Do what the action's key does, also while something else has the keys."""
        screen = self.screen
        where = screen.query("LineTable, EventLog").first() if action.is_of_list else screen
        await self.run_action(action.target, default_namespace=where)

    @override
    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """None of Textual's own: the palette offers the actions."""
        return ()

    async def action_help(self) -> None:
        """All keys of this screen."""
        await self.push_screen(HelpScreen(self.actions(), self.deck.keys, self.aimed()))

    async def action_report(self) -> None:
        """The status report for management."""
        await self.push_screen(ReportScreen(self.snapshot))

    def action_next_theme(self) -> None:
        """Switch between the two looks."""
        names = [theme.name for theme in self._looks]
        self.theme = names[(names.index(self.theme) + 1) % len(names)]

    @work
    async def action_ask_quit(self) -> None:
        """Leave, after a question while something goes on; says how to come back."""
        if isinstance(self.screen, QuitScreen):
            return
        live = [line.run for line in self.snapshot.runs if line.is_live]
        if live and not await self.push_screen_wait(QuitScreen(live)):
            return
        self.exit(await asyncio.to_thread(self.gateway.farewell))
