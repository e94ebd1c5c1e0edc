"""A loop's rhythm is learnt from answers and silences, and the looks gather where the next window is expected."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence

import pytest

from recovery.engine.looks import LOOPING, Looks
from recovery.engine.rhythm import CLOSE, LATE, WIDE, Rhythm

BUDGET = 200.0
"""Looks a second that 500 looping hosts cost at most, once their rhythm is learnt; without one they would cost 1250."""


class Loop:
    """A machine that answers for `window` seconds in each round of its loop."""

    def __init__(self, seed: int, window: tuple[float, float] = (2.0, 12.0)) -> None:
        draw = random.Random(seed)  # noqa: S311 - a seed makes it the same each time
        self.down = draw.uniform(25.0, 90.0)
        self.starts, self.ends = [draw.uniform(0.0, 60.0)], []
        while self.starts[-1] < 3600.0:
            self.ends.append(self.starts[-1] + draw.uniform(*window))
            self.starts.append(self.ends[-1] + self.down + draw.uniform(-0.5, 0.5))

    def answers(self, at: float) -> bool:
        return self.window(at) is not None

    def window(self, at: float) -> int | None:
        for number, (start, end) in enumerate(zip(self.starts, self.ends, strict=False)):
            if start <= at < end:
                return number
        return None


def watch(loops: Sequence[Loop], until: float) -> tuple[dict[int, dict[int, float]], list[float]]:
    """Look at the loops as a run does; which windows were caught when, and the time of each look.

    A host that answers is spoken with until its window closes, and then waited for anew.
    """
    looks = Looks(500.0)
    caught: dict[int, dict[int, float]] = {number: {} for number in range(len(loops))}
    times: list[float] = []
    closing: list[tuple[float, int]] = []
    for number in range(len(loops)):
        looks.await_answer(f"{number}", LOOPING, 0.0, math.inf, waited=0.0, first=0.0)
    while (now := min([looks.due() or math.inf, *(at for at, _ in closing)])) < until:
        for at, number in [item for item in closing if item[0] <= now]:
            closing.remove((at, number))
            looks.await_answer(f"{number}", LOOPING, now, math.inf, waited=0.0, first=0.0)
        silent = []
        for name in looks.take_due(now):
            times.append(now)
            window = loops[int(name)].window(now)
            if window is None:
                silent.append(name)
            else:
                caught[int(name)][window] = now
                looks.answered(name, now)
                closing.append((loops[int(name)].ends[window], int(name)))
        looks.still_silent(silent, now)
    return caught, times


def test_five_hundred_loops_stay_under_the_budget_once_they_are_learnt() -> None:
    loops = [Loop(seed) for seed in range(500)]
    _, times = watch(loops, 900.0)
    before = sum(1 for at in times if at < 60.0) / 60.0
    after = sum(1 for at in times if at >= 500.0) / 400.0
    assert after <= BUDGET
    assert before > 2 * BUDGET


def test_every_window_of_two_seconds_is_caught_within_two_boots_after_the_rhythm_is_learnt() -> (
    None
):
    loops = [Loop(seed, (2.0, 3.0)) for seed in range(60)]
    caught, _ = watch(loops, 1200.0)
    for number, windows in caught.items():
        seen = sorted(windows)
        learnt = seen[1:]
        assert learnt
        assert max(b - a for a, b in itertools.pairwise(learnt)) <= 2, number


@pytest.mark.parametrize("seed", range(5))
def test_a_window_that_opens_late_is_caught_all_the_same(seed: int) -> None:
    loop = Loop(seed, (4.0, 5.0))
    shift = 25.0  # an update that is installed in between, say
    loop.starts[6:] = [start + shift for start in loop.starts[6:]]
    loop.ends[6:] = [end + shift for end in loop.ends[6:]]
    caught, _ = watch([loop], loop.ends[8])
    assert {6, 7} & caught[0].keys()


def test_nothing_is_expected_before_a_window_was_seen() -> None:
    rhythm = Rhythm()
    assert rhythm.next_look(0.0) == CLOSE
    rhythm.closes(0.0)
    assert rhythm.next_look(100.0) == CLOSE
    assert not rhythm.learnt


def test_looks_are_wide_before_the_window_close_within_it_and_late_behind_it() -> None:
    rhythm = Rhythm()
    for at in (0.0, 70.0, 140.0):
        rhythm.opens(at, 0.4)
        rhythm.closes(at + 10.0)
    assert rhythm.learnt
    assert rhythm.next_look(151.0) == CLOSE  # it may only have been a session that broke
    assert rhythm.next_look(155.0) == WIDE
    assert WIDE > rhythm.next_look(205.0) > CLOSE
    assert rhythm.next_look(210.0) == CLOSE
    assert rhythm.next_look(230.0) == LATE


def test_a_session_that_broke_is_no_window() -> None:
    rhythm = Rhythm()
    rhythm.opens(0.0, 0.4)
    rhythm.closes(1.0)
    rhythm.opens(1.4, 0.4)
    rhythm.opens(1.8, 0.4)
    assert not rhythm.learnt


def test_a_night_of_silence_is_no_rhythm() -> None:
    rhythm = Rhythm()
    for at in (0.0, 70.0, 140.0):
        rhythm.opens(at, 0.4)
        rhythm.closes(at + 10.0)
    rhythm.opens(30_000.0, 0.4)
    rhythm.closes(30_010.0)
    assert not rhythm.learnt
    assert rhythm.next_look(30_020.0) == CLOSE


def looks_at(looks: Looks, until: float) -> list[float]:
    times = []
    while (now := looks.due() or math.inf) < until:
        hosts = looks.take_due(now)
        times += [now] * len(hosts)
        looks.still_silent(hosts, now)
    return times


def test_a_console_that_tells_of_a_crash_saves_looks_and_of_a_start_brings_them() -> None:
    looks = Looks(500.0)
    looks.await_answer("a", LOOPING, 0.0, math.inf, waited=0.0, first=0.0)
    looks.told("a", "crashed", 0.0)
    assert len(looks_at(looks, 19.0)) <= 2
    looks.told("a", "starts", 19.0)
    started = looks_at(looks, 25.0)
    assert len(started) >= 12
    assert max(b - a for a, b in itertools.pairwise(started)) <= 0.5


def test_what_a_console_told_is_forgotten_in_time() -> None:
    looks = Looks(500.0)
    looks.await_answer("a", LOOPING, 0.0, math.inf, waited=0.0, first=0.0)
    looks.told("a", "crashed", 0.0)
    times = looks_at(looks, 80.0)
    assert len([at for at in times if at > 72.0]) >= 16


def test_a_host_that_is_planned_anew_is_looked_at_once() -> None:
    looks = Looks(500.0)
    looks.await_answer("a", LOOPING, 0.0, math.inf, waited=0.0, first=5.0)
    looks.told("a", "starts", 0.0)
    assert looks.take_due(1.0) == ["a"]
    looks.answered("a", 1.0)
    assert looks.take_due(10.0) == []
    looks.told("b", "starts", 0.0)  # of a host that nobody waits for
    assert looks.due() is None
