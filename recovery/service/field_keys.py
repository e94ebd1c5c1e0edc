"""Recovery keys for media: only where the settings allow it and a lead has approved the host."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from recovery.desk.key_rules import ALARM
from recovery.desk.key_uses import KeyUse
from recovery.desk.recovery_key import KeyRecord, key_id_of
from recovery.desk.words import text
from recovery.errors import KeySourceError, RefusedError, UsageError
from recovery.model.desk_events import KeyAsked, KeyMissing, KeyShown
from recovery.model.events import AnyEvent, Notice
from recovery.redact import scrub
from recovery.service.desk_keys import Asker, KeyDesk
from recovery.service.field_desk import FieldDesk

_MEDIUM = "medium "


class FieldKeys(KeyDesk):
    """The desk's verbs about keys, and the release of one to a medium."""

    def __init__(self, desk: FieldDesk, *, to_media: bool, asker: Asker | None = None) -> None:
        """`to_media`: whether the policy lets keys go to media at all."""
        super().__init__(desk, None, asker)
        self._field = desk
        self.to_media = to_media

    def open(self) -> int:
        """Open the sources now, so that a passphrase is asked for while somebody is there; how many there are."""
        try:
            return len(self._opened())
        except UsageError:
            return 0

    def release(self, host: str, key_id: str, medium: str) -> KeyRecord:
        """The key for a medium at this host. Raises `RefusedError`, `KeySourceError`, `UsageError`.

        Question, refusal and showing are in the journal, as those of a person are; the key is one to rotate afterwards.
        """
        wanted, person = key_id_of(key_id), f"{_MEDIUM}{medium}"
        self._ask_for(host, wanted, person)
        try:
            record, _ = self._find(wanted)
        except (KeySourceError, UsageError) as error:
            why = text(scrub(str(error)))
            self._field.decide(
                lambda now: (
                    KeyMissing(
                        at=now, host=host, mock=self._mock, key_id=wanted, person=person, reason=why
                    ),
                )
            )
            raise
        self._give(host, record, person)
        return record

    @property
    def _mock(self) -> bool:
        return self._field.folded_now.mock

    def _ask_for(self, host: str, key_id: str, person: str) -> None:
        why = ""

        def choose(now: datetime) -> Sequence[AnyEvent]:
            nonlocal why
            why = (
                self._refusal(host, key_id, person, now, self._per_hour)
                if self.to_media
                else "keys do not go to media: `recovery serve --keys-to-media` lets them"
            )
            asked = KeyAsked(
                at=now, host=host, mock=self._mock, key_id=key_id, person=person, refused=why
            )
            refusals = self._field.folded_now.keys(mock=self._mock).refusals(person) + 1
            if not why or refusals % ALARM:
                return (asked,)
            message = f"ALARM: {person} was refused {refusals} recovery keys, the last for {host}"
            return (asked, Notice(at=now, message=message))

        self._field.decide(choose)
        if why:
            raise RefusedError(why)

    def _give(self, host: str, record: KeyRecord, person: str) -> None:
        """Note the showing, unless another key went out while the source was asked. Raises `RefusedError`."""
        show_for = timedelta(seconds=self._field.settings.keys.show_for)
        why = ""

        def choose(now: datetime) -> Sequence[AnyEvent]:
            nonlocal why
            key_id = record.key_id
            why = self._refusal(host, key_id, person, now, self._per_hour + 1)
            if why:
                return (
                    KeyAsked(
                        at=now,
                        host=host,
                        mock=self._mock,
                        key_id=key_id,
                        person=person,
                        refused=why,
                    ),
                )
            return (
                KeyShown(
                    at=now,
                    host=host,
                    mock=self._mock,
                    key_id=key_id,
                    person=person,
                    source=record.source,
                    until=now + show_for,
                ),
            )

        self._field.decide(choose)
        if why:
            raise RefusedError(why)

    @property
    def _per_hour(self) -> int:
        return self._field.settings.keys.per_hour

    def _refusal(self, host: str, key_id: str, person: str, now: datetime, per_hour: int) -> str:
        fold = self._field.folded_now
        keys = fold.keys(mock=fold.mock)
        owners = fold.hosts_of_key(key_id, mock=fold.mock)
        ticket = fold.ticket(host, mock=fold.mock)
        if ticket is None or not ticket.is_open:
            return f"{host or 'the machine'} has no open ticket"
        approval = self._field.field_now.approved(host, now, mock=fold.mock)
        if approval is None:
            return f"no lead has approved {host} for it"
        if any(use.key_id != key_id and _since(use, approval.at) for use in keys.uses(host)):
            return f"a key of {host} went to a medium since a lead approved it; approve it anew"
        if keys.asked_within(person, now) >= per_hour:
            return f"{person} has asked for {self._per_hour} keys within an hour"
        if owners and host not in owners:
            return f"this key id is that of {', '.join(sorted(owners)[:3])}"
        return ""


def _since(use: KeyUse, at: datetime) -> bool:
    """Whether the key went to a medium since then: one approval is for one key."""
    return use.person.startswith(_MEDIUM) and use.last is not None and use.last >= at
