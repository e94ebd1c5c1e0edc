"""What the screens that one switches between have in common: the banner, the footer, the snapshot, the actions."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget
from typing_extensions import override

from recovery.errors import RecoveryError
from recovery.tui.actions import Action, why_not
from recovery.tui.inert import plain
from recovery.tui.snapshot import EMPTY, Snapshot
from recovery.tui.widgets.banner import Banner
from recovery.tui.widgets.key_line import KeyLine
from recovery.tui.widgets.problem_line import ProblemLine

if TYPE_CHECKING:
    from recovery.tui.app import Dashboard
    from recovery.tui.gateway import Gateway


class Page(Screen[None]):
    """One of the screens. It gets snapshots while it is looked at, and hands them to its widgets by `data_bind`.

    A page says what can be done by `ACTIONS` (and `BINDINGS = bindings(ACTIONS)`), and what is on it by `body`.
    Its widgets have a `snapshot` of their own: `Counts().data_bind(Page.snapshot)`.
    """

    ACTIONS: ClassVar[tuple[Action, ...]] = ()
    NAME: ClassVar[str] = ""
    """Its mode."""
    LETS_GO: ClassVar[bool] = False
    """Whether it gives the memory of hosts and events back while another mode is shown."""

    snapshot: reactive[Snapshot] = reactive(EMPTY, init=False, repaint=False)

    @property
    def dashboard(self) -> Dashboard:
        """The application."""
        return cast("Dashboard", self.app)

    @property
    def gateway(self) -> Gateway:
        """What acts."""
        return self.dashboard.gateway

    @override
    def compose(self) -> ComposeResult:
        """The banner, what is wrong, the body, the keys."""
        yield Banner(self.NAME).data_bind(Page.snapshot)
        yield ProblemLine().data_bind(Page.snapshot)
        yield from self.body()
        yield KeyLine(self.dashboard.actions_on(self), self.dashboard.deck.keys).data_bind(
            Page.snapshot
        )

    def body(self) -> Iterable[Widget]:
        """What is between banner and keys."""
        return ()

    def on_mount(self) -> None:
        """Follow the application's snapshots."""
        self.watch(self.app, "snapshot", self._offer)

    def on_screen_resume(self) -> None:
        """Catch up with what came while nobody looked."""
        self._offer(self.dashboard.snapshot)

    def on_screen_suspend(self) -> None:
        """Keep no old states of a large fleet alive where nobody looks."""
        if self.LETS_GO and self not in self.app.screen_stack:
            self.let_go()

    def on_unmount(self) -> None:
        """Nor where nobody will look any more: Python may be long in finding out that the screen is gone."""
        self.let_go()

    def let_go(self) -> None:
        """Give the memory of hosts and events back; nothing is drawn anew."""
        light = self.snapshot.light()
        for node in (self, *self.walk_children()):
            snapshot = getattr(type(node), "snapshot", None)
            if isinstance(snapshot, reactive):
                node.set_reactive(snapshot, light)

    def _offer(self, snapshot: Snapshot) -> None:
        if self in self.app.screen_stack and snapshot is not self.snapshot:
            self.take(snapshot)

    def take(self, snapshot: Snapshot) -> None:
        """Show this snapshot, and what can be done by it."""
        before = self._readiness()
        self.snapshot = self.aimed(snapshot)
        if before != self._readiness():
            self.refresh_bindings()

    def aimed(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with what somebody points at on this page."""
        return snapshot

    def _readiness(self) -> list[bool]:
        return [bool(action.ready(self.snapshot)) for action in self.ACTIONS]

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """None (shown in grey) for what cannot be done now, as long as the page is only being made too."""
        return None if not self.is_mounted or self.why_not(action) else True

    def why_not(self, verb: str) -> str:
        """Why the action of this verb cannot be done now; nothing when it can, or is none of this page."""
        return why_not(self.ACTIONS, verb, self.aimed(self.snapshot))

    @work(exit_on_error=False)
    async def ask(
        self, verb: Coroutine[Any, Any, Any], then: Callable[[Any], None] | None = None
    ) -> None:
        """Let the gateway do something, and tell what came of it if it was refused; `then` gets its result."""
        try:
            result = await verb
        except RecoveryError as error:
            self.tell(str(error), severe=True)
            return
        if then is not None:
            then(result)

    def tell(self, words: str, *, severe: bool = False) -> None:
        """A line for the operator that goes by itself."""
        self.app.notify(
            plain(words, 600),
            severity="error" if severe else "information",
            timeout=20 if severe else 6,
            markup=False,
        )
