"""What is slow, broken or without end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from recovery.desk.queue import Job
from recovery.errors import JournalError, RecoveryError
from recovery.model.field_events import Role
from recovery.model.ticket import Ticket
from recovery.web import entering, limits, site
from recovery.web.app import make_app
from recovery.web.codes import code128, qr
from recovery.web.site import ProblemError
from tests.unit.desk.desk_clock import HandClock
from tests.unit.journal.happenings import BEGAN
from tests.web.field_scene import IDS, Scene, shown

FORM = [(b"content-type", b"application/x-www-form-urlencoded")]


def request(*messages: dict[str, Any]) -> Request:
    """One whose body comes in these pieces, and then in none."""
    left = list(messages)

    async def receive() -> dict[str, Any]:
        if left:
            return left.pop(0)
        raise TimeoutError

    scope = {"type": "http", "method": "POST", "headers": FORM, "path": "/", "query_string": b""}
    return Request(scope, receive)


PIECE = {"type": "http.request", "body": b"a=b&", "more_body": True}


async def test_a_form_that_never_ends_is_given_up() -> None:
    with pytest.raises(ProblemError) as caught:
        await entering.form(request(PIECE))
    assert caught.value.status == 408


async def test_a_form_that_breaks_off_is_none() -> None:
    with pytest.raises(ProblemError) as caught:
        await entering.form(request(PIECE, {"type": "http.disconnect"}))
    assert caught.value.status == 400


def test_limits_count_each_name_by_itself_and_forget() -> None:
    clock = HandClock(BEGAN)
    limit = limits.Limit(2, 10.0, clock.monotonic)
    assert [limit.take("a") for _ in range(3)] == [True, True, False]
    assert limit.take("b")
    assert [limit.tells("a"), limit.tells("a"), limit.tells("b")] == [True, False, True]
    clock.move(10)
    assert limit.take("a")
    assert limit.tells("a")


def test_limits_remember_no_more_names_than_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_NAMES", 3)
    limit = limits.Limit(1, 10.0, lambda: 0.0)
    assert all(limit.take(name) for name in "abcd")
    assert [limit.tells(name) for name in "abcd"] == [True, True, True, False]
    assert limit.take("a"), "the oldest was forgotten"
    assert not limit.take("d")


def test_a_board_is_drawn_once_for_all_who_ask_and_anew_when_something_happens(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, vic = scene.browser("ann"), scene.browser("vic", Role.VIEWER)
    looks: list[object] = []
    jobs = scene.desk.jobs

    def counted(tickets: Iterable[Ticket]) -> list[Job]:
        looks.append(tickets)
        return jobs(tickets)

    monkeypatch.setattr(scene.desk, "jobs", counted)
    pages = [shown(vic.get("/board")) for _ in range(5)]
    assert (len(looks), len(set(pages))) == (1, 1)
    assert "None." in shown(vic.get("/board?stage=claimed"))
    ann.do("claim")
    assert "h1" in shown(vic.get("/board?stage=claimed"))
    scene.clock.move(3600)
    assert "None." in shown(vic.get("/board?stage=claimed"))


def test_a_journal_that_is_gone_is_said(scene: Scene) -> None:
    ann = scene.browser("ann")
    for path in scene.path.parent.glob("journal.db*"):
        path.write_bytes(b"no journal")
    got = ann.get("/board")
    assert got.status_code == 503
    assert "journal" in shown(got)


@pytest.mark.parametrize(("error", "status"), [(JournalError(), 503), (RecoveryError(), 500)])
def test_errors_have_their_status(error: RecoveryError, status: int) -> None:
    assert site.status_of(error) == status


def test_with_an_own_certificate_browsers_insist_on_tls(scene: Scene) -> None:
    given = {name: getattr(scene.site, name) for name in scene.site.__struct_fields__}
    sites = type(scene.site)(**given | {"secure": True, "strict_transport": True})
    with TestClient(make_app(sites), base_url="https://testserver") as client:
        got = client.get("/enter")
        assert "max-age" in got.headers["strict-transport-security"]
        token = scene.link("ann")
        entered = client.post("/enter", data={"token": token}, follow_redirects=False)
    cookie = entered.headers["set-cookie"]
    assert cookie.startswith("__Host-field=")
    assert "Secure" in cookie
    assert "Path=/" in cookie


def test_without_sources_no_key_is_shown(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert scene.site.keys.open() == 1
    scene.settings = type(scene.settings)(journal=str(scene.path))
    scene.restart()
    assert scene.site.keys.open() == 0
    ann = scene.browser("ann")
    ann.do("claim")
    got = ann.key(IDS[0])
    assert got.status_code == 422
    assert "no source of recovery keys" in shown(got)


def test_codes_have_their_quiet_zones() -> None:
    lying, standing = code128("1234")
    assert (lying.width, lying.height) == (standing.height, standing.width)
    assert lying.path.startswith("M10 0h2v1")
    assert qr("1234").path.startswith("M4 4h1")


def test_after_a_restart_the_page_knows_who_is_signed_in(scene: Scene) -> None:
    scene.browser("ann")
    scene.restart()
    assert scene.desk.field().people(scene.clock.now()) == {"ann": 1}
    assert scene.desk.field_now.seq == len(scene.events())
