"""What a connection signs in with: keys that are read once, and a password that is tried once a connection."""

# ruff: noqa: TID253 - loaded only when the first session is opened
from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncssh

from recovery.errors import AuthRefusedError, CredentialStoppedError
from recovery.ports import Credential, Credentials
from recovery.transports.ssh.border import spoken

_AGENT = Credential(name="", agent=True)


class Signing:
    """One credential, as far as it is the same for all hosts."""

    def __init__(self, credential: Credential, keys: list[Any]) -> None:
        """`keys` are the private keys of its key file, with their certificates."""
        self.credential = credential
        self.keys = keys
        self.has_turn = credential.password is not None
        """To get the credential was leave for one try of its password, which nobody has used yet."""
        self.stopped: CredentialStoppedError | None = None

    def options(self) -> dict[str, Any]:
        """How asyncssh is told to sign in. Default keys and agent are tried only where no other means are named."""
        credential = self.credential
        agent = credential.agent or not (self.keys or credential.password)
        options: dict[str, Any] = {
            "agent_path": () if agent else None,
            "client_keys": self.keys or (() if agent else None),
            "preferred_auth": "publickey",
        }
        if credential.password:
            options["preferred_auth"] = "publickey,password,keyboard-interactive"
        return options


class Attempt:
    """One connection's use of a credential. Its password is given out once, and only while the breaker allows it."""

    def __init__(self, signing: Signing, credentials: Credentials) -> None:
        """Sign in by `signing`, and report to `credentials` how it went."""
        self.signing = signing
        self._credentials = credentials
        self._given = False

    async def password(self) -> str | None:
        """The password, when the host asks for it for the first time."""
        secret = self.signing.credential.password
        if self._given or secret is None:
            return None
        self._given = True
        if self.signing.has_turn:
            self.signing.has_turn = False
        else:
            try:
                await self._credentials.get(self.signing.credential.name)
            except CredentialStoppedError as error:
                self.signing.stopped = error
                return None
        return secret.reveal()

    def accepted(self) -> None:
        """The host let us in."""
        if self._counts():
            self._credentials.accepted(self.signing.credential.name)

    def refused(self) -> None:
        """The host did not. Raises `CredentialStoppedError` when the password was held back."""
        if self.signing.stopped is not None:
            raise self.signing.stopped
        if self._counts():
            self._credentials.refused(self.signing.credential.name)

    def _counts(self) -> bool:
        credential = self.signing.credential
        return bool(credential.name) and (self._given or credential.password is None)


class Signings:
    """The credentials that connections have asked for, each read once."""

    def __init__(self, credentials: Credentials) -> None:
        """Get them from `credentials`."""
        self._credentials = credentials
        self._known: dict[str, Signing] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def attempt(self, name: str) -> Attempt:
        """Leave to sign in once. Raises `UnknownNameError`, `CredentialStoppedError`, `AuthRefusedError`."""
        signing = self._known.get(name)
        if signing is None:
            async with self._locks.setdefault(name, asyncio.Lock()):
                signing = self._known.get(name) or await self._get(name)
        if signing.stopped is not None:
            raise signing.stopped
        return Attempt(signing, self._credentials)

    async def _get(self, name: str) -> Signing:
        credential = await self._credentials.get(name) if name else _AGENT
        keys = await asyncio.to_thread(_read, credential) if credential.key_file else []
        signing = self._known[name] = Signing(credential, keys)
        return signing


def _read(credential: Credential) -> list[Any]:
    """The private key, with the certificate beside it where there is one. A passphrase takes a moment to check."""
    path = Path(credential.key_file).expanduser()
    certificate = path.with_name(path.name + "-cert.pub")
    phrase = credential.passphrase.reveal() if credential.passphrase else None
    try:
        key = asyncssh.read_private_key(path, phrase)
        return [(key, asyncssh.read_certificate(certificate))] if certificate.is_file() else [key]
    except OSError as error:
        why = spoken(error.strerror or "").lower()
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        why = "it is not a private key, or its passphrase is missing or wrong"
    message = f"the key file of credential {credential.name!r} cannot be used: {why}"
    raise AuthRefusedError(message)
