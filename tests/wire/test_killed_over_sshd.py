"""The program is killed again and again at its work on real SSH servers, and goes on from its journal."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from recovery.journal import views
from recovery.journal.reader import Reader
from recovery.model.events import StepIntended
from recovery.model.state import HostState
from tests.unit.remote.shells import BAD_TIME, HEADER
from tests.wire.sshd import SshdFleet, sshd_fleet_sync

pytestmark = [
    pytest.mark.sshd,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("sshd"),
]

_HOSTS = 4
_HEALTHY = 1
"""The last hosts of each fleet have no bad file."""
_ROUNDS = 13
_KILLS = 6
"""In each round."""
_LEAST_KILLS = 50
_MOST_SECONDS = 120.0
_FASTER = (
    *("--set", "settle.for=2s", "--set", "strategy.soak=0s", "--set", "reboot.wait=20s"),
    *("--set", "strategy.waves=[2,100%]", "--set", "strategy.keep_trying=60s"),
)


class Place:
    """A fleet, with settings, inventory and journal of its own."""

    def __init__(self, folder: Path, fleet: SshdFleet) -> None:
        self.fleet = fleet
        self.folder = folder
        self.journal = folder / "journal.db"
        for machine in fleet[: _HOSTS - _HEALTHY]:
            bad = machine.folder / "C-00000291-00000000-00000032.sys"
            bad.write_bytes(HEADER + b"payload")
            os.utime(bad, (BAD_TIME, BAD_TIME))
        (folder / "settings.yaml").write_text(
            f'ssh: {{known_hosts: ["{fleet.known_hosts}"], config: ""}}\n'
            f'credentials: {{lab: {{provider: key_file, path: "{fleet.key_file}"}}}}\n'
        )
        rows = [f"{m.name},{m.address},{m.port},linux,server,root,lab" for m in fleet]
        (folder / "fleet.csv").write_text(
            "\n".join(["name,address,port,os,kind,user,credential", *rows]) + "\n"
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """The program, as an operator starts it."""
        command = [sys.executable, "-m", "recovery", "--config", str(self.folder / "settings.yaml")]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*command, "--journal", str(self.journal), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def begun(self) -> bool:
        """Whether the journal has a run."""
        if not self.journal.exists():
            return False
        with closing(Reader.open(self.journal)) as log:
            return bool(log.runs())

    def finished(self) -> bool:
        """Whether the run's end is in the journal."""
        if not self.begun():
            return False
        with closing(Reader.open(self.journal)) as log:
            return any(True for _ in log.read(kinds=("run.finished",)))

    def next_process(self) -> subprocess.Popen[bytes]:
        """The run, from its beginning or from where its journal ends."""
        if self.begun():
            return self.start("runs", "resume", "last", "-o", "jsonl")
        inventory = str(self.folder / "fleet.csv")
        return self.start("run", "rollback", "-i", inventory, "--yes", "-o", "jsonl", *_FASTER)

    def log(self) -> str:
        """What all the processes printed."""
        return (self.folder / "log").read_text()

    def states(self) -> dict[str, HostState]:
        """How the hosts ended, folded from a journal whose chain holds."""
        with closing(Reader.open(self.journal)) as log:
            log.verify()
            run = log.find_run("last")
            return dict(views.fold(run, log.read(run=run)).states)

    def ends(self) -> list[tuple[object, ...]]:
        """What has to be the same however often the program was killed."""
        found = self.states()
        states = [found[machine.name] for machine in self.fleet]
        return [(s.outcome, s.verdict, s.progress, s.touched, s.changed) for s in states]

    def intents(self) -> dict[str, list[StepIntended]]:
        """The acts on each machine that the journal announces."""
        with closing(Reader.open(self.journal)) as log:
            events = [stored.event for stored in log.read(kinds=("step.intended",))]
        return {
            machine.name: [
                e for e in events if isinstance(e, StepIntended) and e.host == machine.name
            ]
            for machine in self.fleet
        }


def _undisturbed(place: Place) -> None:
    process = place.next_process()
    assert process.wait(_MOST_SECONDS) == 0, place.log()


def _killed(place: Place, seed: int) -> int:
    """Kill the program at random moments, then let the run come to its end. The kills before that."""
    drawn = random.Random(seed)  # noqa: S311 - moments, not secrets
    kills = 0
    while kills < _KILLS and not place.finished():
        process = place.next_process()
        try:
            process.wait(drawn.uniform(0.4, 2.2))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
    if not place.finished():
        _undisturbed(place)
    return kills


def _check_acts(place: Place) -> None:
    """By what the machines themselves wrote down: nothing was done twice, nothing unannounced."""
    intents = place.intents()
    for number, machine in enumerate(place.fleet):
        bad = number < _HOSTS - _HEALTHY
        reboots = Counter(line for line in machine.ledger if line.startswith("reboot "))
        assert all(count == 1 for count in reboots.values()), machine.ledger
        assert len(reboots) == bad, machine.ledger
        kept = list(machine.quarantine.glob("*/*.file"))
        assert len(kept) == bad, kept
        assert {file.parent.name for file in kept} <= {e.intent for e in intents[machine.name]}
        asked = {f"reboot {e.boot_id}" for e in intents[machine.name] if e.step == "reboot"}
        assert set(reboots) <= asked


def test_fifty_kills_change_nothing_of_the_end(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        places = []
        for number in range(_ROUNDS + 1):
            folder = tmp_path / f"round-{number}"
            folder.mkdir()
            fleet = stack.enter_context(sshd_fleet_sync(folder, _HOSTS))
            places.append(Place(folder, fleet))
        calm, *rough = places
        with ThreadPoolExecutor(3) as pool:
            undisturbed = pool.submit(_undisturbed, calm)
            kills = list(pool.map(_killed, rough, range(_ROUNDS)))
            undisturbed.result()
        assert sum(kills) >= _LEAST_KILLS, kills
        expected = calm.ends()
        assert [end[0] for end in expected] == ["recovered"] * (_HOSTS - _HEALTHY) + ["healthy"]
        for place in places:
            assert place.ends() == expected, place.log()
            _check_acts(place)
