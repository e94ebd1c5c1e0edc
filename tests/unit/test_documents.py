"""Documents: what is read, what is refused, and where the error points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import pytest

from recovery import documents
from recovery.documents import duration, read_json, read_yaml, show_duration
from recovery.errors import InputError


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    tier: Annotated[int, msgspec.Meta(ge=0)] = 3
    kind: Literal["desktop", "server"] = "server"


class Outer(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    name: str
    hosts: Mapping[str, Inner] = {}
    rows: tuple[Inner, ...] = ()
    by_reach: Mapping[Literal["full", "half"], int] = {}
    either: int | str = 0
    maybe: Inner | None = None
    nested: Annotated[Inner | None, msgspec.Meta(description="either")] = None


def refusal(text: str, read: Any = read_yaml, kind: Any = Outer) -> str:
    with pytest.raises(InputError) as caught:
        read(text, "f").convert(kind)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nhost: {}", "f:2: there is no field 'host' here; did you mean 'hosts'?"),
        ("hosts: {}", "f:1: the field 'name' is missing here"),
        (
            "name: x\nhosts:\n  a: {tier: 1}\n  b: {tire: 1}",
            "f:4: there is no field 'tire' here; did you mean 'tier'?",
        ),
        (
            "name: x\nhosts:\n  a: {tier: 1}\n  b:\n    kind: sever",
            "f:5: 'sever' is not possible here; did you mean 'server'?",
        ),
        ("name: x\nrows:\n  - {}\n  - tier: a", "f:4: expected a whole number, got text"),
        ("name: x\nhosts:\n  a: 5", "f:3: expected a mapping, got a whole number"),
        (
            "name: x\nby_reach:\n  full: 1\n  hall: 2",
            "f:4: 'hall' is not possible here; did you mean 'half'?",
        ),
        ("name: x\neither: []", "f:2: expected a whole number or text, got a list"),
        ("name: x\nmaybe:\n  tir: 1", "f:3: there is no field 'tir' here; did you mean 'tier'?"),
        (
            "name: x\nnested:\n  kind: 9x",
            "f:3: '9x' is not possible here; known: desktop, server",
        ),
        ("name: x\nrows:\n  - tier: -1", "f:3: expected a whole number >= 0"),
        ("name: no", "f:1: expected text, got true or false; put it in quotes"),
        ("- x", "f:1: expected a mapping, got a list"),
        ("", "f: expected a mapping, got nothing"),
    ],
)
def test_a_misfit_is_said_with_its_line_and_the_nearest_name(text: str, message: str) -> None:
    assert refusal(text) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1,\n", "f:2: not YAML: did not find expected node content"),
        ("a: 1\n---\nb: 2\n", "f:2: not YAML: but found another document"),
        ("a:\n  b: 1\n  b: 2", "f:3: 'b' stands here twice"),
        ("? [x]\n: 1", "f:1: a key has to be a plain word"),
        ("a: 1\n<<: {b: 2}", "f:2: merge keys (<<) are not supported: write the values out"),
        ("a: &a [*a]", "f:1: nested more than 40 deep"),
        ("[" * 100_000, "f:1: not YAML: exceeded maximum nesting depth"),
        (
            "a: 1\nb: 2024-13-45",
            "f:2: '2024-13-45' is not a value (month must be in 1..12); put it in quotes if it is text",
        ),
        ("a: !vault x", "f:1: not YAML: could not determine a constructor for the tag '!vault'"),
        (
            "b: 1\na: 1" + ":59" * 100_000,
            "f:2: '" + ("1" + ":59" * 20)[:60] + "' is not a value (it has more than 200 digits); "
            "put it in quotes if it is text",
        ),
        ("a: !!set {x}", "f:1: the tag 'tag:yaml.org,2002:set' is not for data"),
        (
            "a: !!python/object/apply:os.system [id]",
            "f:1: the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not for data",
        ),
    ],
)
def test_yaml_that_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_yaml(text, "f")
    assert str(caught.value) == message


def test_control_characters_are_refused() -> None:
    with pytest.raises(InputError, match="not YAML: unacceptable character #x0000"):
        read_yaml("a: \x00", "f")


def test_a_bomb_of_aliases_is_refused_and_honest_aliases_are_kept() -> None:
    layers = "".join(
        f"{name}: &{name} [{', '.join([f'*{below}'] * 10)}]\n"
        for below, name in zip("abcde", "bcdef", strict=True)
    )
    with pytest.raises(InputError, match="aliases repeat more than 100000 values"):
        read_yaml("a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + layers, "f")
    assert read_yaml("a: &a {x: [1, 2]}\nb: *a\nc: *a", "f").data == {
        key: {"x": [1, 2]} for key in "abc"
    }


def test_a_document_of_any_number_of_values_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recovery.yaml_loader.MOST_VALUES", 1000)
    assert len(read_yaml("[" + "a," * 990 + "]", "f").data) == 990
    for text in ("[" + "a," * 1001 + "]", "\n".join(f"k{number}: 1" for number in range(501))):
        with pytest.raises(
            InputError, match="f: not YAML: the document holds more than 1000 values"
        ):
            read_yaml(text, "f")


def test_a_file_of_any_size_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_BYTES", 10)
    for read in (read_yaml, read_json):
        with pytest.raises(InputError, match="f: the file is larger than 10 bytes"):
            read('["1234567890"]', "f")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,\n b}', "f:2: not JSON: Expecting property name enclosed in double quotes"),
        ('{"a": {"b": 1},\n"c": {"a": 1,\n"a": 2}}', "f:3: 'a' stands twice in one object"),
    ],
)
def test_json_that_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_json(text, "f")
    assert str(caught.value) == message


def test_deep_json_is_refused() -> None:
    with pytest.raises(InputError, match="f: not JSON that is wanted"):
        read_json("[" * 200_000, "f")


def test_json_knows_its_lines() -> None:
    text = '{"name": "x",\n "rows": [\n  {},\n  {"kind": "desktop",\n   "tier": "a, [b]: {c}"}]}'
    assert refusal(text, read_json) == "f:5: expected a whole number, got text"
    document = read_json(text, "f")
    assert [
        document.line(path)
        for path in (("rows",), ("rows", 0), ("rows", 1), ("rows", 1, "tier", "deeper"))
    ] == [2, 3, 4, 5]


def test_without_lines_the_place_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_JSON_LINES_UP_TO", 5)
    text = '{"name": "x", "hosts": {"a": {"tier": "b"}}}'
    assert refusal(text, read_json) == "f: hosts.a.tier: expected a whole number, got text"
    with pytest.raises(InputError, match=r"^f: 'a' stands twice in one object$"):
        read_json('{"a": 1, "a": 2}', "f")


def test_keys_stay_text_and_values_keep_their_type() -> None:
    data = read_yaml("no: no\n1: 1\n0x50: 0x50\nt: 2024-07-19T04:09:00Z", "f").data
    assert list(data) == ["no", "1", "0x50", "t"]
    assert data["no"] is False
    assert data["0x50"] == 80
    assert data["t"].isoformat() == "2024-07-19T04:09:00+00:00"


def test_part_and_line_of_a_document() -> None:
    document = read_yaml("name: x\nrows:\n  - tier: 1\n  - tier: 2\n", "f")
    assert document.convert(Inner, ("rows", 1)) == Inner(tier=2)
    assert document.line(("rows", 1, "tier")) == 4
    assert document.line(("rows", 7)) == 2


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("8h", 28800), ("2d", 172800), ("1h30m", 5400), ("1.5h", 5400), ("250ms", 0.25),
     ("1m 30s", 90), (" 5M ", 300), ("5", 5), (5, 5), (0.5, 0.5), ("0", 0)],
)  # fmt: skip
def test_durations(text: str | float, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", " ", "soon", "-1", "5 minutes", "1h1h", "30m1h", "m", "1..5s", "²", "5s!", True]
)
def test_what_is_no_duration_is_told_the_form(text: Any) -> None:
    with pytest.raises(ValueError, match=r"^a soak is written like 90s, 5m, 8h, 2d or 1h30m, not"):
        duration(text, "a soak")


@pytest.mark.parametrize("value", [-1, 1e9, float("inf"), float("nan"), "400000h"])
def test_a_duration_is_bounded(value: str | float) -> None:
    with pytest.raises(ValueError, match=r"^a duration is at least 0 and below 30 years"):
        duration(value)


def test_durations_are_shown_short() -> None:
    assert [show_duration(seconds) for seconds in (0, 90, 5400, 86401.25)] == [
        "0s",
        "1m30s",
        "1h30m",
        "1d1s250ms",
    ]
