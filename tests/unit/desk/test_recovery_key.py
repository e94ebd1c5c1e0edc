"""Recovery keys: what is a legal one, how it is written, and that it gets into no text."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from recovery.desk.recovery_key import (
    Entry,
    check,
    id_or_beginning,
    key_id_of,
    key_of,
    spellings,
)
from recovery.errors import UsageError
from recovery.redact import mask_recovery_keys as masked
from recovery.redact import scrub
from tests.unit.desk.key_cases import KEY, KEY_ID, key_text

groups = st.lists(st.integers(0, 65_535).map(lambda q: f"{q * 11:06d}"), min_size=8, max_size=8)


@given(groups, st.sampled_from(["", "-", " ", "\u2013"]))
def test_every_legal_key_is_taken_however_it_is_separated(parts: list[str], between: str) -> None:
    typed = between.join(parts)
    assert check(typed) == Entry(8, complete=True)
    assert key_of(typed).reveal() == "-".join(parts)


@given(groups, st.integers(0, 47), st.integers(1, 9))
def test_one_wrong_digit_is_found_in_its_group(parts: list[str], place: int, off: int) -> None:
    digits = "".join(parts)
    wrong = digits[:place] + str((int(digits[place]) + off) % 10) + digits[place + 1 :]
    entry = check(wrong)
    assert entry.wrong == (place // 6 + 1,)
    assert not entry.complete


@given(groups, st.integers(0, 47), st.integers(0, 4))
def test_two_swapped_neighbours_are_found(parts: list[str], group: int, place: int) -> None:
    chosen = parts[group % 8]
    swapped = chosen[:place] + chosen[place + 1] + chosen[place] + chosen[place + 2 :]
    if swapped != chosen:
        parts[group % 8] = swapped
        assert check("".join(parts)).wrong == (group % 8 + 1,)


@pytest.mark.parametrize(
    ("typed", "entry"),
    [
        ("", Entry(0)),
        ("00001", Entry(0)),
        ("000011-0000", Entry(1)),
        ("000012", Entry(1, (1,), "group 1 is wrong: read it again")),
        ("720885", Entry(1)),
        ("720896", Entry(1, (1,), "group 1 is wrong: read it again")),
        ("000011-000012-720896", Entry(3, (2, 3), "group 2 is wrong: read it again")),
        ("00001O", Entry(0, problem="a recovery key has digits and dashes only")),
        ("\u0660" * 6, Entry(0, problem="a recovery key has digits and dashes only")),
        (KEY + "0", Entry(8, (), "49 digits are too many: a recovery key has 48")),
    ],
)
def test_a_key_is_judged_while_it_is_typed(typed: str, entry: Entry) -> None:
    assert check(typed) == entry


def test_an_incomplete_key_is_refused_without_its_digits() -> None:
    with pytest.raises(ValueError, match="it has 7 of 8 groups"):
        key_of(KEY[:-7])


def test_both_spellings_are_masked_in_everything_that_is_said() -> None:
    other = key_text(7)
    both = spellings(key_of(other))
    assert both == (other.replace("-", ""), other)
    assert scrub(f"a {both.digits} b {both.dashed}") == "a *** b ***"


@pytest.mark.parametrize("between", ["", "-", " ", " - ", "\n", "."])
def test_a_key_in_a_text_is_masked(between: str) -> None:
    text = between.join(KEY.split("-"))
    assert masked(f"typed {text}, no") == "typed ***, no"


def test_other_long_numbers_stay() -> None:
    number = "4711" * 12
    assert masked(number) == number


@pytest.mark.parametrize("given_id", [KEY_ID, KEY_ID.lower(), f"{{{KEY_ID}}}", f" {KEY_ID} "])
def test_key_ids_as_screens_and_tools_write_them(given_id: str) -> None:
    assert key_id_of(given_id) == KEY_ID
    assert id_or_beginning(given_id) == KEY_ID


def test_the_first_eight_characters_are_enough_to_look_for() -> None:
    assert id_or_beginning("05a73b04") == "05A73B04"
    with pytest.raises(UsageError, match="'05A73B04' is not a recovery key id"):
        key_id_of("05A73B04")


@pytest.mark.parametrize(
    "given_id", ["", "atl-kiosk-01", "05A73B0", "*", "05A73B04)(cn=*", KEY_ID + "0"]
)
def test_anything_else_is_no_id(given_id: str) -> None:
    with pytest.raises(UsageError, match="is not a recovery key id: expected what the machine"):
        id_or_beginning(given_id)


def test_a_key_that_was_given_for_an_id_is_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        id_or_beginning(KEY)
    assert "0000" not in str(caught.value)
