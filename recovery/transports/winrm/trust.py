"""Whom to believe over TLS."""

from __future__ import annotations

import ssl


def context_for(ca_file: str, *, verify: bool, key_file: str = "") -> ssl.SSLContext:
    """TLS as a client. Raises `OSError` (`ssl.SSLError`) for files that cannot be used."""
    context = ssl.create_default_context(cafile=ca_file or None)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if key_file:
        context.load_cert_chain(key_file, password="")  # a prompt would wait for ever
    return context
