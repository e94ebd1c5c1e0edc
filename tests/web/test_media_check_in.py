"""Recovery media report what they did, and get a key only where policy and a lead allow it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from starlette.testclient import TestClient

from recovery.desk.recovery_key import KeyRecord
from recovery.desk.sources.table import TableSource
from recovery.errors import RefusedError, UnknownNameError
from recovery.model.events import Notice
from recovery.model.evidence import Verdict
from recovery.model.field_events import MediumReported
from recovery.model.ticket import Stage
from recovery.web.app import make_app
from tests.web.field_scene import IDS, KEYS, METRICS_TOKEN, Browser, Scene, shown

if TYPE_CHECKING:
    from httpx2 import Response


class Medium:
    """A stick with its token."""

    def __init__(self, scene: Scene, name: str = "stick-7") -> None:
        self.token = scene.desk.add_medium(name, secrets.token_urlsafe, "desk").reveal()
        self.scene = scene

    def says(self, **fields: str) -> Response:
        return check_in(self.scene, self.token, **fields)


def check_in(scene: Scene, token: str, address: str = "10.0.0.50", **fields: str) -> Response:
    client = TestClient(scene.app, client=(address, 99), raise_server_exceptions=False)
    bearer = {"authorization": f"Bearer {token}"} if token else {}
    return client.post("/check-in", data=fields or {"serial": "S1"}, headers=bearer)


@pytest.fixture
def stick(scene: Scene) -> Medium:
    scene.observe("h1", Verdict.NEEDS_KEY, protector=IDS[0])
    return Medium(scene)


def test_a_report_is_noted_shown_and_closes_nothing(
    scene: Scene, stick: Medium, ann: Browser
) -> None:
    got = stick.says(serial="5CD1234XYZ", key_id=IDS[0].lower(), did="removed 2 files")
    assert got.status_code == 200
    assert got.text == "noted h1\n"
    assert got.headers["content-type"].startswith("text/plain")
    page = shown(ann.get("/ticket?host=h1"))
    assert "medium stick-7 says: removed 2 files (serial number 5CD1234XYZ)" in page
    assert scene.desk.job("h1").ticket.stage is Stage.WAITING
    assert "medium stick-7 reports on h1" in scene.told()


def test_a_machine_that_nobody_knows_is_on_the_board(
    scene: Scene, stick: Medium, vic: Browser
) -> None:
    assert stick.says(serial="<b>S9</b>", host="nobody", did="nothing").text == "noted\n"
    assert "stick-7: serial number <b>S9</b>: nothing" in shown(vic.get("/board"))
    assert "<b>S9" not in vic.get("/board").text


def test_a_name_is_believed_only_where_no_key_id_speaks_against_it(
    scene: Scene, stick: Medium
) -> None:
    assert stick.says(host="h2").text == "noted h2\n"
    assert stick.says(host="H2").text == "noted h2\n"
    assert stick.says(host="h2", key_id=IDS[0]).text == "noted h1\n"
    scene.observe("h3", Verdict.NEEDS_KEY, protector=IDS[0])
    assert stick.says(host="h2", key_id=IDS[0]).text == "noted\n"
    assert stick.says(host="h3", key_id=IDS[0]).text == "noted h3\n"


def test_a_report_that_is_sent_again_is_noted_once(scene: Scene, stick: Medium) -> None:
    once = secrets.token_urlsafe()
    for _ in range(2):
        assert stick.says(serial="S1", once=once).status_code == 200
        scene.restart()
    assert scene.kinds().count("medium.reported") == 1


def test_an_approved_host_gets_one_key_for_an_hour(
    scene: Scene, stick: Medium, lea: Browser
) -> None:
    refused = stick.says(key_id=IDS[0], want="key")
    assert refused.status_code == 409
    assert "no lead has approved h1" in refused.text
    lea.do("approve")
    got = stick.says(key_id=IDS[0], want="key")
    assert got.text == f"noted h1\nkey={KEYS[IDS[0]]}\n"
    assert stick.says(key_id=IDS[0], want="key").status_code == 200
    other = stick.says(host="h1", key_id=IDS[3], want="key")
    assert other.status_code == 409
    assert "approve it anew" in other.text
    scene.clock.move(3600)
    assert stick.says(key_id=IDS[0], want="key").status_code == 409
    assert [use.person for use in scene.site.keys.to_rotate()] == ["medium stick-7"]
    assert KEYS[IDS[0]].encode() not in scene.path.read_bytes()


def test_two_questions_at_once_get_one_key_for_one_approval(
    scene: Scene, stick: Medium, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.desk.approve("h1", "lea")
    find = TableSource.find

    def find_slowly(source: TableSource, key_id: str) -> Sequence[KeyRecord]:
        if key_id == IDS[0]:
            scene.site.keys.release("h1", IDS[3], "stick-8")
        return find(source, key_id)

    monkeypatch.setattr(TableSource, "find", find_slowly)
    got = stick.says(key_id=IDS[0], want="key")
    assert got.status_code == 409
    assert "approve it anew" in got.text
    assert [use.key_id for use in scene.site.keys.to_rotate()] == [IDS[3]]


def test_without_the_policy_no_key_goes_out_and_nobody_is_asked_to_approve(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, to_media=False)
    scene.observe("h1", Verdict.NEEDS_KEY, protector=IDS[0])
    scene.desk.approve("h1", "lea")
    got = Medium(scene).says(key_id=IDS[0], want="key")
    assert got.status_code == 409
    assert "keys do not go to media" in got.text


@pytest.mark.parametrize(
    ("host", "key_id", "status", "why"),
    [
        ("", IDS[9], 409, "has no open ticket"),
        ("h2", IDS[9], 409, "no lead has approved h2"),
        ("h1", "05A73B04-91CC-4183-9F71-6C2C52B4DC53", 502, "no source has a recovery key"),
        ("h1", "", 422, "is not a recovery key id"),
        ("h1", "05A73B04", 422, "is not a recovery key id"),
    ],
)
def test_keys_that_do_not_go_out(
    scene: Scene, stick: Medium, host: str, key_id: str, status: int, why: str
) -> None:
    scene.desk.approve("h1", "lea")
    got = stick.says(host=host, key_id=key_id, want="key")
    assert (got.status_code, why in got.text) == (status, True)
    assert "key=" not in got.text


def test_a_key_that_several_hosts_have_goes_to_none_that_is_not_one_of_them(
    scene: Scene, stick: Medium
) -> None:
    scene.observe("h3", Verdict.NEEDS_KEY, protector=IDS[0])
    scene.desk.approve("h2", "lea")
    with pytest.raises(RefusedError, match="this key id is that of h1, h3"):
        scene.site.keys.release("h2", IDS[0], "stick-7")


def test_scraping_by_a_medium_is_stopped_and_told(scene: Scene, stick: Medium) -> None:
    scene.desk.approve("h1", "lea")
    statuses = [stick.says(key_id=IDS[0], want="key").status_code for _ in range(12)]
    assert statuses == [200] * 6 + [409] * 6
    alarms = [event.message for event in scene.events() if isinstance(event, Notice)]
    assert alarms == ["ALARM: medium stick-7 was refused 5 recovery keys, the last for h1"]


def test_a_medium_that_floods_is_held_and_told(scene: Scene, stick: Medium) -> None:
    statuses = [stick.says(serial="S").status_code for _ in range(63)]
    assert statuses == [200] * 60 + [429] * 3
    assert scene.told().count("ALARM: medium stick-7 reports again and again") == 1


def test_tokens_that_are_unknown_or_revoked_say_nothing(scene: Scene, stick: Medium) -> None:
    scene.desk.revoke_medium("stick-7")
    for token in (stick.token, "", "x", secrets.token_urlsafe(), scene.link("ann")):
        got = check_in(scene, token)
        assert (got.status_code, got.text) == (401, "no such token\n")
    assert not any(isinstance(event, MediumReported) for event in scene.events())
    with pytest.raises(UnknownNameError):
        scene.desk.revoke_medium("stick-7")
    assert Medium(scene).says().status_code == 200


def test_guessing_tokens_is_stopped_and_told(scene: Scene, stick: Medium) -> None:
    statuses = [check_in(scene, "x", "10.6.6.6").status_code for _ in range(23)]
    assert statuses == [401] * 20 + [429] * 3
    assert scene.told().count("ALARM: tokens are being guessed from 10.6.6.6") == 1
    assert stick.says().status_code == 200


def test_a_medium_has_one_token(scene: Scene, stick: Medium) -> None:
    with pytest.raises(RefusedError, match="revoke it first"):
        scene.desk.add_medium("stick-7", secrets.token_urlsafe)


def test_what_a_medium_sends_is_bounded(scene: Scene, stick: Medium) -> None:
    assert stick.says(did="x" * 20_000).status_code == 413
    assert stick.says(once="short").status_code == 422
    stick.says(serial="s" * 500, did=f"typed {KEYS[IDS[0]]}\r\n\x1b[31m{'d' * 900}")
    said = next(event for event in scene.events() if isinstance(event, MediumReported))
    assert len(said.serial) == 100
    assert said.did.startswith("typed *** [31mddd")
    assert len(said.did) <= 500


def test_approving_is_for_open_tickets(scene: Scene) -> None:
    with pytest.raises(UnknownNameError):
        scene.desk.approve("h9", "lea")
    scene.observe("h1", Verdict.RECOVERED)
    with pytest.raises(RefusedError, match="needs no key"):
        scene.desk.approve("h1", "lea")


# --- figures ---


def test_figures_are_for_who_has_their_token(scene: Scene, ann: Browser) -> None:
    def scrape(token: str) -> Response:
        return ann.client.get("/metrics", headers={"authorization": f"Bearer {token}"})

    assert scrape(METRICS_TOKEN).text == "fleet_recovery_total_hosts 3.0\n"
    assert scrape("x").status_code == 401
    assert ann.get("/metrics").status_code == 401


@pytest.mark.parametrize(
    ("address", "name", "status"),
    [
        ("127.0.0.1", "127.0.0.1:8470", 200),
        ("::1", "[::1]:8470", 200),
        ("127.0.0.1", "localhost", 200),
        ("127.0.0.1", "rebound.evil.example:8470", 403),
        ("10.0.0.9", "127.0.0.1:8470", 403),
        ("unix", "localhost", 403),
    ],
)
def test_without_a_token_figures_are_for_this_machine(
    scene: Scene, address: str, name: str, status: int
) -> None:
    scene.metrics_token = ""
    scene.restart()
    client = TestClient(scene.app, client=(address, 1))
    assert client.get("/metrics", headers={"host": name}).status_code == status


def test_figures_that_cannot_be_had_are_no_page(tmp_path: Path) -> None:
    def fails() -> bytes:
        raise RefusedError("no journal yet")

    scene = Scene(tmp_path)
    app = make_app(msgspec.structs.replace(scene.site, metrics=fails))
    got = TestClient(app).get("/metrics", headers={"authorization": f"Bearer {METRICS_TOKEN}"})
    assert (got.status_code, got.text) == (503, "no journal yet\n")
