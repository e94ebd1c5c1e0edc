"""Links and media, as they are made at the desk."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

URL = "https://desk.example:8470"


def journal_bytes(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in home.rglob("journal.db*"))


def test_a_link_is_printed_once_and_kept_nowhere(cli: Cli, home: Path) -> None:
    told = cli("desk", "link", "ann", "--role", "lead", "--url", f"{URL}/", "--for", "8h")
    assert told.code == 0
    token = told.out.strip().removeprefix(f"{URL}/enter?t=")
    assert len(token) >= 43
    assert token.encode() not in journal_bytes(home)
    events = cli("events", "-o", "jsonl").out
    assert token not in events
    made = next(it for it in map(json.loads, events.splitlines()) if it["person"] == "ann")
    assert (made["kind"], made["role"]) == ("field.link_made", "lead")
    assert "ann may sign in to the field page as lead" in cli("events").out


def test_a_link_is_drawn_for_phones(cli: Cli) -> None:
    drawn = cli("desk", "link", "ann", "--url", URL, "--qr").out.splitlines()
    assert drawn[0].startswith(f"{URL}/enter?t=")
    assert len(drawn) > 10
    assert set("".join(drawn[1:])) <= set(" ▀▄█\x1b[0123456789;m")


@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:8443", "http://[::1]:8443", "http://localhost"]
)
def test_a_link_for_this_machine_needs_no_tls(cli: Cli, place: str) -> None:
    assert cli("desk", "link", "ann", "--url", place).out.startswith(f"{place}/enter?t=")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["ann"], "recovery serve"),
        (["ann", "--url", "ftp://x"], "https://"),
        (["ann", "--url", "http://desk.example:8443"], "would be ann; use https://"),
        (["ann", "--url", "http://127.0.0.1.example"], "use https://"),
        (["ann", "--url", URL, "--role", "boss"], "expected one of technician, lead, viewer"),
        (["ann", "--url", URL, "--for", "8d"], "at most 7 days"),
        (["ann", "--url", URL, "--for", "soon"], "soon"),
        ([" ", "--url", URL], "the name is empty"),
    ],
)
def test_links_that_are_not_made(cli: Cli, words: list[str], why: str) -> None:
    told = cli("desk", "link", *words)
    assert told.code == 2
    assert why in told.err
    assert told.out == ""


def test_media_are_added_listed_and_revoked(cli: Cli, home: Path) -> None:
    token = cli("desk", "medium", "add", "stick-7").out.strip()
    assert len(token) >= 43
    assert token.encode() not in journal_bytes(home)
    assert cli("desk", "medium", "add", "stick-7").code == 2
    assert cli("desk", "medium", "list", "-o", "json").document[0]["medium"] == "stick-7"
    assert "stick-7" in cli("desk", "medium", "list").out
    assert cli("desk", "medium", "revoke", "stick-7").code == 0
    told = cli("desk", "medium", "revoke", "stick-7")
    assert told.code == 2
    assert cli("desk", "medium", "list", "-o", "json").document == []


def test_what_people_and_media_did_is_told_in_words(cli: Cli) -> None:
    cli("desk", "link", "ann", "--url", URL)
    cli("desk", "medium", "add", "stick-7")
    cli("desk", "medium", "revoke", "stick-7")
    assert cli("desk", "unlink", "ann").code == 0
    told = cli("events").out
    for words in ("may report", "may not report any more", "links and sessions are ended"):
        assert words in told


def test_the_journal_holds_digests_only(cli: Cli, home: Path) -> None:
    link = cli("desk", "link", "ann", "--url", URL).out.strip()
    path = next(home.rglob("journal.db"))
    with closing(sqlite3.connect(path)) as database:
        bodies = [row[0] for row in database.execute("SELECT body FROM events")]
    assert len(bodies) == 1
    assert link.partition("t=")[2] not in bodies[0]
    assert len(json.loads(bodies[0])["digest"]) == 64
