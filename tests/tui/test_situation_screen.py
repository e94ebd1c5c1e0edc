"""The start screen, and what can be done from every screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Input, Static

from recovery.errors import UnknownNameError
from recovery.model.events import ApprovalAsked
from recovery.tui.app import Dashboard
from recovery.tui.screens.help import HelpScreen
from recovery.tui.screens.question import Question
from recovery.tui.screens.quit import QuitScreen
from recovery.tui.screens.report import ReportScreen
from recovery.tui.widgets.panel import Panel
from tests.tui.pictures import looks_as_kept
from tests.tui.scene import RUN, Stage, at, carried, dashboard, half_way, over

if TYPE_CHECKING:
    from textual.pilot import Pilot

SIZES = [(80, 24), (140, 40), (250, 70)]


def calls(app: Dashboard) -> list[tuple[Any, ...]]:
    return app.gateway.calls  # type: ignore[attr-defined, no-any-return]


def panel(app: Dashboard, name: str) -> str:
    found = app.screen.query_one(f"#{name}", Panel)
    return found.render().plain


async def pressed(pilot: Pilot[Any], *keys: str) -> None:
    await pilot.pause(0.2)
    await pilot.press(*keys)
    await pilot.pause(0.3)


def going(stage: Stage, *, question: bool = False) -> Dashboard:
    stage.snapshot()
    stage.begin()
    half_way(stage)
    if question:
        stage.say(
            ApprovalAsked(at=at(820), run=RUN, gate="wave-4", question="12 hosts next: go on?")
        )
    return dashboard(stage, carried(stage.snapshot()))


def ready(stage: Stage) -> Dashboard:
    return dashboard(stage, stage.snapshot())


@pytest.mark.parametrize("size", SIZES)
async def test_before_anything_is_known(stage: Stage, size: tuple[int, int]) -> None:
    app = ready(stage)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.3)
        assert "60 unknown   of 60 hosts" in panel(app, "headline")
        assert looks_as_kept(app, f"situation-new-{size[0]}x{size[1]}")


@pytest.mark.parametrize("theme", ["night", "day"])
@pytest.mark.parametrize("size", SIZES)
async def test_while_a_run_goes_on(stage: Stage, size: tuple[int, int], theme: str) -> None:
    stage.snapshot()
    stage.begin()
    half_way(stage)
    app = dashboard(stage, carried(stage.snapshot()), theme=theme)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.3)
        assert "10 proven recovered" in panel(app, "headline")
        assert "rollback" in panel(app, "run")
        assert "msp-kiosk" in panel(app, "people") or "2" in panel(app, "people")
        assert looks_as_kept(app, f"situation-half-{theme}-{size[0]}x{size[1]}")


async def test_a_run_that_is_over_says_how_it_ended(stage: Stage) -> None:
    stage.snapshot()
    stage.begin()
    half_way(stage)
    stage.say(over())
    app = ready(stage)
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.pause(0.3)
        assert "over: 1 host failed" in panel(app, "run")
        assert "run finished: 1 host failed" in panel(app, "events")


async def test_what_hosts_say_is_shown_and_never_obeyed(stage: Stage) -> None:
    app = going(stage)
    stage.say(over())
    snapshot = stage.snapshot()
    async with app.run_test(size=(140, 40)) as pilot:
        app.snapshot = snapshot
        await pilot.pause(0.3)
        assert "\x1b" not in panel(app, "events")


async def test_triage_is_begun_by_one_key(stage: Stage) -> None:
    app = ready(stage)
    async with app.run_test() as pilot:
        await pressed(pilot, "t")
        ((verb, request),) = calls(app)
        assert (verb, request.playbook, request.limits) == ("start", "triage", ())


async def test_a_refusal_is_told_in_words(stage: Stage) -> None:
    app = ready(stage)
    app.gateway.refusal = "[bold]no[/bold] \x1b[31m"  # type: ignore[attr-defined]
    async with app.run_test() as pilot:
        await pressed(pilot, "t")
        (note,) = app._notifications
        assert note.message == "[bold]no[/bold] \\x1b[31m"
        assert not note.markup


@pytest.mark.parametrize(
    ("keys", "asked"),
    [
        (("p",), [("command", RUN, "pause", "")]),
        (("a", "y"), [("command", RUN, "approve", "wave-4")]),
        (("a", "n"), []),
        (("a", "enter"), []),
        (("x", "y"), [("command", RUN, "abort", "")]),
        (("x", "escape"), []),
        (("X", "y"), [("command", RUN, "cancel", "")]),
        (("u",), []),
    ],
)
async def test_the_run_is_steered(
    stage: Stage, keys: tuple[str, ...], asked: list[tuple[Any, ...]]
) -> None:
    app = going(stage, question=True)
    async with app.run_test() as pilot:
        for key in keys:
            await pressed(pilot, key)
        assert calls(app) == asked


async def test_an_approval_shows_what_is_asked(stage: Stage) -> None:
    app = going(stage, question=True)
    async with app.run_test() as pilot:
        await pressed(pilot, "a")
        assert isinstance(app.screen, Question)
        assert "12 hosts next: go on?" in app.screen._words


async def test_an_orphaned_run_is_taken_up(stage: Stage) -> None:
    stage.snapshot()
    stage.begin()
    half_way(stage)
    app = dashboard(stage, stage.snapshot(live=False))
    async with app.run_test() as pilot:
        await pressed(pilot, "u")
        assert calls(app) == [("take_up", RUN)]


async def test_nothing_can_be_steered_that_does_not_go_on(stage: Stage) -> None:
    app = ready(stage)
    async with app.run_test() as pilot:
        for key in ("a", "p", "x", "X", "u"):
            await pressed(pilot, key)
        assert calls(app) == []


# --- everywhere


async def test_every_screen_is_one_key_away(stage: Stage) -> None:
    app = going(stage)
    async with app.run_test(size=(140, 40)) as pilot:
        for key, name in zip(
            "23451", ("fleet", "runs", "hands", "journal", "situation"), strict=True
        ):
            await pressed(pilot, key)
            assert app.current_mode == name


async def test_the_help_names_every_key_and_why_some_do_nothing(stage: Stage) -> None:
    app = ready(stage)
    async with app.run_test(size=(140, 60)) as pilot:
        await pressed(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        told = app.screen._text().plain
        for action in app.actions():
            assert action.title in told
            assert action.tooltip in told
        assert "(not now: no run goes on)" in told
        assert looks_as_kept(app, "help")
        await pressed(pilot, "escape")
        assert not isinstance(app.screen, HelpScreen)


async def test_the_report_can_be_copied(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    app = going(stage)
    copied: list[str] = []
    monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
    async with app.run_test(size=(120, 50)) as pilot:
        await pressed(pilot, "s")
        assert isinstance(app.screen, ReportScreen)
        await pressed(pilot, "c")
        (page,) = copied
        assert "60" in page
        await pressed(pilot, "escape")
        assert not isinstance(app.screen, ReportScreen)


async def test_the_report_is_written_to_a_file_of_its_own(stage: Stage, tmp_path: Path) -> None:
    app = going(stage)
    said = ""
    async with app.run_test(size=(120, 50)) as pilot:
        for _ in range(2):
            await pressed(pilot, "s", "w")
            app.screen.query_one(Input).value = str(tmp_path / "report.md")
            await pressed(pilot, "enter")
            said = str(app.screen.query_one("#said", Static).content)
            await pressed(pilot, "escape")
        assert "choose another name" in said, "a file that is there stays as it is"
    assert "60" in (tmp_path / "report.md").read_text()


async def test_the_two_looks(stage: Stage) -> None:
    app = ready(stage)
    async with app.run_test() as pilot:
        assert app.theme == "night"
        await pressed(pilot, "f2")
        assert app.theme == "day"
        await pressed(pilot, "f2")
        assert app.theme == "night"


async def test_leaving_asks_while_a_run_goes_on(stage: Stage) -> None:
    app = going(stage)
    async with app.run_test() as pilot:
        await pressed(pilot, "q")
        assert isinstance(app.screen, QuitScreen)
        await pressed(pilot, "escape")
        assert app.is_running
        await pressed(pilot, "q")
        await pressed(pilot, "q")
    assert app.return_value == "come back: recovery tui"


async def test_leaving_asks_nothing_when_nothing_goes_on(stage: Stage) -> None:
    app = ready(stage)
    async with app.run_test() as pilot:
        await pressed(pilot, "q")
    assert app.return_value == "come back: recovery tui"


async def test_the_palette_offers_what_can_be_done_now(stage: Stage) -> None:
    app = ready(stage)
    async with app.run_test(size=(120, 40)) as pilot:
        await pressed(pilot, "ctrl+p")
        await pressed(pilot, *"triage")
        await pilot.pause(0.5)
        await pressed(pilot, "enter")
        await pressed(pilot, "enter")
        assert [call[0] for call in calls(app)] == ["start"]


async def test_keys_are_remapped(stage: Stage) -> None:
    app = dashboard(stage, stage.snapshot(), keys={"situation.triage": "f9"})
    async with app.run_test() as pilot:
        await pressed(pilot, "t")
        assert calls(app) == []
        await pressed(pilot, "f9")
        assert [call[0] for call in calls(app)] == ["start"]


def test_a_key_for_an_unknown_action_is_refused(stage: Stage) -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'situation\.triage'"):
        dashboard(stage, keys={"situation.triag": "f9"})


async def test_the_mouse_presses_a_key_of_the_footer(stage: Stage) -> None:
    app = ready(stage)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(0.3)
        await pilot.click("KeyLine", offset=(2, 0))
        await pilot.pause(0.3)
        assert [call[0] for call in calls(app)] == ["start"]


def unreadable(stage: Stage) -> Dashboard:
    Path(stage.journal).write_text("this is no journal, whatever its name says" * 100)
    return dashboard(stage)


async def test_a_journal_that_cannot_be_read_is_told(stage: Stage) -> None:
    app = unreadable(stage)
    app.source = stage.feed
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(1.0)
        assert "journal" in app.snapshot.problem
        banner = app.screen.query_one("Banner")
        assert str(app.snapshot.problem)[:30] in str(banner.render())
