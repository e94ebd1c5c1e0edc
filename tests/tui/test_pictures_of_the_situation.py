"""The Situation and Journal screens, the help and the report in their main states, as somebody has looked at them."""

from __future__ import annotations

import pytest

from recovery.model.events import ApprovalAsked, GuardTripped
from tests.tui.pictures import looks_as_kept
from tests.tui.scene import RUN, Stage, at, dashboard, half_way, over

PICTURES = [
    ("situation", "half way", (120, 40), (), "night"),
    ("situation-small", "half way", (80, 24), (), "day"),
    ("situation-large", "half way", (250, 70), (), "night"),
    ("situation-before", "nothing", (120, 40), (), "day"),
    ("situation-halted", "halted", (100, 30), (), "night"),
    ("situation-over", "over", (100, 30), (), "day"),
    ("approve", "half way", (100, 30), ("a",), "night"),
    ("help", "half way", (100, 40), ("question_mark",), "day"),
    ("report", "half way", (110, 40), ("s",), "night"),
    ("quit", "half way", (100, 30), ("q",), "day"),
    ("journal", "half way", (120, 34), ("5",), "night"),
    ("journal-small", "half way", (80, 24), ("5", "i", "up"), "day"),
    ("journal-event", "half way", (100, 34), ("5", "enter"), "night"),
]


def told(stage: Stage, story: str) -> None:
    if story == "nothing":
        return
    stage.begin()
    half_way(stage)
    if story == "half way":
        question = "open wave 4 with 6 hosts?"
        stage.say(ApprovalAsked(at=at(820), run=RUN, gate="wave:4", question=question))
    if story == "halted":
        whole = "wave 3 (12 hosts)"
        stage.say(
            GuardTripped(at=at(820), run=RUN, rule="failed", count=2, limit=2, denominator=whole)
        )
    if story == "over":
        stage.say(over())


@pytest.mark.parametrize(
    ("name", "story", "size", "keys", "theme"), PICTURES, ids=[p[0] for p in PICTURES]
)
async def test_it_looks_as_it_was_kept(
    stage: Stage, name: str, story: str, size: tuple[int, int], keys: tuple[str, ...], theme: str
) -> None:
    told(stage, story)
    snapshot = stage.snapshot()
    app = dashboard(stage, snapshot, theme=theme)
    app.gateway.stored = snapshot.recent  # type: ignore[attr-defined]
    async with app.run_test(size=size) as pilot:
        app.animation_level = "none"
        await pilot.pause(0.3)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.3)
        assert looks_as_kept(app, name)
