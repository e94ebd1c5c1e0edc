"""The numbers of a report add up to the inventory, whatever the journal says of the hosts."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from recovery.model.evidence import Progress, Verdict
from recovery.model.host import Fleet, Host, Service, Site
from recovery.model.state import HostState
from recovery.report.groups import AFFECTED, Group, group_of
from recovery.report.tally import Move, changes, samples_of, tally

AT = datetime(2024, 7, 19, 6, tzinfo=UTC)
NAMES = [f"h{number}" for number in range(12)]

hosts = st.lists(st.sampled_from(NAMES), unique=True).flatmap(
    lambda names: st.tuples(
        *(
            st.builds(
                Host,
                name=st.just(name),
                site=st.sampled_from(["", "A", "B", "Z"]),
                service=st.sampled_from(["", "s", "t"]),
            )
            for name in names
        )
    )
)
fleets = st.builds(
    Fleet, hosts=hosts, sites=st.just({"A": Site(name="Alpha"), "B": Site()}), services=st.just({"s": Service()})
)  # fmt: skip
known_groups = st.dictionaries(
    st.sampled_from([*NAMES, "nobody listed me"]),
    st.builds(
        lambda verdict, progress, says_done: group_of(
            HostState("x", verdict=verdict, progress=progress), says_done=says_done
        ),
        st.sampled_from(list(Verdict)),
        st.sampled_from(list(Progress)),
        st.booleans(),
    ),
)


@given(fleets, known_groups)
def test_every_host_is_in_one_group_of_its_site_and_its_service(
    fleet: Fleet, known: dict[str, Group]
) -> None:
    found = tally(fleet, known, {"s": 5.0})
    assert found.whole.total == len(fleet.hosts) == sum(found.whole.counts.values())
    assert set(found.whole.counts) == set(Group)
    by_hand = Counter(known.get(host.name, Group.UNKNOWN) for host in fleet.hosts)
    assert {name: count for name, count in found.whole.counts.items() if count} == by_hand
    for rows in (found.sites, found.services):
        assert sum(row.total for row in rows) == found.whole.total
        for group in Group:
            assert sum(row.counts[group] for row in rows) == found.whole.counts[group]
    affected = found.whole.total - sum(
        found.whole.counts[group] for group in (Group.WELL, Group.UNKNOWN)
    )
    assert found.whole.affected == affected
    assert found.whole.left == affected - found.whole.counts[Group.PROVEN]


@given(
    st.lists(st.tuples(st.floats(0, 9999), st.sampled_from(NAMES), st.sampled_from(list(Group)))),
    st.floats(0, 5000),
)
def test_the_course_of_the_groups_ends_where_the_groups_are(
    turns: list[tuple[float, str, Group]], longer: float
) -> None:
    now: dict[str, Group] = dict.fromkeys(NAMES, Group.UNKNOWN)
    moves = []
    for seq, (seconds, name, group) in enumerate(sorted(turns, key=lambda turn: turn[0])):
        moves.append(Move(seq, AT + timedelta(seconds=seconds), name, now[name], group))
        now[name] = group
    end = AT + timedelta(seconds=max([0.0, *(turn[0] for turn in turns)]) + longer)
    found = samples_of(moves, {Group.UNKNOWN: len(NAMES)}, AT, end)
    counts = Counter(now.values())
    assert found[-1].proven == counts[Group.PROVEN]
    assert found[-1].left == sum(counts[group] for group in AFFECTED) - counts[Group.PROVEN]
    times = [each.at for each in found]
    assert times == sorted(set(times))


@given(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(list(Group))),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(list(Group))),
)
def test_changes_lead_from_the_one_report_to_the_other(
    before: dict[str, Group], now: dict[str, Group]
) -> None:
    found = changes(before, now, since=AT, report=True, lost=0.0)
    old = Counter(before.get(name, Group.UNKNOWN) for name in now)
    new = Counter(now.values())
    assert {group: new[group] - old[group] for group in Group} == found.counts
    assert sum(found.counts.values()) == 0
    assert found.counts[Group.PROVEN] == found.proven - found.came_back
    assert set(found.hit) <= {name for name, group in now.items() if group in AFFECTED}
