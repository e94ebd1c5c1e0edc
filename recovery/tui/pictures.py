"""The pictures of a host's screen that are kept, decoded within bounds, with what was read off them in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from recovery.detect.screen_rules import screen_text
from recovery.journal.views import World
from recovery.model.evidence import ScreenSeen
from recovery.ports import PICTURE_LIMIT
from recovery.service import Service

if TYPE_CHECKING:
    from PIL import Image  # noqa: TC004 - only the annotation of a field, which nobody decodes

_LARGEST = (1280, 800)
"""Pixels that are kept of a picture: no terminal shows more."""
_MAY_HOLD_A_KEY = ("needs_key",)
"""Screens on which people type recovery keys: told in words, never shown."""


class HostPicture(msgspec.Struct, frozen=True, eq=False):
    """One picture of a host's screen."""

    title: str
    seen: ScreenSeen | None
    """What was read off it; None where the journal does not say it any more."""
    image: Image.Image | None
    """RGB; None where it cannot be shown."""
    why_not: str = ""

    @property
    def at(self) -> datetime | None:
        """When it was taken."""
        return self.seen.at if self.seen is not None else None

    @property
    def words(self) -> str:
        """What it shows."""
        if self.seen is None:
            return "the journal does not say what it shows"
        return screen_text(self.seen.reading)


def host_pictures(service: Service, host: str, world: World = "latest") -> tuple[HostPicture, ...]:
    """The newest, then that of the first crash where it is another one. Blocks; belongs into a thread.

    Raises `JournalError`.
    """
    kept = {digest(path): path for path in service.pictures(host, world)}
    if not kept:
        return ()
    seen = _seen(service, host)
    found = [_picture(path, seen.get(name)) for name, path in kept.items()]
    return tuple(reversed(found))


def digest(path: Path) -> str:
    """The hash in the name of a kept picture."""
    return path.stem.rpartition("-")[2]


def _picture(path: Path, seen: ScreenSeen | None) -> HostPicture:
    title = "first crash" if path.name.startswith("crash-") else "newest"
    if seen is None or seen.reading.label in _MAY_HOLD_A_KEY:
        why = "not shown: somebody may have typed a recovery key there"
        return HostPicture(title, seen, None, why if seen else "not shown: nobody has read it")
    from recovery.detect.screen.picture import Damaged, decode  # noqa: PLC0415 - few pages have pictures

    try:
        with path.open("rb") as file:
            raw = file.read(PICTURE_LIMIT + 1)
    except OSError as error:
        return HostPicture(title, seen, None, f"it cannot be read: {error.strerror}")
    found = decode(raw)
    if isinstance(found, Damaged):
        return HostPicture(title, seen, None, f"it cannot be shown: {found.reason}")
    found.image.thumbnail(_LARGEST)
    return HostPicture(title, seen, found.image)


def _seen(service: Service, host: str) -> Mapping[str, ScreenSeen]:
    """By the hash of the picture; of several readings the first, which is when it was taken."""
    found: dict[str, ScreenSeen] = {}
    with closing(service.reading()) as log:
        for event in log.read(host=host, kinds=("host.observed", "step.finished")):
            for item in _screens(getattr(event.event, "evidence", ())):
                found.setdefault(item.picture, item)
    return found


def _screens(evidence: tuple[object, ...]) -> Iterator[ScreenSeen]:
    return (item for item in evidence if isinstance(item, ScreenSeen))
