"""What one can do, as data: the key bindings, the help, the command palette and the key map are made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec
from textual.binding import Binding, Keymap

from recovery.errors import UnknownNameError
from recovery.tui.snapshot import Snapshot

Ready = Callable[[Snapshot], str]


def always(_snapshot: Snapshot) -> str:
    """There is no reason against it."""
    return ""


class Action(msgspec.Struct, frozen=True):
    """One thing that can be done, on one screen or on all."""

    id: str
    """`screen.verb`: the name in the key map, and for the method `action_verb`."""
    key: str
    """Comma-separated, as Textual names keys."""
    title: str
    tooltip: str
    group: str
    """Heading in the help."""
    shown: bool = False
    """In the footer too."""
    ready: Ready = always
    """Why it cannot be done now, in words; nothing when it can."""
    call: str = ""
    """Textual's action, where it is not the verb of the id."""

    foremost: bool = False
    """Also while a dialog or a field has the keys."""

    @property
    def verb(self) -> str:
        """Textual's action, without its parameters."""
        return (self.call or self.id.rpartition(".")[2]).partition("(")[0].rpartition(".")[2]

    @property
    def target(self) -> str:
        """Textual's action with the place that carries it out: the application, the screen, or the screen's table."""
        call = self.call or self.verb
        return call if self.is_of_table or "." in call.partition("(")[0] else f"screen.{call}"

    @property
    def is_of_table(self) -> bool:
        """The screen's table carries it out."""
        return self.id.startswith("table.")

    @property
    def binding(self) -> Binding:
        """The key binding."""
        return Binding(
            self.key,
            self.call or self.verb,
            self.title,
            show=self.shown,
            tooltip=self.tooltip,
            id=self.id,
            priority=self.foremost,
        )


def bindings(actions: Iterable[Action]) -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """Textual's bindings of the actions."""
    return [action.binding for action in actions]


def why_not(actions: Iterable[Action], verb: str, snapshot: Snapshot) -> str:
    """Why the action of this verb cannot be done now; nothing when it can, or is none of these."""
    return next((action.ready(snapshot) for action in actions if action.verb == verb), "")


def groups(actions: Iterable[Action]) -> Iterator[tuple[str, list[Action]]]:
    """The actions under their headings, in their order."""
    found: dict[str, list[Action]] = {}
    for action in actions:
        found.setdefault(action.group, []).append(action)
    yield from found.items()


def keymap(keys: Mapping[str, str], known: Iterable[Action]) -> Keymap:
    """The key map of the settings. Raises `UnknownNameError` for an action that there is not."""
    names = [action.id for action in known]
    for name in keys:
        if name not in names:
            raise UnknownNameError("action", name, names)
    return dict(keys)


def keys_of(action: Action, keys: Mapping[str, str]) -> str:
    """The action's keys as they are shown."""
    return ", ".join(_shown(key.strip()) for key in keys.get(action.id, action.key).split(","))


_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "tab": "Tab",
}


def _shown(key: str) -> str:
    *modifiers, last = key.split("+")
    return "+".join([*(modifier.title() for modifier in modifiers), _NAMES.get(last, last)])
