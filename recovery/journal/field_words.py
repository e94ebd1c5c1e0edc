"""What happens at the field page, in words for an operator. No digest is in them: it says nothing to a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from recovery.model.field_events import (
    FieldServed,
    FormTaken,
    KeyReleaseApproved,
    LinkMade,
    MediumAdded,
    MediumReported,
    MediumRevoked,
    SignedIn,
    SignedOut,
    SignInRefused,
)


def _tail(text: str, before: str = ": ") -> str:
    return f"{before}{text}" if text else ""


def _reported(event: MediumReported) -> str:
    known = _tail(event.about, " on ") or " on a machine that nobody knows"
    serial = _tail(event.serial, ", serial number ")
    key_id = _tail(event.key_id, ", key id ")
    return f"medium {event.medium} reports{known}{serial}{key_id}{_tail(event.did)}"


def _signed_out(event: SignedOut) -> str:
    if event.session:
        if event.by:
            return f"a session of {event.person} that nobody used was ended"
        return f"{event.person} signed out of the field page"
    return f"{event.person}'s links and sessions are ended{_tail(event.by, ' by ')}"


FIELD: Mapping[type, Callable[[Any], str]] = {
    FieldServed: lambda event: (
        f"the field page is served at {event.url}{_tail(event.fingerprint, ', certificate SHA-256 ')}"
    ),
    LinkMade: lambda event: (
        f"{event.person} may sign in to the field page as {event.role} until {event.until:%H:%M}"
        f"{_tail(event.by, ', says ')}"
    ),
    SignedIn: lambda event: (
        f"{event.person} signed in to the field page as {event.role}{_tail(event.source, ' from ')}"
    ),
    SignInRefused: lambda event: (
        f"a sign-in to the field page was refused{_tail(event.source, ', from ')}{_tail(event.reason)}"
    ),
    SignedOut: _signed_out,
    FormTaken: lambda event: (
        f"the form `{event.verb}` of {event.person} was carried out{_tail(event.about)}"
    ),
    MediumAdded: lambda event: f"medium {event.medium} may report{_tail(event.by, ', says ')}",
    MediumRevoked: lambda event: (
        f"medium {event.medium} may not report any more{_tail(event.by, ', says ')}"
    ),
    MediumReported: _reported,
    KeyReleaseApproved: lambda event: (
        f"{event.person} lets its recovery key go to a medium until {event.until:%H:%M}"
    ),
}
