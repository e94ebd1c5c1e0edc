"""An encrypted export of recovery keys, for the day on which directories are down as well.

The passphrase becomes a key by scrypt, and the keys are sealed by AES-256 in GCM, with the header as associated data:
whoever changes a byte of either makes the file unreadable.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from recovery import private_file
from recovery.desk.recovery_key import KeyRecord, key_of
from recovery.desk.sources import MOST_FOUND
from recovery.desk.sources.key_file import read_keys
from recovery.errors import KeySourceError, UsageError
from recovery.model.secret import Secret

SHORTEST_PASSPHRASE = 12
MOST_BYTES = 200_000_000
_COST, _BLOCK, _LANES = 1 << 17, 8, 1
"""Of scrypt: 128 MB of memory and half a second for each guess (OWASP, Password Storage Cheat Sheet)."""


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line of the file. A foreign one must not make the program use up the machine."""

    recovery_keys: Annotated[int, msgspec.Meta(ge=1, le=1)]
    """Version of the form."""
    cost: Annotated[int, msgspec.Meta(ge=1 << 14, le=1 << 20)]
    block: Annotated[int, msgspec.Meta(ge=8, le=8)]
    lanes: Annotated[int, msgspec.Meta(ge=1, le=4)]
    salt: Annotated[bytes, msgspec.Meta(min_length=16, max_length=64)]
    nonce: Annotated[bytes, msgspec.Meta(min_length=12, max_length=12)]


class ExportSource:
    """Opens the file once for as long as it is kept."""

    def __init__(self, name: str, path: str, passphrase: Secret) -> None:
        """`passphrase` is the one that it was sealed with."""
        self.name = name
        self._path = Path(path).expanduser()
        self._passphrase = passphrase
        self._rows: tuple[tuple[str, str, str], ...] | None = None

    def find(self, key_id: str) -> Sequence[KeyRecord]:
        """The keys with this id, or whose id begins so. Raises `KeySourceError`."""
        found = [row for row in self._opened() if row[0].startswith(key_id)]
        return [self._record(row) for row in found[:MOST_FOUND]]

    def everything(self) -> Iterator[KeyRecord]:
        """All keys. Raises `KeySourceError`."""
        return map(self._record, self._opened())

    def _record(self, row: tuple[str, str, str]) -> KeyRecord:
        key_id, text, note = row
        return KeyRecord(key_id=key_id, secret=key_of(text), source=self.name, note=note)

    def _opened(self) -> tuple[tuple[str, str, str], ...]:
        if self._rows is None:
            self._rows = _open(self._path, self._passphrase)
        return self._rows


def check_passphrase(passphrase: Secret) -> None:
    """Raise `UsageError` for one that is guessed in an afternoon."""
    text = passphrase.reveal()
    if len(text) < SHORTEST_PASSPHRASE or len(set(text)) < SHORTEST_PASSPHRASE // 2:
        raise UsageError(
            f"the passphrase guards every key of the fleet: at least {SHORTEST_PASSPHRASE} characters, "
            "best several words"
        )


def seal(path: Path, records: Iterable[KeyRecord], passphrase: Secret) -> int:
    """Write an export, never over a file that is there; returns how many keys it has. Raises `UsageError`."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - most commands do without

    check_passphrase(passphrase)
    rows = {
        record.key_id: (record.key_id, record.secret.reveal(), record.note) for record in records
    }
    if not rows:
        raise UsageError("no source gave a key: there is nothing to pack")
    header = _Header(1, _COST, _BLOCK, _LANES, os.urandom(16), os.urandom(12))
    first = msgspec.json.encode(header)
    sealed = AESGCM(_key(header, passphrase)).encrypt(
        header.nonce, msgspec.msgpack.encode(list(rows.values())), first
    )
    try:
        private_file.write(path, first + b"\n" + sealed)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    return len(rows)


def _open(path: Path, passphrase: Secret) -> tuple[tuple[str, str, str], ...]:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - the same
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - the same

    first, _, sealed = read_keys(path, MOST_BYTES).partition(b"\n")
    try:
        header = msgspec.json.decode(first, type=_Header)
    except msgspec.DecodeError:
        raise KeySourceError(f"{path} is no export of `recovery desk keys pack`") from None
    try:
        body = AESGCM(_key(header, passphrase)).decrypt(header.nonce, sealed, first)
        return msgspec.msgpack.decode(body, type=tuple[tuple[str, str, str], ...])
    except (InvalidTag, msgspec.DecodeError):
        raise KeySourceError(
            f"{path} does not open: the passphrase is another one, or the file was changed"
        ) from None


def _key(header: _Header, passphrase: Secret) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415 - the same

    kdf = Scrypt(header.salt, 32, header.cost, header.block, header.lanes)
    return kdf.derive(passphrase.reveal().encode("utf-8", "surrogateescape"))
