"""pywinrm's way to one host, on a line of ours: nothing of the environment, nothing unsafe to parse."""

# ruff: noqa: TID253 - loaded in worker processes only
from __future__ import annotations

import ssl
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from requests.auth import _basic_auth_str
from typing_extensions import override
from winrm.exceptions import WinRMTransportError
from winrm.protocol import Protocol
from winrm.transport import Transport

from recovery.errors import TransportError
from recovery.transports.winrm.border import UnsafeAnswerError
from recovery.transports.winrm.express import Express
from recovery.transports.winrm.line import Line, LineAdapter
from recovery.transports.winrm.messages import Way
from recovery.transports.winrm.trust import context_for

if TYPE_CHECKING:
    import requests

_PLAIN = "application/soap+xml;charset=UTF-8"
_CERTIFICATE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"


class Channel(Transport):
    """What carries messages. Its session is ready before anything is sent over it."""

    def __init__(self, way: Way, line: Line, arguments: dict[str, Any]) -> None:
        """Send over `line`."""
        super().__init__(endpoint=way.endpoint, auth_method=way.auth, **arguments)
        self._way = way
        self._line = line
        self._express: Express | None = None

    @override
    def build_session(self) -> requests.Session:
        """As the library's, on the line."""
        session = self.session or super().build_session()
        self._on_line(session)
        return session

    @override
    def setup_encryption(self, session: requests.Session) -> None:
        """As the library's; from now on everything is encrypted."""
        self._on_line(session)
        super().setup_encryption(session)
        self._line.sealed = True

    @override
    def send_message(self, message: str | bytes) -> bytes:
        """As the library's, and nothing that is dangerous to parse comes back."""
        try:
            found = self._post(message) if self._express else super().send_message(message)
        except WinRMTransportError as error:
            _check(error.response_text.encode("utf-8", "surrogatepass"))
            raise
        if self._express is None and self._line.pinned:
            self._express = self._made()
        return _check(found)

    def _made(self) -> Express | None:
        """The short way; Kerberos and CredSSP have more to do for each request."""
        way = self._way
        authorization = {
            "ntlm": "",
            "basic": _basic_auth_str(way.user, way.password),
            "certificate": _CERTIFICATE,
        }.get(way.auth)
        return None if authorization is None else Express(self._line, way.endpoint, authorization)

    def _post(self, message: str | bytes) -> bytes:
        assert self._express is not None  # noqa: S101 - asked by send_message
        body = message.encode() if isinstance(message, str) else message
        if self.encryption is None:
            got = self._express.post(body, _PLAIN)
            content = got.content
        else:
            sealed: Any = self.encryption.prepare_encrypted_request(
                cast("Any", self._express), self.endpoint, body
            )
            got = self._express.post(sealed.body, sealed.headers["Content-Type"])
            content = self.encryption.parse_encrypted_response(cast("Any", got))
        if got.status_code >= HTTPStatus.BAD_REQUEST:
            raise WinRMTransportError("http", got.status_code, content.decode())
        return content

    def _on_line(self, session: requests.Session) -> None:
        if any(isinstance(adapter, LineAdapter) for adapter in session.adapters.values()):
            return
        session.trust_env = False
        session.max_redirects = 0
        session.headers["Accept-Encoding"] = "identity"
        session.adapters.clear()
        way = self._way
        context = None
        if way.endpoint.startswith("https:"):
            context = _context(way.ca_file, way.verify, way.key_file)
        session.mount(way.endpoint.partition(":")[0] + "://", LineAdapter(self._line, context))


def protocol(way: Way, line: Line) -> Protocol:
    """Pywinrm's protocol over `line`. Raises `TransportError` for certificates that cannot be used."""
    https = way.endpoint.startswith("https:")
    arguments: dict[str, Any] = {
        "username": way.user or None,
        "password": way.password,
        "ca_trust_path": None,
        "server_cert_validation": "validate" if way.verify else "ignore",
        "read_timeout_sec": way.read_timeout,
        "kerberos_delegation": way.delegation,
        "kerberos_hostname_override": way.kerberos_host or None,
        "message_encryption": "auto" if https else "always",
        "proxy": way.proxy or None,
        "cert_pem": way.key_file or None,
        "cert_key_pem": way.key_file or None,
    }
    made = Protocol(
        way.endpoint, transport=way.auth, operation_timeout_sec=way.operation_timeout, **arguments
    )
    made.transport = Channel(way, line, {**arguments, "service": "HTTP"})
    return made


@cache
def _context(ca_file: str, verify: bool, key_file: str) -> ssl.SSLContext:  # noqa: FBT001 - a key of the cache
    try:
        return context_for(ca_file, verify=verify, key_file=key_file)
    except OSError as error:
        what = key_file or ca_file
        message = f"the certificates in {what} cannot be used: {error.strerror or 'not PEM'}"
        raise TransportError(message) from None


def _check(text: bytes) -> bytes:
    """Messages of WS-Management are UTF-8 without document types, comments and sections (DSP0226, 13.1)."""
    if b"<!" in text or b"\0" in text:
        raise UnsafeAnswerError
    return text
