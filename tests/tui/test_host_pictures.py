"""The pictures of a host's screen: kept by runs, decoded within bounds, shown in words and in cells."""

from __future__ import annotations

import builtins
import io
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from textual.widgets import Static

from recovery.journal.pictures import kept_pictures
from recovery.model.evidence import ScreenSeen, Verdict
from recovery.model.reading import Label, Reading
from recovery.tui.app import Dashboard
from recovery.tui.pictures import host_pictures
from recovery.tui.screens.picture import PictureScreen
from recovery.tui.widgets.picture import LACKING, Way, picture_widget, way_of
from tests.tui.scene import Stage, at, dashboard, half_way, stepped

if TYPE_CHECKING:
    from textual.pilot import Pilot

HOST = "atl-dc-1"


def png(colour: str = "#0078d7", size: tuple[int, int] = (640, 400)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def kept(
    stage: Stage,
    picture: bytes,
    seconds: float,
    label: Label = "bugcheck",
    *,
    crash: bool = True,
    **fields: Any,
) -> str:
    keeper = kept_pictures(stage.journal, mock=stage.mock)
    assert keeper is not None
    digest = keeper.keep(HOST, picture, crash=crash)
    reading = Reading(label=label, confidence=0.9, meaning="", **fields)
    seen = ScreenSeen(at=at(seconds), source="console", reading=reading, picture=digest)
    stage.say(stepped(HOST, seconds, Verdict.BLUE_SCREEN, evidence=(seen,)))
    return digest


@pytest.fixture
def begun(stage: Stage) -> Stage:
    stage.snapshot()
    stage.begin()
    half_way(stage)
    return stage


def said(app: Dashboard, where: str) -> str:
    return str(app.screen.query_one(where, Static).content)


async def on_page(app: Dashboard, pilot: Pilot[Any]) -> None:
    await pilot.pause(0.3)
    await pilot.press("2")
    await pilot.pause(0.3)
    await pilot.press("home", "enter")
    await pilot.pause(0.6)


async def test_the_newest_stands_beside_the_facts_in_words_and_cells(begun: Stage) -> None:
    kept(begun, png("red"), 900)
    kept(begun, png(), 960, stop_code=0x50, module="csagent.sys", crash=False)
    app = dashboard(begun, begun.snapshot())
    async with app.run_test(size=(140, 40)) as pilot:
        await on_page(app, pilot)
        words = said(app, "#caption")
        assert words.startswith("Screen, newest, 0 s old")
        assert "a bug check, stop code 0x50, what failed: csagent.sys" in words
        rows = [
            "".join(segment.text for segment in strip)
            for strip in app.screen._compositor.render_strips()
        ]
        assert any("▀" * 20 in row for row in rows)
        await pilot.press("p")
        await pilot.pause(0.3)
        assert isinstance(app.screen, PictureScreen)
        await pilot.press("n")
        await pilot.pause(0.3)
        assert said(app, "#caption").startswith("Screen, first crash, 1 min old")
        await pilot.press("escape")


async def test_it_is_shown_large_where_there_is_little_room(begun: Stage) -> None:
    kept(begun, png(), 900)
    app = dashboard(begun, begun.snapshot())
    async with app.run_test(size=(80, 24)) as pilot:
        await on_page(app, pilot)
        await pilot.press("p")
        await pilot.pause(0.4)
        assert isinstance(app.screen, PictureScreen)
        rows = [
            "".join(segment.text for segment in strip)
            for strip in app.screen._compositor.render_strips()
        ]
        assert any("▀" * 20 in row for row in rows)


async def test_without_a_picture_the_key_says_so(begun: Stage) -> None:
    app = dashboard(begun, begun.snapshot())
    async with app.run_test(size=(140, 40)) as pilot:
        await on_page(app, pilot)
        await pilot.press("p")
        await pilot.pause(0.2)
        notes = " ".join(str(note.message) for note in app._notifications)
        assert "no picture of its screen is kept" in notes


def test_pictures_come_with_what_was_read_off_them(begun: Stage) -> None:
    kept(begun, png("red"), 900)
    kept(begun, png(), 960, "desktop", crash=False)
    newest, first = host_pictures(begun.service, HOST)
    assert (newest.title, newest.at, newest.words) == (
        "newest",
        at(960),
        "its screen shows a desktop",
    )
    assert (first.title, first.at) == ("first crash", at(900))
    assert newest.image is not None
    assert newest.image.getpixel((0, 0)) == (0, 0x78, 0xD7)


def test_one_picture_is_told_once(begun: Stage) -> None:
    kept(begun, png(), 900)
    assert [picture.title for picture in host_pictures(begun.service, HOST)] == ["newest"]


def test_a_screen_where_a_key_is_typed_is_told_and_not_shown(begun: Stage) -> None:
    kept(begun, png(), 900, "needs_key", key_id="0AF1F50B")
    (found,) = host_pictures(begun.service, HOST)
    assert found.image is None
    assert "somebody may have typed a recovery key" in found.why_not
    assert "key id 0AF1F50B" in found.words


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\x89PNG\r\n\x1a\nbroken", "no picture that can be decoded"),
        (b"no picture", "no picture that is known"),
        (png(size=(20_000, 900)), "pixels; at most"),
    ],
)
def test_what_cannot_be_decoded_is_said(begun: Stage, raw: bytes, why: str) -> None:
    kept(begun, raw, 900)
    (found,) = host_pictures(begun.service, HOST)
    assert found.image is None
    assert why in found.why_not


def test_an_altered_picture_is_left_out(begun: Stage) -> None:
    kept(begun, png(), 900)
    for path in begun.service.pictures(HOST):
        path.write_bytes(png("red"))
    assert host_pictures(begun.service, HOST) == ()


def test_a_picture_that_the_journal_does_not_know_is_not_shown(begun: Stage) -> None:
    keeper = kept_pictures(begun.journal, mock=True)
    assert keeper is not None
    keeper.keep(HOST, png(), crash=False)
    (found,) = host_pictures(begun.service, HOST)
    assert (found.image, found.words) == (None, "the journal does not say what it shows")


@pytest.mark.parametrize(
    ("wanted", "environment", "way"),
    [
        ("auto", {"TERM": "xterm-256color"}, "blocks"),
        ("auto", {"TERM": "xterm-kitty"}, "kitty"),
        ("auto", {"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ("auto", {"TERM": "foot-extra"}, "sixel"),
        ("auto", {"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "sixel"),
        ("auto", {"TERM": "xterm-kitty", "TMUX": "/tmp/x,1,0"}, "blocks"),
        ("auto", {"TERM": "xterm-kitty", "TEXTUAL_DRIVER": "x"}, "blocks"),
        ("auto", {"TERM": "xterm-kitty", "NO_COLOR": "1"}, "blocks"),
        ("sixel", {"TMUX": "x"}, "sixel"),
        ("none", {"TERM": "xterm-kitty"}, "none"),
    ],
)
def test_the_way_is_chosen_by_what_the_terminal_says_of_itself(
    wanted: Way, environment: Mapping[str, str], way: Way
) -> None:
    assert way_of(wanted, environment) == way


@pytest.mark.parametrize(
    ("way", "name"),
    [("blocks", "HalfcellImage"), ("kitty", "TGPImage"), ("sixel", "Image"), ("none", "Static")],
)
def test_each_way_has_its_widget(way: Way, name: str) -> None:
    assert type(picture_widget(Image.new("RGB", (4, 4)), way)).__name__ == name


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("textual_image")]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("textual_image"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    monkeypatch.setitem(sys.modules, "textual_image", None)
    found = picture_widget(Image.new("RGB", (4, 4)), "blocks")
    assert isinstance(found, Static)
    assert str(found.content) == LACKING
