"""The Fleet, Runs and Hands screens in their main states, as somebody has looked at them."""

from __future__ import annotations

import msgspec
import pytest

from recovery.model.events import ApprovalAsked
from tests.tui.pictures import looks_as_kept
from tests.tui.scene import RUN, Stage, at, dashboard, half_way

PICTURES = [
    ("fleet", (120, 34), ("2", "v"), "night"),
    ("fleet-small", (80, 24), ("2", "down", "space"), "day"),
    ("fleet-wide", (250, 70), ("2", "down", "down", "down"), "night"),
    ("fleet-wrong-query", (100, 24), ("2", "slash", *"stie=ATL", "enter"), "night"),
    ("fleet-acts", (120, 34), ("2", "down", "x"), "night"),
    ("fleet-same-replies", (120, 34), ("2", "f", "down"), "day"),
    ("host", (120, 34), ("2", "down", "down", "enter"), "night"),
    ("plan", (120, 40), ("2", "down", "down", "x", "f"), "night"),
    ("plan-confirm", (100, 34), ("2", "down", "down", "x", "f", "b"), "day"),
    ("runs", (120, 34), ("3",), "night"),
    ("runs-small", (80, 24), ("3",), "day"),
    ("hands", (140, 34), ("4", "down"), "night"),
    ("hands-small", (80, 24), ("4", "down"), "day"),
]


@pytest.mark.parametrize(("name", "size", "keys", "theme"), PICTURES, ids=[p[0] for p in PICTURES])
async def test_it_looks_as_it_was_kept(
    stage: Stage, name: str, size: tuple[int, int], keys: tuple[str, ...], theme: str
) -> None:
    stage.snapshot()
    stage.begin()
    half_way(stage)
    stage.say(ApprovalAsked(at=at(820), run=RUN, gate="step:1", question="go on?"))
    app = dashboard(stage, stage.snapshot(), theme=theme)
    async with app.run_test(size=size) as pilot:
        app.animation_level = "none"
        await pilot.pause(0.3)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.3)
        await pilot.pause(0.4)
        for field in app.screen.query("Input"):
            field.cursor_blink = False  # type: ignore[attr-defined]
        await pilot.pause()
        assert looks_as_kept(app, name)


async def test_without_colour_every_state_has_its_word(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stage.snapshot()
    stage.begin()
    half_way(stage)
    snapshot = msgspec.structs.replace(stage.snapshot())
    app = dashboard(stage, snapshot)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.3)
        await pilot.press("2", "down", "space")
        await pilot.pause(0.4)
        text = app.export_screenshot().replace("&#160;", " ")
    for words in ("healthy", "crash loop", "recovered", "▸", "✓"):
        assert words in text
