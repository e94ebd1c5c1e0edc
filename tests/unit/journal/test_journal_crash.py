"""Several processes at one journal, and processes that die."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recovery.journal.log import Log
from recovery.journal.reader import Reader
from tests.unit.journal.happenings import notice

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def count(path: Path) -> int:
    with Reader.open(path) as journal:
        return journal.verify().count


APPENDS = """
import sys
from recovery.journal.log import Log
from tests.unit.journal.happenings import notice
path, name = sys.argv[1:]
with Log.open(path) as log:
    for number in range(0, 300, 3):
        log.append(*(notice(number + more, run=name) for more in range(3)))
"""

DIES = """
import asyncio, os, signal, sys
from recovery.journal.log import Log
from tests.unit.journal.happenings import notice
path, inline, place, moment = sys.argv[1], sys.argv[2] == "inline", int(sys.argv[3]), sys.argv[4]

class Dying(Log):
    commits = 0

    def _commit(self, batch):
        self.commits += 1
        if self.commits == place and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        super()._commit(batch)
        if self.commits == place:
            os.kill(os.getpid(), signal.SIGKILL)

async def main():
    log = Dying.open(path, inline=inline)
    for number in range(100):
        log.record(notice(number))
        await log.durable()
        print(number, flush=True)

asyncio.run(main())
"""

WRITES = """
import asyncio, sys
from recovery.journal.log import Log
from tests.unit.journal.happenings import notice

async def main():
    log = Log.open(sys.argv[1])
    number = 0
    while True:
        for _ in range(7):
            log.record(notice(number))
            number += 1
        await log.durable()
        print(number, flush=True)

asyncio.run(main())
"""


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_several_processes_may_append_at_once(path: Path) -> None:
    processes = [start(APPENDS, path, name) for name in ("one", "two", "three")]
    for process in processes:
        with process:
            assert process.wait(60) == 0
    with Reader.open(path) as journal:
        assert journal.verify().count == 900
        for name in ("one", "two", "three"):
            expected = [notice(number, run=name) for number in range(300)]
            assert [stored.event for stored in journal.read(run=name)] == expected
    assert sorted(file.name for file in path.parent.iterdir()) == ["journal.db"]


@pytest.mark.parametrize("mode", ["inline", "thread"])
@pytest.mark.parametrize(("moment", "written"), [("before", 4), ("after", 5)])
def test_a_process_that_dies_at_a_commit_loses_nothing_it_was_told_to_be_durable(
    path: Path, mode: str, moment: str, written: int
) -> None:
    with start(DIES, path, mode, 5, moment) as process:
        told, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert told.split() == ["0", "1", "2", "3"]
    assert count(path) == written


@pytest.mark.parametrize("lines", [1, 10, 40])
def test_a_process_killed_at_any_moment_loses_nothing_it_was_told_to_be_durable(
    path: Path, lines: int
) -> None:
    with start(WRITES, path) as process:
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.kill()
        told = int((process.stdout.read().split() or [str(lines * 7)])[-1])
    with Log.open(path) as log:
        found = log.verify().count
        assert found >= told
        assert [stored.event for stored in log.read()] == [notice(n) for n in range(found)]
        log.append(notice(found))
        assert log.verify().count == found + 1
