"""What transports sign in with: fetched from where the settings say, and stopped before it locks an account."""

from __future__ import annotations

from recovery.credentials.store import MOST_REFUSALS, CredentialStore

__all__ = ["MOST_REFUSALS", "CredentialStore"]
