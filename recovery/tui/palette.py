"""The command palette: it offers the actions of the screen and of the application."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from typing_extensions import override

from recovery.tui.actions import Action

if TYPE_CHECKING:
    from recovery.tui.app import Dashboard


class ActionCommands(Provider):
    """What can be done now."""

    @property
    def _dashboard(self) -> Dashboard:
        return cast("Dashboard", self.app)

    def _offered(self) -> list[Action]:
        found = self._dashboard
        snapshot = found.aimed()
        return [item for item in found.actions() if not item.ready(snapshot)]

    def _doing(self, action: Action) -> Callable[[], Coroutine[Any, Any, None]]:
        return lambda: self._dashboard.perform(action)

    @override
    async def discover(self) -> Hits:
        """All of it."""
        for action in self._offered():
            yield DiscoveryHit(action.title, self._doing(action), help=action.tooltip)

    @override
    async def search(self, query: str) -> Hits:
        """What matches."""
        matcher = self.matcher(query)
        for action in self._offered():
            score = max(matcher.match(action.title), matcher.match(action.tooltip) * 0.8)
            if score > 0:
                yield Hit(
                    score,
                    matcher.highlight(action.title),
                    self._doing(action),
                    help=action.tooltip,
                )
