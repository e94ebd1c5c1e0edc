"""Ranges: many names in one, and one text for many names."""

from __future__ import annotations

import pytest

from recovery.inventory.ranges import expand, fold, has_range


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("plain", ["plain"]),
        ("ws[1-3]", ["ws1", "ws2", "ws3"]),
        ("ws[08-11]", ["ws08", "ws09", "ws10", "ws11"]),
        ("ws[098-101]", ["ws098", "ws099", "ws100", "ws101"]),
        ("ws[9-11]", ["ws9", "ws10", "ws11"]),
        ("ws[0-2]", ["ws0", "ws1", "ws2"]),
        ("web[01:10:4]", ["web01", "web05", "web09"]),
        ("web[:2]", ["web0", "web1", "web2"]),
        ("ws[1,3, 7-8]", ["ws1", "ws3", "ws7", "ws8"]),
        ("db-[a:c]", ["db-a", "db-b", "db-c"]),
        ("db-[a-e:2]", ["db-a", "db-c", "db-e"]),
        ("db-[x]", ["db-x"]),
        ("r[1-2]-u[a:b].x", ["r1-ua.x", "r1-ub.x", "r2-ua.x", "r2-ub.x"]),
        ("[1-2]", ["1", "2"]),
        ("[::1]", ["[::1]"]),
        ("a[]", None),
        ("a[-]", ["a[-]"]),
        ("a[!x]", ["a[!x]"]),
    ],
)
def test_what_a_range_stands_for(text: str, names: list[str] | None) -> None:
    if names is None:
        with pytest.raises(ValueError, match="is not a range"):
            expand(text)
        return
    assert expand(text) == names
    assert has_range(text) == (names != [text])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ws[3-1]", "[3-1] ends before it begins"),
        ("ws[c:a]", "[c:a] ends before it begins"),
        ("ws[1-c]", "[1-c] is not a range"),
        ("ws[prod]", "[prod] is not a range"),
        ("ws[1-9:0]", "the step has to be at least 1"),
        ("ws[1-1000001]", "more than 1000000 names"),
        ("ws[1-99999999999999999999]", "is not a range"),
        ("ws[1-1001][1-1001]", "more than 1000000 names"),
        ("ws" + "[1-10]" * 500, "more than 1000000 names"),
        ("x" * 10_000 + "[1-20000]", "more text than names can be"),
    ],
)
def test_ranges_that_are_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"range|names|begins|step") as caught:
        expand(text)
    assert says in str(caught.value)


@pytest.mark.parametrize("end", ["!", "-]", "a b]", ""])
def test_no_text_takes_long_to_be_told_from_a_range(end: str) -> None:
    text = "[" + ",  " * 5_000 + end
    assert not has_range(text)
    assert expand(text) == [text]
    assert not has_range("[a" * 5_000 + end)


@pytest.mark.parametrize(
    ("names", "most", "text"),
    [
        ([], 8, ""),
        (["a"], 8, "a"),
        (["ws1", "ws1"], 8, "ws1"),
        (["ws2", "ws1", "ws3"], 8, "ws[1-3]"),
        (["ws1", "ws3", "ws4"], 8, "ws[1,3-4]"),
        (["ws8", "ws9", "ws10", "ws11"], 8, "ws[8-11]"),
        (["ws08", "ws09", "ws10", "ws11"], 8, "ws[08-11]"),
        (["ws098", "ws099", "ws100"], 8, "ws[098-100]"),
        (["ws0001", "ws0002", "ws0400", "db-a"], 8, "db-a ws[0001-0002,0400]"),
        (["r1-u1", "r1-u2", "r2-u1"], 8, "r1-u[1-2] r2-u1"),
        (["n1.x", "n2.x", "n1.y"], 8, "n[1-2].x n1.y"),
        (["a", "a0", "a1"], 8, "a a[0-1]"),
        (["b", "a", "c"], 2, "a b … and 1 more"),
        ([f"ws{number}" for number in range(0, 40, 2)], 3, "ws[0,2,4] … and 17 more"),
        (["a1", "a2", "a4", "b1", "b2"], 2, "a[1-2,4] … and 2 more"),
        (["x" + "9" * 30, "x" + "9" * 31], 8, "x" + "9" * 30 + " x" + "9" * 31),
    ],
)
def test_folding(names: list[str], most: int, text: str) -> None:
    assert fold(names, most) == text


def test_a_hundred_thousand_irregular_names_fold_into_a_short_text() -> None:
    names = [f"LAPTOP-{number * 7919 % 1_000_003:X}" for number in range(100_000)]
    text = fold(names)
    assert len(text) < 200
    assert text.endswith("more")
    assert fold([f"ws-{number:06d}" for number in range(100_000)]) == "ws-[000000-099999]"
