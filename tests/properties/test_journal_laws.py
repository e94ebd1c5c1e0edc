"""What holds of the journal and its folds, whatever happened."""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from recovery.errors import JournalAlteredError
from recovery.journal.fleet import known_hosts
from recovery.journal.log import Log
from recovery.journal.reader import Reader
from recovery.journal.timeline import timeline
from recovery.journal.views import RunFold, RunView, fold
from recovery.journal.words import describe, happening
from recovery.model.events import (
    AnyEvent,
    ApprovalAsked,
    Command,
    CredentialStopped,
    DiskFinished,
    DiskIntended,
    GuardTripped,
    HandedOver,
    HostAdmitted,
    HostFinished,
    HostObserved,
    HostReturned,
    Notice,
    Outcome,
    PowerFinished,
    PowerIntended,
    ReportGiven,
    RescueFinished,
    RescueIntended,
    RunFinished,
    RunHeld,
    RunResumed,
    RunStarted,
    StepFinished,
    StepIntended,
    WaveClosed,
    WaveOpened,
)
from recovery.model.evidence import BootIdentity, Progress, Reachability, Verdict
from recovery.model.state import HostState, apply
from recovery.ports import Stored
from tests.properties.desk_happenings import desk_events
from tests.properties.field_happenings import field_events
from tests.unit.journal.happenings import BEGAN, RUN, at, tampering

times = st.floats(0, 1e6).map(at)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
hosts = st.sampled_from(["h0", "h1", "h2"])
numbers = st.integers(0, 3)
gates = st.sampled_from(["wave:2", "step:1"])
evidence = st.one_of(
    st.builds(Reachability, at=times, source=st.just("look"), answers=st.booleans(), reason=texts),
    st.builds(BootIdentity, at=times, source=st.just("ssh"), boot_id=texts),
)
acts = st.sampled_from(["on", "off", "cycle", "boot_once"])
own = {"at": times, "run": st.just(RUN)}
about_host = {**own, "host": hosts}
judged = {
    "evidence": st.lists(evidence, max_size=2).map(tuple),
    "verdict": st.sampled_from(Verdict),
    "because": st.lists(texts, max_size=2).map(tuple),
}
counted = st.dictionaries(st.sampled_from([o.value for o in Outcome]), numbers, max_size=2)

events: st.SearchStrategy[AnyEvent] = st.one_of(
    st.builds(HostObserved, **about_host, **judged),
    st.builds(HostAdmitted, **about_host, wave=numbers),
    st.builds(HostReturned, **about_host, wave=numbers, reason=texts),
    st.builds(
        StepIntended,
        **about_host,
        index=numbers,
        step=st.sampled_from(["quarantine", "reboot"]),
        attempt=numbers,
        intent=texts,
    ),
    st.builds(
        StepFinished,
        **about_host,
        **judged,
        index=numbers,
        step=st.just("quarantine"),
        attempt=numbers,
        outcome=st.sampled_from(["ok", "already", "failed", "interrupted", "new_crash"]),
        progress=st.sampled_from(Progress),
    ),
    st.builds(
        PowerIntended, **about_host, act=st.sampled_from(["on", "off", "cycle", "boot_once"])
    ),
    st.builds(
        PowerFinished,
        **about_host,
        act=st.just("cycle"),
        outcome=st.sampled_from(["ok", "failed", "interrupted"]),
        state=st.sampled_from(["on", "off", "unknown"]),
        message=texts,
    ),
    st.builds(
        DiskIntended,
        **about_host,
        act=st.sampled_from(["fix", "undo"]),
        disk=texts,
        incident=texts,
        intent=texts,
    ),
    st.builds(
        DiskFinished,
        **about_host,
        act=st.sampled_from(["fix", "undo"]),
        disk=texts,
        intent=texts,
        outcome=st.sampled_from(["ok", "failed", "refused", "interrupted"]),
        files=numbers,
        message=texts,
    ),
    st.builds(
        RescueIntended,
        **about_host,
        phase=st.sampled_from(["lend", "fix", "back"]),
        **dict.fromkeys(("volume", "owner", "device", "helper", "helper_device"), texts),
    ),
    st.builds(
        RescueFinished,
        **about_host,
        phase=st.sampled_from(["lend", "fix", "back"]),
        volume=texts,
        outcome=st.sampled_from(["ok", "failed", "interrupted"]),
        message=texts,
    ),
    st.builds(HandedOver, **about_host, runbook=texts, reason=texts),
    st.builds(HostFinished, **about_host, outcome=st.sampled_from(Outcome), message=texts),
    st.builds(RunStarted, **own, playbook=texts, incident=texts, total=numbers),
    st.builds(RunResumed, **own, by=texts),
    st.builds(RunFinished, **own, exit_reason=texts, exit_code=numbers, counts=counted),
    st.builds(WaveOpened, **own, wave=numbers, size=numbers),
    st.builds(WaveClosed, **own, wave=numbers, counts=counted),
    st.builds(ApprovalAsked, **own, gate=gates, question=texts),
    st.builds(
        Command,
        **own,
        verb=st.sampled_from(["pause", "resume", "abort", "cancel", "approve"]),
        gate=gates,
        by=texts,
    ),
    st.builds(RunHeld, **own, reason=texts, released=st.booleans()),
    st.builds(
        GuardTripped, **own, rule=st.just("failed"), count=numbers, limit=numbers, denominator=texts
    ),
    st.builds(CredentialStopped, **own, credential=texts, refusals=numbers),
    st.builds(Notice, **own, message=texts),
    st.builds(PowerIntended, **about_host, act=acts, why=texts),
    st.builds(
        PowerFinished,
        **about_host,
        act=acts,
        outcome=st.sampled_from(["ok", "failed"]),
        state=st.sampled_from(["on", "off"]),
        message=texts,
    ),
    desk_events(about_host),
    field_events(about_host),
    st.builds(
        ReportGiven,
        **own,
        total=st.integers(0, 9),
        counts=st.dictionaries(texts, st.integers(0, 9), max_size=2),
        mock=st.booleans(),
        by=texts,
    ),
)
streams = st.lists(events, max_size=25)


def stored(stream: Sequence[AnyEvent]) -> list[Stored]:
    return [Stored(seq, event) for seq, event in enumerate(stream, 1)]


@given(st.lists(streams, max_size=4))
def test_a_run_folds_the_same_in_any_pieces(pieces: list[list[AnyEvent]]) -> None:
    folding = RunFold(RUN)
    for piece in pieces:
        for event in piece:
            folding.add(event)
        folding.view()
    whole = [event for piece in pieces for event in piece]
    assert folding.view() == fold(RUN, stored(whole))


@given(streams, streams)
def test_a_view_that_was_given_out_does_not_change(
    early: list[AnyEvent], late: list[AnyEvent]
) -> None:
    folding = RunFold(RUN)
    for event in early:
        folding.add(event)
    view = folding.view()
    before = (dict(view.states), view.counts(), dict(view.verdicts), view.waves, view.asked)
    for event in late:
        folding.add(event)
    folding.view()
    assert before == (dict(view.states), view.counts(), dict(view.verdicts), view.waves, view.asked)


@given(streams)
def test_the_counts_are_those_of_the_states(stream: list[AnyEvent]) -> None:
    view = fold(RUN, stored(stream))
    states: dict[str, HostState] = {}
    for event in stream:
        if event.host:
            states[event.host] = apply(states.get(event.host) or HostState(event.host), event)
    assert view.states == states
    assert view.verdicts == Counter(state.verdict.value for state in states.values())
    assert view.progress == Counter(state.progress.value for state in states.values())
    assert view.outcomes == Counter(s.outcome.value for s in states.values() if s.outcome)
    assert view.counts().total() == max(len(states), view.started.total if view.started else 0)
    assert view.events == len(stream)


@given(streams, streams)
def test_a_run_is_not_touched_by_the_events_of_another(
    one: list[AnyEvent], two: list[AnyEvent]
) -> None:
    folding = RunFold("another run")
    for event in one + two:
        folding.add(event)
    assert folding.view() == RunView("another run")


@given(streams)
def test_every_cut_of_a_journal_has_a_view_and_words(stream: list[AnyEvent]) -> None:
    for length in range(len(stream) + 1):
        view = fold(RUN, stored(stream[:length]))
        waits = view.waiting(("triage", "quarantine"), BEGAN)
        waiting_for = sum(wait.hosts for wait in waits)
        assert waiting_for == view.counts()["open"]
    lines = timeline(stored(stream))
    assert sum(line.times for line in lines) == len(stream)
    assert all(isinstance(describe(event), str) for event in stream)


@given(streams)
def test_what_is_known_of_hosts_after_one_run_is_what_the_run_shows(stream: list[AnyEvent]) -> None:
    kept = [event for event in stream if not isinstance(event, RunStarted)]
    assert known_hosts(stored(kept)) == fold(RUN, stored(kept)).states


def test_every_kind_of_event_is_among_those_that_are_drawn() -> None:
    @settings(
        max_examples=800, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(events)
    def draw(event: AnyEvent) -> None:
        drawn.add(type(event))
        happening(event)

    drawn: set[type] = set()
    draw()
    assert drawn == set(get_args(AnyEvent))


@settings(max_examples=30)
@given(st.lists(streams, max_size=4))
def test_the_journal_gives_back_what_it_was_given(groups: list[list[AnyEvent]]) -> None:
    with Log.open(":memory:") as log:
        for group in groups:
            log.append(*group)
        whole = [event for group in groups for event in group]
        assert list(log.read()) == stored(whole)
        assert log.verify().count == len(whole)
        for host in ("h0", "h1", "h2"):
            assert [s.event for s in log.read(host=host)] == [e for e in whole if e.host == host]


Row = tuple[Any, ...]
"""seq, at, run, host, kind, body, hash"""


@st.composite
def alterations(draw: st.DrawFn, rows: list[Row]) -> tuple[int, list[Row]]:
    """The first event that an altered journal cannot prove, and its rows."""
    last = len(rows)
    low, high = sorted(draw(st.lists(st.integers(1, last), min_size=2, max_size=2, unique=True)))
    before, row, behind = rows[: low - 1], rows[low - 1], rows[low:]
    column = draw(st.integers(1, 6))
    value = draw(st.sampled_from([b"bytes", "text", 7, 1.5, "", "broken \ufffd"]))
    swapped = rows[high - 1]
    ways: dict[str, tuple[int, list[Row]]] = {
        "alter": (low, [*before, (*row[:column], value, *row[column + 1 :]), *behind]),
        "retype": (low, [*before, (*row[:5], row[5].encode(), row[6]), *behind]),
        "delete": (low, [*before, *behind]),
        "close the gap": (low, [*before, *((seq - 1, *rest) for seq, *rest in behind)]),
        "swap": (
            low,
            [
                *before,
                (low, *swapped[1:]),
                *behind[: high - low - 1],
                (high, *row[1:]),
                *rows[high:],
            ],
        ),
        "insert behind": (last + 1, [*rows, (last + 1, *row[1:])]),
        "insert in front": (1, [(-5, *row[1:]), *rows]),
    }
    return ways[draw(st.sampled_from(sorted(ways)))]


@settings(max_examples=60)
@given(st.data(), st.lists(events, min_size=4, max_size=8))
def test_the_chain_notices_whatever_is_altered(data: st.DataObject, stream: list[AnyEvent]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        with Log.open(path) as log:
            log.append(*stream)
            log.verify()
        with tampering(path) as connection:
            rows = connection.execute("SELECT * FROM events ORDER BY seq").fetchall()
            first, altered = data.draw(alterations(rows))
            connection.execute("DELETE FROM events")
            connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", altered)
            same = connection.execute("SELECT * FROM events ORDER BY seq").fetchall() == rows
        with Reader.open(path) as journal:
            if same:  # a text was replaced by itself
                journal.verify()
                return
            with pytest.raises(JournalAlteredError, match=rf"event {first}: "):
                journal.verify()


def test_a_chain_cannot_be_continued_from_its_own_rows_with_other_borders(tmp_path: Path) -> None:
    """Texts are hashed with their lengths: moving a letter from one column to the next is an alteration."""
    path = tmp_path / "journal.db"
    with Log.open(path) as log:
        log.append(Notice(at=BEGAN, run="ab", host="c", message=""))
    with tampering(path) as connection:
        connection.execute("UPDATE events SET run = 'a', host = 'bc'")
    with Reader.open(path) as journal, pytest.raises(JournalAlteredError, match="event 1: "):
        journal.verify()


def test_the_schema_says_how_the_chain_is_made(tmp_path: Path) -> None:
    """Somebody else's program can check a journal by what `schema.sql` says."""
    import hashlib  # noqa: PLC0415 - what the other program would use

    path = tmp_path / "journal.db"
    with Log.open(path) as log:
        log.append(
            Notice(at=BEGAN, run="r", host="hö", message="grün"), Notice(at=BEGAN, message="2")
        )
        head = log.verify().head
    before = bytes(32)
    with closing(sqlite3.connect(path)) as connection:
        for row in connection.execute(
            "SELECT seq, at, run, host, kind, body FROM events ORDER BY seq"
        ):
            parts = [str(text).encode() for text in row[2:]]
            framed = b"".join(b"%d:%s" % (len(part), part) for part in parts[:3]) + parts[3]
            before = hashlib.sha256(before + b"%d\n%d\n" % row[:2] + framed).digest()
    assert before.hex() == head
