"""What holds of the desk, whatever was said and seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import hypothesis.strategies as st
from hypothesis import given

from recovery.desk.fold import DeskFold
from recovery.model.events import AnyEvent
from recovery.model.ticket import HELD, Stage, numbers
from recovery.ports import Stored
from tests.properties.test_journal_laws import events, times

streams = st.lists(events, max_size=30)


def folded(stream: Sequence[AnyEvent]) -> DeskFold:
    fold = DeskFold()
    fold.add_all(Stored(seq, event) for seq, event in enumerate(stream, 1))
    return fold


@given(streams, times)
def test_every_ticket_is_counted_once(stream: list[AnyEvent], now: datetime) -> None:
    tickets = folded(stream).tickets(mock=False)
    found = numbers(tickets.values(), now)
    assert sum(getattr(found, stage.value) for stage in Stage) == found.total == len(tickets)
    assert sum(found.sites.values()) == found.total - found.proven
    assert found.overdue <= found.says_done


@given(streams, streams)
def test_the_desk_folds_the_same_in_any_pieces(one: list[AnyEvent], two: list[AnyEvent]) -> None:
    whole = folded([*one, *two])
    fold = folded(one)
    given_out = fold.tickets(mock=False)
    before = dict(given_out)
    fold.add_all(Stored(seq, event) for seq, event in enumerate(two, len(one) + 1))
    assert fold.tickets(mock=False) == whole.tickets(mock=False)
    assert fold.keys(mock=False).uses() == whole.keys(mock=False).uses()
    assert given_out == before


@given(streams, times)
def test_whoever_holds_a_ticket_has_a_name_and_a_lease(
    stream: list[AnyEvent], now: datetime
) -> None:
    for ticket in folded(stream).tickets(mock=False).values():
        held = ticket.at(now)
        assert held.at(now) == held
        assert bool(ticket.holder(now)) == (held.stage in HELD)
        if held.stage in HELD:
            assert held.until is not None
            assert held.until > now
        open_spells = [spell for spell in held.spells if spell.ended is None]
        assert len(open_spells) == (held.stage in HELD)
