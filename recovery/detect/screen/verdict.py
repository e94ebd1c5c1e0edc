"""From what was seen and read of a screen to its label; colour alone never decides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from recovery.detect.screen.look import Family, Look
from recovery.detect.screen.words import Kinds, label_of, lead
from recovery.model.console import CRASHED
from recovery.model.reading import Label

_PLAIN = 0.45
"""Of a screen that has to have the colour of its background, for a crash or a recovery to be drawn on it."""
_MOST = 0.38
_MANY = 5
"""Colours of icons and wallpapers."""
_DULL = frozenset({"grey", "black"})
_NO_INK = 0.0012
_NO_INK_SMALL = 0.0001
"""Of a picture so small that a line of text is a few pixels."""
_SMALL = 400
"""Pixels of width."""
_ENOUGH = 3
"""Weight of words that make a label; on Windows' blue one less, since little else has it."""
_ORDER = (
    "needs_key", "linux_panic", "bugcheck", "recovery_screen", "updating", "boot_menu", "installer", "firmware",
    "no_signal", "sign_in", "text_console", "desktop",
)  # fmt: skip
"""Which kind is believed where words speak for two alike."""
_AT_WORK = 4
"""Weight of words by which a machine says that it is not to be switched off."""
_LEAD = 20
"""Letters before the words with which a crash begins: more than a face, a logo or a spinner is taken for."""
_WINDOWS: frozenset[Family] = frozenset({"azure", "navy", "green"})
"""Grounds on which little else is drawn than what Windows draws over the whole screen."""
_TOLD = "a window that tells of a blue screen, or a blue screen"
_FULL_SCREEN = frozenset({"bugcheck", "recovery_screen", "needs_key"})
"""Windows draws them over the whole screen, light on a dark or strong colour."""
_MEANINGS: Mapping[str, str] = {
    "bugcheck": "blue screen",
    "recovery_screen": "Windows' recovery environment",
    "needs_key": "the key of an encrypted disk is asked for",
    "firmware": "firmware, or its set-up",
    "boot_menu": "a boot menu, or a boot loader that finds nothing to start",
    "linux_panic": "a Linux kernel that gave up",
    "text_console": "a text console",
    "sign_in": "a screen that waits for somebody to sign in",
    "desktop": "a desktop",
    "blank": "nothing is shown",
    "updating": "it is starting, or putting in updates",
    "installer": "an installer",
    "no_signal": "no signal",
    "unknown": "not told",
}
_PROMPT = re.compile(r"\blogin:\s*_?$|[\w~/)-]\s?[#$]\s*_?$|^(?:PS )?[A-Z]:\\[^<>|]*>\s*_?$")


class Verdict(msgspec.Struct, frozen=True):
    """A label with what speaks for it."""

    label: Label
    confidence: float
    meaning: str
    alternatives: tuple[Label, ...] = ()
    busy: bool = False
    """As in `Reading`."""


_BY_COLOUR: Mapping[Family, tuple[tuple[Label, ...], str]] = {
    "azure": (
        ("bugcheck", "recovery_screen", "needs_key"),
        "bugcheck or recovery or key: blue Windows screen",
    ),
    "green": (("bugcheck",), "bugcheck of a test build, or something else: green screen"),
    "navy": (
        ("bugcheck", "firmware", "text_console"),
        "bugcheck or firmware or an installer: text on dark blue",
    ),
    "black": (
        ("bugcheck", "recovery_screen", "boot_menu", "linux_panic", "text_console"),
        "bugcheck or recovery or boot or console: text on black",
    ),
    "powershell": (("desktop", "text_console"), "a shell's blue window"),
}


def by_sight(seen: Look) -> Verdict:
    """What can be said of a screen whose text nobody read."""
    small = seen.guest[2] - seen.guest[0] < _SMALL
    if (
        seen.ink < (_NO_INK_SMALL if small else _NO_INK)
        and seen.flat > 1 - 0.05
        and seen.family not in {"azure", "green"}
    ):
        return Verdict("blank", 0.9, _MEANINGS["blank"])
    plain = seen.flat >= _PLAIN and not seen.taskbar
    if seen.face and plain and _fills(seen) and seen.family in {"azure", "green", "black"}:
        return Verdict(
            "bugcheck", 0.7 if seen.framed else 0.8, f"{_MEANINGS['bugcheck']}: its face"
        )
    if plain and seen.family in _BY_COLOUR:
        labels, meaning = _BY_COLOUR[seen.family]
        return Verdict("unknown", 0.5, meaning, labels)
    if seen.taskbar and seen.hues >= _MANY and seen.flat < _PLAIN and seen.family not in _DULL:
        return Verdict("desktop", 0.55, _MEANINGS["desktop"])
    return Verdict(
        "unknown",
        0.3,
        "desktop or sign-in or firmware: many colours",
        ("desktop", "sign_in", "firmware"),
    )


def by_text(seen: Look, kinds: Kinds, lines: Sequence[str], *, exact: bool) -> Verdict:
    """What the words of a screen say, as far as what was seen allows it. `exact`: no letter can be misread."""
    ranked = sorted(
        ((_weight(kind, seen, kinds), -place, kind) for place, kind in enumerate(_ORDER)),
        reverse=True,
    )
    weight, _, kind = ranked[0]
    if kind in CRASHED and _goes_on(lines):
        kind = "text_console"
    enough = _ENOUGH - (kind in _FULL_SCREEN and seen.family == "azure")
    if weight < enough:
        return _unsaid(seen, exact=exact)
    if kind == "bugcheck" and _is_page(seen, kinds, lines):
        return Verdict("unknown", 0.5, _TOLD, ("desktop", "bugcheck"))
    sure = min(0.98, 0.55 + 0.06 * weight)
    if ranked[1][0] > 0.7 * weight:
        sure -= 0.15
    return Verdict(label_of(kind), round(sure, 2), _MEANINGS[kind], busy=_is_busy(kind, kinds))


def _is_busy(kind: str, kinds: Kinds) -> bool:
    if kind == "updating":
        return kinds.of(kind) >= _AT_WORK
    return kind == "recovery_screen" and kinds.of("repairing") > 0


def shown_elsewhere(found: Verdict) -> Verdict:
    """A screen that is only a picture on a page that somebody reads."""
    return Verdict(
        "desktop", 0.6, f"a desktop that shows a picture of: {found.meaning}", (found.label,)
    )


def _weight(kind: str, seen: Look, kinds: Kinds) -> int:
    weight = kinds.of(kind)
    if kind in _FULL_SCREEN and not _may_fill(seen):
        return 0
    if kind == "bugcheck" and seen.face:
        return weight + 3
    if kind == "linux_panic" and seen.flat < _PLAIN:
        return 0
    if kind == "desktop":
        return weight + 2 * seen.taskbar
    return weight


def _may_fill(seen: Look) -> bool:
    """Whether it may be a screen of one colour with text on it, rather than a window on a desktop."""
    return seen.flat >= _PLAIN and not seen.taskbar and seen.family not in {"white", "powershell"}


def _is_page(seen: Look, kinds: Kinds, lines: Sequence[str]) -> bool:
    """Whether other words stand before what Windows says first: somebody tells of a crash, in a dark window."""
    if seen.face or seen.family in _WINDOWS or kinds.of("viewer"):
        return False
    return lead(lines, "bugcheck") > _LEAD


def _fills(seen: Look) -> bool:
    """Whether the screen is most of what is shown; a smaller one may be a picture on a page."""
    return not seen.framed or seen.part >= _MOST


def _goes_on(lines: Sequence[str]) -> bool:
    """Whether somebody can type after a crash: it is one that is only told of."""
    last = [line.strip() for line in lines if line.strip()][-2:]
    return any(_PROMPT.search(line) for line in last)


def _unsaid(seen: Look, *, exact: bool) -> Verdict:
    """Text was read, but says nothing that is known."""
    found = by_sight(seen)
    if exact and found.label == "unknown":
        return Verdict("text_console", 0.55, _MEANINGS["text_console"])
    return found
