"""Strategies for what happens at the field page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import hypothesis.strategies as st

from recovery.model.field_events import (
    AnyFieldEvent,
    FieldServed,
    FormTaken,
    KeyReleaseApproved,
    LinkMade,
    MediumAdded,
    MediumReported,
    MediumRevoked,
    Role,
    SignedIn,
    SignedOut,
    SignInRefused,
)
from tests.properties.desk_happenings import keys, people, texts, times

digests = st.sampled_from(["ab" * 32, "cd" * 32])
roles = st.sampled_from(list(Role))
media = st.sampled_from(["stick-7", "stick-8"])


def field_events(about_host: Mapping[str, Any]) -> st.SearchStrategy[AnyFieldEvent]:
    """Every kind of event of the page; where it is about a host, one of these."""
    at = {name: value for name, value in about_host.items() if name != "host"}
    person = {**at, "person": people}
    hosts = about_host["host"]
    return st.one_of(
        st.builds(FieldServed, **at, url=texts, fingerprint=texts, by=texts),
        st.builds(LinkMade, **person, role=roles, digest=digests, until=times),
        st.builds(SignedIn, **person, role=roles, link=digests, session=digests, until=times),
        st.builds(SignInRefused, **at, reason=texts, source=texts),
        st.builds(SignedOut, **person, session=st.one_of(st.just(""), digests)),
        st.builds(FormTaken, **person, form=digests, verb=texts, about=hosts),
        st.builds(MediumAdded, **at, medium=media, digest=digests),
        st.builds(MediumRevoked, **at, medium=media),
        st.builds(
            MediumReported, **at, medium=media, about=hosts, serial=texts, key_id=keys, did=texts
        ),
        st.builds(KeyReleaseApproved, **about_host, person=people, until=times),
    )
