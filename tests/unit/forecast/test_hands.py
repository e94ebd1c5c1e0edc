"""Technicians at work: what can be worked out on paper, and laws that hold for any work."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.forecast.crew import HOUR, Crew
from recovery.forecast.hands import Job, Visits, work_off


def crew(technicians: int, **fields: object) -> Crew:
    return Crew(
        **{  # type: ignore[arg-type]
            "technicians": technicians,
            "minutes": {"desktop": (10.0, 10.0)},
            "comes_back": 0.0,
            "travel": 1.0,
            **fields,
        }
    )


def jobs(count: int, site: str = "A", ready: float = 0.0) -> list[Job]:
    return [Job(number, site, "desktop", ready, number) for number in range(count)]


def worked(work: list[Job], people: Crew, midnight: float = 0.0, seed: int = 1) -> Visits:
    return work_off(work, people, midnight, random.Random(seed))  # noqa: S311


@pytest.mark.parametrize(
    ("count", "people", "minutes"), [(6, 1, 60), (6, 2, 30), (7, 2, 40), (3, 9, 10), (0, 5, 0)]
)
def test_so_many_machines_for_so_many_people(count: int, people: int, minutes: float) -> None:
    done = worked(jobs(count), crew(people))
    assert max(done.up.values(), default=0.0) == pytest.approx(minutes * 60)
    assert (len(done.up), done.visits) == (count, count)
    assert done.busy == pytest.approx(count * 600)


def test_the_first_in_turn_come_first_and_nobody_before_it_may_be_visited() -> None:
    work = [
        Job(0, "A", "desktop", 0.0, 2),
        Job(1, "A", "desktop", 0.0, 1),
        Job(2, "A", "desktop", 5000.0, 0),
    ]
    assert worked(work, crew(1)).up == pytest.approx({1: 600.0, 0: 1200.0, 2: 5600.0})


def test_nobody_works_between_shifts_but_a_visit_that_was_begun_is_ended() -> None:
    people = crew(1, shifts=1, hours=8.0, begins=6.0)
    done = worked(jobs(2), people, midnight=13.9 * HOUR)
    assert sorted(done.up.values()) == pytest.approx([600.0, 16.1 * HOUR + 600.0])


def test_somebody_goes_from_a_site_without_work_to_one_with_too_much() -> None:
    near = [Job(number, "A", "desktop", 0.0, number, until=700.0) for number in range(30)]
    far = [Job(100 + number, "B", "desktop", 0.0, number) for number in range(30)]
    done = worked([*near, *far], crew(2))
    assert done.moves == 1
    # One works off eight there until the other one arrives, after 20 min and an hour; then both share what is left.
    assert max(done.up.values()) == pytest.approx(4800.0 + 11 * 600.0)


def test_a_site_that_nobody_stands_at_is_not_forgotten() -> None:
    work = [*jobs(50, "A"), Job(99, "B", "desktop", 0.0, 0)]
    done = worked(work, crew(1))
    assert set(done.up) == {*range(50), 99}
    assert done.up[99] > 50 * 600.0 + HOUR


def test_nobody_goes_to_a_machine_that_came_up_by_itself() -> None:
    work = [Job(0, "A", "desktop", 0.0, 0), Job(1, "A", "desktop", 0.0, 1, until=300.0)]
    done = worked(work, crew(1))
    assert (set(done.up), done.visits) == ({0}, 1)
    under_way = worked([Job(0, "A", "desktop", 0.0, 0, until=300.0)], crew(1))
    assert under_way.up == {0: 300.0}


def test_machines_that_come_back_are_visited_again() -> None:
    done = worked(jobs(400), crew(4, comes_back=0.25))
    assert len(done.up) == 400
    assert 480 < done.visits < 590  # 400 / 0.75 = 533


@st.composite
def work(draw: st.DrawFn) -> list[Job]:
    count = draw(st.integers(0, 40))
    return [
        Job(
            number,
            draw(st.sampled_from("ABC")),
            "desktop",
            draw(st.floats(0, 200_000)),
            draw(st.integers(0, 9)),
        )
        for number in range(count)
    ]


@given(
    work(),
    st.integers(1, 12),
    st.integers(1, 3),
    st.floats(0, 86_399),
    st.sampled_from([0.0, 0.3]),
    st.integers(0, 5),
)
def test_every_machine_is_worked_off_by_one_person_at_a_time(
    todo: list[Job], people: int, shifts: int, midnight: float, again: float, seed: int
) -> None:
    done = worked(todo, crew(people, shifts=shifts, comes_back=again), midnight, seed)
    assert set(done.up) == {job.host for job in todo}
    for job in todo:
        assert done.up[job.host] >= job.ready + 600.0 - 1e-3
    assert done.busy == pytest.approx(600.0 * done.visits)
    last = max(done.up.values(), default=0.0)
    assert done.busy <= people * last + 1e-3
