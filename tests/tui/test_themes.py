"""The looks, by what terminals can show of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich._palettes import STANDARD_PALETTE
from rich.color_triplet import ColorTriplet
from textual.color import Color

from recovery.tui.themes import themes

if TYPE_CHECKING:
    from textual.theme import Theme

_HAS = {ColorTriplet(*rgb) for rgb in STANDARD_PALETTE._colors}


def shown(theme: Theme) -> dict[str, ColorTriplet]:
    texts = {name: getattr(theme, name) for name in ("success", "warning", "error", "accent")}
    texts |= {name: getattr(theme, name) for name in ("foreground", "background", "panel")}
    texts |= dict(theme.variables)
    return {name: ColorTriplet(*Color.parse(text).rgb) for name, text in texts.items()}


@pytest.mark.parametrize("theme", themes("standard"), ids=lambda theme: theme.name)
def test_sixteen_colours_are_shown_as_they_are_meant(theme: Theme) -> None:
    assert set(shown(theme).values()) <= _HAS


@pytest.mark.parametrize("color_system", ["standard", "256", "truecolor", None])
def test_no_two_meanings_have_one_colour(color_system: str | None) -> None:
    for theme in themes(color_system):
        colours = shown(theme)
        told = ("success", "warning", "error", "accent", "foreground", "background", "muted")
        assert len({colours[name] for name in told}) == len(told)
        assert (
            colours["primary-muted" if color_system == "standard" else "panel"]
            != colours["background"]
        )


@pytest.mark.parametrize("color_system", ["standard", "truecolor"])
def test_the_looks_keep_their_names(color_system: str) -> None:
    assert [(theme.name, theme.dark) for theme in themes(color_system)] == [
        ("night", True),
        ("day", False),
    ]
