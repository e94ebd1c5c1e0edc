"""Credentials as the settings define them: where a secret is to be had, never the secret itself."""

from __future__ import annotations

import msgspec

DEFAULT_TIMEOUT = 30.0
"""Seconds that a provider's command may take; vault clients ask a server."""


class Definition(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="provider"
):
    """One credential: who signs in, and where the secret comes from."""

    user: str = ""
    """Empty means what the inventory or the transport says."""


class FromPrompt(Definition, frozen=True, kw_only=True, tag="prompt"):
    """Asked for on the terminal, once, before the run begins."""


class FromEnvironment(Definition, frozen=True, kw_only=True, tag="env"):
    """In an environment variable."""

    variable: str


class FromFile(Definition, frozen=True, kw_only=True, tag="file"):
    """In a file that only its owner may read; its last line end does not count."""

    path: str


class FromKeyring(Definition, frozen=True, kw_only=True, tag="keyring"):
    """In the system's keyring."""

    service: str
    entry: str = ""
    """Account name within the service; empty means `user`."""


class FromCommand(Definition, frozen=True, kw_only=True, tag="command"):
    """Printed by a program, such as a vault's client."""

    argv: tuple[str, ...]
    """Program and arguments; no shell reads them."""
    timeout: float = DEFAULT_TIMEOUT
    """Seconds."""


AnySource = FromPrompt | FromEnvironment | FromFile | FromKeyring | FromCommand


class FromAgent(Definition, frozen=True, kw_only=True, tag="agent"):
    """The keys that the SSH agent holds."""


class FromKeyFile(Definition, frozen=True, kw_only=True, tag="key_file"):
    """A private key in a file that only its owner may read."""

    path: str
    passphrase: AnySource | None = None
    """Where the key's passphrase comes from, when it has one."""


CredentialDefinition = AnySource | FromAgent | FromKeyFile
