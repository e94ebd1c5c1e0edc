"""What was done with recovery keys: asked for, shown, tried, rotated. Folded from the journal; no key is in it."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

import msgspec

from recovery.model.desk_events import (
    DeskEvent,
    KeyAsked,
    KeyMissing,
    KeyRotated,
    KeyShown,
    KeyTried,
)

HOUR = timedelta(hours=1)
_KEPT = 4096
"""Questions of one person that are remembered."""


class KeyUse(msgspec.Struct, frozen=True, kw_only=True):
    """One key on one host."""

    key_id: str
    host: str
    person: str
    """Who it was shown to last."""
    source: str = ""
    shown: int = 0
    first: datetime | None = None
    last: datetime | None = None
    until: datetime | None = None
    """When the last showing ended."""
    state: str = "shown"
    """`shown`, `unlocked`, `did_not_unlock`, `missing`."""
    rotated: datetime | None = None

    @property
    def to_rotate(self) -> bool:
        """Somebody has seen it, and it still opens the volume."""
        return self.shown > 0 and self.rotated is None


class KeyLedger:
    """Folds the events about keys."""

    def __init__(self) -> None:
        self._uses: dict[tuple[str, str], KeyUse] = {}
        self._asked: dict[str, deque[datetime]] = {}
        self._refused: dict[str, int] = {}

    def add(self, event: DeskEvent) -> None:  # noqa: C901 - a case for each kind
        """Take one more event; those that are not about keys change nothing."""
        match event:
            case KeyAsked():
                asked = self._asked.setdefault(event.person, deque(maxlen=_KEPT))
                asked.append(event.at)
                if event.refused:
                    self._refused[event.person] = self._refused.get(event.person, 0) + 1
            case KeyShown():
                self._shown(event)
            case KeyMissing():
                self._change(event, state="missing")
            case KeyTried():
                self._change(event, state="unlocked" if event.unlocked else "did_not_unlock")
            case KeyRotated():
                for place, use in self._uses.items():
                    if use.key_id == event.key_id:
                        self._uses[place] = msgspec.structs.replace(use, rotated=event.at)
            case _:
                pass

    def uses(self, host: str = "") -> tuple[KeyUse, ...]:
        """Every key with every host that it was used for, or those of one host."""
        return tuple(use for use in self._uses.values() if not host or use.host == host)

    def use(self, host: str, key_id: str) -> KeyUse | None:
        """One key on one host."""
        return self._uses.get((host, key_id))

    def to_rotate(self) -> tuple[KeyUse, ...]:
        """The keys that people have seen and that were not rotated since."""
        return tuple(use for use in self._uses.values() if use.to_rotate)

    def asked_within(self, person: str, now: datetime, span: timedelta = HOUR) -> int:
        """How many keys the person asked for in this time, refused ones included."""
        return sum(at > now - span for at in self._asked.get(person, ()))

    def on_show(self, person: str, now: datetime) -> str:
        """The host whose key the person is being shown at that time; empty when there is none."""
        for use in self._uses.values():
            if use.person == person and use.until is not None and now < use.until:
                return use.host
        return ""

    def refusals(self, person: str) -> int:
        """How often the person was refused."""
        return self._refused.get(person, 0)

    def _shown(self, event: KeyShown) -> None:
        old = self._uses.get((event.host, event.key_id))
        self._change(
            event,
            state="shown",
            source=event.source,
            shown=(old.shown if old else 0) + 1,
            first=old.first if old and old.first else event.at,
            last=event.at,
            until=event.until,
            rotated=None,
        )

    def _change(self, event: KeyShown | KeyMissing | KeyTried, **changes: object) -> None:
        place = (event.host, event.key_id)
        use = self._uses.get(place) or KeyUse(
            key_id=event.key_id, host=event.host, person=event.person
        )
        if "until" not in changes:  # whoever has tried it does not look at it any more
            changes["until"] = event.at
        self._uses[place] = msgspec.structs.replace(use, person=event.person, **changes)
