"""The ways to sign in over WinRM, and the libraries that some of them need."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "ntlm": ("requests_ntlm",),
    "kerberos": ("kerberos", "winkerberos"),
    "credssp": ("requests_credssp",),
    "certificate": (),
    "basic": (),
}
"""Means to the libraries of which one has to be there."""


def means() -> Mapping[str, str]:
    """Each means with `ready`, or with how to get what it needs."""
    return {name: "ready" if not missing(name) else missing(name) for name in _NEEDS}


def missing(auth: str) -> str:
    """What to do so that `auth` can be used; empty when it can."""
    needed = _NEEDS[auth]
    if not needed or any(importlib.util.find_spec(name) is not None for name in needed):
        return ""
    return f"needs more libraries: pip install 'fleet-recovery[{auth}]'"
