"""Processes and threads that want the same tickets of one journal at the same time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from recovery.desk.rules import Who
from recovery.errors import RefusedError
from recovery.journal.reader import Reader
from recovery.model.desk_events import TicketClaimed
from recovery.service.desk import Desk
from recovery.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
TICKETS = 40

_GREEDY = """
import sys
from recovery.service.desk import Desk
from recovery.settings import Settings

desk = Desk(Settings(journal=sys.argv[1]))
sys.stdin.readline()
while (job := desk.next(sys.argv[2], take=True)) is not None:
    print(job.ticket.host)
"""
"""Takes tickets until none is left."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(journal=str(tmp_path / "journal.db"))
    Desk(found).add([f"h{number}" for number in range(TICKETS)], "down")
    return found


def claims(settings: Settings) -> list[TicketClaimed]:
    with closing(Reader.open(settings.journal)) as log:
        log.verify()
        return [s.event for s in log.read() if isinstance(s.event, TicketClaimed)]


def test_processes_never_take_one_ticket_twice(settings: Settings) -> None:
    greedy = [
        subprocess.Popen(
            [sys.executable, "-c", _GREEDY, settings.journal, f"tech-{number}"],
            cwd=ROOT,
            env=dict(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for process in greedy:  # all of them begin at once
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    taken = [process.communicate(timeout=120)[0].split() for process in greedy]
    assert [process.returncode for process in greedy] == [0, 0, 0, 0]
    counts = Counter(claim.host for claim in claims(settings))
    assert counts == dict.fromkeys((f"h{number}" for number in range(TICKETS)), 1)
    owners = {claim.host: claim.tech for claim in claims(settings)}
    for number, hosts in enumerate(taken):
        assert all(owners[host] == f"tech-{number}" for host in hosts)


def test_threads_of_one_desk_and_of_many_never_take_one_ticket_twice(settings: Settings) -> None:
    shared = Desk(settings)
    desks = [shared, shared, Desk(settings), Desk(settings)]
    refused: list[str] = []
    start = threading.Barrier(len(desks))

    def grab(desk: Desk, tech: str) -> None:
        start.wait()
        for number in range(TICKETS):
            try:
                desk.claim(f"h{number}", Who(tech=tech))
            except RefusedError as error:
                refused.append(str(error))

    threads = [
        threading.Thread(target=grab, args=(desk, f"tech-{number}"))
        for number, desk in enumerate(desks)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = claims(settings)
    assert len(found) == len({claim.host for claim in found}) == TICKETS
    assert len(refused) == TICKETS * (len(desks) - 1)
    assert all("is held by tech-" in message for message in refused)
