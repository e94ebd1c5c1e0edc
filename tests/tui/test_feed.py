"""From the journal to snapshots."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from recovery.errors import InputError
from recovery.journal.lease import Lease
from recovery.journal.log import Log
from recovery.model.desk_events import TicketClaimed, TicketOpened
from recovery.model.events import Command, Outcome
from recovery.model.evidence import BootIdentity, Verdict
from recovery.tui.deck import Deck
from recovery.tui.feed import Feed
from recovery.tui.snapshot import Snapshot
from tests.tui.scene import (
    BEGAN,
    CARRIED,
    RUN,
    FixedClock,
    Stage,
    at,
    ended,
    half_way,
    over,
    stepped,
    triaged,
)


def live(feed: Feed, meanwhile: Callable[[], None] = lambda: None) -> Snapshot:
    for _ in range(2000):
        meanwhile()
        snapshot = feed.poll()
        if snapshot is not None and snapshot.stage == "live" and not snapshot.behind:
            return snapshot
    raise AssertionError("it never comes to an end")


def test_it_says_at_once_that_it_reads() -> None:
    first = Feed("/nowhere/journal.db", FixedClock(), mock=True).poll()
    assert first is not None
    assert (first.stage, first.mock, first.now) == ("inventory", True, BEGAN)


def test_before_any_run_the_hosts_of_the_inventory_are_unknown(stage: Stage) -> None:
    found = stage.snapshot()
    assert (found.there, found.standing.total, found.standing.verdicts["unknown"]) == (
        False,
        60,
        60,
    )
    assert (found.focus, found.runs, found.hosts) == (None, (), {})


def test_a_run_in_the_middle(stage: Stage) -> None:
    stage.begin()
    half_way(stage)
    found = stage.snapshot()
    line = found.focus
    assert line is not None
    assert (line.run, line.is_live, line.carried_by, line.changes) == (RUN, True, CARRIED, True)
    assert line.steps == ("triage", "rollback", "reboot", "settle", "prove", "hand_over")
    assert [(wait.step, wait.hosts) for wait in line.waits] == [("rollback", 33), ("reboot", 2)]
    assert next((trip.rule, trip.count, trip.limit) for trip in line.guard) == ("failed", 1, 2)
    assert line.waves == (1, 5, 1, 6, 47)
    assert [goal.name for goal in found.goals] == ["half", "90 %", "all"]
    assert len(found.hands) == 2
    assert found.now == at(815)
    assert found.run(RUN) is not None
    assert found.run("other") is None
    assert (found.site_of("bos-gate-01"), found.site_of("nobody")) == ("BOS", "")


def test_only_what_is_new_is_read(stage: Stage) -> None:
    stage.begin()
    triaged(stage)
    first = stage.snapshot()
    stage.say(ended("atl-kiosk-01", 500, "recovered", Verdict.RECOVERED))  # type: ignore[arg-type]
    second = stage.snapshot()
    assert second.seq == first.seq + 1
    assert second.standing.proven == 1
    assert first.standing.proven == 0
    assert second.hosts["atl-kiosk-02"] is first.hosts["atl-kiosk-02"]


def test_nothing_new_is_no_news_until_the_time_goes_on(stage: Stage) -> None:
    stage.begin()
    stage.snapshot()
    assert None in [stage.feed.poll() for _ in range(3)]


def test_who_carries_a_new_run_out_is_seen_at_once(stage: Stage) -> None:
    stage.begin()
    assert stage.snapshot(live=False).runs[0].carried_by == ""
    lease = Lease.take(stage.journal, "r2")
    assert lease is not None
    with lease:
        stage.begin("r2", "triage", 60)
        assert [bool(line.carried_by) for line in stage.snapshot(live=False).runs] == [False, True]


def test_a_process_that_carries_the_run_out_is_seen(stage: Stage) -> None:
    stage.begin()
    assert stage.snapshot(live=False).runs[0].carried_by == ""
    lease = Lease.take(stage.journal, RUN)
    assert lease is not None
    fresh = Feed(stage.journal, stage.clock, (str(stage.inventory),), mock=True)
    found = [live(fresh), *(fresh.poll() for _ in range(3))]
    lease.release()
    assert any(item is not None and item.runs[0].is_live for item in found)
    fresh.close()
    fresh.close()


def test_a_run_that_is_over_waits_for_nothing(stage: Stage) -> None:
    stage.begin()
    half_way(stage)
    stage.say(over())
    line = stage.snapshot().focus
    assert line is not None
    assert (line.is_open, line.is_live, line.waits) == (False, False, ())


def test_without_an_inventory_the_fleets_of_the_runs_are_shown(stage: Stage) -> None:
    stage.begin()
    half_way(stage)
    feed = Feed(stage.journal, stage.clock)
    found = live(feed)
    assert (found.mock, found.standing.total, len(found.fleet.hosts)) == (True, 60, 60)
    assert [share.name for share in found.standing.sites] == ["ATL", "MSP", "BOS"]
    feed.close()


def test_without_a_word_the_world_of_the_journal_is_shown_and_real_runs_count_more(
    tmp_path: Path,
) -> None:
    stage = Stage(tmp_path, mock=False)
    stage.begin("real")
    stage.mock = True
    stage.begin("twin")
    stage.say(stepped("atl-kiosk-01", 1, Verdict.DARK, run="twin"))
    feed = Feed(stage.journal, stage.clock)
    found = live(feed)
    assert (found.mock, found.standing.verdicts["dark"], len(found.runs)) == (False, 0, 2)
    assert found.focus is not None
    assert found.focus.run == "real"
    feed.close()


@pytest.mark.parametrize(
    ("deck", "mock"),
    [
        (Deck(), None),
        (Deck(inventory=("x",)), False),
        (Deck(mock=True), True),
        (Deck(inventory=("x",), mock=True), True),
    ],
)
def test_who_can_begin_runs_sees_the_world_in_which_they_happen(
    deck: Deck, mock: bool | None
) -> None:
    assert deck.world is mock


def test_an_empty_journal_shows_nothing_yet(stage: Stage) -> None:
    with closing(Log.open(stage.journal)):
        feed = Feed(stage.journal, stage.clock)
        found = live(feed)
        assert (found.there, found.standing.total) == (True, 0)
        feed.close()


def test_each_twin_begins_its_own_history(stage: Stage) -> None:
    stage.begin()
    half_way(stage)
    stage.say(over())
    assert stage.snapshot().standing.lost > 0
    stage.begin("r2")
    stage.say(stepped("atl-kiosk-02", 5, Verdict.CRASH_LOOP, run="r2"))
    found = stage.snapshot()
    assert found.standing.since == at(5)
    assert found.focus is not None
    assert found.focus.run == "r2"


def test_a_key_that_is_held_down_keeps_no_news_back(stage: Stage) -> None:
    stage.begin()
    half_way(stage)
    with closing(
        Feed(stage.journal, FixedClock(), [str(stage.inventory)], mock=stage.mock)
    ) as feed:
        given = live(feed, meanwhile=feed.give_way)
    found = stage.snapshot()
    assert (given.seq, given.hosts) == (found.seq, found.hosts)


@pytest.mark.parametrize(
    ("text", "words"), [("hosts: [", "fleet.yaml"), ("hosts: {a: {sitee: X}}", "sitee")]
)
def test_an_inventory_that_cannot_be_read_is_the_end(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(text)
    feed = Feed(str(tmp_path / "journal.db"), FixedClock(), (str(path),))
    feed.poll()
    with pytest.raises(InputError, match=words):
        feed.poll()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_journal_that_is_not_the_file_any_more_is_told_for_good(
    stage: Stage, replaced: bool
) -> None:
    stage.begin()
    before = stage.snapshot()
    Path(stage.journal).rename(f"{stage.journal}.old")
    if replaced:
        stage.begin("another")
    told = [found for found in (stage.feed.poll() for _ in range(5)) if found is not None]
    assert [(found.seq, found.stage) for found in told] == [(before.seq, "live")]
    assert "open the dashboard again" in told[0].problem


def test_a_file_that_is_no_journal_is_told(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_text("not a journal" * 1000)
    feed = Feed(str(path), FixedClock(), mock=True)
    feed.poll()
    found = feed.poll()
    assert found is not None
    assert "not a journal" in found.problem
    assert feed.poll() is None


def test_real_time_goes_on_while_nothing_happens(tmp_path: Path) -> None:
    stage = Stage(tmp_path, mock=False)
    stage.begin()
    stage.say(stepped("atl-kiosk-01", 0, Verdict.CRASH_LOOP))
    stage.clock.time = at(3600)
    found = stage.snapshot()
    assert found.now == at(3600)
    assert found.standing.lost == pytest.approx(90_000 / 32)


def test_what_people_say_does_not_move_the_time_of_a_twin(stage: Stage) -> None:
    stage.begin()
    half_way(stage)
    before = stage.snapshot()
    later = at(80_000_000)
    stage.say(
        TicketClaimed(
            at=later, host="msp-kiosk-01", mock=True, tech="grace", until=later + timedelta(hours=1)
        ),
        Command(at=later, run=RUN, verb="pause", by="ada"),
    )
    after = stage.snapshot()
    assert after.now == before.now
    assert after.standing.lost == before.standing.lost
    assert after.tickets["msp-kiosk-01"].owner == "grace"
    assert (before.desk.claimed, after.desk.claimed) == (0, 1)


def test_a_run_that_only_looks_takes_nobodys_work_away(stage: Stage) -> None:
    stage.begin()
    half_way(stage)
    before = stage.snapshot()
    stage.begin("r2", "triage", 2000)
    stage.say(
        stepped("msp-kiosk-01", 2001, Verdict.RECOVERY_SCREEN, run="r2"),
        ended("msp-kiosk-01", 2002, Outcome.DONE, Verdict.RECOVERY_SCREEN, run="r2"),
    )
    after = stage.snapshot()
    assert [hand.host for hand in before.hands] == ["msp-kiosk-01", "msp-kiosk-09"]
    assert [hand.host for hand in after.hands] == [hand.host for hand in before.hands]
    assert before.standing.progress["with_technician"] == 2
    assert after.standing.progress["with_technician"] == 2


def test_a_ticket_shows_before_any_run(tmp_path: Path) -> None:
    stage = Stage(tmp_path, mock=False)
    stage.feed = Feed(stage.journal, stage.clock, (str(stage.inventory),))
    stage.say(TicketOpened(at=at(0), host="lost-01", reason="found", site="ATL"))
    snapshot = stage.snapshot()
    assert list(snapshot.tickets) == ["lost-01"]
    assert snapshot.desk.sites == {"ATL": 1}


def test_a_machine_that_people_have_mended_counts_as_proven(stage: Stage) -> None:
    stage.begin()
    half_way(stage)
    before = stage.snapshot().standing
    boot = BootIdentity(at=at(990), source="ssh", boot_id="another")
    stage.say(stepped("msp-kiosk-01", 990, Verdict.HEALTHY, step="prove", evidence=(boot,)))
    after = stage.snapshot().standing
    assert after.proven == before.proven + 1
    assert after.never_hit == before.never_hit
    assert after.samples[-1].proven == after.proven
    assert after.left + after.proven + after.never_hit + after.verdicts["unknown"] == after.total
