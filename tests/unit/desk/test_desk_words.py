"""Words of people on their way into the journal."""

from __future__ import annotations

import pytest

from recovery.desk import words
from recovery.errors import UsageError
from tests.unit.desk.key_cases import KEY


@pytest.mark.parametrize("value", ["", "  ", "a" * 101, "ann\x1b[2J", "ann\nbob", KEY])
def test_what_is_no_name_of_a_person(value: str) -> None:
    with pytest.raises(UsageError) as caught:
        words.name(value)
    assert KEY not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_name_is_taken_as_it_is_written() -> None:
    assert words.name(" Zoë van der Berg ") == "Zoë van der Berg"
    assert words.host("atl-kiosk-01.corp.example") == "atl-kiosk-01.corp.example"


def test_a_text_is_one_bounded_line() -> None:
    assert words.text("a\r\n  b\tc\u202e") == "a b c"
    assert len(words.text("x" * 10_000)) == words.LONGEST_TEXT
