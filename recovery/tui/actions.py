"""What one can do, as data: the key bindings, the help, the command palette and the key map are made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec
from textual.binding import Binding, Keymap
from textual.keys import KEY_ALIASES, Keys, key_to_character

from recovery.errors import UnknownNameError, UsageError
from recovery.tui.snapshot import Snapshot

Ready = Callable[[Snapshot], str]

_NAMED = {key.value for key in Keys if "+" not in key.value and "<" not in key.value}
_MODIFIERS = {"ctrl", "alt", "shift", "super", "hyper", "meta"}
_ALIASES = {alias: key for key, aliases in KEY_ALIASES.items() for alias in aliases}


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
        """Textual's action with the place that carries it out: the application, the screen, or the screen's list."""
        call = self.call or self.verb
        return call if self.is_of_list or "." in call.partition("(")[0] else f"screen.{call}"

    @property
    def is_of_list(self) -> bool:
        """The screen's table or log carries it out."""
        return self.id.startswith(("table.", "log."))

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


def keymap(keys: Mapping[str, str], screens: Iterable[Sequence[Action]]) -> Keymap:
    """The key map of the settings, for the actions of each of the screens.

    Raises `UnknownNameError` for an action that there is not, `UsageError` for what is no key, and for a key that would
    hide another action of the same screen.
    """
    known = [tuple(actions) for actions in screens]
    names = [action.id for actions in known for action in actions]
    for name, text in keys.items():
        if name not in names:
            raise UnknownNameError("action", name, names)
        for key in _keys(text):
            if not _is_key(key):
                raise UsageError(
                    f"tui.keys: {name}: {key!r} is no key: write such as x, f2, ctrl+t, question_mark"
                )
    for actions in known:
        _check_apart(keys, actions)
    return dict(keys)


def _check_apart(keys: Mapping[str, str], actions: Sequence[Action]) -> None:
    owners: dict[str, Action] = {}
    for action in sorted(actions, key=lambda action: action.id in keys):
        for key in _keys(keys.get(action.id, action.key)):
            owner = owners.setdefault(_canonical(key), action)
            if owner.id != action.id:
                raise UsageError(
                    f"tui.keys: {action.id}: {key!r} is the key of {owner.id} ({owner.title}) on the same screen: "
                    "choose another one, or give that one another too"
                )


def _keys(text: str) -> list[str]:
    return [key.strip() for key in text.split(",")]


def _is_key(key: str) -> bool:
    *modifiers, last = key.split("+")
    named = last in _NAMED or key_to_character(last) is not None
    return named and set(modifiers) <= _MODIFIERS and len(set(modifiers)) == len(modifiers)


def _canonical(key: str) -> str:
    """One name for all that a terminal sends alike: `?` and `question_mark`, `ctrl+i` and `tab`."""
    key = _ALIASES.get(key, key)
    return key_to_character(key) or key


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
