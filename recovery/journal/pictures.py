"""Pictures of screens, kept in files beside the journal: of each host the newest, and that of its first crash.

The journal holds their SHA-256 and what was read off them. A file's name says host, role and hash, so a picture that
is shown later is known to be the one that the journal speaks of.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from recovery.errors import JournalError
from recovery.journal.store import MEMORY
from recovery.ports import PICTURE_LIMIT

_ENDINGS: Mapping[bytes, str] = {
    b"\x89PNG": "png",
    b"\xff\xd8\xff": "jpg",
    b"BM": "bmp",
    b"P6": "ppm",
    b"P5": "pgm",
}


def kept_pictures(journal: str, *, mock: bool) -> Pictures | None:
    """Where a run keeps the pictures of its hosts, and readers find them; None beside a journal in memory."""
    return None if journal == MEMORY else Pictures(journal, mock=mock)


class Pictures:
    """`recovery.ports.PictureKeeper` for one journal: of its real hosts, or of its simulated ones."""

    def __init__(self, journal: str, *, mock: bool = False) -> None:
        """Keep them in the folder `JOURNAL.pictures` or `JOURNAL.mock.pictures`, which is made with the first one."""
        self.folder = Path(f"{journal}.mock.pictures" if mock else f"{journal}.pictures")

    def keep(self, host: str, picture: bytes, *, crash: bool) -> str:
        """The newest replaces the one before it; the first of a crash stays. Raises `JournalError`."""
        digest = hashlib.sha256(picture).hexdigest()
        if len(picture) > PICTURE_LIMIT:
            raise JournalError(f"a picture of {host} has more than {PICTURE_LIMIT} bytes")
        ending = next((e for magic, e in _ENDINGS.items() if picture.startswith(magic)), "bin")
        place = self._place(host)
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if crash and not any(place.glob("crash-*")):
                _write(place / f"crash-{digest}.{ending}", picture)
            newest = place / f"newest-{digest}.{ending}"
            if not newest.exists():
                _write(newest, picture)
            for old in place.glob("newest-*"):
                if old != newest:
                    old.unlink(missing_ok=True)
        except OSError as error:
            message = f"a picture of {host} cannot be kept in {place}: {error.strerror}"
            raise JournalError(message) from None
        return digest

    def find(self, host: str, digest: str = "") -> list[Path]:
        """The pictures of a host, the crash first; with `digest` only that one. Altered ones are left out."""
        wanted = f"*-{digest}.*" if digest.isalnum() else "*-*.*"
        found = sorted(self._place(host).glob(wanted))
        return [path for path in found if _is_whole(path)]

    def _place(self, host: str) -> Path:
        """Host names are anybody's; a digest is a safe name for a folder."""
        return (
            self.folder / hashlib.sha256(host.encode("utf-8", "surrogateescape")).hexdigest()[:24]
        )


def _is_whole(path: Path) -> bool:
    try:
        if path.is_symlink() or path.stat().st_size > PICTURE_LIMIT:
            return False
        return path.stem.rpartition("-")[2] == hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return False


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".partial-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)  # noqa: PTH105 - the name is a string already
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
