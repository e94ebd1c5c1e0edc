"""Strategies for what happens at the desk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import hypothesis.strategies as st

from recovery.model.desk_events import (
    AnyDeskEvent,
    KeyAsked,
    KeyMissing,
    KeyRotated,
    KeyShown,
    KeyTried,
    TicketClaimed,
    TicketDescribed,
    TicketEscalated,
    TicketOnSite,
    TicketOpened,
    TicketReleased,
    TicketSaidDone,
    TicketTried,
)
from tests.unit.journal.happenings import at

times = st.floats(0, 1e6).map(at)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
people = st.sampled_from(["ann", "bob", "cy"])
keys = st.sampled_from(
    ["05A73B04-91CC-4183-9F71-6C2C52B4DC53", "11111111-2222-3333-4444-555555555555"]
)
counts = st.integers(0, 3)


def desk_events(about_host: Mapping[str, Any]) -> st.SearchStrategy[AnyDeskEvent]:
    """Every kind of event of the desk, about one of the hosts."""
    held = {**about_host, "tech": people, "until": times}
    key = {**about_host, "key_id": keys, "person": people}
    sheet = st.dictionaries(st.sampled_from(["Host", "Asset tag"]), texts, max_size=2)
    said = {**about_host, "reason": texts, "site": texts, "location": texts, "sheet": sheet}
    return st.one_of(
        st.builds(TicketOpened, **said),
        st.builds(TicketDescribed, **said),
        st.builds(TicketClaimed, **held),
        st.builds(TicketOnSite, **held),
        st.builds(TicketTried, **held, reason=texts, restarts=counts),
        st.builds(TicketSaidDone, **about_host, tech=people, restarts=counts),
        st.builds(TicketReleased, **about_host, tech=people, reason=texts),
        st.builds(TicketEscalated, **about_host, to=people, reason=texts),
        st.builds(KeyAsked, **key, refused=texts),
        st.builds(KeyShown, **key, source=texts, until=times),
        st.builds(KeyMissing, **key, reason=texts),
        st.builds(KeyTried, **key, unlocked=st.booleans()),
        st.builds(KeyRotated, **key),
    )
