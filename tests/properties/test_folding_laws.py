"""Folding of replies: every host is in one group, groups differ, and a comparison holds both replies."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from recovery.report.folding import MOST_LINES, compare, fold_replies

LINES = st.lists(st.sampled_from(["up", "down", "C-291 bad", "", "[red]x"]), max_size=6)
REPLIES = st.dictionaries(st.text("abc", min_size=1, max_size=3), LINES, max_size=20)


@given(REPLIES)
def test_every_host_is_in_one_group_with_what_it_said(replies: dict[str, list[str]]) -> None:
    groups = fold_replies(replies.items())
    told = {name: list(group.reply) for group in groups for name in group.hosts}
    assert told == replies
    assert sum(len(group.hosts) for group in groups) == len(replies)


@given(REPLIES)
def test_groups_differ_and_the_largest_comes_first(replies: dict[str, list[str]]) -> None:
    groups = fold_replies(replies.items())
    assert len({group.reply for group in groups}) == len(groups)
    sizes = [len(group.hosts) for group in groups]
    assert sizes == sorted(sizes, reverse=True)


@given(REPLIES, st.randoms())
def test_the_order_of_answers_does_not_matter(
    replies: dict[str, list[str]], random: Random
) -> None:
    shuffled = list(replies.items())
    random.shuffle(shuffled)
    assert fold_replies(shuffled) == fold_replies(replies.items())


@given(LINES, LINES)
def test_a_comparison_holds_both_replies(common: list[str], reply: list[str]) -> None:
    changes = compare(common, reply)
    assert [change.text for change in changes if change.mark != "+"] == common
    assert [change.text for change in changes if change.mark != "-"] == reply


def test_what_is_too_long_is_told_as_a_number() -> None:
    changes = compare(["a"], ["x"] * (MOST_LINES + 7))
    assert changes[-1].text == "… and 7 more lines"


def test_a_host_that_answers_twice_keeps_its_last_reply() -> None:
    (group,) = fold_replies([("a", ["old"]), ("a", ["new"])])
    assert group.reply == ("new",)
