"""Shares of a fleet in words: `5`, `2%`, `2% of site`."""

from __future__ import annotations

import re
from typing import get_args

import msgspec

from recovery.model.playbook import Denominator, Share

PATTERN = r"\s*(\d+(?:\.\d+)?)\s*(%?)(?:\s+of\s+(wave|site|run))?\s*"
_WHOLE = 100.0
_SHARE = re.compile(PATTERN, re.ASCII)


def parse_share(value: str | int, default: Denominator = "wave") -> Share:
    """A number of hosts, or a percentage above 0% and up to 100% of a `wave`, `site` or `run`.

    Raises `ValueError` with the expected form.
    """
    match = None if isinstance(value, bool) else _SHARE.fullmatch(str(value))
    if match is None or (match[3] and not match[2]):
        known = ", ".join(get_args(Denominator))
        shown = str(value)[:60]
        raise ValueError(
            f"a share is a number of hosts such as 5, or 2%, or 2% of one of {known}; not {shown!r}"
        )
    number, percent = float(match[1]), bool(match[2])
    if percent and not 0 < number <= _WHOLE:
        raise ValueError(f"a percentage is above 0% and at most 100%, not {match[1]}%")
    if not percent and (number < 1 or number != int(number)):
        raise ValueError(f"a number of hosts is whole and at least 1, not {match[1]}")
    return Share(number, percent, msgspec.convert(match[3] or default, Denominator))


def show_share(share: Share) -> str:
    """The share in the form that `parse_share` reads."""
    number = str(int(share.value)) if share.value == int(share.value) else repr(share.value)
    return f"{number}% of {share.of}" if share.percent else number
