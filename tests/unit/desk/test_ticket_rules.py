"""Who may do what with a ticket, and what it becomes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from recovery.desk.rules import Who
from recovery.errors import RefusedError, UsageError
from recovery.model.events import Outcome
from recovery.model.evidence import Verdict
from recovery.model.ticket import Stage, numbers
from tests.unit.desk.desk_scene import ANN, BOB, HOST, Scene, finished, handed
from tests.unit.journal.happenings import at

LEAD = Who(tech="bob", lead="lea")


def test_a_handed_over_host_waits_with_its_reason() -> None:
    ticket = Scene().ticket
    assert (ticket.stage, ticket.reason, ticket.runbook) == (
        Stage.WAITING,
        "no answer",
        "safe_mode",
    )


def test_the_way_from_the_queue_to_the_proof() -> None:
    scene = Scene()
    stages = []
    acts: list[Callable[[], None]] = [
        lambda: scene.claim(ANN, 10),
        lambda: scene.on_site(ANN, 20),
        lambda: scene.tried(ANN, 30, "wrong key", 2),
        lambda: scene.done(ANN, 40),
        lambda: scene.sees(50, Verdict.RECOVERED),
    ]
    for act in acts:
        act()
        stages.append(scene.ticket.stage)
    assert stages == [Stage.CLAIMED, Stage.ON_SITE, Stage.ON_SITE, Stage.SAYS_DONE, Stage.PROVEN]
    ticket = scene.ticket
    assert (ticket.owner, ticket.tries, ticket.attempts[0].reason) == ("ann", 1, "wrong key")
    assert [(spell.tech, spell.began, spell.ended) for spell in ticket.spells] == [
        ("ann", at(10), at(40))
    ]
    assert ticket.because == ("it is recovered",)


def test_a_claim_keeps_others_out_until_it_ends() -> None:
    scene = Scene()
    scene.claim(ANN, 0, minutes=10)
    with pytest.raises(RefusedError, match="held by ann until 06:10 UTC"):
        scene.claim(BOB, 599)
    assert scene.at(599).stage is Stage.CLAIMED
    assert scene.at(600).stage is Stage.WAITING
    scene.claim(BOB, 600)
    assert scene.ticket.owner == "bob"
    assert [spell.ended for spell in scene.ticket.spells] == [at(600), None]


def test_the_holder_may_keep_it_for_longer() -> None:
    scene = Scene()
    scene.claim(ANN, 0, minutes=10)
    scene.claim(ANN, 500, minutes=10)
    assert scene.at(900).stage is Stage.CLAIMED
    assert len(scene.ticket.spells) == 1


def test_a_late_word_counts_as_long_as_nobody_else_took_it() -> None:
    scene = Scene()
    scene.claim(ANN, 0, minutes=10)
    scene.done(ANN, 700)
    assert scene.ticket.stage is Stage.SAYS_DONE
    taken = Scene()
    taken.claim(ANN, 0, minutes=10)
    taken.claim(BOB, 650)
    with pytest.raises(RefusedError, match="held by bob"):
        taken.done(ANN, 700)


ACTS: list[Callable[[Scene, Who, float], None]] = [
    Scene.on_site,
    Scene.tried,
    Scene.done,
    Scene.release,
    Scene.escalate,
]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_only_the_holder_acts(act: Callable[[Scene, Who, float], None]) -> None:
    scene = Scene()
    with pytest.raises(RefusedError, match="claim it first"):
        act(scene, ANN, 5)
    scene.claim(ANN, 10)
    with pytest.raises(RefusedError, match="held by ann"):
        act(scene, BOB, 20)
    act(scene, ANN, 30)


@pytest.mark.parametrize("act", [Scene.claim, *ACTS], ids=lambda act: act.__name__)
def test_a_proven_ticket_is_closed(act: Callable[[Scene, Who, float], None]) -> None:
    scene = Scene()
    scene.claim(ANN, 10)
    scene.sees(20, Verdict.HEALTHY)
    with pytest.raises(RefusedError, match="proven well since 06:00"):
        act(scene, ANN, 30)


def test_a_lead_takes_a_ticket_from_its_holder() -> None:
    scene = Scene()
    scene.claim(ANN, 0)
    scene.claim(LEAD, 10)
    assert scene.ticket.owner == "bob"
    scene.release(LEAD, 20)
    assert scene.ticket.stage is Stage.WAITING
    with pytest.raises(RefusedError, match="waits already"):
        scene.release(LEAD, 30)


def test_what_was_said_or_escalated_only_a_lead_gives_again() -> None:
    scene = Scene()
    scene.claim(ANN, 0)
    scene.done(ANN, 10)
    with pytest.raises(RefusedError, match="said already"):
        scene.done(ANN, 11)
    with pytest.raises(RefusedError, match="a lead can give it"):
        scene.claim(BOB, 20)
    scene.claim(LEAD, 30)
    scene.escalate(BOB, 40)
    assert (scene.ticket.stage, scene.ticket.owner) == (Stage.ESCALATED, "vendor")
    with pytest.raises(RefusedError, match="escalated to vendor"):
        scene.claim(ANN, 50)
    scene.claim(LEAD, 60)
    assert scene.ticket.stage is Stage.CLAIMED


def test_a_word_is_refuted_by_fresh_evidence_alone() -> None:
    scene = Scene()
    scene.claim(ANN, 0)
    scene.done(ANN, 10)
    scene.sees(20, Verdict.CRASH_LOOP, answers=False)
    scene.sees(30, Verdict.DEGRADED)
    scene.sees(40, Verdict.DARK)
    assert scene.ticket.stage is Stage.SAYS_DONE
    scene.sees(50, Verdict.CRASH_LOOP)
    assert (scene.ticket.stage, scene.ticket.refuted) == (Stage.WAITING, 1)
    scene.claim(BOB, 60)
    scene.done(BOB, 70)
    scene.add(handed(80))
    assert (scene.ticket.stage, scene.ticket.refuted) == (Stage.WAITING, 2)


def test_a_ticket_comes_back_when_the_machine_does() -> None:
    scene = Scene()
    scene.sees(10, Verdict.RECOVERED)
    scene.sees(20, Verdict.DARK, answers=False)
    assert scene.ticket.stage is Stage.PROVEN
    scene.sees(30, Verdict.BLUE_SCREEN)
    assert (scene.ticket.stage, scene.ticket.returns) == (Stage.CAME_BACK, 1)
    assert scene.ticket.reason == "came back: blue_screen"
    scene.claim(ANN, 40, minutes=1)
    assert scene.at(200).stage is Stage.CAME_BACK
    scene.sees(210, Verdict.RECOVERED)
    scene.add(handed(220))
    assert (scene.ticket.stage, scene.ticket.returns) == (Stage.CAME_BACK, 2)


def test_silence_with_an_old_verdict_proves_nothing() -> None:
    scene = Scene()
    scene.sees(10, Verdict.RECOVERED, answers=False)
    assert scene.ticket.stage is Stage.WAITING


@pytest.mark.parametrize(
    ("verdict", "opens"),
    [
        (Verdict.NEEDS_KEY, True),
        (Verdict.RECOVERY_SCREEN, True),
        (Verdict.BLUE_SCREEN, True),
        (Verdict.CRASH_LOOP, False),
        (Verdict.DARK, False),
        (Verdict.HEALTHY, False),
    ],
)
def test_a_run_that_leaves_a_host_at_a_prompt_opens_a_ticket(verdict: Verdict, opens: bool) -> None:
    scene = Scene(handed_over=False)
    scene.add(finished(5, verdict))
    found = scene.fold.ticket(HOST, mock=False)
    assert (found is not None) == opens


def test_a_run_that_ends_well_with_a_host_proves_its_ticket() -> None:
    scene = Scene()
    scene.add(finished(5, Verdict.RECOVERED, Outcome.RECOVERED))
    assert scene.ticket.stage is Stage.PROVEN


def test_what_was_tried_has_to_be_said_and_holds_no_key() -> None:
    scene = Scene()
    scene.claim(ANN, 0)
    with pytest.raises(UsageError, match="is missing"):
        scene.tried(ANN, 10, " \n ")
    scene.tried(ANN, 20, "key 000011-000022-000033-000044-000055-000066-000077-000088\x1b[2J no")
    assert scene.ticket.attempts[0].reason == "key *** [2J no"


def test_the_numbers_add_up_and_tell_what_is_overdue() -> None:
    scene = Scene()
    scene.add(handed(0, "h2"), handed(0, "h3"))
    scene.claim(ANN, 0)
    scene.done(ANN, 10)
    tickets = scene.fold.tickets(mock=False).values()
    early, late = numbers(tickets, at(20)), numbers(tickets, at(4000))
    assert (early.waiting, early.says_done, early.total, early.overdue) == (2, 1, 3, 0)
    assert late.overdue == 1
    assert dict(late.sites) == {"": 3}
