"""Recovery keys in Active Directory: objects of the class `msFVE-RecoveryInformation` below the computers' accounts.

Their names and attributes are those of Microsoft's schema. `msFVE-RecoveryGuid` holds the id as Windows lays a GUID
out; the object is named by the time and the id in braces. `msFVE-RecoveryPassword` is confidential: an account without
that right sees the object and not the key.
"""

from __future__ import annotations

import contextlib
import math
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from recovery.desk.recovery_key import KeyRecord, key_of
from recovery.desk.sources import MOST_FOUND
from recovery.errors import KeySourceError
from recovery.model.key_source import FromDirectory
from recovery.model.secret import Secret

if TYPE_CHECKING:
    import ldap3

_CLASS = "(objectClass=msFVE-RecoveryInformation)"
_ID, _KEY = "msFVE-RecoveryGuid", "msFVE-RecoveryPassword"
_ESCAPED = "\\{:02x}"
_PAGE = 500
_WHOLE_ID = 36


class DirectorySource:
    """Asks one server, over TLS alone, and signs in anew for each question: questions are hours apart."""

    def __init__(self, name: str, definition: FromDirectory, user: str, password: Secret) -> None:
        """Sign in as `user`."""
        self.name = name
        self._definition = definition
        self._user = user
        self._password = password

    def find(self, key_id: str) -> Sequence[KeyRecord]:
        """The keys with this id, or whose id begins so. Raises `KeySourceError`."""
        if len(key_id) == _WHOLE_ID:
            raw = uuid.UUID(key_id).bytes_le
            which = f"({_ID}={''.join(map(_ESCAPED.format, raw))})"
        else:
            which = f"(cn=*{{{key_id}*)"
        with self._signed_in() as connection:
            connection.search(
                self._definition.base,
                f"(&{_CLASS}{which})",
                attributes=[_ID, _KEY],
                size_limit=MOST_FOUND,
                time_limit=round(self._definition.timeout),
            )
            return [self._record(entry) for entry in _entries(connection.response)]

    def everything(self) -> Iterator[KeyRecord]:
        """All keys, page by page. Raises `KeySourceError`."""
        with self._signed_in() as connection:
            pages = connection.extend.standard.paged_search(
                self._definition.base,
                _CLASS,
                attributes=[_ID, _KEY],
                paged_size=_PAGE,
                generator=True,
            )
            for entry in _entries(pages):
                yield self._record(entry)
            if connection.result["result"]:
                raise KeySourceError(
                    f"{self.name}: the server gave only a part: {connection.result['description']}"
                )

    def _record(self, entry: dict[str, Any]) -> KeyRecord:
        where = str(entry["dn"])
        owner = where.partition(",")[2]
        attributes = entry["attributes"]
        text, raw = _first(attributes[_KEY]), entry["raw_attributes"][_ID]
        if not text:
            raise KeySourceError(
                f"{self.name}: the key is there, and {self._user} may not read it: {_KEY} is confidential"
            )
        try:
            key_id = str(uuid.UUID(bytes_le=raw[0])).upper()
            secret = key_of(str(text))
        except (ValueError, IndexError):
            raise KeySourceError(
                f"{self.name}: the object below {owner} holds no recovery key"
            ) from None
        return KeyRecord(key_id=key_id, secret=secret, source=self.name, note=owner[:200])

    @contextmanager
    def _signed_in(self) -> Iterator[ldap3.Connection]:
        try:
            from ldap3.core.exceptions import LDAPException
        except ImportError:
            raise KeySourceError(
                f"{self.name}: the extra `ad` is not installed: pip install 'fleet-recovery[ad]'"
            ) from None
        connection = self._connection()
        try:
            connection.open()
            if not connection.server.ssl and not connection.start_tls():
                raise KeySourceError(f"{self.name}: the server speaks no TLS, so nothing is asked")
            connection.bind()
            yield connection
        except (LDAPException, OSError) as error:
            raise KeySourceError(f"{self.name}: {_reason(error)}") from None
        finally:
            _close(connection)

    def _connection(self) -> ldap3.Connection:
        import ssl  # noqa: PLC0415 - most commands do without

        import ldap3

        wanted = self._definition
        tls = ldap3.Tls(
            validate=ssl.CERT_REQUIRED,
            ca_certs_file=wanted.ca_file or None,
            version=ssl.PROTOCOL_TLS_CLIENT,
        )
        server = ldap3.Server(
            wanted.url, tls=tls, get_info=ldap3.NONE, connect_timeout=wanted.timeout
        )
        return ldap3.Connection(
            server,
            self._user,
            self._password.reveal(),
            authentication=ldap3.SIMPLE,
            auto_referrals=False,
            receive_timeout=math.ceil(wanted.timeout),
            raise_exceptions=True,
            read_only=True,
            auto_bind=ldap3.AUTO_BIND_NONE,
        )


def _close(connection: ldap3.Connection) -> None:
    """Also where it never came about: the library leaves the socket open then."""
    socket = connection.socket
    with contextlib.suppress(Exception):
        connection.unbind()
    if socket is not None:
        socket.close()


def _entries(response: Any) -> Iterator[dict[str, Any]]:
    for entry in response or ():
        if entry.get("type") == "searchResEntry":
            yield entry


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _reason(error: Exception) -> str:
    """What went wrong, short; a server's own words may be long."""
    text = str(error)
    if "doesn't match" in text:
        return "its certificate is of another name"
    return f"{type(error).__name__.removeprefix('LDAP')}: {text}"[:300]
