"""Queries and limits: what they choose, what they refuse, and that none ever widens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from recovery.documents import read_yaml
from recovery.errors import EmptySelectionError, InputError, QueryError, UsageError
from recovery.inventory.native import read_native
from recovery.inventory.part import join
from recovery.inventory.query import (
    HostFacts,
    Known,
    Subject,
    compile_query,
    limit_query,
    named_one_by_one,
    parse,
    select,
)
from recovery.model.host import Fleet, Host

CASES = Path(__file__).parents[2] / "cases" / "query"
SELECTING: dict[str, Any] = yaml.safe_load((CASES / "selecting.yaml").read_text())
REFUSED: list[dict[str, Any]] = yaml.safe_load((CASES / "refused.yaml").read_text())
NOW = datetime(2024, 7, 19, 12, tzinfo=UTC)


def fleet() -> Fleet:
    return join([read_native(read_yaml(SELECTING["fleet"], "fleet.yaml"))])


def facts() -> Mapping[str, HostFacts]:
    found = {}
    for name, body in SELECTING["facts"].items():
        seen = NOW - timedelta(seconds=body["last_seen"])
        found[name] = msgspec.convert({**body, "last_seen": seen}, HostFacts)
    return found


def names(chosen: Fleet) -> list[str]:
    return [host.name for host in chosen.hosts]


@pytest.mark.parametrize(("text", "expected"), SELECTING["queries"].items())
@pytest.mark.parametrize("way", ["where", "limit"])
def test_selecting_by_queries(text: str, expected: Any, way: str) -> None:
    chosen: dict[str, Any] = {way: [text], "facts": facts(), "now": NOW}
    if expected == "error":
        with pytest.raises(QueryError):
            select(fleet(), **chosen)
    elif expected == "empty":
        with pytest.raises(EmptySelectionError, match="no host of 6"):
            select(fleet(), **chosen)
    else:
        assert names(select(fleet(), **chosen)) == expected


@pytest.mark.parametrize(("text", "expected"), SELECTING["limits"].items())
def test_selecting_by_patterns(text: str, expected: Any) -> None:
    if expected == "error":
        with pytest.raises(QueryError):
            select(fleet(), limit=[text])
        return
    chosen = select(fleet(), limit=[text])
    assert names(chosen) == expected
    assert chosen == select(fleet(), where=[str(limit_query(text, Known(fleet())))])


@pytest.mark.parametrize("case", REFUSED, ids=[case["query"][:40] for case in REFUSED])
def test_refused(case: dict[str, Any]) -> None:
    with pytest.raises(QueryError) as caught:
        parse(case["query"]).check(fleet())
    assert case["says"] in str(caught.value)
    if "column" in case:
        assert caught.value.column == case["column"]
        assert str(caught.value).splitlines()[-1].index("^") == case["column"] + 2


@pytest.mark.parametrize("text", SELECTING["queries"])
def test_a_query_is_shown_as_it_reads(text: str) -> None:
    if SELECTING["queries"][text] == "error":
        return
    query = parse(text)
    again = parse(str(query))
    assert again == query
    assert hash(again) == hash(query)
    assert str(again) == str(query)
    assert repr(query) == f"Query({str(query)!r})"


def test_queries_that_differ_are_not_equal() -> None:
    assert parse("site=ATL") != parse("site=MSP")
    assert parse("atl-*") != parse('"atl-*"')
    assert parse("site=ATL") != "site = ATL"


def test_every_limit_narrows_and_exclude_removes() -> None:
    assert names(select(fleet(), limit=["atl-*", "floor"])) == ["atl-ws-001", "atl-ws-002"]
    assert names(select(fleet(), where=["site=ATL"], limit=["floor"], exclude=["west"])) == [
        "atl-ws-001"
    ]
    assert names(select(fleet(), exclude=["site=ATL", "lab-nix"])) == ["msp-srv-1"]
    with pytest.raises(QueryError, match="no host or group"):
        select(fleet(), exclude=["atl-ws-009"])
    assert select(fleet()) == fleet()


def test_an_empty_selection_says_what_each_part_leaves() -> None:
    with pytest.raises(EmptySelectionError, match="`site = MSP` alone: 1; `floor` alone: 2"):
        select(fleet(), where=["site=MSP"], limit=["floor"])
    with pytest.raises(EmptySelectionError, match="holds no host"):
        select(Fleet(), limit=["anything"])


@pytest.mark.parametrize("empty", ["", " ", "\t\n"])
@pytest.mark.parametrize("way", ["where", "limit", "exclude"])
def test_an_empty_text_never_means_everything(empty: str, way: str) -> None:
    chosen: dict[str, Any] = {way: [empty]}
    with pytest.raises(QueryError, match="empty"):
        select(fleet(), **chosen)


def test_a_host_whose_name_reads_as_something_else_can_be_named() -> None:
    odd = Fleet(
        (
            Host(name="2001:db8::5"),
            Host(name="and"),
            Host(name="desk 3"),
            Host(name="a:b"),
            Host(name="a"),
        )
    )
    for host in odd.hosts:
        assert names(select(odd, limit=[host.name])) == [host.name]
    assert names(select(odd, where=['"and" or "desk 3"'])) == ["and", "desk 3"]


def test_a_name_that_is_a_host_and_a_group_has_to_be_said_clearly() -> None:
    both = Fleet(
        (Host(name="web", groups=()), Host(name="w1", groups=("web",))), groups={"web": ("w1",)}
    )
    with pytest.raises(QueryError, match="name=web or group=web"):
        select(both, limit=["web"])
    assert names(select(both, limit=["name=web"])) == ["web"]
    assert names(select(both, limit=["group=web"])) == ["w1"]


def test_names_from_a_file(tmp_path: Path) -> None:
    listed = tmp_path / "hosts to do.txt"
    listed.write_text("# the first wave\natl-ws-[001-002]  # two\n\nlab-nix\n")
    assert names(select(fleet(), limit=[f'@"{listed}"'])) == ["atl-ws-001", "atl-ws-002", "lab-nix"]
    assert names(select(fleet(), where=[f'site=ATL and not name=@"{listed}"'])) == [
        "atl-ws-003",
        "dark-9",
    ]
    plain = tmp_path / "plain"
    plain.write_text("lab-nix\natl-ws-001")
    assert names(select(fleet(), limit=[f"@{plain}:!atl-*"])) == ["lab-nix"]
    query = parse(f"@{plain}")
    assert parse(str(query)) == query


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file"),
        ("", "no host is named in this file"),
        ("# nothing\n\n", "no host is named in this file"),
        ("lab-nix\nws[9-1]\n", "list:2: "),
        ("lab-nix\nlab-nox\n", "did you mean 'lab-nix'?"),
    ],
)
def test_files_of_names_that_do_not_hold(content: str | None, says: str, tmp_path: Path) -> None:
    listed = tmp_path / "list"
    if content is not None:
        listed.write_text(content)
    with pytest.raises(UsageError, match=says.replace("?", r"\?")):
        select(fleet(), limit=[f"@{listed}"])


def test_a_file_of_names_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recovery.inventory.patterns.LARGEST_FILE", 100)
    (tmp_path / "list").write_text("lab-nix\n" * 20)
    with pytest.raises(InputError, match="larger than 100 bytes"):
        select(fleet(), limit=[f"@{tmp_path}/list"])


def test_a_query_for_a_playbook_needs_no_such_fleet_but_reads_no_file() -> None:
    holds = compile_query(
        "verdict in (exposed, crash_loop) and not tag=nowhere and service.tier < 2", fleet()
    )
    loop, well = HostFacts(verdict="crash_loop"), HostFacts(verdict="healthy")
    host, other = fleet().hosts[0], fleet().hosts[3]
    assert holds(host, loop, NOW)
    assert not holds(host, well, NOW)
    assert not holds(other, loop, NOW)
    for text in ("@/etc/hostname", "verdict=dark or name in (a, @b)", 'site = @"x y"'):
        with pytest.raises(QueryError, match="does not read files"):
            compile_query(text, fleet())
    with pytest.raises(QueryError, match="did you mean"):
        compile_query("verdict=exposd", fleet())


def test_a_subject_without_facts_is_unknown() -> None:
    subject = Subject(Host(name="a"))
    assert parse("verdict=unknown and progress=untouched and last_seen > 1000d and a").matches(
        subject
    )
    assert not parse("stop_code=0 or wave=0 or last_seen < 1d").matches(subject)


def test_only_full_names_count_as_named_one_by_one() -> None:
    every = fleet()
    assert named_one_by_one(["msp-srv-1"], every) == {"msp-srv-1"}
    assert named_one_by_one(["msp-srv-1:lab-nix:!atl-ws-001"], every) == {"msp-srv-1", "lab-nix"}
    assert named_one_by_one(["name in (msp-srv-1, atl-*) or name=dark-9"], every) == {
        "msp-srv-1",
        "dark-9",
    }
    assert named_one_by_one(['"msp-srv-1"'], every) == {"msp-srv-1"}
    for wide in (
        "floor",
        "msp-*",
        "all",
        "msp-srv-[1-1]",
        "~msp-srv-1",
        "site=MSP",
        "not msp-srv-1",
        "user=msp-srv-1",
    ):
        assert named_one_by_one([wide], every) == frozenset()
    assert named_one_by_one([], every) == frozenset()


def test_a_long_query_shows_the_part_that_is_wrong() -> None:
    text = "site=ATL or " * 200 + "\x1b[2J stie=ATL"
    with pytest.raises(QueryError) as caught:
        parse(text)
    shown = str(caught.value)
    assert len(shown) < 400
    assert "\x1b" not in shown


def test_nesting_and_length_are_bounded() -> None:
    deep = "(" * 50 + "lab-nix" + ")" * 50
    assert str(parse(deep)) == "lab-nix"
    for text in ("(" * 61 + "a" + ")" * 61, "not " * 5000 + "a"):
        with pytest.raises(QueryError, match="nested more than 60"):
            parse(text)
    with pytest.raises(QueryError, match="longer than 100000"):
        parse("a" * 100_001)


def test_a_text_longer_than_any_name_is_not_given_to_a_regular_expression() -> None:
    long = Fleet((Host(name="a", vars={"note": "x" * 300}), Host(name="b", vars={"note": "x"})))
    assert names(select(long, where=["vars.note=~x+"])) == ["b"]
