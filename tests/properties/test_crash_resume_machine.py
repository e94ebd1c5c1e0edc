"""Whenever controllers die: acts are done once, states only go forward, the journal's fold is the engine's state."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from typing_extensions import override

from recovery.engine.run import Run
from recovery.errors import JournalError
from recovery.journal import views
from recovery.journal.chain import Row
from recovery.journal.log import Log
from recovery.journal.reader import Reader
from recovery.model.events import AnyEvent, StepIntended
from recovery.model.state import HostState, apply
from recovery.sim.acts import read_ledger
from tests.engine.stage import Stage, hosts, mix, playbook

_KEPT = ("outcome", "verdict", "progress", "wave", "index", "touched", "changed", "reboots", "last")
"""What the engine keeps of a host that has ended."""


class DyingLog(Log):
    """A journal that breaks off at a commit: nothing from there on is written, and the controller ends by it."""

    lives = 0
    alone = False

    @override
    def record(self, event: AnyEvent) -> None:
        if self.alone:
            self.append(event)
        else:
            super().record(event)

    @override
    def _commit(self, batch: Sequence[Row]) -> None:
        if type(self).lives == 0:
            message = "the controller is dead"
            raise JournalError(message)
        type(self).lives -= 1
        super()._commit(batch)


class Controllers(RuleBasedStateMachine):
    """One controller after another, on one journal and one simulated fleet."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name)
        self._over = False

    @override
    def teardown(self) -> None:
        self._folder.cleanup()

    @initialize(seed=st.integers(0, 50), loops=st.sampled_from([0.0, 0.5, 1.0]))
    def begin(self, seed: int, loops: float) -> None:
        """A fleet with a network that loses answers."""
        self._seed = seed
        self._faults = mix(crash_loop=loops, exposed=1.0 - loops, window=(20.0, 40.0), resets=0.05)

    @precondition(lambda self: not self._over)
    @rule(commits=st.integers(0, 30), alone=st.booleans())
    def dies(self, commits: int, alone: bool) -> None:
        """A controller goes on and dies after so many commits."""
        DyingLog.lives, DyingLog.alone = commits, alone
        # The engine ends by the journal's error, alone or in the group of its tasks.
        with contextlib.suppress(JournalError, ExceptionGroup):
            self._play()
        self._look_at_what_is_left()

    @precondition(lambda self: not self._over)
    @rule(events=st.integers(1, 60))
    def is_stopped(self, events: int) -> None:
        """A controller goes on, and is asked to stop at one of its events."""
        left = events

        def stop(_event: AnyEvent, run: Run) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                run.stop()

        DyingLog.lives, DyingLog.alone = -1, False
        self._play(stop)
        self._look_at_what_is_left()

    @precondition(lambda self: not self._over)
    @rule()
    def ends(self) -> None:
        """A controller brings the run to its end."""
        DyingLog.lives, DyingLog.alone = -1, False
        stage = self._play()
        self._look_at_what_is_left()
        assert self._over
        assert set(stage.outcomes().values()) == {"recovered"}

    @precondition(lambda self: self._over)
    @rule()
    def is_asked_again(self) -> None:
        """A controller that finds the run at its end does nothing to any host."""
        before = read_ledger(self._path / "ledger")
        DyingLog.lives, DyingLog.alone = -1, False
        self._play()
        assert read_ledger(self._path / "ledger") == before

    def _play(self, on_event: Callable[[AnyEvent, Run], None] | None = None) -> Stage:
        stage = Stage(
            hosts(4),
            playbook("rollback", strategy__guard="{failed: 100}"),
            self._faults,
            path=str(self._path / "journal.db"),
            ledger=self._path / "ledger",
            seed=self._seed,
        )
        stage.log_type = DyingLog
        ending = stage.play(on_event)
        self._over = ending.code != 130
        self._compare(stage.states)
        return stage

    def _compare(self, states: dict[str, HostState]) -> None:
        with closing(Reader.open(self._path / "journal.db")) as log:
            folded = views.fold("r1", log.read(run="r1")).states
        for name, state in states.items():
            if state.outcome is None:
                assert folded[name] == state
            for field in _KEPT:
                assert getattr(folded[name], field) == getattr(state, field), (name, field)

    def _look_at_what_is_left(self) -> None:
        if not (self._path / "journal.db").exists():
            return
        with closing(Reader.open(self._path / "journal.db")) as log:
            log.verify()
            events = [stored.event for stored in log.read(run="r1")]
        states: dict[str, HostState] = {}
        for event in events:
            if event.host:
                before = states.get(event.host) or HostState(event.host)
                after = states[event.host] = apply(before, event)
                assert after.index >= before.index, event
                assert not before.changed or after.changed, event
                assert before.outcome is None, event
        self._count_acts({e.intent: e for e in events if isinstance(e, StepIntended)})

    def _count_acts(self, intended: dict[str, StepIntended]) -> None:
        """By the twin's own witness."""
        _, acts = read_ledger(self._path / "ledger")
        quarantined = Counter(act.host for act in acts if act.act == "quarantine")
        assert not [host for host, count in quarantined.items() if count > 1]
        reboots = [intended[act.intent] for act in acts if act.act == "reboot"]
        asked = Counter((event.host, event.boot_id) for event in reboots)
        assert not [boot for boot, count in asked.items() if count > 1]
        assert all(act.intent in intended for act in acts)


TestControllers = Controllers.TestCase
TestControllers.settings = settings(max_examples=15, stateful_step_count=6, deadline=None)
