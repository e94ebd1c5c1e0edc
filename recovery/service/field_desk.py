"""The desk as the field page uses it: who may enter, each form once, and what media report.

All of it is in the journal, so that a restart of the page forgets nobody and does nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import TextIO

import msgspec
from typing_extensions import override

from recovery.desk import words
from recovery.desk.field_fold import FieldFold, Session
from recovery.desk.tokens import Mint, digest, is_token
from recovery.errors import RefusedError, UnknownNameError, UsageError
from recovery.journal.reader import Reader
from recovery.model.events import AnyEvent, Notice
from recovery.model.field_events import (
    FIELD_KINDS,
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
from recovery.model.secret import Secret
from recovery.ports import Clock
from recovery.service.desk import Choose, Desk
from recovery.settings import Settings

SHIFT = timedelta(hours=12)
"""How long a session lasts."""
IDLE = timedelta(hours=2)
"""How long one lasts that nobody uses: a phone that was lost is not signed in for the rest of the shift."""
LINK_LASTS = timedelta(hours=1)
APPROVAL_LASTS = timedelta(hours=1)


class Form(msgspec.Struct):
    """A form that is being carried out."""

    digest: str
    person: str
    verb: str
    noted: bool = False


class TakenError(RefusedError):
    """The form was carried out before."""

    def __init__(self, about: str) -> None:
        """`about`: the host that it was about."""
        self.about = about
        super().__init__("this form was carried out before; nothing was done twice")


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a script on a medium says."""

    serial: str = ""
    key_id: str = ""
    host: str = ""
    did: str = ""
    once: str = ""


_form: ContextVar[Form | None] = ContextVar("form", default=None)


class FieldDesk(Desk):
    """The desk, and the field page's own part of the journal."""

    _field: FieldFold | None = None

    def __init__(
        self,
        settings: Settings,
        clock: Clock | None = None,
        stdin: TextIO | None = None,
        inventory: Sequence[str] = (),
    ) -> None:
        """As the desk."""
        super().__init__(settings, clock, stdin, inventory)
        self._used: dict[str, datetime] = {}
        """When each session was used last, by its digest."""

    @property
    def field_now(self) -> FieldFold:
        """The page's memory as of the last look, such as within `decide`."""
        if self._field is None:
            self._field = FieldFold()
        return self._field

    def field(self) -> FieldFold:
        """The page's memory as the journal stands now."""
        self.folded()
        return self.field_now

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nothing of the desk changes in this process while several looks at it have to agree."""
        with self._lock:
            yield

    @contextmanager
    def once(self, key: str, person: str, verb: str) -> Iterator[None]:
        """What is decided within is decided once for this key of the person's. Raises `TakenError`, `UsageError`.

        The first decision carries the mark in its own transaction; without a decision nothing is marked.
        """
        if not is_token(key):
            raise UsageError("the form has no key of its own: load the page anew")
        form = Form(digest("form", person, key), person, verb)
        taken = self.field().taken(form.digest)
        if taken is not None:
            raise TakenError(taken.about)
        token = _form.set(form)
        try:
            yield
        finally:
            _form.reset(token)

    @override
    def decide(self, choose: Choose) -> tuple[AnyEvent, ...]:
        """As the desk; a form's mark goes along."""
        form = _form.get()
        if form is None or form.noted:
            return super().decide(choose)

        def marked(now: datetime) -> Sequence[AnyEvent]:
            taken = self.field_now.taken(form.digest)
            if taken is not None:
                raise TakenError(taken.about)
            events = tuple(choose(now))
            if not events:
                return ()
            mark = FormTaken(
                at=now,
                form=form.digest,
                person=form.person,
                verb=form.verb,
                about=events[0].host,
            )
            return (*events, mark)

        events = super().decide(marked)
        form.noted = True
        return events

    def served(self, url: str, fingerprint: str, by: str) -> None:
        """Note where the page is."""
        self.decide(lambda now: (FieldServed(at=now, url=url, fingerprint=fingerprint, by=by),))

    def link(
        self, person: str, role: Role, mint: Mint, by: str = "", lasts: timedelta = LINK_LASTS
    ) -> Secret:
        """A token with which the person signs in, once. It is kept nowhere. Raises `UsageError`."""
        name = words.name(person, "person")
        token = Secret(mint())
        self.decide(
            lambda now: (
                LinkMade(
                    at=now,
                    person=name,
                    role=role,
                    digest=digest("link", token.reveal()),
                    until=now + lasts,
                    by=by,
                ),
            )
        )
        return token

    def sign_in(self, token: str, mint: Mint, source: str = "") -> Secret:
        """The token of a new session. Raises `RefusedError` for a link that opens nothing."""
        link, session = digest("link", token), Secret(mint())
        entered = False

        def choose(now: datetime) -> Sequence[AnyEvent]:
            nonlocal entered
            made = self.field_now.link(link, now)
            entered = made is not None
            if made is None:
                reason = "the link is unknown, used or too old"
                return (SignInRefused(at=now, reason=reason, source=source),)
            return (
                SignedIn(
                    at=now,
                    person=made.person,
                    role=made.role,
                    link=link,
                    session=digest("session", session.reveal()),
                    until=now + SHIFT,
                    source=source,
                ),
            )

        self.decide(choose)
        if not entered:
            raise RefusedError(
                "this link opens nothing: it was used, or is too old; ask your lead for another one"
            )
        self._used[digest("session", session.reveal())] = self.clock.now()
        return session

    def session(self, token: str) -> Session | None:
        """Who it is, which counts as use; None for nobody. A session that nobody used for `IDLE` is ended by it.

        A restart of the page counts as use: what it saw before is not in the journal.
        """
        now, key = self.clock.now(), digest("session", token)
        found = self.field().session(key, now)
        used = self._used.pop(key, now)
        if found is None:
            return None
        if now - used >= IDLE:
            self.sign_out(found, by="itself")
            return None
        self._used[key] = now
        return found

    def sign_out(self, session: Session, by: str = "") -> None:
        """End this session."""
        self.decide(
            lambda now: (SignedOut(at=now, person=session.person, session=session.digest, by=by),)
        )

    def end(self, person: str, by: str = "") -> None:
        """End all sessions and unused links of a person."""
        name = words.name(person, "person")
        self.decide(lambda now: (SignedOut(at=now, person=name, by=by),))

    def alarm(self, message: str) -> None:
        """Tell operators."""
        self.decide(lambda now: (Notice(at=now, message=f"ALARM: {words.text(message)}"),))

    def approve(self, host: str, lead: str) -> datetime:
        """Let the host's recovery key go to a medium for a while. Raises `UnknownNameError`, `RefusedError`."""
        name = words.name(lead, "lead")

        def choose(now: datetime) -> Sequence[AnyEvent]:
            fold = self.folded_now
            tickets = fold.tickets(mock=fold.mock)
            if host not in tickets:
                raise UnknownNameError("ticket", host, tickets)
            if not tickets[host].is_open:
                raise RefusedError(f"{host} is proven well: it needs no key")
            until = now + APPROVAL_LASTS
            return (
                KeyReleaseApproved(at=now, host=host, mock=fold.mock, person=name, until=until),
            )

        event = self.decide(choose)[0]
        return event.until if isinstance(event, KeyReleaseApproved) else event.at

    def add_medium(self, medium: str, mint: Mint, by: str = "") -> Secret:
        """A token for a recovery medium. It is kept nowhere. Raises `UsageError`, `RefusedError`."""
        name = words.name(medium, "medium")
        token = Secret(mint())

        def choose(now: datetime) -> Sequence[AnyEvent]:
            if any(added.medium == name for added in self.field_now.media()):
                raise RefusedError(f"there is a medium {name} already; revoke it first")
            made = digest("medium", token.reveal())
            return (MediumAdded(at=now, medium=name, digest=made, by=by),)

        self.decide(choose)
        return token

    def revoke_medium(self, medium: str, by: str = "") -> None:
        """Its token opens nothing any more. Raises `UnknownNameError`."""

        def choose(now: datetime) -> Sequence[AnyEvent]:
            known = [added.medium for added in self.field_now.media()]
            if medium not in known:
                raise UnknownNameError("medium", medium, known)
            return (MediumRevoked(at=now, medium=medium, by=by),)

        self.decide(choose)

    def medium(self, token: str) -> str:
        """The medium that has this token; empty for none."""
        return self.field().medium(digest("medium", token))

    def reported(self, medium: str, said: Report) -> str:
        """Note what a medium says; the host that it is about, or an empty text. A claim: no ticket closes by it."""
        form = digest("report", medium, said.once) if said.once else ""
        about = self._about(said)

        def choose(now: datetime) -> Sequence[AnyEvent]:
            if form and self.field_now.taken(form):
                return ()
            return (
                MediumReported(
                    at=now,
                    medium=medium,
                    about=about,
                    mock=self.folded_now.mock,
                    serial=words.text(said.serial, 100),
                    key_id=said.key_id,
                    did=words.text(said.did),
                    form=form,
                ),
            )

        self.decide(choose)
        return about

    def _about(self, said: Report) -> str:
        """The host: the one that has this key id by its own word, else the one that is named, if it has a ticket."""
        fold = self.folded()
        owners = fold.hosts_of_key(said.key_id, mock=fold.mock) if said.key_id else frozenset()
        if len(owners) == 1:
            return next(iter(owners))
        tickets = fold.tickets(mock=fold.mock) if said.host else {}
        host = said.host
        if host not in tickets:  # WinPE shouts
            host = words.by_case(tickets).get(host.casefold(), "")
        return host if host in tickets and (not owners or host in owners) else ""

    @override
    def _catch_up(self, log: Reader) -> None:
        with self._lock:
            super()._catch_up(log)
            end = log.last_seq()
            field = self.field_now
            for stored in log.read(after=field.seq, kinds=FIELD_KINDS):
                field.add(stored.event)
                end = max(end, stored.seq)
            field.seq = max(field.seq, end)
