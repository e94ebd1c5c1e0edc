"""Which events of the journal somebody wants to see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import get_args

import msgspec

from recovery.errors import UnknownNameError, UsageError
from recovery.journal.board import NOTABLE_KINDS, notable
from recovery.journal.chain import kind_of
from recovery.journal.reader import Reader
from recovery.journal.views import describe
from recovery.model.events import AnyEvent
from recovery.ports import Stored
from recovery.tui.gateway import Sieve

_MOST_LOOKED_AT = 200_000
"""Events in which words are looked for at once."""
_FIELDS = ("host", "run", "kind")
KINDS = tuple(sorted(str(kind.__struct_config__.tag) for kind in get_args(AnyEvent)))
"""Every kind of event."""


def sieve_of(text: str, runs: Sequence[str], *, important: bool = False) -> Sieve:
    """The sieve that somebody has typed: `host:NAME`, `run:ID` (or its beginning, or `last`), `kind:KIND`, and words.

    Raises `UsageError` and `UnknownNameError`.
    """
    sieve, words = Sieve(important=important), []
    for word in text.split():
        field, colon, value = word.partition(":")
        if not colon or field not in _FIELDS:
            words.append(word)
        elif not value:
            raise UsageError(f"{field}: of which {field}? write {field}:NAME")
        elif field == "host":
            sieve = msgspec.structs.replace(sieve, host=value)
        elif field == "run":
            sieve = msgspec.structs.replace(sieve, run=_run(value, runs))
        else:
            sieve = msgspec.structs.replace(sieve, kinds=(*sieve.kinds, *_kinds(value)))
    return msgspec.structs.replace(sieve, text=" ".join(words))


def _run(text: str, runs: Sequence[str]) -> str:
    if text == "last" and runs:
        return runs[-1]
    found = [run for run in runs if run == text] or [run for run in runs if run.startswith(text)]
    if len(found) > 1:
        raise UsageError(f"{len(found)} runs begin with {text!r}: {', '.join(found[-5:])}")
    if not found:
        raise UnknownNameError("run", text, runs)
    return found[0]


def _kinds(text: str) -> tuple[str, ...]:
    """The kind, or all kinds that begin so: `host` is every `host.…`."""
    found = tuple(kind for kind in KINDS if kind == text or kind.startswith(f"{text}."))
    if not found:
        raise UnknownNameError("kind of event", text, KINDS)
    return found


def passes(sieve: Sieve) -> Callable[[AnyEvent], bool]:
    """Whether an event is wanted."""
    words = sieve.text.casefold().split()

    def wanted(event: AnyEvent) -> bool:
        if (sieve.run and event.run != sieve.run) or (sieve.host and event.host != sieve.host):
            return False
        if sieve.kinds and kind_of(event) not in sieve.kinds:
            return False
        if sieve.important and not notable(event):
            return False
        if not words:
            return True
        told = f"{event.run} {event.host} {describe(event)}".casefold()
        return all(word in told for word in words)

    return wanted


def latest(log: Reader, sieve: Sieve, before: int, count: int) -> tuple[Stored, ...]:
    """The latest events in front of `before` that pass, oldest first; `before` 0 is the journal's end."""
    wanted = passes(sieve)
    kinds = sieve.kinds or (NOTABLE_KINDS if sieve.important else ())
    found: list[Stored] = []
    events = log.backwards(run=sieve.run, host=sieve.host, kinds=kinds, before=before)
    for stored in islice(events, _MOST_LOOKED_AT):
        if wanted(stored.event):
            found.append(stored)
        if len(found) >= count:
            break
    return tuple(reversed(found))
