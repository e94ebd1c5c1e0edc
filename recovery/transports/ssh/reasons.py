"""Why the system could not connect, in words without addresses."""

from __future__ import annotations

import os
import socket


def os_reason(error: OSError) -> str:
    """One short reason."""
    if isinstance(error, socket.gaierror):
        return "its name cannot be resolved"
    if error.errno:
        return os.strerror(error.errno).lower()
    return (
        "connection refused"
        if isinstance(error, ConnectionRefusedError)
        else "the connection failed"
    )
