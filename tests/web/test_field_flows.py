"""What people do on the field page, role by role; their forms are carried out once, whatever the network does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from recovery.model.evidence import Verdict
from recovery.model.ticket import Stage
from tests.web.field_scene import IDS, KEYS, Browser, Scene, shown


def stage(scene: Scene, host: str = "h1") -> tuple[Stage, str]:
    ticket = scene.desk.job(host).ticket
    return ticket.stage, ticket.owner


def test_a_shift_of_a_technician_from_the_next_machine_to_its_proof(
    scene: Scene, ann: Browser
) -> None:
    assert "3 wait" in shown(ann.get("/"))
    taken = ann.post("/do/next", site="ATL", near="T3 gate A")
    assert taken.status_code == 303
    assert taken.headers["location"].startswith("/ticket?host=h1&note=claimed")
    assert "Put" in shown(ann.get(taken.headers["location"]))
    assert ann.do("on-site").status_code == 303
    page = ann.key(IDS[0][:8])
    assert page.status_code == 200
    assert KEYS[IDS[0]] in page.text
    assert 'content="60;url=/ticket?host=h1"' in page.text
    assert ann.do("failed", key_id=IDS[0]).status_code == 303
    assert ann.key(IDS[1]).status_code == 200
    assert ann.do("unlocked", key_id=IDS[1]).status_code == 303
    assert ann.do("tried", reason="no stick", restarts="2").status_code == 303
    assert stage(scene) == (Stage.ON_SITE, "ann")
    assert ann.do("done", restarts="1").status_code == 303
    assert stage(scene) == (Stage.SAYS_DONE, "ann")
    assert "no proof by the machine yet" in shown(ann.get("/ticket?host=h1"))
    scene.observe("h1", Verdict.RECOVERED)
    assert stage(scene)[0] is Stage.PROVEN
    assert "1 of yours are proven" in shown(ann.get("/"))


def test_what_a_key_did_is_asked_until_it_is_said(scene: Scene, ann: Browser) -> None:
    ann.do("claim")
    ann.key(IDS[0])
    assert f"Did the key {IDS[0][:8]} unlock it?" in shown(ann.get("/ticket?host=h1"))
    ann.do("unlocked", key_id=IDS[0])
    page = shown(ann.get("/ticket?host=h1"))
    assert "unlock it?" not in page
    assert f"key {IDS[0][:8]}: unlocked" in page


def test_given_back_and_left_to_others(scene: Scene, ann: Browser) -> None:
    ann.do("claim")
    assert "back in the queue" in shown(
        ann.get(ann.do("release", reason="lunch").headers["location"])
    )
    assert stage(scene)[0] is Stage.WAITING
    ann.do("claim")
    ann.do("escalate", to="vendor", reason="disk is dead")
    assert stage(scene) == (Stage.ESCALATED, "vendor")


def test_a_machine_that_nobody_knew_is_added_once(scene: Scene, ann: Browser) -> None:
    got = ann.post(
        "/do/add", host="kiosk-99", reason="dark", site="MSP", location="gate 4", page="/add"
    )
    assert "MSP, gate 4" in shown(ann.get(got.headers["location"]))
    again = ann.post("/do/add", host="kiosk-99", reason="dark")
    assert again.status_code == 409
    assert "has a ticket already" in shown(again)


def test_a_machine_is_added_by_its_known_name(scene: Scene, ann: Browser) -> None:
    scene.observe("h1", Verdict.HEALTHY)
    got = ann.post("/do/add", host="H1", reason="black screen")
    assert got.headers["location"].startswith("/ticket?host=h1&note=added")


def test_when_no_machine_waits_it_is_said(scene: Scene, ann: Browser) -> None:
    got = ann.post("/do/next", site="nowhere", near="")
    assert "No machine waits there" in shown(ann.get(got.headers["location"]))
    assert "field.form_taken" not in scene.kinds()


def test_a_lead_sees_the_board_and_decides(scene: Scene, ann: Browser, lea: Browser) -> None:
    ann.do("claim")
    board = shown(lea.get("/board"))
    assert "3 tickets, held by 1 technician" in board
    assert "ann, lea" in board
    assert "h1" in shown(lea.get("/board?stage=claimed"))
    assert "h2" not in shown(lea.get("/board?stage=claimed"))
    assert lea.do("approve").status_code == 303
    assert "may go to media" in shown(lea.get("/board?stage=claimed"))
    assert "lea lets one recovery key" in shown(lea.get("/ticket?host=h1"))
    assert lea.do("give-back", reason="shift ends").status_code == 303
    assert stage(scene)[0] is Stage.WAITING


@pytest.mark.parametrize("verb", ["approve", "give-back"])
def test_what_leads_decide_is_nothing_for_technicians(
    scene: Scene, ann: Browser, verb: str
) -> None:
    ann.do("claim")
    assert ann.do(verb).status_code == 409
    assert stage(scene) == (Stage.CLAIMED, "ann")
    assert "key.release_approved" not in scene.kinds()


def test_a_viewer_reads_and_nothing_else(scene: Scene, vic: Browser) -> None:
    assert vic.get("/").headers["location"] == "/board"
    assert "3 tickets" in shown(vic.get("/board"))
    assert "Take it" not in shown(vic.get("/ticket?host=h1"))
    assert vic.get("/add").status_code == 403
    before = scene.kinds()
    for path in ("/do/claim", "/do/next", "/do/approve", "/key"):
        assert vic.post(path, host="h1", key_id=IDS[0]).status_code == 403
    assert scene.kinds() == before
    assert vic.post("/leave").status_code == 303
    assert vic.get("/board").status_code == 401


def test_a_form_that_is_sent_again_does_nothing_twice_not_even_after_a_restart(
    scene: Scene, ann: Browser
) -> None:
    ann.do("claim")
    fields = {**ann.fields(), "host": "h1", "reason": "no stick", "restarts": "1"}
    for _ in range(2):
        assert ann.client.post("/do/tried", data=fields).status_code == 303
    scene.restart()
    browser = scene.resume(ann)
    assert browser.client.post("/do/tried", data=fields).status_code == 303
    assert scene.desk.job("h1").ticket.tries == 1
    last = browser.client.post("/do/tried", data=fields).headers["location"]
    assert "nothing was done twice" in shown(browser.get(last))
    assert scene.kinds().count("ticket.tried") == 1


def test_a_lost_answer_to_the_next_machine_gives_the_same_machine(
    scene: Scene, ann: Browser
) -> None:
    fields = {**ann.fields(), "site": "", "near": ""}
    first = ann.client.post("/do/next", data=fields).headers["location"]
    scene.restart()
    second = scene.resume(ann).client.post("/do/next", data=fields).headers["location"]
    assert first.startswith("/ticket?host=h1&")
    assert second.startswith("/ticket?host=h1&note=again")
    assert scene.kinds().count("ticket.claimed") == 1


def test_the_key_of_a_form_is_the_persons_own(scene: Scene, ann: Browser, bob: Browser) -> None:
    once = ann.fields()["once"]
    ann.post("/do/claim", host="h1", once=once)
    assert bob.post("/do/claim", host="h2", once=once).status_code == 303
    assert stage(scene, "h2") == (Stage.CLAIMED, "bob")


def test_a_refused_form_may_be_sent_again_when_its_time_has_come(
    scene: Scene, ann: Browser, bob: Browser
) -> None:
    bob.do("claim")
    fields = {**ann.fields(), "host": "h1"}
    assert ann.client.post("/do/claim", data=fields).status_code == 409
    bob.do("release")
    assert ann.client.post("/do/claim", data=fields).status_code == 303


def test_the_pages_script_is_told_where_to_go(scene: Scene, ann: Browser) -> None:
    fields = {**ann.fields(), "host": "h1"}
    got = ann.client.post("/do/claim", data=fields, headers={"x-field": "1"})
    assert got.status_code == 204
    assert got.headers["x-field"] == f"/ticket?host=h1&note=claimed&form={fields['once']}"


def test_people_who_ask_at_once_get_different_machines(scene: Scene) -> None:
    browsers = [scene.browser(f"tech{number}") for number in range(4)]

    def ask(browser: Browser) -> str:
        for _ in range(5):
            assert browser.get("/board").status_code == 200
        return browser.post("/do/next", site="", near="").headers["location"].partition("&")[0]

    with ThreadPoolExecutor(len(browsers)) as threads:
        found = sorted(threads.map(ask, browsers))
    assert found[0].startswith("/?none=1")
    assert found[1:] == [f"/ticket?host=h{number}" for number in (1, 2, 3)]


def test_sessions_end_after_a_shift_and_at_the_desk(scene: Scene, ann: Browser) -> None:
    for _ in range(6):
        scene.clock.move(2 * 3600 - 1)
        assert ann.get("/").status_code == 200
    scene.clock.move(6)
    assert ann.get("/").status_code == 401
    bob = scene.browser("bob")
    unused = scene.link("bob")
    scene.desk.end("bob", "desk")
    assert bob.get("/").status_code == 401
    assert bob.enter(unused).status_code == 403


def test_a_session_that_nobody_uses_ends(scene: Scene, ann: Browser) -> None:
    bob = scene.browser("bob")
    assert bob.get("/").status_code == 200
    scene.clock.move(2 * 3600)
    for browser in (ann, bob):
        assert browser.get("/").status_code == 401
    assert "a session of bob that nobody used was ended" in scene.told()
    scene.restart()
    assert scene.resume(bob).get("/").status_code == 401


def test_sessions_outlive_a_restart(scene: Scene, ann: Browser) -> None:
    scene.restart()
    assert "3 wait" in shown(scene.resume(ann).get("/"))


def test_the_bare_address_says_how_to_get_in(scene: Scene) -> None:
    browser = Browser(scene)
    assert browser.get("/").status_code == 401
    assert "recovery desk link NAME" in shown(browser.get("/enter"))
