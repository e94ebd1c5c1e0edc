"""Patterns of queries: regular expressions that end in time, globs, and proposals for names."""

from __future__ import annotations

import pytest

from recovery.inventory.patterns import LONGEST_TEXT, matcher, nearest, regex
from recovery.inventory.syntax import Value


@pytest.mark.parametrize(
    "pattern",
    [
        "ws[0-9]+",
        r"ws\d{3}-(atl|msp)",
        r"(?:a|b)c?",
        r"[]^\]]*x",
        r"a{2,5}b{3}",
        r"(ab){2}c*",
        r"\(\[\*\+",
        "a*?b+?",
        "",
        "a|b|c",
        r"[(+*]{1,2}",
        r"(\d{2})+",
    ],
)
def test_plain_regular_expressions_are_taken(pattern: str) -> None:
    assert regex(pattern).pattern == pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a*)*b",
        "(a|aa)+",
        "((a)+)+",
        "((a?)b?)*",
        "(a|b){2,}",
        "(a|ab){9}",
        "((a|b)c){3}",
        "(?:a{1,9}){1,9}",
        "a*" * 4,
        "a?" * 7,
        "(a|b)" * 4,
        "x" * 201,
        r"(a)\1",
        "(?i)a",
        "(?<=a)b",
        "(?>a)b",
        "(?#a)",
        "(",
        "a{99999999999}",
        "[",
    ],
)
def test_regular_expressions_that_could_take_for_ever_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"regular expression|repeats|references|not supported"):
        regex(pattern)


@pytest.mark.parametrize(
    "pattern",
    [".*.*.*", "a*a*a*", "a?a?a?a?a?a?a*a*a*", "(a|a)(a|a)(a|a)a*a*", "a{0,255}a{0,255}a*"],
)
def test_the_worst_that_is_taken_still_ends(pattern: str) -> None:
    matches = matcher(Value(pattern, "regex"))
    assert (
        not matches("a" * (LONGEST_TEXT - 1) + "b!" * (".*" not in pattern)) or pattern == ".*.*.*"
    )
    assert not matches("a" * (LONGEST_TEXT + 1))


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("atl-*", ["atl-", "atl-ws-1"], ["ATL-1", "xatl-1"]),
        ("ws-?", ["ws-1"], ["ws-", "ws-12"]),
        ("*a*a*a*a*a*a*a*b", ["aaaaaaab"], ["a" * 250]),
        ("a.c*", ["a.c"], ["abc"]),
        ("x[1-2]*", ["x1", "x1-a", "x2"], ["x3", "x"]),
        ("*[!a]", ["[!a]"], ["b"]),
    ],
)
def test_globs(glob: str, yes: list[str], no: list[str]) -> None:
    matches = matcher(Value(glob))
    assert all(map(matches, yes))
    assert not any(map(matches, no))


def test_texts_in_quotes_mean_themselves() -> None:
    matches = matcher(Value("a*", "text"))
    assert matches("a*")
    assert not matches("ab")


@pytest.mark.parametrize(
    ("name", "known", "tail"),
    [
        ("atl", ["ATL", "MSP"], "; did you mean 'ATL'?"),
        ("kiok", ["kiosk", "desk"], "; did you mean 'kiosk'?"),
        ("zzz", ["a", "b"], "; known: a, b"),
        ("zzz", [f"n{number}" for number in range(20)], ""),
        ("ws-9999x", [f"ws-{number:04d}" for number in range(10_000)], "; did you mean 'ws-9999'?"),
        ("zz", [f"ws-{number:04d}" for number in range(10_000)], ""),
    ],
)
def test_the_nearest_name(name: str, known: list[str], tail: str) -> None:
    assert nearest(name, known) == tail
