"""The Situation screen, and what all screens share: every verb, as a user presses it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Input, Static

from recovery.model.events import ApprovalAsked, Command, GuardTripped, Notice, RunHeld
from recovery.tui.app import ACTIONS, Dashboard
from recovery.tui.feed import Feed
from recovery.tui.screens.help import HelpScreen
from recovery.tui.screens.question import Question
from recovery.tui.screens.quit import QuitScreen
from recovery.tui.screens.report import ReportScreen
from recovery.tui.screens.situation import SituationScreen
from recovery.tui.snapshot import Snapshot
from recovery.tui.widgets.banner import Banner
from recovery.tui.widgets.key_line import KeyLine
from tests.tui.scene import RUN, Stage, at, dashboard, half_way, over

if TYPE_CHECKING:
    from textual.screen import Screen

QUESTION = ApprovalAsked(at=at(820), run=RUN, gate="wave:4", question="open wave 4?")


SAID = """38 to do
10 proven
losing 86,875 an hour, 21,
MOCK: nothing here is real
↻ crash loop
@ with technician
half       24  about
2 wait for hands
rollback on 60 hosts
wave 3 of 5
7 of 12 admitted, 5 ended
failed 1, limit 2
33 before rollback, 4 silent
► approve wave:4: open wave 4?
2 need hands
MSP 2
♦ 4 wait for a recovery key
20 of 32
61,875/h
ended: failed: the file is locked"""


def calls(app: Dashboard) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = app.gateway.calls  # type: ignore[attr-defined]
    return found


def shown(app: Dashboard) -> str:
    """All that stands on the screen."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips)


def told(app: Dashboard) -> str:
    return " ".join(notice.message for notice in app._notifications)


async def until(pilot: Any, holds: Callable[[], object], what: str) -> None:
    for _ in range(100):
        if holds():
            return
        await pilot.pause(0.05)
    pytest.fail(f"never came: {what}\n{shown(pilot.app)}")


def stands(app: Dashboard, kind: type[Screen[Any]]) -> Callable[[], bool]:
    return lambda: isinstance(app.screen, kind)


@pytest.fixture
def app(stage: Stage) -> Dashboard:
    stage.begin()
    half_way(stage)
    stage.say(QUESTION)
    return dashboard(stage, stage.snapshot())


async def ready(pilot: Any, *keys: str) -> None:
    await until(pilot, lambda: pilot.app.snapshot.stage == "live", "the first snapshot")
    await pilot.pause(0.1)
    await pilot.press(*keys)
    await pilot.pause(0.1)


async def test_it_shows_what_is_left_what_it_costs_and_what_is_waited_for(app: Dashboard) -> None:
    async with app.run_test(size=(140, 45)) as pilot:
        await ready(pilot)
        text = shown(app)
    missing = [words for words in SAID.splitlines() if words not in text]
    assert missing == []


async def test_before_any_run_it_says_what_to_do(stage: Stage) -> None:
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, "t")
        await until(pilot, lambda: calls(app), "the triage")
        assert "no run yet: press t to find out" in shown(app)
        assert "nothing is known to be hit yet" in shown(app)
        await until(pilot, lambda: "looks at the hosts" in told(app), "the notice")
    (call,) = calls(app)
    assert (call[0], call[1].playbook, call[1].limits) == ("start", "triage", ())


async def test_a_verb_that_is_refused_is_told_without_markup(stage: Stage) -> None:
    app = dashboard(stage, stage.snapshot())
    app.gateway.refusal = "no [bold]credential[/] \x1b[31mhere"  # type: ignore[attr-defined]
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, "t")
        await until(pilot, lambda: told(app), "the refusal")
        assert told(app) == r"no [bold]credential[/] \x1b[31mhere"


async def test_triage_is_not_begun_beside_a_run(app: Dashboard) -> None:
    async with app.run_test() as pilot:
        await ready(pilot, "t")
    assert calls(app) == []


@pytest.mark.parametrize(
    ("keys", "call"),
    [
        (("a", "y"), ("command", RUN, "approve", "wave:4")),
        (("p",), ("command", RUN, "pause", "")),
        (("x", "y"), ("command", RUN, "abort", "")),
        (("X", "y"), ("command", RUN, "cancel", "")),
    ],
)
async def test_what_people_say_to_a_run(
    app: Dashboard, keys: tuple[str, ...], call: tuple[str, ...]
) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, keys[0])
        if len(keys) > 1:
            await until(pilot, stands(app, Question), "the question")
            await pilot.press(keys[1])
        await until(pilot, lambda: calls(app), "the word to the run")
    assert calls(app) == [call]


@pytest.mark.parametrize("key", ["a", "x", "X"])
@pytest.mark.parametrize("answer", ["n", "escape", "enter"])
async def test_no_is_no_and_enter_is_no_yes(app: Dashboard, key: str, answer: str) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, key)
        await until(pilot, stands(app, Question), "the question")
        await pilot.press(answer)
        await pilot.pause(0.1)
        assert isinstance(app.screen, Question) == (answer == "enter")
    assert calls(app) == []


async def test_a_paused_run_goes_on_by_the_same_key_after_a_question(stage: Stage) -> None:
    stage.begin()
    stage.say(
        Command(at=at(5), run=RUN, verb="pause", by="ada"),
        RunHeld(at=at(6), run=RUN, reason="paused by ada"),
    )
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot)
        assert "‖ paused by ada" in shown(app)
        await pilot.press("p")
        await until(pilot, stands(app, Question), "the question")
        await pilot.press("enter")
        assert calls(app) == []
        await pilot.press("y")
        await until(pilot, lambda: calls(app), "the word to the run")
    assert calls(app) == [("command", RUN, "resume", "")]


async def test_a_run_that_nobody_carries_out_is_taken_up(stage: Stage) -> None:
    stage.begin()
    app = dashboard(stage, stage.snapshot(live=False))
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot)
        assert "nobody carries it out: u takes it up" in shown(app)
        await pilot.press("u")
        await until(pilot, stands(app, Question), "the question")
        assert "MOCK" in shown(app)
        await pilot.press("enter")
        assert calls(app) == []
        await pilot.press("y")
        await until(pilot, lambda: calls(app), "the taking up")
    assert calls(app) == [("take_up", RUN)]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (GuardTripped(at=at(9), run=RUN, rule="failed", count=3, limit=2, denominator="wave 3 (12 hosts)"),
         "■ HALTED BY THE GUARD\n   failed 3 of wave 3 (12 hosts), limit 2"),
        (over(), "✗ over: 1 host failed"),
        (Command(at=at(9), run=RUN, verb="cancel"), "‖ is being stopped"),
        (Notice(at=at(9), run=RUN, message="beware"), "▸ goes on"),
    ],
)  # fmt: skip
async def test_where_a_run_stands_is_said(stage: Stage, event: Any, words: str) -> None:
    stage.begin()
    stage.say(event)
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot)
        text = shown(app)
        assert [line for line in words.splitlines() if line not in text] == []


async def test_what_hosts_say_is_only_text(stage: Stage) -> None:
    stage.begin()
    nasty = "[@click=app.exit]x[/] \x1b]0;owned\x07 \u202eevil\u2066 [red]r"
    stage.say(Notice(at=at(9), run=RUN, message=nasty))
    app = dashboard(stage, stage.snapshot())
    async with app.run_test(size=(140, 45)) as pilot:
        await ready(pilot)
        text = shown(app)
    assert r"[@click=app.exit]x[/] \x1b]0;owned\x07 \u202eevil\u2066 [red]r" in text
    assert not set(text) & {"\x1b", "\x07", "\u202e", "\u2066"}


async def test_a_problem_of_the_feed_stands_at_the_top(stage: Stage) -> None:
    words = (
        "journal /somewhere/far/away/journal.db: it is damaged, and what is to be done is said here"
    )
    app = dashboard(stage, Snapshot(stage="live", problem=words))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        assert "✗ not up to date" in shown(app)
        assert " ".join(words.split()) in " ".join(shown(app).split())


@pytest.mark.parametrize(
    ("snapshot", "words"),
    [
        (Snapshot(stage="inventory"), "reads the inventory"),
        (Snapshot(stage="journal", behind=1234567), "reads the journal, 1,234,567 events to go"),
    ],
)
async def test_a_picture_that_is_not_whole_is_called_so(
    stage: Stage, snapshot: Snapshot, words: str
) -> None:
    app = dashboard(stage, snapshot)
    async with app.run_test(size=(130, 30)) as pilot:
        await until(pilot, lambda: words in shown(app), words)


async def test_the_help_names_every_action_and_says_why_not(app: Dashboard) -> None:
    async with app.run_test(size=(120, 50)) as pilot:
        await ready(pilot, "question_mark")
        await until(pilot, stands(app, HelpScreen), "the help")
        text = str(app.screen.query_one(Static).content)
        for action in (*SituationScreen.ACTIONS, *ACTIONS):
            assert action.title in text
            assert action.tooltip in text
        assert "(not now: rollback goes on)" in text
        assert "needs key" in text
        await pilot.press("escape")
        await until(pilot, stands(app, SituationScreen), "the screen below")


async def test_the_palette_offers_what_can_be_done_now(app: Dashboard) -> None:
    async with app.run_test(size=(120, 50)) as pilot:
        await ready(pilot, "ctrl+p")
        await pilot.press(*"pause")
        await pilot.pause(0.5)
        await pilot.press("enter")
        await pilot.pause(0.2)
        if not calls(app):
            await pilot.press("enter")
        await until(pilot, lambda: calls(app), "the word to the run")
    assert calls(app) == [("command", RUN, "pause", "")]


async def test_keys_are_those_of_the_settings(stage: Stage) -> None:
    keys = {"situation.triage": "ctrl+t", "app.help": "f1"}
    app = dashboard(stage, stage.snapshot(), keys=keys)
    async with app.run_test(size=(120, 30)) as pilot:
        await ready(pilot, "t", "question_mark")
        assert calls(app) == []
        assert isinstance(app.screen, SituationScreen)
        assert "Ctrl+t Triage" in str(app.screen.query_one(KeyLine).content)
        await pilot.press("ctrl+t", "f1")
        await until(pilot, lambda: calls(app) and isinstance(app.screen, HelpScreen), "both")


async def test_the_look_changes_by_key(app: Dashboard) -> None:
    async with app.run_test() as pilot:
        await ready(pilot, "f2")
        assert app.theme == "day"
        await pilot.press("f2")
        assert app.theme == "night"


@pytest.mark.parametrize(
    ("mode", "key"), [("fleet", "2"), ("runs", "3"), ("hands", "4"), ("journal", "5")]
)
async def test_screens_are_reached_by_number_and_by_mouse(
    app: Dashboard, mode: str, key: str
) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, key)
        assert app.current_mode == mode
        await pilot.click(Banner, offset=(3, 0))
        assert app.current_mode == "situation"


async def test_keys_in_the_bottom_line_can_be_clicked(app: Dashboard) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot)
        line = str(app.screen.query_one(KeyLine).content)
        await pilot.click(KeyLine, offset=(line.index("Help"), 0))
        await until(pilot, stands(app, HelpScreen), "the help")


async def test_leaving_asks_while_a_run_goes_on_and_says_how_to_come_back(app: Dashboard) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, "q")
        await until(pilot, stands(app, QuitScreen), "the question")
        assert RUN in shown(app)
        await pilot.press("escape")
        await until(pilot, stands(app, SituationScreen), "the screen below")
        await pilot.press("q")
        await until(pilot, stands(app, QuitScreen), "the question")
        await pilot.press("q")
        await until(pilot, lambda: app.return_value is not None, "the end")
    assert app.return_value == "come back: recovery tui"


async def test_leaving_when_nothing_goes_on_asks_nothing(stage: Stage) -> None:
    app = dashboard(stage, stage.snapshot())
    async with app.run_test() as pilot:
        await ready(pilot, "q")
        await until(pilot, lambda: app.return_value is not None, "the end")


async def test_the_status_report_is_written_to_a_new_file(
    app: Dashboard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, "s")
        await until(pilot, stands(app, ReportScreen), "the report")
        assert "Still to do: 38, of which 30 are down." in shown(app)
        await pilot.press("w", "enter")
        await until(pilot, lambda: "written to" in shown(app), "the word that it is written")
        await pilot.press("w", "enter")
        await until(pilot, lambda: "File exists; choose another name" in shown(app), "the refusal")
        app.screen.query_one(Input).value = "nowhere/x.md"
        await pilot.press("enter")
        await until(pilot, lambda: "No such file" in shown(app), "the refusal")
    file = tmp_path / "status-20240719-0613.md"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "- Waiting for a decision: open wave 4?" in file.read_text()


async def test_the_status_report_is_copied(app: Dashboard) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(pilot, "s")
        await until(pilot, stands(app, ReportScreen), "the report")
        await pilot.press("c")
        await pilot.pause(0.1)
        assert app.clipboard.startswith("# Status of the recovery")
        await pilot.press("s")
        await until(pilot, stands(app, SituationScreen), "the screen below")


async def test_a_restart_shows_the_same(stage: Stage) -> None:
    stage.begin()
    half_way(stage)
    pictures = []
    for _ in range(2):
        app = dashboard(stage, stage.snapshot())
        async with app.run_test(size=(120, 40)) as pilot:
            await ready(pilot)
            pictures.append(shown(app))
        stage.feed = Feed(stage.journal, stage.clock, (str(stage.inventory),), mock=True)
    assert pictures[0] == pictures[1]
