"""The real page in a real browser, as large as a phone and as a laptop: scanners read what is on the screen."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from recovery.model.ticket import Stage
from recovery.service.field_desk import FieldDesk
from recovery.settings import load
from tests.needs import need
from tests.web.field_scene import IDS, KEYS
from tests.web.served import Served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.xdist_group("chromium")

SIZES = {"phone": (360, 740), "laptop": (1280, 800)}
HOST = "atl-kiosk-03"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    path = need("chromium")
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def trouble() -> Iterator[list[str]]:
    """What the browser complains about: nothing."""
    found: list[str] = []
    yield found
    assert found == []


@pytest.fixture
def pages(chromium: Browser, trouble: list[str]) -> Iterator[Callable[..., Page]]:
    """Browsers of people, each with its own memory."""
    contexts = []

    def opened(size: str = "phone", *, script: bool = True) -> Page:
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            ignore_https_errors=True,
            java_script_enabled=script,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on(
            "console",
            lambda said: trouble.append(said.text) if "Security" in said.text else None,
        )
        return page

    yield opened
    for context in contexts:
        context.close()


def press(page: Page, words: str) -> None:
    """Press a button, and wait for where it leads."""
    with page.expect_navigation():
        page.get_by_role("button", name=words, exact=True).click()
    page.wait_for_load_state("load")


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def scanned(picture: bytes) -> set[tuple[str, str]]:
    """What zbar reads."""
    need("zbar")
    from pyzbar.pyzbar import decode  # noqa: PLC0415 - it fails to load without zbar

    return {(it.type, it.data.decode()) for it in decode(Image.open(io.BytesIO(picture)))}


def desk(home: Path) -> FieldDesk:
    return FieldDesk(load(str(home / "settings.yaml")).settings)


def key_id_field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Key id on the screen")


def nothing_kept(page: Page) -> bool:
    """Whether every form has arrived; waits for it for a while."""
    from playwright.sync_api import Error  # noqa: PLC0415 - only where there is a browser

    for _ in range(300):
        with contextlib.suppress(Error):  # the page is being loaded anew
            if page.evaluate("localStorage.getItem('fleet-recovery-kept')") == "[]":
                return True
        page.wait_for_timeout(100)
    return False


def check_codes(page: Page, dashed: str) -> None:
    """Each spelling is on the screen as a square and as a linear code, whole and with its quiet zone."""
    for section, text in (("digits", dashed.replace("-", "")), ("dashed", dashed)):
        codes = page.locator(f"#{section} .codes svg:visible")
        found = set()
        for place in range(codes.count()):
            codes.nth(place).scroll_into_view_if_needed()
            found |= scanned(page.screenshot())
        assert {("QRCODE", text), ("CODE128", text)} <= found


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("size", SIZES)
def test_a_technicians_way_from_the_link_to_done(
    serve: Callable[..., Served], office: Path, pages: Callable[..., Page], size: str, script: bool
) -> None:
    served, page = serve("--self-signed"), pages(size, script=script)
    page.goto(served.link("ann"))
    widths = []
    press(page, "Sign in")
    page.get_by_label("Where you are").fill("T3 gate A")
    for words in ("Take the next one", "I am in front of it"):
        press(page, words)
        widths.append(overflow(page))
    key_id_field(page).fill(IDS[0][:8].lower())
    press(page, "Show the key")
    widths.append(overflow(page))
    check_codes(page, KEYS[IDS[0]])
    press(page, "No")
    page.get_by_label("What you tried").fill("no stick of this generation")
    press(page, "Tried, did not help")
    assert "tried: no stick of this generation" in page.inner_text("main")
    press(page, "I say it is done")
    assert "closes when the machine itself proves it" in page.inner_text("main")
    page.goto(f"{served.url}/board")
    assert {*widths, overflow(page)} == {0}
    ticket = desk(office).job(HOST).ticket
    assert (ticket.stage, ticket.owner, ticket.tries) == (Stage.SAYS_DONE, "ann", 1)
    assert KEYS[IDS[0]].replace("-", "") not in served.log


@pytest.mark.parametrize("size", SIZES)
def test_a_lead_approves_on_the_board(
    serve: Callable[..., Served], office: Path, pages: Callable[..., Page], size: str
) -> None:
    served, page = serve("--keys-to-media"), pages(size)
    page.goto(served.link("lea", "lead"))
    press(page, "Sign in")
    page.get_by_role("link", name="Board").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Let key go to media").first.click()
    page.goto(f"{served.url}/board")
    assert "may go to media" in page.inner_text("table")
    assert overflow(page) == 0


def test_a_form_without_a_connection_is_kept_and_sent_once(
    serve: Callable[..., Served], office: Path, pages: Callable[..., Page]
) -> None:
    served, page = serve(), pages()
    page.goto(served.link("ann"))
    press(page, "Sign in")
    press(page, "Take the next one")
    page.context.set_offline(True)
    page.get_by_label("What you tried").fill("no stick")
    page.get_by_role("button", name="Tried, did not help").click()
    page.get_by_text("One form has not arrived yet").wait_for()
    assert desk(office).job(HOST).ticket.tries == 0
    with page.expect_navigation():
        page.context.set_offline(False)
    page.get_by_text("tried: no stick").wait_for()
    page.goto(f"{served.url}/")
    assert page.locator("#kept").is_hidden()
    assert desk(office).job(HOST).ticket.tries == 1


def test_a_form_whose_answer_is_lost_is_sent_again_and_done_once(
    serve: Callable[..., Served], office: Path, pages: Callable[..., Page]
) -> None:
    served, page = serve(), pages()
    page.goto(served.link("ann"))
    press(page, "Sign in")
    press(page, "Take the next one")
    arrived: list[int] = []

    def lose(route: object) -> None:
        from playwright.sync_api import Route  # noqa: PLC0415 - only where there is a browser

        assert isinstance(route, Route)
        arrived.append(route.fetch(max_redirects=0).status)
        if len(arrived) == 1:
            route.abort()
        else:
            route.continue_()

    page.route("**/do/tried", lose)
    page.get_by_label("What you tried").fill("no stick")
    page.get_by_role("button", name="Tried, did not help").click()
    page.get_by_text("One form has not arrived yet").wait_for()
    assert desk(office).job(HOST).ticket.tries == 1
    page.goto(f"{served.url}/ticket?host={HOST}")
    assert nothing_kept(page)
    assert len(arrived) >= 2
    assert desk(office).job(HOST).ticket.tries == 1
    events = served.run("events", "-o", "jsonl")
    assert events.count("ticket.tried") == 1


def test_a_kept_form_waits_for_its_own_person(
    serve: Callable[..., Served], office: Path, pages: Callable[..., Page]
) -> None:
    served, page = serve(), pages()
    page.goto(served.link("ann"))
    press(page, "Sign in")
    press(page, "Take the next one")
    served.run("desk", "unlink", "ann")
    page.get_by_label("What you tried").fill("no stick")
    page.get_by_role("button", name="Tried, did not help").click()
    page.get_by_text("You are not signed in").wait_for()
    for person, tries in (("bob", 0), ("ann", 1)):
        page.goto(served.link(person))
        press(page, "Sign in")
        if tries:
            assert nothing_kept(page)
        assert desk(office).job(HOST).ticket.tries == tries


def test_a_refusal_is_told_and_nothing_is_kept(
    serve: Callable[..., Served], office: Path, pages: Callable[..., Page]
) -> None:
    served, page = serve(), pages()
    page.goto(served.link("ann"))
    press(page, "Sign in")
    press(page, "Take the next one")
    served.run("desk", "release", HOST, "--lead", "lea")
    page.get_by_role("button", name="I am in front of it").click()
    page.get_by_text("does not hold").wait_for()
    assert page.evaluate("localStorage.getItem('fleet-recovery-kept')") == "[]"


def test_a_key_goes_away_by_itself(
    serve: Callable[..., Served], office: Path, pages: Callable[..., Page]
) -> None:
    settings = office / "settings.yaml"
    settings.write_text(settings.read_text().replace("show_for: 2m", "show_for: 10s"))
    served, page = serve(), pages()
    page.goto(served.link("ann"))
    press(page, "Sign in")
    press(page, "Take the next one")
    key_id_field(page).fill(IDS[0])
    press(page, "Show the key")
    page.wait_for_url("**/ticket?host=**", timeout=60_000)
    assert KEYS[IDS[0]] not in page.content()
    from playwright.sync_api import Error  # noqa: PLC0415 - only where there is a browser

    with pytest.raises(Error, match="ERR_CACHE_MISS"):
        page.go_back()
