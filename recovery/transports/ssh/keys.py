"""Host keys: the known ones, the pinned ones, and what is said when a key is another one."""

# ruff: noqa: TID253 - loaded only when the first session is opened
from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import asyncssh
import msgspec
from asyncssh.public_key import get_default_certificate_algs, get_default_public_key_algs

from recovery.errors import HostKeyError
from recovery.transports.ssh.place import SSH_PORT, Place

_QUICKEST = b"ssh-ed25519"


class Trust(msgspec.Struct, frozen=True):
    """What is known of a host's keys."""

    keys: tuple[asyncssh.SSHKey, ...] = ()
    authorities: tuple[asyncssh.SSHKey, ...] = ()
    revoked: tuple[asyncssh.SSHKey, ...] = ()

    def algorithms(self) -> list[str]:
        """Kinds of host keys to ask for: those of known keys first, so that a host with several shows the known one."""
        wanted = [algorithm for key in self.keys for algorithm in key.sig_algorithms]
        certified, plain = _algorithms()
        first = [*(certified if self.authorities else ()), *wanted, _QUICKEST, *plain]
        return [name.decode() for name in dict.fromkeys(first)]


class KnownKeys:
    """The keys of hosts: known_hosts files, read once, and a store of pins."""

    def __init__(self, files: Sequence[str], pins: str, *, accept_new: bool) -> None:
        """Nothing is read yet. With `accept_new` the key of a host that nobody knows is pinned at first sight."""
        self._files = tuple(Path(name).expanduser() for name in files)
        self._accept_new = accept_new
        self._pins = PinStore(Path(pins).expanduser() if pins else None)
        self._known: asyncssh.SSHKnownHosts | None = None
        self._revokes = False
        self._reading = asyncio.Lock()

    async def load(self) -> None:
        """Read the files, unless they have been. A hundred thousand keys take two seconds, so not in the event loop."""
        if self._known is None:
            async with self._reading:
                if self._known is None:
                    self._known = await asyncio.to_thread(self._read)

    def trust(self, place: Place, address: str = "") -> Trust:
        """What is known of the keys at `place`, by its name and, once it is resolved, by its IP `address`."""
        pinned = self._pins.keys(_pin_name(place))
        if self._known is None:
            return Trust(tuple(pinned))
        name = place.key_name or place.address
        port = None if place.port == SSH_PORT else place.port
        keys, authorities, revoked, *_ = self._known.match(name, address, port)
        if port is not None and self._revokes:
            # With a port of its own a host that has no trusted key loses its revoked ones in the library's second look.
            for label in (f"[{name}]:{port}", f"[{address}]:{port}"):
                revoked = (*revoked, *self._known.match(label, "", None)[2])
        return Trust((*keys, *pinned), tuple(authorities), tuple(revoked))

    def accepts(self, place: Place, key: asyncssh.SSHKey, trust: Trust) -> bool:
        """Whether a key that is not trusted yet is taken and pinned: only where nothing at all is known of the host.

        Raises `HostKeyError` when it cannot be pinned.
        """
        if not self._accept_new or trust.keys or trust.authorities:
            return False
        try:
            return self._pins.add(_pin_name(place), _text(key))
        except OSError as error:
            message = (
                f"the key of {place.name} cannot be pinned in {self._pins.path}: {error.strerror}"
            )
            raise HostKeyError(message) from None

    def refusal(self, place: Place, offered: asyncssh.SSHKey | None, trust: Trust) -> str:
        """What to tell the operator about a key that was not taken."""
        of = f"the host key of {place.name} ({place.label})"
        if offered is None:
            return f"{of} is revoked, or cannot be read: it is not trusted"
        shown = _fingerprint(offered)
        if not trust.keys:
            return (
                f"{of} is not known; it shows {shown}. Compare it at the host, then add it to known_hosts; "
                "or let new keys be pinned at first sight (setting ssh.accept_new)"
            )
        known = ", ".join(dict.fromkeys(map(_fingerprint, trust.keys)))
        return (
            f"{of} HAS CHANGED: known is {known}, it shows {shown}. Either the host was installed anew, or somebody "
            f"stands in between. When it was installed anew, remove the old key from {self._where()} and connect again"
        )

    def _where(self) -> str:
        files = [*self._files, *([self._pins.path] if self._pins.path else [])]
        return " or ".join(str(path) for path in files) or "the known keys"

    def _read(self) -> asyncssh.SSHKnownHosts:
        texts = [path.read_text("utf-8", "replace") for path in self._files if path.is_file()]
        try:
            known = asyncssh.import_known_hosts("\n".join(texts))
        except ValueError:
            # Passing the line over could mean to pass a revocation over.
            message = f"{_wrong_line(self._files)}: not a line of a known_hosts file: correct it, or take it out"
            raise HostKeyError(message) from None
        except OSError as error:
            message = f"the known host keys cannot be read: {error.strerror}"
            raise HostKeyError(message) from None
        self._revokes = any("@revoked" in text for text in texts)
        self._pins.read()
        return known


class PinStore:
    """Keys that were accepted at first sight: a file of lines `name kind key`, shared by processes."""

    def __init__(self, path: Path | None) -> None:
        """Without a `path` pins last as long as the store."""
        self.path = path
        self._pinned: dict[str, list[str]] = {}
        self._size = -1

    def read(self) -> None:
        """Read the file, where there is one that others have changed."""
        if self.path is not None and self.path.is_file() and self.path.stat().st_size != self._size:
            self._size = self.path.stat().st_size
            self._pinned.clear()
            for line in self.path.read_text("utf-8", "replace").splitlines():
                name, _, key = line.strip().partition(" ")
                if key and not name.startswith("#"):
                    self._pinned.setdefault(name, []).append(key)

    def keys(self, name: str) -> list[asyncssh.SSHKey]:
        """The keys that are pinned for `name`. Raises `HostKeyError` when they cannot be read."""
        try:
            return [asyncssh.import_public_key(text) for text in self._pinned.get(name, ())]
        except asyncssh.KeyImportError:
            message = f"the line for {name} in {self.path} is not that of a key"
            raise HostKeyError(message) from None

    def add(self, name: str, text: str) -> bool:
        """Pin `text`, unless another process has pinned another key meanwhile; whether it is pinned now."""
        if self.path is not None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(
                self.path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600
            )
            with os.fdopen(handle, "w", encoding="utf-8") as store:
                fcntl.flock(store, fcntl.LOCK_EX)
                self.read()
                if name not in self._pinned:
                    store.write(f"{name} {text}\n")
                    store.flush()
                    self._size = os.fstat(store.fileno()).st_size
        return text in self._pinned.setdefault(name, [text])


def _pin_name(place: Place) -> str:
    """Behind a gateway an address means something else than in front of it."""
    return f"{place.label}@{place.gateway}" if place.gateway else place.label


def _wrong_line(files: Sequence[Path]) -> str:
    """File and line of the first line that cannot be read."""
    for path in filter(Path.is_file, files):
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
            try:
                asyncssh.import_known_hosts(line + "\n")
            except ValueError:
                return f"{path}:{number}"
    return " or ".join(map(str, files))


def _text(key: asyncssh.SSHKey) -> str:
    return " ".join(key.export_public_key().decode().split()[:2])


def _fingerprint(key: asyncssh.SSHKey) -> str:
    return f"{key.get_algorithm()} {key.get_fingerprint()}"


@cache
def _algorithms() -> tuple[list[bytes], list[bytes]]:
    return get_default_certificate_algs(), get_default_public_key_algs()
