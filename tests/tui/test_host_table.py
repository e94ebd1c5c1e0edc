"""The table of hosts: cursor, marks, groups, mouse and drawing, as a user meets them."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from recovery.tui.themes import DARK
from recovery.tui.widgets.arrangement import Arrangement, Wanted, arrange
from recovery.tui.widgets.cells import fit
from recovery.tui.widgets.columns import Column, share
from recovery.tui.widgets.host_table import HostTable


class Row(NamedTuple):
    name: str
    site: str = ""


COLUMNS = (
    Column("name", "Host", 10, 30, lambda row: row.name, lambda row: row.name),
    Column(
        "site", "Site", 5, 10, lambda row: row.site, lambda row: row.site, lambda _row: "bad", 1
    ),
)
ROWS = tuple(Row(f"ws{number:03}", "ATL" if number % 2 else "MSP") for number in range(100))


class Stage(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name
        self.told: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        yield HostTable(COLUMNS)

    def on_line_table_opened(self, message: HostTable.Opened) -> None:
        self.told.append(("opened", message.name))

    def on_line_table_folded(self, message: HostTable.Folded) -> None:
        self.told.append(("folded", message.name))

    def on_line_table_sort_asked(self, message: HostTable.SortAsked) -> None:
        self.told.append(("sort", message.name))

    @property
    def table(self) -> HostTable:
        return self.query_one(HostTable)

    def lines(self) -> list[str]:
        return [self.table.render_line(y).text for y in range(self.table.size.height)]


@pytest.fixture
def app() -> Stage:
    return Stage()


async def test_keys_move_the_cursor_and_the_screen_follows(app: Stage) -> None:
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.show(arrange(ROWS))
        await pilot.press("down", "down")
        assert app.table.current == "ws002"
        await pilot.press("end")
        await pilot.pause()
        assert app.table.current == "ws099"
        assert "▸  ws099" in app.lines()[-1]
        await pilot.press("pageup")
        assert app.table.current == "ws081"
        await pilot.press("home")
        await pilot.pause()
        assert app.lines()[1].startswith("▸  ws000")


async def test_the_cursor_stays_with_its_host(app: Stage) -> None:
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.show(arrange(ROWS))
        await pilot.press(*["down"] * 5)
        app.table.show(arrange(ROWS, Wanted(order=lambda row: row.name, descending=True)))
        await pilot.pause()
        assert app.table.current == "ws005"
        assert any(line.startswith("▸  ws005") for line in app.lines())
        app.table.show(arrange(ROWS[:3]))
        assert app.table.current == "ws002"
        app.table.show(Arrangement())
        assert app.table.current == ""
        await pilot.press("enter", "space", "down")
        assert app.table.chosen == ()


async def test_marks_one_range_all_inverted_and_none(app: Stage) -> None:
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.show(arrange(ROWS[:6]))
        await pilot.press("space")
        assert app.table.marks == {"ws000"}
        await pilot.press("shift+down", "shift+down")
        assert app.table.marks == {"ws000", "ws001", "ws002", "ws003"}
        await pilot.press("i")
        assert list(app.table.chosen) == ["ws004", "ws005"]
        await pilot.press("a")
        assert len(app.table.marks) == 6
        app.table.show(arrange(ROWS[3:4]))
        assert len(app.table.marks) == 6  # what is not listed stays marked
        assert app.lines()[1].startswith("▸✓ ws003")
        await pilot.press("u")
        assert list(app.table.chosen) == ["ws003"]


async def test_groups_have_counts_and_close(app: Stage) -> None:
    async with app.run_test(size=(60, 20)) as pilot:
        wanted = Wanted(group=lambda row: row.site, ranks={"MSP": 0})
        app.table.show(arrange(ROWS[:5], wanted))
        assert [line.strip() for line in app.lines()[1:4]] == [
            "▸  ▼ MSP: 3",
            "ws000                          MSP",
            "ws002                          MSP",
        ]
        await pilot.press("enter")
        assert app.told[-1] == ("folded", "MSP")
        await pilot.press("space")
        assert app.table.marks == {"ws000", "ws002", "ws004"}
        closed = Wanted(group=lambda row: row.site, closed=frozenset({"ATL", "MSP"}))
        app.table.show(arrange(ROWS[:5], closed))
        assert [line[3:].strip() for line in app.lines()[1:3]] == ["▶ ATL: 2", "▶ MSP: 3"]
        assert app.table.current == ""
        await pilot.press("space", "a")
        assert len(app.table.marks) == 5  # `all` means those of closed groups too


async def test_the_mouse_sorts_marks_and_opens(app: Stage) -> None:
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.show(arrange(ROWS))
        await pilot.pause()
        await pilot.click(HostTable, offset=(36, 0))
        assert app.told == [("sort", "site")]
        await pilot.click(HostTable, offset=(10, 4))
        assert app.table.current == "ws003"
        await pilot.click(HostTable, offset=(10, 6), shift=True)
        assert app.table.marks == {"ws003", "ws004", "ws005"}
        await pilot.click(HostTable, offset=(1, 1))
        assert "ws000" in app.table.marks
        await pilot.double_click(HostTable, offset=(10, 2))
        assert app.told[-1] == ("opened", "ws001")
        app.table.show(arrange(ROWS[:1]))
        await pilot.click(HostTable, offset=(10, 9))
        assert app.table.current == "ws000"


async def test_text_from_outside_is_text(app: Stage) -> None:
    hostile = Row("[red]x\x1b[2J\u202e", "東京東京東京東京")
    async with app.run_test(size=(60, 5)):
        app.table.show(arrange([hostile]), sorted_by="name")
        header, line = app.lines()[:2]
        assert "Host▲" in header
        assert "[red]x\\x1b[2J\\u202e" in line
        assert cell_len(line) == app.table.scrollable_content_region.width


@pytest.mark.parametrize("width", [8, 20, 80, 250])
def test_columns_share_the_width(width: int) -> None:
    shared = share(COLUMNS, width)
    assert shared[0][0].key == "name"
    assert sum(cells for _, cells in shared) + len(shared) - 1 <= max(width, 10)


@given(st.text(max_size=30), st.integers(0, 40))
def test_fitted_text_has_the_width(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) == width
    assert fit(text, width).isprintable()


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("xyz"))), st.booleans())
def test_arranging_keeps_every_row(values: list[tuple[int, str]], descending: bool) -> None:
    rows = [Row(f"{number}-{place}", site) for place, (number, site) in enumerate(values)]
    wanted = Wanted(
        lambda row: row.name[0], descending, lambda row: row.site, closed=frozenset("x")
    )
    found = arrange(rows, wanted)
    assert sorted(found.rows) == sorted(rows)
    assert all(found.lines[place].name == name for name, place in found.places.items())
    shown = [line for line in found.lines if isinstance(line, Row)]
    assert {row.name for row in shown} == {row.name for row in rows if row.site != "x"}
    for site in "yz":
        digits = [row.name[0] for row in shown if row.site == site]
        assert digits == sorted(digits, reverse=descending)


def test_pieces_are_sorted_as_one() -> None:
    rows = [Row(str(number * 7919 % 20011)) for number in range(20011)]
    wanted = Wanted(order=lambda row: int(row.name), descending=True)
    assert [int(row.name) for row in arrange(rows, wanted).rows] == list(range(20010, -1, -1))
    assert arrange(rows, Wanted(descending=True)).rows[0] == rows[-1]
