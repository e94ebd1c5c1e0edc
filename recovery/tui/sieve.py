"""Which events of the journal somebody wants to see."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from recovery.journal.chain import kind_of
from recovery.journal.reader import Reader
from recovery.journal.views import describe
from recovery.model.events import AnyEvent
from recovery.ports import Stored
from recovery.tui.gateway import Sieve

_MOST_LOOKED_AT = 200_000
"""Events in which words are looked for at once."""


def passes(sieve: Sieve) -> Callable[[AnyEvent], bool]:
    """Whether an event is wanted."""
    words = sieve.text.casefold().split()

    def wanted(event: AnyEvent) -> bool:
        if sieve.run and event.run != sieve.run:
            return False
        if sieve.host and event.host != sieve.host:
            return False
        if sieve.kinds and kind_of(event) not in sieve.kinds:
            return False
        if not words:
            return True
        told = f"{event.run} {event.host} {describe(event)}".casefold()
        return all(word in told for word in words)

    return wanted


def latest(log: Reader, sieve: Sieve, before: int, count: int) -> tuple[Stored, ...]:
    """The latest events in front of `before` that pass, oldest first; `before` 0 is the journal's end."""
    wanted = passes(sieve)
    found: list[Stored] = []
    events = log.backwards(run=sieve.run, host=sieve.host, kinds=sieve.kinds, before=before)
    for stored in islice(events, _MOST_LOOKED_AT):
        if wanted(stored.event):
            found.append(stored)
        if len(found) >= count:
            break
    return tuple(reversed(found))
