"""The field page's memory as the journal tells it: links, sessions, forms that were taken, media. Pure."""

from __future__ import annotations

from collections import deque
from datetime import datetime

import msgspec

from recovery.model.events import AnyEvent
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
)

_KEPT = 20
"""Reports of media about one host, or about hosts that nobody knows."""


class Session(msgspec.Struct, frozen=True):
    """Somebody who is signed in."""

    person: str
    role: str
    digest: str
    until: datetime

    @property
    def may_work(self) -> bool:
        """Whether they may do more than read."""
        return self.role != "viewer"

    @property
    def leads(self) -> bool:
        """Whether they decide for others."""
        return self.role == "lead"


class FieldFold:
    """Folds the journal, one event after another."""

    def __init__(self) -> None:
        self.seq = 0
        """The event that was looked at last."""
        self.served: FieldServed | None = None
        """The page as it was served last."""
        self._links: dict[str, LinkMade] = {}
        self._sessions: dict[str, Session] = {}
        self._forms: dict[str, FormTaken | MediumReported] = {}
        self._media: dict[str, MediumAdded] = {}
        """By digest."""
        self._reports: dict[str, deque[MediumReported]] = {}
        self._approved: dict[tuple[bool, str], KeyReleaseApproved] = {}

    def add(self, event: AnyEvent) -> None:  # noqa: C901 - a case for each kind
        """Take one more event; those that are not about the page change nothing."""
        match event:
            case FieldServed():
                self.served = event
            case LinkMade():
                self._links[event.digest] = event
            case SignedIn():
                self._links.pop(event.link, None)
                self._sessions[event.session] = Session(
                    event.person, event.role, event.session, event.until
                )
            case SignedOut():
                self._signed_out(event)
            case FormTaken():
                self._forms[event.form] = event
            case MediumAdded():
                self._media[event.digest] = event
            case MediumRevoked():
                self._media = {
                    key: added for key, added in self._media.items() if added.medium != event.medium
                }
            case MediumReported():
                self._reported(event)
            case KeyReleaseApproved():
                self._approved[event.mock, event.host] = event
            case _:
                pass

    def link(self, digest: str, now: datetime) -> LinkMade | None:
        """The link that opens something at that time."""
        found = self._links.get(digest)
        return found if found and now < found.until else None

    def session(self, digest: str, now: datetime) -> Session | None:
        """Who is signed in at that time."""
        found = self._sessions.get(digest)
        return found if found and now < found.until else None

    def people(self, now: datetime) -> dict[str, int]:
        """Everybody who is signed in, with the number of their sessions."""
        found: dict[str, int] = {}
        for session in list(self._sessions.values()):
            if now < session.until:
                found[session.person] = found.get(session.person, 0) + 1
        return found

    def taken(self, form: str) -> FormTaken | MediumReported | None:
        """What became of a form; None where it was never carried out."""
        return self._forms.get(form)

    def medium(self, digest: str) -> str:
        """The medium's name; empty where none has this token."""
        found = self._media.get(digest)
        return found.medium if found else ""

    def media(self) -> list[MediumAdded]:
        """The media that may report."""
        return list(self._media.values())

    def reports(self, host: str, *, mock: bool) -> list[MediumReported]:
        """What media said of a host lately, or with an empty name of hosts that nobody knows."""
        return [report for report in self._reports.get(host, ()) if report.mock == mock]

    def approved(self, host: str, now: datetime, *, mock: bool) -> KeyReleaseApproved | None:
        """The lead's word that holds at that time."""
        found = self._approved.get((mock, host))
        return found if found and now < found.until else None

    def _signed_out(self, event: SignedOut) -> None:
        if event.session:
            self._sessions.pop(event.session, None)
            return
        for kept in (self._sessions, self._links):
            for key in [key for key, it in kept.items() if it.person == event.person]:
                del kept[key]

    def _reported(self, event: MediumReported) -> None:
        if event.form:
            self._forms[event.form] = event
        self._reports.setdefault(event.about, deque(maxlen=_KEPT)).append(event)
