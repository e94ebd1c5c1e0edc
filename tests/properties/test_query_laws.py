"""Laws of queries, selections, ranges and exports, for whatever hypothesis thinks of."""

from __future__ import annotations

import string
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recovery.errors import EmptySelectionError, QueryError, RecoveryError
from recovery.inventory.export import Form, dump
from recovery.inventory.fields import FIELDS
from recovery.inventory.loader import load
from recovery.inventory.matching import Query
from recovery.inventory.query import HostFacts, Subject, compile_query, parse, select
from recovery.inventory.ranges import expand, fold
from recovery.inventory.syntax import (
    Comparison,
    Either,
    Every,
    Named,
    Node,
    Not,
    Value,
    Within,
    read,
)
from recovery.model.evidence import Progress, Verdict
from recovery.model.host import ConsoleRef, Fleet, Host, Kind, Os, Service, Site

NOW = datetime(2024, 7, 19, 12, tzinfo=UTC)
SITES = ("ATL", "MSP", "LAX")
SERVICES = ("check-in", "directory")
TAGS = ("kiosk", "public", "two words", 'quo"ted')

printable = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=8)
host_names = st.from_regex(r"[a-z]{1,3}(-[a-z0-9]{1,3})?[0-9]{0,3}", fullmatch=True)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
keys = st.sampled_from(["x", "y", "1", "a b"])
json_values = st.recursive(
    st.none() | st.booleans() | numbers | printable,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def hosts(draw: st.DrawFn) -> Host:
    return Host(
        name=draw(host_names),
        address=draw(st.sampled_from(["", "10.0.0.1", "fe80::1"])),
        port=draw(st.none() | st.integers(1, 65535)),
        os=draw(st.sampled_from(get_args(Os))),
        transport=draw(st.sampled_from(["ssh", "winrm", "mock"])),
        credential=draw(st.sampled_from(["", "ad"])),
        user=draw(printable),
        site=draw(st.sampled_from(["", *SITES])),
        service=draw(st.sampled_from(["", *SERVICES])),
        kind=draw(st.sampled_from(get_args(Kind))),
        location=draw(printable),
        protected=draw(st.booleans()),
        tags=tuple(draw(st.lists(st.sampled_from(TAGS), max_size=2, unique=True))),
        groups=tuple(draw(st.lists(st.sampled_from(["g", "h", "i"]), max_size=2, unique=True))),
        console=draw(
            st.none() | st.builds(ConsoleRef, st.sampled_from(["redfish", "qmp"]), printable)
        ),
        vars=draw(
            st.dictionaries(st.sampled_from(["rack", "floor", "note"]), json_values, max_size=2)
        ),
    )


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    found = tuple(draw(st.lists(hosts(), min_size=1, max_size=8, unique_by=lambda host: host.name)))
    groups: dict[str, tuple[str, ...]] = {}
    for host in found:
        for group in host.groups:
            groups[group] = (*groups.get(group, ()), host.name)
    sites = {name: Site(draw(printable), draw(st.none() | st.integers(1, 9))) for name in SITES}
    services = {
        "check-in": Service("", draw(st.integers(1, 4)), 9.5, ("directory",)),
        "directory": Service(),
    }
    return Fleet(found, sites, services, groups)


facts = st.builds(
    HostFacts,
    verdict=st.sampled_from([each.value for each in Verdict]),
    progress=st.sampled_from([each.value for each in Progress]),
    last_seen=st.none()
    | st.integers(0, 10_000).map(lambda seconds: NOW - timedelta(seconds=seconds)),
    stop_code=st.none() | st.sampled_from([0x50, 0x7E]),
    wave=st.none() | st.integers(0, 3),
    attempts=st.integers(0, 3),
)

words = st.text(string.ascii_letters + string.digits + "-_.*?:/&|%", min_size=1, max_size=6).filter(
    lambda word: word.lower() not in ("and", "or", "not", "in")
)
values = (
    st.builds(Value, words)
    | st.builds(Value, st.sampled_from(["ws[1-3]", "ws[01,7-9]x", "a[b-d]*"]))
    | st.builds(Value, printable | st.sampled_from(TAGS), st.just("text"))
    | st.builds(
        Value, st.sampled_from([r"ws\d+", "(a|b).*", r"a{1,2} b, c", 'q"']), st.just("regex")
    )
)
free_fields = st.sampled_from(
    ["name", "site", "service", "tag", "group", "location", "vars.rack", "address"]
)
verdicts = st.sampled_from([each.value for each in Verdict]).map(Value)
leaves: st.SearchStrategy[Node] = (
    st.builds(Named, values)
    | st.builds(Comparison, free_fields, st.sampled_from(["=", "!="]), values)
    | st.builds(Within, free_fields, st.lists(values, min_size=1, max_size=3).map(tuple))
    | st.builds(Comparison, st.just("verdict"), st.just("="), verdicts)
    | st.builds(
        Comparison,
        st.sampled_from(["port", "attempts", "service.tier", "vars.rack"]),
        st.sampled_from(["<", "<=", ">", ">="]),
        st.integers(0, 9).map(lambda number: Value(str(number))),
    )
    | st.builds(
        Comparison, st.just("last_seen"), st.sampled_from(["<", ">="]), st.sampled_from(["1h", "90s"]).map(Value)
    )
)  # fmt: skip


def grown(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(Not, inner) | st.builds(Every, several) | st.builds(Either, several)


orders = st.sampled_from(["<", "<=", ">", ">="])
nodes: st.SearchStrategy[Node] = st.recursive(leaves, grown, max_leaves=8)


def without_columns(node: Node) -> Node:
    match node:
        case Not(inner):
            return Not(without_columns(inner))
        case Every(parts):
            return Every(tuple(map(without_columns, parts)))
        case Either(parts):
            return Either(tuple(map(without_columns, parts)))
        case Named(value):
            return Named(Value(value.text, value.form))
        case Comparison(field, operator, value):
            return Comparison(field, operator, Value(value.text, value.form))
        case Within(field, inside):
            return Within(field, tuple(Value(value.text, value.form) for value in inside))


@given(nodes)
def test_a_query_that_is_shown_reads_as_the_same_query(node: Node) -> None:
    query = Query(node)
    again = parse(str(query))
    assert without_columns(again.node) == node
    assert again == query


@given(nodes, hosts(), facts)
def test_a_query_holds_or_its_opposite_does(node: Node, host: Host, known: HostFacts) -> None:
    subject = Subject(host, Fleet((host,)), known, NOW)
    holds = Query(node).matches(subject)
    assert Query(Not(node)).matches(subject) is not holds
    assert Query(Every((node, Not(node)))).matches(subject) is False
    assert Query(Either((node, Not(node)))).matches(subject) is True
    assert parse(str(Query(node))).matches(subject) is holds
    assert compile_query(str(Query(node)), subject.fleet)(host, known, NOW) is holds


@given(nodes, nodes, hosts(), facts)
def test_not_and_or_are_related_as_de_morgan_says(
    one: Node, two: Node, host: Host, known: HostFacts
) -> None:
    subject = Subject(host, Fleet((host,)), known, NOW)
    left = Query(Not(Every((one, two)))).matches(subject)
    assert left is Query(Either((Not(one), Not(two)))).matches(subject)


@given(st.text(max_size=40) | st.text("ab=<>!()[]~@,\"' notrandi*-0123", max_size=40))
def test_any_text_is_a_query_or_a_clear_refusal(text: str) -> None:
    try:
        query = parse(text)
    except RecoveryError:
        return
    if "@" not in text:
        assert parse(str(query)) == query


@given(st.text("abcx|()?:*+{}[]^\\d.123,", max_size=24), st.text("abc12", max_size=40))
def test_any_regular_expression_ends_or_is_refused(pattern: str, text: str) -> None:
    try:
        query = Query(Comparison("location", "=", Value(pattern, "regex")))
    except QueryError:
        return
    assert query.matches(Subject(Host(name="a", location=text * 6))) in (True, False)


occurring: st.SearchStrategy[Node] = st.recursive(
    st.builds(
        Comparison,
        st.just("site"),
        st.sampled_from(["=", "!="]),
        st.sampled_from([*SITES, "*"]).map(Value),
    )
    | st.builds(
        Within, st.just("site"), st.lists(st.sampled_from(SITES).map(Value), min_size=1).map(tuple)
    )
    | st.builds(
        Comparison, st.just("kind"), st.just("="), st.sampled_from(get_args(Kind)).map(Value)
    )
    | st.builds(
        Comparison,
        st.just("port"),
        orders,
        st.integers(0, 70_000).map(lambda port: Value(str(port))),
    )
    | st.just(Named(Value("*"))),
    grown,
    max_leaves=5,
)
"""Queries that every fleet of `fleets` understands."""


@given(fleets(), st.lists(occurring, min_size=1, max_size=3))
def test_limits_only_narrow(fleet: Fleet, limits: list[Node]) -> None:
    texts = [str(Query(node)) for node in limits]
    matching = [
        host
        for host in fleet.hosts
        if all(Query(node).matches(Subject(host, fleet, now=NOW)) for node in limits)
    ]
    if not matching:
        with pytest.raises(EmptySelectionError):
            select(fleet, limit=texts, now=NOW)
        return
    chosen = select(fleet, limit=texts, now=NOW)
    assert list(chosen.hosts) == matching
    assert select(fleet, where=texts, now=NOW) == chosen
    kept = {host.name for host in matching}
    if len(kept) < len(fleet.hosts) and len(texts) == 1:
        rest = select(fleet, exclude=texts, now=NOW)
        assert {host.name for host in rest.hosts} == {host.name for host in fleet.hosts} - kept


@given(st.sampled_from(sorted(FIELDS)), st.sampled_from(string.ascii_lowercase), st.integers(0, 12))
def test_a_field_with_a_typo_is_never_taken(field: str, letter: str, place: int) -> None:
    typo = field[:place] + letter + field[place:]
    assume(typo not in FIELDS and typo not in ("tags", "groups"))
    for text in (f"{typo}=x", f"not {typo}=x", f"{typo} in (x)", f"a or {typo} > 1"):
        with pytest.raises(QueryError, match="there is no field"):
            parse(text)


@given(fleets(), st.text(string.ascii_letters, min_size=1, max_size=6))
def test_a_value_that_nothing_has_is_never_taken(fleet: Fleet, word: str) -> None:
    assume(
        word not in (*SITES, "all")
        and word not in {host.name for host in fleet.hosts} | set(fleet.groups)
    )
    for text in (
        f"site={word}",
        f"not site={word}",
        f"tag={word}",
        f"not {word}",
        f"{word}",
        f"group!={word}",
    ):
        with pytest.raises(QueryError):
            select(fleet, where=[text])
        if "=" not in text and text.lower() not in ("and", "or", "in", "not"):
            with pytest.raises(QueryError):
                select(fleet, limit=[f"*:!{word}"])


@given(
    st.lists(
        st.from_regex(r"[a-z]{0,2}[0-9]{0,3}[a-z]{0,1}[0-9]{0,3}", fullmatch=True).filter(bool),
        max_size=40,
    )
)
def test_folded_names_unfold_again(names: list[str]) -> None:
    text = fold(names, 10_000)
    unfolded = [name for word in text.split() for name in expand(word)]
    assert sorted(unfolded) == sorted(set(names))


@given(st.lists(host_names, max_size=40, unique=True), st.integers(1, 6))
def test_a_short_fold_counts_what_it_leaves_out(names: list[str], most: int) -> None:
    shown, _, left = fold(names, most).partition("… and ")
    unfolded = [name for word in shown.split() for name in expand(word)]
    assert len(unfolded) + int(left.removesuffix(" more") or 0) == len(names)
    assert set(unfolded) <= set(names)


@given(fleets(), st.sampled_from(["yaml", "json"]))
def test_a_fleet_that_is_written_reads_as_the_same_fleet(fleet: Fleet, form: Any) -> None:
    assert again(fleet, form) == fleet


@given(fleets())
def test_json_lines_keep_the_hosts(fleet: Fleet) -> None:
    assert again(fleet, "jsonl").hosts == fleet.hosts


def again(fleet: Fleet, form: Form) -> Fleet:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"fleet.{form}"
        path.write_text(dump(fleet, form))
        return load([str(path)])


@given(
    st.sampled_from([".yaml", ".json", ".csv", ".ini", ".jsonl", ""]),
    st.text(max_size=60) | st.binary(max_size=60),
)
def test_any_file_is_an_inventory_or_a_clear_refusal(suffix: str, content: str | bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"fleet{suffix}"
        path.write_bytes(
            content if isinstance(content, bytes) else content.encode("utf-8", "replace")
        )
        fleet, refused = Fleet(), ""
        try:
            fleet = load([str(path)])
        except RecoveryError as error:
            refused = str(error)
        assert refused == "" or str(path) in refused
        assert len({host.name for host in fleet.hosts}) == len(fleet.hosts)


def test_reading_leaves_no_columns_out() -> None:
    node = read("site = ATL or not (name in (a, b))")
    assert without_columns(node) != node
