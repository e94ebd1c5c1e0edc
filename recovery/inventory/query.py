"""Queries: `site in (ATL, MSP) and verdict=crash_loop and not tag=kiosk and last_seen > 2h and service.tier <= 2`.

The language is described in `recovery.inventory.syntax`, its fields are listed in `recovery.inventory.fields`. A typo
is an error with its column, never an empty answer, and never, by a `not`, the whole fleet. This module is the one to
import from.
"""

from __future__ import annotations

from recovery.inventory.fields import NO_FACTS, HostFacts, Known, Subject
from recovery.inventory.matching import Query, compile_query, parse
from recovery.inventory.ranges import fold
from recovery.inventory.selection import limit_query, named_one_by_one, select

__all__ = [
    "NO_FACTS",
    "HostFacts",
    "Known",
    "Query",
    "Subject",
    "compile_query",
    "fold",
    "limit_query",
    "named_one_by_one",
    "parse",
    "select",
]
