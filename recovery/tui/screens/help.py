"""All keys of a screen, made from the actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static
from typing_extensions import override

from recovery.tui.actions import Action, groups, keys_of
from recovery.tui.signs import OUTCOMES, PROGRESS, VERDICTS
from recovery.tui.snapshot import Snapshot


class HelpScreen(ModalScreen[None]):
    """Keys, what they do, and why some of them do nothing now; and what the signs mean."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,question_mark,q", "dismiss", "Close")]

    def __init__(
        self, actions: Sequence[Action], keys: Mapping[str, str], snapshot: Snapshot
    ) -> None:
        """The help on these actions."""
        super().__init__()
        self._actions = actions
        self._keys = keys
        self._snapshot = snapshot.light()

    @override
    def compose(self) -> ComposeResult:
        """One column that scrolls."""
        with VerticalScroll(classes="dialog wide") as box:
            box.border_title = "Keys"
            box.border_subtitle = "Esc closes"
            yield Static(self._text(), markup=False)

    def _text(self) -> Content:
        lines: list[Content] = []
        for heading, actions in groups(self._actions):
            lines.append(Content.styled(heading, "bold"))
            lines += [self._line(action) for action in actions]
            lines.append(Content(""))
        lines.append(Content.styled("Signs", "bold"))
        for signs in (VERDICTS, PROGRESS, OUTCOMES):
            parts = [
                part
                for sign in signs.values()
                for part in (
                    Content.styled(f"{sign.symbol} ", sign.style),
                    Content(f"{sign.word}   "),
                )
            ]
            lines.append(Content.assemble("  ", *parts))
        return Content("\n").join(lines)

    def _line(self, action: Action) -> Content:
        why = action.ready(self._snapshot)
        parts = [
            Content.styled(f"  {keys_of(action, self._keys):<11}", "bold $accent"),
            Content(f"{action.title:<15}"),
            Content.styled(action.tooltip, "$muted"),
        ]
        if why:
            parts.append(Content.styled(f"  (not now: {why})", "$warning"))
        return Content.assemble(*parts)
