"""What is appended is there, in order, for everybody who opens the journal."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from recovery.errors import JournalAlteredError, JournalError, UnknownNameError, UsageError
from recovery.journal.log import Log
from recovery.journal.reader import Reader
from recovery.model.events import AnyEvent, Notice
from tests.unit.journal.happenings import (
    BEGAN,
    RUN,
    ended,
    intended,
    notice,
    pause,
    started,
    tampering,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


def filled(path: Path, *events: AnyEvent) -> Path:
    with Log.open(path) as log:
        log.append(*events)
    return path


def test_events_come_back_as_they_went_in(path: Path) -> None:
    events = [started(), intended("h1"), ended("h1"), notice(1)]
    filled(path, *events)
    with Reader.open(path) as journal:
        found = list(journal.read())
        assert [stored.event for stored in found] == events
        assert [stored.seq for stored in found] == [1, 2, 3, 4]
        assert journal.last_seq() == 4


def test_reading_selects_by_run_host_kind_and_place(path: Path) -> None:
    filled(
        path, started(), intended("h1"), intended("h2"), started("other"), ended("h1", run="other")
    )
    with Reader.open(path) as journal:

        def seqs(**selection: object) -> list[int]:
            return [stored.seq for stored in journal.read(**selection)]  # type: ignore[arg-type]

        assert seqs(run=RUN) == [1, 2, 3]
        assert seqs(host="h1") == [2, 5]
        assert seqs(run="other", host="h1") == [5]
        assert seqs(host="h1", after=2) == [5]
        assert seqs(kinds=("run.started", "host.finished")) == [1, 4, 5]
        assert seqs(run="nobody") == seqs(host="nobody") == []
        assert [stored.seq for stored in journal.run_events()] == [1, 4]
        assert [stored.seq for stored in journal.run_events(after=1)] == [4]


def test_long_journals_are_read_page_by_page_while_they_grow(path: Path) -> None:
    with Log.open(path) as log, Reader.open(path) as journal:
        log.append(*(notice(number) for number in range(4001)))
        reading = journal.read()
        next(reading)
        log.append(notice(4001))
        assert [stored.seq for stored in reading] == list(range(2, 4003))


def test_folder_and_files_are_the_owners_alone(path: Path) -> None:
    with Log.open(path) as log:
        log.append(notice(1))
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == dict.fromkeys(("journal.db", "journal.db-wal", "journal.db-shm"), 0o600)


def test_a_reader_makes_no_file(path: Path) -> None:
    with pytest.raises(JournalError, match="there is none"):
        Reader.open(path)
    with pytest.raises(JournalError, match="there is none"):
        Log.open(path, create=False)
    assert not path.parent.exists()


def test_a_journal_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be made"):
        Log.open(tmp_path / "file" / "journal.db")


def test_a_journal_of_a_newer_program_is_refused(path: Path) -> None:
    filled(path)
    with tampering(path) as connection:
        connection.execute("PRAGMA user_version = 3")
    with pytest.raises(JournalError, match=r"version 3.*up to 2.*newer program"):
        Log.open(path)


def test_what_is_not_a_journal_is_refused(tmp_path: Path) -> None:
    text, foreign = tmp_path / "notes.txt", tmp_path / "foreign.db"
    text.write_text("not a database, whatever its name says " * 100)
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE events (seq INTEGER)")
    for path in (text, foreign):
        before = path.read_bytes()
        with pytest.raises(JournalError, match="not a journal"):
            Log.open(path)
        assert path.read_bytes() == before


def test_a_damaged_file_is_a_journal_error(path: Path) -> None:
    filled(path, *(notice(number) for number in range(500)))
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with Reader.open(path) as journal, pytest.raises(JournalError, match="damaged"):
        list(journal.read())


def test_rows_can_neither_be_changed_nor_removed(path: Path) -> None:
    filled(path, notice(1))
    with closing(sqlite3.connect(path)) as connection:
        for statement in ("UPDATE events SET body = ''", "DELETE FROM events"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)


def test_an_event_without_a_time_zone_or_with_broken_text_is_refused_alone(path: Path) -> None:
    with Log.open(path) as log:
        log.record(notice(1))
        with pytest.raises(JournalError, match="no time zone"):
            log.record(Notice(at=datetime(2024, 7, 19), run=RUN, message=""))  # noqa: DTZ001
        with pytest.raises(JournalError, match="notice cannot be written"):
            log.record(Notice(at=BEGAN, run=RUN, message="broken \udcff"))
        log.record(notice(2))
    with Reader.open(path) as journal:
        assert [stored.event for stored in journal.read()] == [notice(1), notice(2)]


def test_runs_are_found_by_id_beginning_and_last(path: Path) -> None:
    filled(path, *(started(run) for run in ("r20240719-1", "r20240719-2", "r20240720-1", "r2024")))
    with Reader.open(path) as journal:
        assert journal.find_run("r2024") == "r2024"
        assert journal.find_run("r20240720") == "r20240720-1"
        assert journal.find_run("last") == "r2024"
        with pytest.raises(UsageError, match="2 runs begin with 'r20240719'"):
            journal.find_run("r20240719")
        for text in ("x", ""):
            with pytest.raises(UnknownNameError, match="no run is named"):
                journal.find_run(text)


def test_an_empty_journal_has_no_last_run() -> None:
    with Log.open(":memory:") as log, pytest.raises(UnknownNameError):
        log.find_run("last")


def test_commands_of_others_are_given_out_once(path: Path) -> None:
    filled(path, started(), pause())
    with Log.open(path) as log, Log.open(path, create=False) as other:
        assert list(log.commands(RUN)) == []
        other.append(pause(), pause("another run"), notice(1))
        assert list(log.commands(RUN)) == [pause()]
        assert list(log.commands(RUN)) == []
        log.append(notice(2))
        assert list(log.commands(RUN)) == []
        assert list(log.commands("another run")) == [pause("another run")]


@pytest.mark.parametrize("place", [":memory:", "file"])
def test_commands_of_this_process_are_given_out_too(place: str, path: Path) -> None:
    with Log.open(path if place == "file" else place) as log:
        assert list(log.commands(RUN)) == []
        log.append(pause())
        assert list(log.commands(RUN)) == [pause()]
        log.append(pause())
        log.skip_commands(RUN)
        assert list(log.commands(RUN)) == []


def test_documents_are_kept_once_and_checked(path: Path) -> None:
    with Log.open(path) as log:
        name = log.put_document(b"hosts: {}\n")
        assert log.put_document(b"hosts: {}\n") == name
        assert log.document(name) == b"hosts: {}\n"
        with pytest.raises(JournalAlteredError, match="document"):
            log.document("0" * 64)


@pytest.mark.parametrize(
    "tampered",
    [
        "UPDATE documents SET body = x'00'",
        "UPDATE documents SET body = 'text'",
        "UPDATE documents SET body = x'789c030000000001'",
        "DELETE FROM documents",
    ],
)
def test_an_altered_document_is_noticed_where_a_run_names_it(path: Path, tampered: str) -> None:
    with Log.open(path) as log:
        log.append(notice(1), started(plan=log.put_document(b"waves: [1]")))
        assert log.verify().count == 2
    with tampering(path) as connection:
        connection.execute(tampered)
    with (
        Reader.open(path) as journal,
        pytest.raises(JournalAlteredError, match="event 2: its document `plan`"),
    ):
        journal.verify()


def test_a_noted_head_shows_that_the_end_was_cut_off(path: Path) -> None:
    with Log.open(path) as log:
        log.append(notice(1))
        early = log.verify()
        log.append(notice(2))
        late = log.verify(early.head)
        assert (early.count, late.count) == (1, 2)
    with tampering(path) as connection:
        connection.execute("DELETE FROM events WHERE seq = 2")
        connection.execute("UPDATE tail SET seq = 1, hash = (SELECT hash FROM events)")
    with Reader.open(path) as journal:
        assert journal.verify(early.head.upper()) == early
        with pytest.raises(JournalAlteredError, match="event 2: the journal was cut off"):
            journal.verify(late.head)


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_journal_that_was_cut_off_says_so_without_a_noted_head(path: Path, kept: int) -> None:
    filled(path, notice(1), notice(2), notice(3))
    with tampering(path) as connection:
        connection.execute("DELETE FROM events WHERE seq > ?", (kept,))
    with (
        Reader.open(path) as journal,
        pytest.raises(JournalAlteredError, match=rf"event {kept + 1}: .* it had 3 events"),
    ):
        journal.verify()


def test_a_journal_whose_last_event_is_no_longer_on_record_was_altered(path: Path) -> None:
    filled(path, notice(1), notice(2))
    with tampering(path) as connection:
        connection.execute("DELETE FROM tail")
    with Reader.open(path) as journal, pytest.raises(JournalAlteredError, match="cut off"):
        journal.verify()
    with tampering_again(path) as connection:
        connection.execute("INSERT INTO tail VALUES (1, 2, x'00')")
    with (
        Reader.open(path) as journal,
        pytest.raises(JournalAlteredError, match="event 2: it is not"),
    ):
        journal.verify()


def tampering_again(path: Path) -> closing[sqlite3.Connection]:
    """The file in the hands of somebody who has wiped the rules out before."""
    return closing(sqlite3.connect(path, isolation_level=None))


def test_a_journal_of_version_1_gets_its_record_with_the_next_event(path: Path) -> None:
    filled(path, notice(1), notice(2))
    with tampering_again(path) as connection:
        connection.execute("DROP TABLE tail")
        connection.execute("PRAGMA user_version = 1")
    with Reader.open(path) as journal:
        assert journal.verify().count == 2
    filled(path, notice(3))
    with Reader.open(path) as journal:
        assert journal.verify() == journal.head()
        assert journal.head().count == 3
    with tampering(path) as connection:
        connection.execute("DELETE FROM events WHERE seq = 3")
    with Reader.open(path) as journal, pytest.raises(JournalAlteredError, match="it had 3 events"):
        journal.verify()


def test_an_unreadable_body_is_an_altered_journal(path: Path) -> None:
    filled(path, notice(1), notice(2))
    with tampering(path) as connection:
        connection.execute('UPDATE events SET body = \'{"kind": "no.such"}\' WHERE seq = 2')
    with Reader.open(path) as journal, pytest.raises(JournalAlteredError, match="event 2"):
        list(journal.read())


def test_a_closed_log_takes_nothing_more(path: Path) -> None:
    log = Log.open(path)
    log.close()
    log.close()
    with pytest.raises(JournalError, match="closed"):
        log.append(notice(1))


def test_the_file_has_the_name_it_was_opened_by(path: Path) -> None:
    odd = path.with_name("odd ?&#%20 näme.db")
    filled(odd, notice(1))
    with Reader.open(odd) as journal:
        assert journal.path == str(odd)
        assert journal.last_seq() == 1
    assert odd.is_file()
