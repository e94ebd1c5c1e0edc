"""Typing a query: proposals, errors under the bad word, history."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static

from recovery.errors import InputError
from recovery.inventory.completion import complete
from recovery.inventory.query import Known, parse
from recovery.model.host import Fleet, Host
from recovery.tui.themes import DARK
from recovery.tui.widgets.query_bar import QueryBar, QueryInput

KNOWN = Known(Fleet(hosts=(Host(name="atl-01", site="ATL"), Host(name="msp-01", site="MSP"))))


class Stage(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name
        self.asked: list[str] = []
        self.left = 0

    def compose(self) -> ComposeResult:
        yield QueryBar(self.check, lambda text: complete(text, KNOWN))

    def check(self, text: str) -> None:
        if text == "@nothing":
            raise InputError("cannot be read\x1b[2J", file="nothing")
        parse(text).check(KNOWN)

    def on_query_bar_asked(self, message: QueryBar.Asked) -> None:
        self.asked.append(message.query)

    def on_query_input_left(self) -> None:
        self.left += 1

    def said(self) -> str:
        said = self.query_one("#said", Static)
        return str(said.content) if said.display else ""

    @property
    def input(self) -> QueryInput:
        return self.query_one(QueryInput)


async def test_proposals_are_taken_in_turn() -> None:
    app = Stage()
    async with app.run_test() as pilot:
        await pilot.press(*"site=")
        assert app.said() == "ATL  MSP"
        await pilot.press("tab")
        assert app.input.value == "site=ATL"
        await pilot.press("tab")
        assert app.input.value == "site=MSP"
        await pilot.press("enter")
        assert (app.asked, app.said()) == (["site=MSP"], "")
        await pilot.press("tab")
        assert app.input.value == "site=MSP"


async def test_the_error_stands_under_the_bad_word() -> None:
    app = Stage()
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.press(*"site=ATL and stie=MSP", "enter")
        mark, message = app.said().split("\n")
        assert mark.index("^") == app.input.content_region.x + len("site=ATL and ") - 1
        assert mark.count("^") == len("stie=MSP")
        assert message == "there is no field 'stie'; did you mean 'site'?"
        assert app.asked == []
        await pilot.press("escape")
        assert (app.left, app.said()) == (1, "")


async def test_errors_without_a_place_are_shown_as_text() -> None:
    app = Stage()
    async with app.run_test(size=(80, 10)):
        app.query_one(QueryBar).put("@nothing")
        assert app.said() == "nothing: cannot be read\\x1b[2J"


async def test_earlier_queries_come_back() -> None:
    app = Stage()
    async with app.run_test() as pilot:
        for query in ("site=ATL", "site=MSP", "site=MSP", ""):
            app.query_one(QueryBar).put(query)
        await pilot.press("up")
        assert app.input.value == "site=MSP"
        await pilot.press("up", "up")
        assert app.input.value == "site=ATL"
        await pilot.press("down", "down")
        assert app.input.value == ""
        assert app.asked == ["site=ATL", "site=MSP", "site=MSP", ""]
