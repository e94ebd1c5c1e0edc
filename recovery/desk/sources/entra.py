"""Recovery keys in Entra ID, through Microsoft Graph.

`GET /informationProtection/bitlocker/recoveryKeys/{id}?$select=key` is the only call that returns a key, for one id;
Microsoft writes each into its audit log. Lists never hold keys, so a beginning of an id finds nothing here.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import urllib.parse
from collections.abc import Iterator, Sequence

import msgspec

from recovery import __version__
from recovery.desk.recovery_key import KeyRecord, key_of
from recovery.errors import KeySourceError, UnsupportedError
from recovery.model.key_source import FromEntra
from recovery.model.secret import Secret

_WHOLE_ID = 36
_MOST_BYTES = 65_536
_MEANINGS = {
    401: "the access token is refused; it may have expired",
    403: "the account may not read keys: it needs BitLockerKey.Read.All",
    429: "too many questions",
    503: "it is overloaded",
}
_FOUND, _UNKNOWN = 200, 404


class _Reply(msgspec.Struct, frozen=True):
    """The part of the answer that matters."""

    key: str
    id: str = ""


class EntraSource:
    """Asks for one key at a time."""

    def __init__(self, name: str, definition: FromEntra, token: Secret) -> None:
        """Sign in by the access token."""
        self.name = name
        self._definition = definition
        self._token = token
        parts = urllib.parse.urlsplit(definition.url)
        if parts.scheme != "https" or not parts.hostname:
            raise KeySourceError(f"{name}: expected https://HOST/..., found {definition.url!r}")
        self._host, self._port = parts.hostname, parts.port
        self._path = parts.path.rstrip("/")

    def find(self, key_id: str) -> Sequence[KeyRecord]:
        """The key with this id. Raises `KeySourceError`, also for a beginning of one."""
        if len(key_id) != _WHOLE_ID:
            raise KeySourceError(f"{self.name}: needs the whole key id, all 36 characters")
        status, body, wait = self._get(f"/informationProtection/bitlocker/recoveryKeys/{key_id}")
        if status == _UNKNOWN:
            return []
        if status != _FOUND:
            meaning = _MEANINGS.get(status, f"it answers with status {status}")
            later = f"; try again in {wait} s" if wait.isdigit() else ""
            raise KeySourceError(f"{self.name}: {meaning}{later}")
        try:
            reply = msgspec.json.decode(body, type=_Reply)
            secret = key_of(reply.key)
        except (msgspec.DecodeError, ValueError):
            raise KeySourceError(f"{self.name}: the answer holds no recovery key") from None
        if reply.id and reply.id.upper() != key_id:
            raise KeySourceError(f"{self.name}: the answer is about another key")
        return [KeyRecord(key_id=key_id, secret=secret, source=self.name)]

    def everything(self) -> Iterator[KeyRecord]:
        """Not to be had: it would be one noted call for each key."""
        raise UnsupportedError(
            f"{self.name}: Entra gives keys one by one; export them with Microsoft's own tools to a CSV, and pack that"
        )

    def _get(self, path: str) -> tuple[int, bytes, str]:
        import http.client  # noqa: PLC0415 - with TLS and mail it takes a tenth of a second, which most commands do not need
        import ssl  # noqa: PLC0415 - the same

        timeout = self._definition.timeout
        context = ssl.create_default_context(cafile=self._definition.ca_file or None)
        connection = http.client.HTTPSConnection(
            self._host, self._port, timeout=timeout, context=context
        )
        cutter: threading.Timer | None = None
        try:
            connection.connect()
            # An answer that comes byte by byte keeps within every limit of the socket.
            cutter = threading.Timer(timeout, _break_off, (connection.sock,))
            cutter.start()
            connection.request("GET", f"{self._path}{path}?$select=key", headers=self._headers())
            answer = connection.getresponse()
            return answer.status, answer.read(_MOST_BYTES), answer.getheader("Retry-After", "")
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise KeySourceError(
                f"{self.name}: {self._host} cannot be asked: {reason[:200]}"
            ) from None
        finally:
            if cutter is not None:
                cutter.cancel()
            connection.close()

    def _headers(self) -> dict[str, str]:
        """Graph wants the name and version of the client for these calls."""
        return {
            "Authorization": f"Bearer {self._token.reveal()}",
            "Accept": "application/json",
            "User-Agent": f"fleet-recovery/{__version__}",
            "ocp-client-name": "fleet-recovery",
            "ocp-client-version": __version__,
        }


def _break_off(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
