"""Who signs in on one connection to a simulated WinRM service: Basic over TLS, or NTLM with sealed messages."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import struct
from typing import TYPE_CHECKING

import msgspec

from recovery.model.secret import Secret

if TYPE_CHECKING:
    import spnego

PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
_BOUNDARY = b"--Encrypted Boundary"
_LENGTH = re.compile(rb"Length=(\d{1,9})")
_BODY = b"application/octet-stream\r\n"
_SIGNATURE = 16


class Account(msgspec.Struct, frozen=True):
    """Who may sign in to simulated machines. NTLM reads it from the file that the variable NTLM_USER_FILE names."""

    user: str
    password: Secret


class SealError(Exception):
    """A message cannot be opened."""


class SignIn:
    """The state of one connection: nobody yet, a handshake under way, or somebody."""

    def __init__(self, account: Account, certificate: bytes, *, denied: bool = False) -> None:
        """Let `account` in; `certificate` is the server's own (DER), empty without TLS. `denied` lets nobody in."""
        self._account = account
        self._certificate = certificate
        self._denied = denied
        self._context: spnego.ContextProxy | None = None
        self.accepted = False
        self.refusals = 0

    def step(self, header: str) -> list[tuple[str, str]]:
        """Go on with an Authorization header; empty once somebody is signed in, else the headers of a 401."""
        scheme, _, token = header.partition(" ")
        if self.accepted and not token:
            return []
        match scheme.lower():
            case "basic" if self._certificate:
                self.accepted = self._is_account(token)
                self.refusals += not self.accepted
            case "negotiate" | "ntlm":
                challenge = self._negotiate(token)
                if challenge:
                    return [("WWW-Authenticate", f"{scheme} {challenge}")]
            case _:
                self.accepted = False
        return [] if self.accepted else self._offers()

    def _offers(self) -> list[tuple[str, str]]:
        basic = [("WWW-Authenticate", 'Basic realm="WSMAN"')] if self._certificate else []
        return [("WWW-Authenticate", "Negotiate"), *basic]

    def _is_account(self, token: str) -> bool:
        try:
            given = base64.b64decode(token, validate=True)
        except binascii.Error:
            return False
        wanted = f"{self._account.user}:{self._account.password.reveal()}".encode()
        return hmac.compare_digest(given, wanted) and not self._denied

    def _negotiate(self, token: str) -> str:
        """The challenge that answers a token; empty at the handshake's end."""
        from spnego.exceptions import SpnegoError

        self.accepted = False
        try:
            raw = base64.b64decode(token, validate=True)
            if self._context is None or self._context.complete:
                self._context = self._acceptor()
            challenge = self._context.step(raw)
        except (SpnegoError, ValueError, struct.error, IndexError):
            self._context = None
            self.refusals += 1
            return ""
        if self._context.complete:
            self.accepted = not self._denied
            self.refusals += self._denied
        return base64.b64encode(challenge).decode() if challenge else ""

    def _acceptor(self) -> spnego.ContextProxy:
        import spnego
        from spnego.channel_bindings import GssChannelBindings

        bindings = None
        if self._certificate:
            # RFC 5929, 4.1: certificates of this program are signed with SHA-256.
            digest = hashlib.sha256(self._certificate).digest()
            bindings = GssChannelBindings(application_data=b"tls-server-end-point:" + digest)
        return spnego.server(
            protocol="ntlm", channel_bindings=bindings, options=spnego.NegotiateOptions.use_ntlm
        )

    # --- messages ---

    def unseal(self, body: bytes) -> bytes:
        """The message in a `multipart/encrypted` body ([MS-WSMV] 2.2.9.1). Raises `SealError`."""
        from spnego.exceptions import SpnegoError

        head, found, payload = body.partition(_BODY)
        length = _LENGTH.search(head)
        payload = payload.removesuffix(_BOUNDARY + b"--\r\n")
        if not found or length is None or self._context is None or len(payload) < _SIGNATURE + 4:
            raise SealError
        try:
            message = self._context.unwrap(payload[4:]).data
        except SpnegoError:
            raise SealError from None
        if len(message) != int(length[1]):
            raise SealError
        return message

    def seal(self, message: bytes) -> bytes:
        """A `multipart/encrypted` body with the message."""
        assert self._context is not None  # noqa: S101 - only who signed in by NTLM gets sealed answers
        sealed = self._context.wrap(message).data
        return (
            _BOUNDARY
            + f"\r\n\tContent-Type: {PROTOCOL}\r\n\tOriginalContent: type=application/soap+xml;"
            f"charset=UTF-8;Length={len(message)}\r\n".encode()
            + _BOUNDARY
            + b"\r\n\tContent-Type: application/octet-stream\r\n"
            + struct.pack("<i", _SIGNATURE)
            + sealed
            + _BOUNDARY
            + b"--\r\n"
        )
