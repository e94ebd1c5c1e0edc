"""What happens at the field page: who may enter, who did, what was taken once, and what recovery media report.

A token is in no event, only its SHA-256. The events are about no host, so that no fold takes them for news of one; what
they are about stands in `about`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from recovery.model.desk_events import DeskEvent
from recovery.model.event import Event


class Role(StrEnum):
    """What a person may do on the field page."""

    TECHNICIAN = "technician"
    """Works on tickets, and is shown recovery keys of those that they hold."""
    LEAD = "lead"
    """The same, and gives tickets back and lets keys go to recovery media."""
    VIEWER = "viewer"
    """Reads."""


class FieldServed(Event, frozen=True, kw_only=True, tag="field.served"):
    """The field page began to be served."""

    url: str
    fingerprint: str = ""
    """SHA-256 of its certificate; empty without TLS."""
    by: str = ""


class LinkMade(Event, frozen=True, kw_only=True, tag="field.link_made"):
    """A person may sign in, once, until a time."""

    person: str
    role: Role
    digest: str
    until: datetime
    by: str = ""


class SignedIn(Event, frozen=True, kw_only=True, tag="field.signed_in"):
    """A person used their link, and has a session until a time."""

    person: str
    role: Role
    link: str
    session: str
    """Both are digests."""
    until: datetime
    source: str = ""
    """Address that it came from."""


class SignInRefused(Event, frozen=True, kw_only=True, tag="field.sign_in_refused"):
    """Somebody came with a link that opens nothing."""

    reason: str
    source: str = ""


class SignedOut(Event, frozen=True, kw_only=True, tag="field.signed_out"):
    """A session ended, or everything that a person has: sessions and unused links."""

    person: str
    session: str = ""
    """Digest of the one that ended; empty for all."""
    by: str = ""
    """Who ended it; with a session it ended by itself, since nobody used it. Empty: the person's own act."""


class FormTaken(Event, frozen=True, kw_only=True, tag="field.form_taken"):
    """A form was carried out, in the same transaction as this is written. It is not carried out again."""

    form: str
    """Digest of its own key."""
    person: str
    verb: str
    about: str = ""
    """Host."""


class MediumAdded(Event, frozen=True, kw_only=True, tag="medium.added"):
    """A recovery medium may report."""

    medium: str
    digest: str
    by: str = ""


class MediumRevoked(Event, frozen=True, kw_only=True, tag="medium.revoked"):
    """It may not any more."""

    medium: str
    by: str = ""


class MediumReported(Event, frozen=True, kw_only=True, tag="medium.reported"):
    """A script on a recovery medium says what it did: a claim, as a person's word is one."""

    medium: str
    about: str = ""
    """The host that it is, as far as that is known."""
    mock: bool = False
    serial: str = ""
    key_id: str = ""
    did: str = ""
    form: str = ""
    """Digest of the report's own key; empty where it has none."""


class KeyReleaseApproved(DeskEvent, frozen=True, kw_only=True, tag="key.release_approved"):
    """A lead lets the recovery key of a host go to a medium, until a time."""

    person: str
    until: datetime


AnyFieldEvent = (
    FieldServed
    | LinkMade
    | SignedIn
    | SignInRefused
    | SignedOut
    | FormTaken
    | MediumAdded
    | MediumRevoked
    | MediumReported
    | KeyReleaseApproved
)

FIELD_KINDS = (
    "field.served",
    "field.link_made",
    "field.signed_in",
    "field.signed_out",
    "field.form_taken",
    "medium.added",
    "medium.revoked",
    "medium.reported",
    "key.release_approved",
)
"""Those that the page has to remember."""
