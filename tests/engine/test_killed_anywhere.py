"""The controller is killed at every commit of its journal, and another one takes the run up."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from recovery.journal.chain import Row
from recovery.journal.log import Log
from recovery.journal.reader import Reader
from recovery.model.events import AnyEvent
from recovery.model.state import HostState
from recovery.ports import Stored
from recovery.sim.faults import Mix, Rule, Selector
from tests.engine.stage import Stage, hosts, playbook

Ends = dict[str, tuple[Any, ...]]
Acts = Counter[tuple[str, str]]

_FAULTS: dict[str, dict[str, Any]] = {
    "h000": {"exposed": 1.0},
    "h001": {"crash_loop": 1.0, "window": (30.0, 60.0)},
    "h002": {},
    "h003": {"dark": 1.0},
    "h004": {"exposed": 1.0, "boot": (40.0, 50.0)},
    "h005": {"exposed": 1.0, "quarantine_fails": 1.0},
}
_MIX = Mix(
    latency=0.0,
    rules=tuple(
        Rule(when=Selector(host=name), faults=faults) for name, faults in _FAULTS.items() if faults
    ),
)


class DoomedLog(Log):
    """A journal whose process is killed at its n-th commit; it notes elsewhere how many rows were committed."""

    doom = 0
    before = False
    alone = False
    """Each event is committed by itself, so that no two of them live or die together."""
    witness = -1
    commits = 0

    @override
    def record(self, event: AnyEvent) -> None:
        if self.alone:
            self.append(event)
        else:
            super().record(event)

    @override
    def _commit(self, batch: Sequence[Row]) -> None:
        kind = type(self)
        kind.commits += 1
        dies = kind.commits == kind.doom
        if dies and kind.before:
            os.kill(os.getpid(), signal.SIGKILL)
        super()._commit(batch)
        if kind.witness >= 0:
            os.write(kind.witness, b"." * len(batch))
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)


def stage_in(folder: Path) -> Stage:
    """The mixed fleet, with its journal and ledger in `folder`."""
    folder.mkdir(exist_ok=True)
    book = playbook(
        "rollback", strategy__guard="{failed: 100}", strategy__keep_trying="2h", strategy__soak="5s"
    )
    stage = Stage(
        hosts(6), book, _MIX, path=str(folder / "journal.db"), ledger=folder / "ledger", seed=3
    )
    stage.log_type = DoomedLog
    return stage


def killed_at(folder: Path, commit: int, *, before: bool, alone: bool) -> int:
    """Play in another process that is killed at `commit`; how many rows it had committed."""
    folder.mkdir(exist_ok=True)
    witness = folder / "committed"
    child = os.fork()
    if child == 0:
        try:
            DoomedLog.doom, DoomedLog.before, DoomedLog.alone = commit, before, alone
            DoomedLog.commits = 0
            DoomedLog.witness = os.open(witness, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            stage_in(folder).play()
        finally:
            os._exit(99)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"commit {commit}: not killed, status {status}"
    assert os.WTERMSIG(status) == signal.SIGKILL
    return witness.stat().st_size


def resumed_in(folder: Path) -> dict[str, HostState]:
    """Go on in this process, until the run ends."""
    DoomedLog.commits = 0
    stage = stage_in(folder)
    stage.play()
    return dict(stage.states)


def events_in(folder: Path) -> list[Stored]:
    """The journal, whose chain holds."""
    with closing(Reader.open(folder / "journal.db")) as log:
        log.verify()
        return list(log.read())


def acts_in(folder: Path) -> list[dict[str, Any]]:
    """What the twin says was done to its machines."""
    lines = (folder / "ledger").read_text().splitlines()[1:]
    return [json.loads(line) for line in lines]


def ends(states: dict[str, HostState]) -> Ends:
    """How each host ended: what has to be the same, however often the controller dies."""
    return {
        name: (state.outcome, state.verdict, state.progress, state.changed, state.touched)
        for name, state in sorted(states.items())
    }


def wrong_in(folder: Path, expected: Ends, acts: Acts) -> Iterator[str]:
    """What differs from the undisturbed run after a resume in `folder`."""
    found = ends(resumed_in(folder))
    for name, end in found.items():
        if end != expected[name]:
            yield f"{name} ended {end}, undisturbed {expected[name]}"
    done = Counter((act["host"], act["act"]) for act in acts_in(folder))
    if done != acts:
        yield f"acts {done - acts} too many, {acts - done} too few"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ends, Acts, int, int]:
    """How an undisturbed run ends, what it does, and how many commits and events it has."""
    folder = tmp_path_factory.mktemp("undisturbed")
    states = resumed_in(folder)
    commits = DoomedLog.commits
    acts = Counter((act["host"], act["act"]) for act in acts_in(folder))
    return ends(states), acts, commits, len(events_in(folder))


def test_the_undisturbed_run_is_worth_killing(undisturbed: tuple[Ends, Acts, int, int]) -> None:
    expected, acts, commits, events = undisturbed
    outcomes = Counter(str(end[0]) for end in expected.values())
    assert outcomes == {"recovered": 3, "healthy": 1, "handed_over": 2}
    fixed = ("h000", "h001", "h004")
    assert acts == {(name, act): 1 for name in fixed for act in ("quarantine", "reboot")}
    assert commits >= 15
    assert events >= 40


@pytest.mark.parametrize("alone", [False, True], ids=["grouped", "each event by itself"])
@pytest.mark.parametrize("before", [True, False], ids=["before the commit", "after the commit"])
def test_killed_at_every_commit(
    before: bool, alone: bool, undisturbed: tuple[Ends, Acts, int, int], tmp_path: Path
) -> None:
    expected, acts, commits, events = undisturbed
    wrong = []
    for commit in range(1, (events if alone else commits) + 1):
        folder = tmp_path / f"at-{commit}"
        durable = killed_at(folder, commit, before=before, alone=alone)
        kept = events_in(folder)
        if len(kept) != durable:
            wrong.append(f"commit {commit}: {durable} rows were committed, {len(kept)} are there")
        wrong += [f"commit {commit}: {what}" for what in wrong_in(folder, expected, acts)]
        if events_in(folder)[: len(kept)] != kept:
            wrong.append(f"commit {commit}: durable events are not there any more")
    assert not wrong, "\n".join(wrong)
