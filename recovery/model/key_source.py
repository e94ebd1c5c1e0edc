"""Where recovery keys are to be had, as the settings say. Never a key."""

from __future__ import annotations

import msgspec


class KeySourceDefinition(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"
):
    """One source."""

    name: str = ""
    """What people call it; empty means its kind."""


class FromTable(KeySourceDefinition, frozen=True, kw_only=True, tag="csv"):
    """A CSV file with the columns KeyID and RecoveryKey, which only its owner may read."""

    path: str


class FromDirectory(KeySourceDefinition, frozen=True, kw_only=True, tag="ad"):
    """Active Directory, which keeps them below the computers' accounts."""

    url: str
    """`ldaps://dc.example:636`, or `ldap://` with StartTLS. Nothing is asked without TLS."""
    base: str
    """Distinguished name below which to look: `DC=corp,DC=example`."""
    credential: str
    """Its user is a distinguished name or a principal name."""
    ca_file: str = ""
    """Certificates (PEM) that are believed; empty means the system's."""
    timeout: float = 10.0
    """Seconds for one answer."""


class FromEntra(KeySourceDefinition, frozen=True, kw_only=True, tag="entra"):
    """Entra ID, through Microsoft Graph; each key is one call, which Microsoft notes."""

    credential: str
    """Its secret is an access token with BitLockerKey.Read.All."""
    url: str = "https://graph.microsoft.com/v1.0"
    """Another one for national clouds."""
    ca_file: str = ""
    timeout: float = 10.0
    """Seconds for one answer."""


class FromExport(KeySourceDefinition, frozen=True, kw_only=True, tag="export"):
    """An encrypted export that `recovery desk keys pack` has made: for when directories are down, too."""

    path: str
    credential: str = ""
    """Its secret is the passphrase; empty means that it is asked for on the terminal."""


AnyKeySource = FromTable | FromDirectory | FromEntra | FromExport
