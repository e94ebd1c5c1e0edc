"""The screens that simulated consoles show."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from recovery.sim import screens
from recovery.sim.screens.canvas import Facts, Style


@pytest.mark.parametrize("name", screens.names())
@pytest.mark.parametrize("size", [(160, 120), (1024, 768)])
def test_every_screen_is_drawn_at_every_size(name: str, size: tuple[int, int]) -> None:
    image = Image.open(io.BytesIO(screens.png(name, size)))
    assert image.size == size
    assert (len(image.convert("RGB").getcolors(size[0] * size[1]) or []) > 1) == (name != "blank")


def test_facts_and_style_change_what_is_drawn() -> None:
    plain = screens.png("windows10_bugcheck")
    assert screens.png("windows10_bugcheck", facts=Facts(stop_code=0xEF, percent=90)) != plain
    assert screens.png("windows10_bugcheck", style=Style(background=(16, 113, 170))) != plain
    assert screens.png("windows8_bugcheck", facts=Facts(module="")) != screens.png("windows8_bugcheck")  # fmt: skip
    assert screens.png("windows10_bugcheck") == plain


def test_a_screen_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        screens.draw("nonsense")
