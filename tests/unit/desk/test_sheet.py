"""Spreadsheets as people keep them, and what a row changes at the desk."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest

from recovery.desk.sheet import Doubt, Row, parse, read_file, titles_first
from recovery.desk.takeover import change
from recovery.errors import InputError
from recovery.model.events import AnyEvent
from recovery.model.evidence import Verdict
from recovery.model.ticket import Stage
from tests.unit.desk.desk_scene import ANN, HOST, Scene
from tests.unit.journal.happenings import at

KEY = "000011-000022-000033-000044-000055-000066-000077-000088"


def rows(text: str, *known: str) -> tuple[Row, ...]:
    found = parse(text.encode(), "s.csv", known)
    assert found.doubts == ()
    return found.rows


def doubts(text: str) -> list[tuple[int, str]]:
    return [(doubt.line, doubt.what) for doubt in parse(text.encode(), "s.csv").doubts]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_sheet_as_programs_save_it(separator: str, encoding: str) -> None:
    lines = ["Computer Name,Status,Technician,Room,Asset", "H1,In Progress,Zoë,T3 gate A,4711", ""]
    text = "\r\n".join(line.replace(",", separator) for line in lines)
    (row,) = parse(text.encode(encoding), "s.csv", ["h1"]).rows
    assert (row.line, row.host, row.stage, row.owner) == (2, "h1", Stage.CLAIMED, "Zoë")
    assert (row.location, row.cells["Asset"]) == ("T3 gate A", "4711")


@pytest.mark.parametrize(
    ("word", "stage"),
    [
        ("TODO", Stage.WAITING),
        ("wip", Stage.CLAIMED),
        ("On Site", Stage.ON_SITE),
        ("Fixed", Stage.SAYS_DONE),
        ("proven", Stage.SAYS_DONE),
        ("stuck", Stage.ESCALATED),
        ("", Stage.CLAIMED),
    ],
)
def test_words_for_stages(word: str, stage: Stage) -> None:
    assert rows(f"host,status,tech\nh1,{word},ann\n")[0].stage is stage


def test_without_owner_and_status_it_waits() -> None:
    assert rows("host,room\nh1,T3\n")[0].stage is Stage.WAITING


def test_rows_in_doubt_are_told_by_line() -> None:
    text = (
        'host,status,tech\nh1,maybe,\n\n"h 2",,\n,done,ann\nh3,done,\nh4,,\nh4,,\nh5,,,x\nh6,,,\n'
    )
    assert [line for line, _ in doubts(text)] == [2, 4, 5, 6, 8, 9]
    said = dict(doubts(text))
    assert "'maybe' mean? expected one of" in said[2]
    assert said[4] == "'h 2' is not the name of one host"
    assert said[5] == "which host? the name is empty"
    assert said[6] == "h3 is says done, and nobody is named who has it"
    assert said[8] == "h4 stands in line 7 already"
    assert said[9] == "has 4 cells, and the header 3"


def test_two_spellings_are_one_machine_unless_the_inventory_has_both() -> None:
    text = "host,status,tech\nPC-9,wip,ann\npc-9,wip,bob\n"
    assert doubts(text) == [(3, "pc-9 stands in line 2 already")]
    assert [row.host for row in rows(text, "PC-9", "pc-9")] == ["PC-9", "pc-9"]
    found = parse(text.encode(), "s.csv", ["Pc-9"])
    assert [row.host for row in found.rows] == ["Pc-9"]


def test_what_a_desk_says_was_proven_needs_nobody_who_went_there() -> None:
    (row,) = rows("host,stage,owner\nh1,proven,\n")
    assert (row.stage, row.owner) == (Stage.SAYS_DONE, "")
    scene = Scene(handed_over=False)
    scene.add(*change(row, None, at(1), mock=False, by="").events)
    assert (scene.ticket.stage, scene.ticket.owner) == (Stage.SAYS_DONE, "the spreadsheet")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "no column names the host"),
        (b"room,floor\n1,2\n", "s.csv:1: no column names the host; .* found 'room', 'floor'"),
        (b"host,Host\n", "s.csv:1: two columns are named 'Host'"),
        (b'host,x\nh1,"a"b\n', "s.csv:2: not CSV"),
        (b"PK\x03\x04\x00\x00", "not a table"),
    ],
)
def test_what_is_no_table_is_refused(raw: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(raw, "s.csv")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.csv: cannot be read: No such file"):
        read_file(str(tmp_path / "none.csv"))


def test_recovery_keys_and_control_characters_in_a_sheet_do_not_get_in() -> None:
    found = parse(f"host,key,note\nh1,{KEY},a\x1b[2Jb\nh2,{KEY},\n".encode(), "s.csv")
    assert "0000" not in str(found)
    assert found.rows[0].cells["note"] == "a [2Jb"
    assert len(found.notes) == 1
    assert "recovery keys in the sheet were left out" in found.notes[0]


def test_a_cell_that_was_made_inert_is_read_as_it_was() -> None:
    assert rows("host,note\nh1,'=1+1\n")[0].cells["note"] == "=1+1"


def test_titles_of_the_sheet_follow_our_own() -> None:
    assert titles_first(["host", "stage"], [{"Computer": "h1", "Asset": "1"}, {"Rack": "2"}]) == [
        "host",
        "stage",
        "Asset",
        "Rack",
    ]


def take(scene: Scene, text: str, seconds: float) -> tuple[str, ...]:
    """Take one row over; the kinds of events that came of it."""
    (row,) = rows(text, HOST)
    ticket = scene.fold.ticket(row.host, mock=False)
    found = change(row, ticket, at(seconds), mock=False, by="lea")
    assert found.doubt is None
    events: tuple[AnyEvent, ...] = found.events
    scene.add(*events)
    return tuple(str(type(event).__struct_config__.tag) for event in events)


@pytest.mark.parametrize(
    ("status", "tech", "kinds"),
    [
        ("open", "", ()),
        ("claimed", "ann", ("ticket.claimed",)),
        ("on site", "ann", ("ticket.on_site",)),
        ("done", "ann", ("ticket.said_done",)),
        ("stuck", "", ("ticket.escalated",)),
    ],
)
def test_a_row_of_a_host_without_a_ticket(status: str, tech: str, kinds: tuple[str, ...]) -> None:
    scene = Scene(handed_over=False)
    text = f"host,status,tech,room\n{HOST},{status},{tech},T3\n"
    assert take(scene, text, 5) == ("ticket.opened", *kinds)
    assert scene.ticket.location == "T3"
    assert take(scene, text, 5 + timedelta(days=1).total_seconds()) == ()


def test_a_sheet_only_moves_a_ticket_on() -> None:
    scene = Scene()
    scene.claim(ANN, 0)
    scene.done(ANN, 10)
    text = f"host,status,tech,asset\n{HOST},claimed,ann,7\n"
    assert take(scene, text, 20) == ("ticket.described",)
    assert scene.ticket.stage is Stage.SAYS_DONE
    assert scene.ticket.sheet["asset"] == "7"
    assert take(scene, text, 30) == ()


def test_two_owners_are_in_doubt() -> None:
    scene = Scene()
    scene.claim(ANN, 0)
    (row,) = rows(f"host,tech\n{HOST},bob\n")
    found = change(row, scene.ticket, at(10), mock=False, by="")
    assert found.doubt == Doubt(
        2, "h1 is ann's at the desk, and bob's in the sheet: two must not work on one machine"
    )


def test_evidence_wins_over_the_sheet() -> None:
    scene = Scene()
    scene.sees(5, Verdict.RECOVERED)
    (row,) = rows(f"host,status\n{HOST},broken\n")
    found = change(row, scene.ticket, at(10), mock=False, by="")
    scene.add(*found.events)
    assert scene.ticket.stage is Stage.PROVEN
    assert found.note == "h1: proven at 06:00 UTC, whatever the sheet says"


def test_what_is_written_can_be_read_back() -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["host", "stage", "owner"], ["h1", "says_done", "ann"]])
    assert rows(out.getvalue())[0].stage is Stage.SAYS_DONE
