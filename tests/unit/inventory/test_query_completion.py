"""What is proposed while a query is typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.inventory.completion import MOST, complete
from recovery.inventory.query import Known, parse
from recovery.model.host import Fleet, Host, Site

FLEET = Fleet(
    hosts=(
        Host(name="atl-dc-01", site="ATL", tags=("two words", "kiosk"), groups=("core",)),
        Host(name="msp-ws-01", site="MSP", vars={"rack": 7}),
    ),
    sites={"ATL": Site(), "MSP": Site(), "JFK": Site()},
)
KNOWN = Known(FLEET)

CASES = [
    ("", "name"),
    ("ver", "verdict"),
    ("no", "not"),
    ("atl", "atl-dc-01"),
    ("cor", "core"),
    ("site", "site.name"),
    ("site ", "="),
    ("site ", "in ("),
    ("site=", "ATL"),
    ("site=m", "MSP"),
    ("site in ", "("),
    ("site in (ATL, ", "JFK"),
    ("site in (ATL ", ")"),
    ("site in (ATL) ", "and"),
    ("site = ATL ", "or"),
    ("site = ATL and ", "verdict"),
    ("not (verdict != ", "crash_loop"),
    ("verdict not ", "in ("),
    ("last_seen ", "= never"),
    ("last_seen > ", "2h"),
    ("wave ", "<="),
    ("tag=two", '"two words"'),
    ("vars.rack = ", "7"),
]


@pytest.mark.parametrize(("text", "option"), CASES)
def test_what_can_follow_is_proposed(text: str, option: str) -> None:
    assert option in complete(text, KNOWN).options


@pytest.mark.parametrize("text", ["tag='two", "site = nowhere", "nofield = ", "site ~", "verdict"])
def test_nothing_is_proposed(text: str) -> None:
    assert complete(text, KNOWN).options == ()


def test_few_are_proposed_of_many() -> None:
    known = Known(Fleet(hosts=tuple(Host(name=f"ws{number}") for number in range(1000))))
    assert len(complete("ws", known).options) == MOST


@given(st.sampled_from(["site", "tag", "verdict", "kind", "protected"]), st.data())
def test_a_proposed_value_makes_a_query_that_the_fleet_knows(
    field: str, data: st.DataObject
) -> None:
    found = complete(f"{field} = ", KNOWN)
    value = data.draw(st.sampled_from(found.options))
    parse(f"{field} = {value}").check(KNOWN)


@given(st.text(max_size=30))
def test_no_text_is_too_strange(text: str) -> None:
    found = complete(text, KNOWN)
    assert 0 <= found.start <= len(text)
