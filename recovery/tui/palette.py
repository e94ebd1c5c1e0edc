"""The command palette: it offers the actions of the screen and of the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from typing_extensions import override

from recovery.tui.actions import Action

if TYPE_CHECKING:
    from recovery.tui.app import Dashboard


class ActionCommands(Provider):
    """What can be done now."""

    def _offered(self) -> list[Action]:
        dashboard = cast("Dashboard", self.app)
        return [item for item in dashboard.actions() if not item.ready(dashboard.snapshot)]

    @override
    async def discover(self) -> Hits:
        """All of it."""
        for action in self._offered():
            call = action.target
            yield DiscoveryHit(
                action.title, lambda call=call: self.app.run_action(call), help=action.tooltip
            )

    @override
    async def search(self, query: str) -> Hits:
        """What matches."""
        matcher = self.matcher(query)
        for action in self._offered():
            score = max(matcher.match(action.title), matcher.match(action.tooltip) * 0.8)
            if score > 0:
                call = action.target
                yield Hit(
                    score,
                    matcher.highlight(action.title),
                    lambda call=call: self.app.run_action(call),
                    help=action.tooltip,
                )
