"""What the desk does with recovery keys. Each question is in the journal before a source is asked; no key ever is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from recovery.desk import words
from recovery.desk.key_rules import ALARM, Question, refusal
from recovery.desk.key_uses import KeyUse
from recovery.desk.recovery_key import (
    KeyRecord,
    Spellings,
    id_or_beginning,
    key_id_of,
    spellings,
)
from recovery.desk.sources import KeySource
from recovery.desk.sources.export import check_passphrase, seal
from recovery.errors import KeySourceError, RefusedError, UnknownNameError, UsageError
from recovery.model.desk_events import (
    KeyAsked,
    KeyMissing,
    KeyRotated,
    KeyShown,
    KeyTried,
)
from recovery.model.events import AnyEvent, Notice
from recovery.model.secret import Secret
from recovery.redact import register, scrub
from recovery.service.key_sources import key_sources

if TYPE_CHECKING:
    from recovery.service.desk import Desk

Asker = Callable[[str], str]


class Shown(msgspec.Struct, frozen=True):
    """A key that may be shown now. `spellings` reveals it, for the one place that does."""

    record: KeyRecord
    host: str
    person: str
    until: datetime
    problems: tuple[str, ...] = ()
    """Of sources that could not be asked."""

    def spellings(self) -> Spellings:
        """Both forms."""
        return spellings(self.record.secret)


class KeyDesk:
    """The verbs about recovery keys. They wait for sources: where an event loop runs, call them in a thread."""

    def __init__(
        self,
        desk: Desk,
        sources: Sequence[KeySource] | None = None,
        asker: Asker | None = None,
    ) -> None:
        """Keys come from `sources`, else from those of the settings; `asker` asks people for passphrases."""
        self._desk = desk
        self._sources = sources
        self._asker = asker

    def show(self, host: str, key_id: str, person: str, by: str = "") -> Shown:
        """The key with this id, for a named person who holds the host's ticket, for a limited time.

        Raises `RefusedError` when they may not have it, and `KeySourceError` when no source has it; both are in the
        journal. Several keys for a beginning of an id are a `UsageError`, which names their ids.
        """
        question = Question(
            host=words.host(host),
            key_id=id_or_beginning(key_id),
            person=words.name(person, "person"),
        )
        self._ask(question, by)
        try:
            record, problems = self._find(question.key_id)
        except (KeySourceError, UsageError) as error:
            self._append(self._missing(question, words.text(scrub(str(error))), by))
            raise
        until = self._shown(msgspec.structs.replace(question, key_id=record.key_id), record, by)
        return Shown(record, question.host, question.person, until, problems)

    def tried(self, host: str, key_id: str, person: str, by: str = "", *, unlocked: bool) -> None:
        """Note whether the key unlocked the machine. Raises `UnknownNameError` for one that was not shown there."""
        wanted = id_or_beginning(key_id)
        name = words.name(person, "person")

        def event(now: datetime) -> AnyEvent:
            fold = self._desk.folded_now
            uses = fold.keys(mock=fold.mock).uses(host)
            use = next((use for use in uses if use.key_id.startswith(wanted)), None)
            if use is None:
                raise UnknownNameError(
                    f"key shown for {host}", wanted, [use.key_id for use in uses]
                )
            return KeyTried(
                at=now,
                host=host,
                mock=fold.mock,
                by=by,
                key_id=use.key_id,
                person=name,
                unlocked=unlocked,
            )

        self._append(event)

    def rotated(self, key_id: str, person: str, by: str = "") -> None:
        """Note that a key was replaced. Raises `UnknownNameError` for one that need not be."""
        wanted = key_id_of(key_id)

        def event(now: datetime) -> AnyEvent:
            fold = self._desk.folded_now
            left = {use.key_id: use for use in fold.keys(mock=fold.mock).to_rotate()}
            if wanted not in left:
                raise UnknownNameError("key to rotate", wanted, left)
            return KeyRotated(
                at=now,
                host=left[wanted].host,
                mock=fold.mock,
                by=by,
                key_id=wanted,
                person=words.name(person, "person"),
            )

        self._append(event)

    def uses(self, host: str = "") -> tuple[KeyUse, ...]:
        """What was done with keys, of one host or of all."""
        fold = self._desk.folded()
        return fold.keys(mock=fold.mock).uses(host)

    def to_rotate(self) -> tuple[KeyUse, ...]:
        """The keys that somebody has seen: they have to be replaced."""
        fold = self._desk.folded()
        return fold.keys(mock=fold.mock).to_rotate()

    def pack(self, target: Path, passphrase: Secret, names: Sequence[str] = ()) -> int:
        """Seal the keys of the sources, or of those named, into an encrypted export; how many they are."""
        check_passphrase(register(passphrase))
        sources = self._opened()
        known = [source.name for source in sources]
        for name in set(names) - set(known):
            raise UnknownNameError("source of keys", name, known)
        chosen = [source for source in sources if not names or source.name in names]
        return seal(target, (key for source in chosen for key in source.everything()), passphrase)

    def _ask(self, question: Question, by: str) -> None:
        why = ""

        def choose(now: datetime) -> Sequence[AnyEvent]:
            nonlocal why
            fold = self._desk.folded_now
            asked = self._asked(question, by, now, self._desk.settings.keys.per_hour)
            why = asked.refused
            refusals = fold.keys(mock=fold.mock).refusals(question.person) + 1
            return (
                (asked, _alarm(question, refusals, now))
                if why and refusals % ALARM == 0
                else (asked,)
            )

        self._desk.decide(choose)
        if why:
            raise RefusedError(why)

    def _find(self, key_id: str) -> tuple[KeyRecord, tuple[str, ...]]:
        problems: list[str] = []
        for source in self._opened():
            try:
                found = source.find(key_id)
            except KeySourceError as error:
                problems.append(str(error))
                continue
            ids = sorted({record.key_id for record in found})
            if len(ids) > 1:
                raise UsageError(
                    f"{len(ids)} keys begin with {key_id}: {', '.join(ids[:5])}; give the whole id"
                )
            if found:
                return found[0], tuple(problems)
        more = f"; {'; '.join(problems)}" if problems else ""
        raise KeySourceError(f"no source has a recovery key {key_id}{more}")

    def _missing(self, question: Question, reason: str, by: str) -> Callable[[datetime], AnyEvent]:
        return lambda now: KeyMissing(
            at=now,
            host=question.host,
            mock=self._desk.folded_now.mock,
            by=by,
            key_id=question.key_id,
            person=question.person,
            reason=reason,
        )

    def _opened(self) -> Sequence[KeySource]:
        if self._sources is None:
            self._sources = asyncio.run(key_sources(self._desk.settings, self._asker))
        if not self._sources:
            raise UsageError(
                "no source of recovery keys is named: `keys: {sources: [...]}` in the settings"
            )
        return self._sources

    def _shown(self, question: Question, record: KeyRecord, by: str) -> datetime:
        until = self._desk.clock.now() + timedelta(seconds=self._desk.settings.keys.show_for)

        def event(now: datetime) -> AnyEvent:
            # A beginning of an id has become a whole one, which another host may have named as its own.
            asked = self._asked(question, by, now, self._desk.settings.keys.per_hour + 1)
            if asked.refused:
                return asked
            return KeyShown(
                at=now,
                host=question.host,
                mock=asked.mock,
                by=by,
                key_id=question.key_id,
                person=question.person,
                source=record.source,
                until=until,
            )

        event_written = self._append(event)
        if isinstance(event_written, KeyAsked):
            raise RefusedError(event_written.refused)
        return until

    def _asked(self, question: Question, by: str, now: datetime, per_hour: int) -> KeyAsked:
        """The question as the journal has it, with why it is refused, if it is."""
        fold = self._desk.folded_now
        return KeyAsked(
            at=now,
            host=question.host,
            mock=fold.mock,
            by=by,
            key_id=question.key_id,
            person=question.person,
            refused=refusal(fold, question, now, per_hour, mock=fold.mock),
        )

    def _append(self, event: Callable[[datetime], AnyEvent]) -> AnyEvent:
        return self._desk.decide(lambda now: (event(now),))[0]


def _alarm(question: Question, refusals: int, now: datetime) -> Notice:
    return Notice(
        at=now,
        message=f"ALARM: {question.person} was refused {refusals} recovery keys, the last for {question.host}",
    )
