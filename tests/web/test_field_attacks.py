"""What people try who should not: nothing of it is carried out, nothing leaks, and what matters is in the journal."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from recovery.model.events import Notice
from recovery.model.field_events import Role, SignedIn
from recovery.web.drawing import NOTES
from recovery.web.entering import MOST_BYTES
from recovery.web.gate import HEADERS
from tests.unit.desk.key_cases import KEY
from tests.web.field_scene import IDS, KEYS, Browser, Scene, shown
from tests.wire.test_no_secret_leaks import forms

MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
STRANGER = "k9FrEJ7tWG_bRpEENwzOE3wPP1dk2I1Giyc7-Vi-vbQ"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def alarms(scene: Scene) -> list[str]:
    return [event.message for event in scene.events() if isinstance(event, Notice)]


# --- links and sessions ---


@pytest.mark.parametrize("token", ["", "x", STRANGER, "../" * 20, "ä" * 43, "a" * 5000, "\0" * 43])
def test_a_forged_link_opens_nothing(scene: Scene, token: str) -> None:
    got = Browser(scene).enter(token)
    assert got.status_code == 403
    assert "set-cookie" not in got.headers
    assert not any(isinstance(event, SignedIn) for event in scene.events())
    assert "field.sign_in_refused" in scene.kinds()


def test_a_link_works_once_and_looking_at_it_does_not_count(scene: Scene) -> None:
    token = scene.link("ann")
    first, second = Browser(scene), Browser(scene)
    for _ in range(2):
        assert "It works once" in shown(first.get(f"/enter?t={token}"))
    assert first.enter(token).status_code == 303
    assert second.enter(token).status_code == 403
    scene.restart()
    assert Browser(scene).enter(token).status_code == 403


def test_an_old_link_opens_nothing(scene: Scene) -> None:
    token = scene.link("ann", minutes=10)
    scene.clock.move(600)
    assert Browser(scene).enter(token).status_code == 403


@pytest.mark.parametrize("cookie", ["", "x", STRANGER, "a" * 3000])
def test_a_forged_session_is_nobody(scene: Scene, cookie: str) -> None:
    client = TestClient(scene.app, cookies={"field": cookie})
    for path in ("/", "/board", "/ticket?host=h1", "/add"):
        assert client.get(path).status_code == 401


def test_a_link_is_no_session_and_a_session_no_link(scene: Scene, ann: Browser) -> None:
    session = ann.client.cookies["field"]
    assert Browser(scene).enter(session).status_code == 403
    client = TestClient(scene.app, cookies={"field": scene.link("bob")})
    assert client.get("/").status_code == 401


def test_guessing_links_is_stopped_and_told_and_others_still_get_in(scene: Scene) -> None:
    guesser = Browser(scene, "10.6.6.6")
    statuses = [guesser.enter(secrets.token_urlsafe()).status_code for _ in range(14)]
    assert statuses == [403] * 10 + [429] * 4
    assert alarms(scene) == ["ALARM: sign-ins are being guessed from 10.6.6.6"]
    assert scene.kinds().count("field.sign_in_refused") == 10
    assert scene.browser("bob").get("/").status_code == 200
    assert guesser.enter(scene.link("eve")).status_code == 429
    scene.clock.move(301)
    assert guesser.enter(scene.link("eve")).status_code == 303


def test_who_changes_the_address_within_a_network_of_their_own_is_counted_as_one(
    scene: Scene,
) -> None:
    statuses = [
        Browser(scene, f"2001:db8::{number:x}").enter(secrets.token_urlsafe()).status_code
        for number in range(12)
    ]
    assert statuses == [403] * 10 + [429] * 2
    assert alarms(scene) == ["ALARM: sign-ins are being guessed from 2001:db8::/64"]
    assert Browser(scene, "2001:db8:0:1::1").enter(scene.link("bob")).status_code == 303


def test_a_session_cookie_is_for_this_site_alone(scene: Scene) -> None:
    cookie = Browser(scene).enter(scene.link("ann")).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


# --- forms that the page did not send ---


def test_forms_without_the_sessions_own_mark_are_refused(
    scene: Scene, ann: Browser, bob: Browser
) -> None:
    good = ann.fields()
    before = scene.kinds()
    for mark in ("", "x", bob.fields()["csrf"], "ä", good["csrf"].upper()):
        got = ann.client.post("/do/claim", data={**good, "csrf": mark, "host": "h1"})
        assert got.status_code == 403
    assert ann.client.post("/do/claim", data={"host": "h1"}).status_code == 403
    assert ann.client.post("/leave", data={"csrf": "x"}).status_code == 403
    assert scene.kinds() == before


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "null", "host": ""},
        {"origin": "http://["},
        {"origin": "http://testserver.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_forms_of_other_pages_are_refused(
    scene: Scene, ann: Browser, headers: dict[str, str]
) -> None:
    data = {**ann.fields(), "host": "h1"}
    token = scene.link("eve")
    assert ann.client.post("/do/claim", data=data, headers=headers).status_code == 403
    got = Browser(scene).client.post("/enter", data={"token": token}, headers=headers)
    assert got.status_code == 403
    assert "ticket.claimed" not in scene.kinds()


@pytest.mark.parametrize("once", ["", "x", "a" * 200, "a b" * 10, "../../../../../../../etc"])
def test_forms_without_a_key_of_their_own_are_refused(
    scene: Scene, ann: Browser, once: str
) -> None:
    assert ann.do("claim", once=once).status_code == 422
    assert "ticket.claimed" not in scene.kinds()


# --- tickets and keys of others ---


def test_a_ticket_of_somebody_else_is_read_only(scene: Scene, ann: Browser, bob: Browser) -> None:
    ann.do("claim")
    ann.key(IDS[0])
    before = scene.kinds()
    for verb, fields in (
        ("claim", {}),
        ("on-site", {}),
        ("tried", {"reason": "mine now"}),
        ("done", {}),
        ("release", {}),
        ("escalate", {"to": "me", "reason": "so"}),
        ("unlocked", {"key_id": IDS[0]}),
        ("failed", {"key_id": IDS[0]}),
    ):
        assert bob.do(verb, **fields).status_code == 409, verb
    assert scene.kinds() == before
    page = bob.get("/ticket?host=h1").text
    assert IDS[0][:8] not in page
    assert "/key" not in page


def test_a_key_is_for_the_holder_alone_for_one_host_at_a_time(
    scene: Scene, ann: Browser, bob: Browser, lea: Browser
) -> None:
    ann.do("claim")
    ann.do("claim", "h2")
    assert ann.key(IDS[0]).status_code == 200
    for browser, host in ((bob, "h1"), (lea, "h1"), (ann, "h2"), (ann, "h3"), (ann, "")):
        got = browser.key(IDS[0], host)
        assert got.status_code in (409, 422)
        assert KEYS[IDS[0]] not in got.text
    assert scene.kinds().count("key.shown") == 1
    scene.clock.move(61)
    assert ann.key(IDS[1], "h2").status_code == 200


def test_scraping_keys_is_stopped_and_told(scene: Scene, ann: Browser) -> None:
    ann.do("claim")
    statuses = [ann.key(key_id).status_code for key_id in IDS[:16]]
    assert statuses == [200] * 6 + [409] * 6 + [429] * 4
    assert scene.kinds().count("key.shown") == 6
    assert alarms(scene) == [
        "ALARM: ann was refused 5 recovery keys, the last for h1",
        "ALARM: ann asks for recovery keys again and again",
    ]
    scene.restart()
    assert scene.resume(ann).key(IDS[20]).status_code == 409


@pytest.mark.parametrize("key_id", ["", "1234567", "*", "05A73B04)(cn=*", "%", "../../x", MARKUP])
def test_what_is_no_key_id_asks_no_source(scene: Scene, ann: Browser, key_id: str) -> None:
    ann.do("claim")
    assert ann.key(key_id).status_code == 422
    assert "key.asked" not in scene.kinds()


def test_a_key_that_no_source_has_is_said_to_be_missing(scene: Scene, ann: Browser) -> None:
    ann.do("claim")
    assert ann.key("05A73B04").status_code == 502
    assert "key.missing" in scene.kinds()


# --- what is sent ---


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"a=" + b"x" * MOST_BYTES, FORM, 413),
        (b"a=b", {**FORM, "content-length": "999999"}, 413),
        (b"a=b", {"content-type": "application/json"}, 415),
        (b"a=b", {"content-type": "multipart/form-data; boundary=x"}, 415),
        (b"", {}, 415),
        (b"a=b&a=c", FORM, 400),
        (b"host", FORM, 400),
        (b"host=%zz", FORM, 400),
        (b"host=%ff%fe", FORM, 400),
        (b"host=\xff", FORM, 400),
        (b"&".join(b"f%d=1" % number for number in range(40)), FORM, 400),
        (b"", FORM, 403),
    ],
)
def test_what_is_no_form_of_ours_is_refused(
    ann: Browser, body: bytes, headers: dict[str, str], status: int
) -> None:
    assert ann.client.post("/do/claim", content=body, headers=headers).status_code == status


def test_a_body_without_a_length_is_counted_as_it_comes(ann: Browser) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b"a=" + b"x" * 1000

    assert ann.client.post("/do/claim", content=endless(), headers=FORM).status_code == 413


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/%2e%2e/errors.py",
        "/static/....//app.py",
        "/static//etc/passwd",
        "/static/field.css%00.js",
        "/do/..%2fboard",
        "/do/__class__",
        "/.git/config",
        "/" + "a" * 5000,
        "/board?stage=../../x",
    ],
)
def test_paths_lead_nowhere_else(ann: Browser, path: str) -> None:
    for call in (ann.get, ann.post):
        got = call(path)
        assert got.status_code in (400, 401, 403, 404, 405)
        assert "import" not in got.text
        assert "root:" not in got.text


@pytest.mark.parametrize(
    "host",
    ["h1\r\nset-cookie: a=b", "h1\nx: y", "a/../b", "//evil.example", "h 1", "\x00", "ä/?&#"],
)
def test_names_put_nothing_into_headers(scene: Scene, ann: Browser, host: str) -> None:
    got = ann.post("/do/add", host=host, reason="dark")
    assert got.status_code in (303, 422)
    assert "set-cookie" not in got.headers
    assert "x" not in got.headers
    if got.status_code == 303:
        assert got.headers["location"].startswith("/ticket?host=")
        assert host in shown(ann.get(got.headers["location"]))
    assert ann.get(f"/ticket?host={quote(host)}").status_code in (200, 404)


def test_markup_is_text_in_every_field(scene: Scene, lea: Browser) -> None:
    ann = scene.browser(f"ann{MARKUP}"[:90])
    name = f"h<b>{MARKUP}".replace(" ", "_")
    ann.post("/do/add", host=name, reason=MARKUP, site=MARKUP[:90], location=MARKUP)
    ann.do("claim", name)
    ann.do("tried", name, reason=MARKUP)
    ann.do("escalate", name, to=MARKUP[:90], reason=MARKUP)
    pages = [
        *(lea.get(path) for path in ("/", "/board", f"/ticket?host={quote(name)}", "/add")),
        ann.get("/"),
        ann.get(f"/ticket?host={quote(MARKUP)}"),
        ann.get(f"/enter?t={quote(MARKUP)}"),
        ann.get(f"/board?stage={quote(MARKUP)}"),
        ann.get(f"/?note={quote(MARKUP)}&form={quote(MARKUP)}&none={quote(MARKUP)}"),
        ann.do(MARKUP, MARKUP),
        ann.key(MARKUP, MARKUP),
    ]
    for got in pages:
        assert "<script>alert" not in got.text
        assert "<img" not in got.text
        assert "<b>" not in got.text.replace("<b>3</b>", "").replace("<b>0</b>", "").replace(
            "<b>1</b>", ""
        )
        assert "49" not in shown(got).replace(MARKUP, "")
    assert "<script>alert" in shown(pages[2])


def test_an_address_carries_no_words_of_its_own(ann: Browser) -> None:
    assert "Call 555" not in ann.get("/?note=Call 555").text
    assert NOTES["done"] in ann.get("/?note=done").text


# --- what leaks ---


def test_every_answer_keeps_browsers_strict(scene: Scene, ann: Browser) -> None:
    for got in (
        ann.get("/"),
        ann.get("/static/field.js"),
        ann.get("/nothing"),
        ann.client.post("/do/claim", content=b"x" * 99999, headers=FORM),
        Browser(scene).get("/board"),
        ann.do("claim"),
        ann.client.request("TRACE", "/"),
    ):
        for name, value in HEADERS.items():
            assert got.headers[name] == value
        assert "unsafe" not in got.headers["content-security-policy"]
    page = ann.get("/").text
    assert "style=" not in page
    assert "<script>" not in page
    assert " onclick" not in page


def test_keys_and_tokens_are_nowhere_but_where_they_belong(
    scene: Scene, ann: Browser, lea: Browser, vic: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = scene.link("bob", Role.LEAD)
    bob = Browser(scene)
    bob.get(f"/enter?t={token}")
    bob.enter(token)
    ann.do("claim")
    assert KEYS[IDS[0]] in ann.key(IDS[0]).text
    ann.do("tried", reason=f"typed {KEY} in")
    ann.do("failed", key_id=KEY)
    ann.key(KEY)
    secrets_of_all = [
        token,
        *(it.client.cookies["field"] for it in (ann, lea, vic, bob)),
        *KEYS.values(),
        KEY,
        KEY.replace("-", ""),
    ]
    files = "".join(
        path.read_bytes().decode("latin-1") for path in scene.path.parent.glob("journal*")
    )
    pages = "".join(
        browser.get(path).text
        for browser in (ann, lea, vic, bob)
        for path in ("/", "/board", "/ticket?host=h1")
    )
    log = "".join(record.getMessage() for record in caplog.records if record.name != "httpx2")
    assert "POST '/key' 200" in log
    for secret in secrets_of_all:
        for form in (raw.decode("latin-1") for _, raw in forms(secret)):
            assert form not in files
            assert form not in log
            assert form not in pages
            assert form not in scene.told()


def test_a_broken_page_tells_nothing_of_itself(
    scene: Scene, ann: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: object) -> None:
        raise ZeroDivisionError("secret inside")

    monkeypatch.setattr(scene.desk, "jobs", breaks)
    got = ann.get("/board")
    assert got.status_code == 500
    assert "secret inside" not in got.text
    assert got.headers["content-security-policy"] == HEADERS["content-security-policy"]
    assert "It stands in the program's log" in shown(got)


def test_a_flood_of_forms_is_held(scene: Scene, ann: Browser) -> None:
    fields = ann.fields()
    statuses = {
        ann.client.post("/do/claim", data={**fields, "once": "x"}).status_code for _ in range(125)
    }
    assert statuses == {422, 429}
