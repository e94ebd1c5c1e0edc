"""The border: what asyncssh and the system raise, as errors of the program's own."""

# ruff: noqa: TID253 - loaded only when the first session is opened
from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

import asyncssh

from recovery.errors import (
    AuthRefusedError,
    DeadlineError,
    ReplyError,
    SessionLostError,
    TransportError,
    UnreachableError,
)
from recovery.remote.replies import visible
from recovery.transports.ssh.reasons import os_reason

_LONGEST = 200
_FULL = (errno.EMFILE, errno.ENFILE)
_TOO_MANY_TRIES = "authentication failures"


@contextlib.contextmanager
def translated(name: str, *, opening: bool) -> Iterator[None]:
    """Raises `TransportError` for everything that goes wrong with the host `name`.

    While a session is being opened, a connection that ends is a host that cannot be reached; afterwards it is a lost
    session. Texts of peers are bounded and inert.
    """
    try:
        yield
    except TimeoutError:
        message = f"{name} did not {'let us in' if opening else 'finish its answer'} in time"
        raise DeadlineError(message) from None
    except asyncssh.Error as error:
        raise _of_peer(error, name, opening=opening) from None
    except OSError as error:
        raise _of_system(error, name, opening=opening) from None


def _of_peer(error: asyncssh.Error, name: str, *, opening: bool) -> TransportError:
    said = spoken(error.reason)
    match error:
        case asyncssh.PermissionDenied():
            return AuthRefusedError(f"{name} refused the sign-in")
        case asyncssh.DisconnectError() if _TOO_MANY_TRIES in error.reason:
            return AuthRefusedError(
                f"{name} refused the sign-in after too many keys: name one in a credential"
            )
        case asyncssh.KeyExchangeFailed():
            return TransportError(f"{name} speaks SSH, but none of our algorithms: {said}")
        case asyncssh.ProtocolError() | asyncssh.ProtocolNotSupported():
            return ReplyError(f"what answers at {name} does not keep to SSH: {said}")
        case _:
            pass
    if opening:
        return UnreachableError(f"the connection to {name} ended before a session was open: {said}")
    return SessionLostError(f"the session with {name} ended: {said}")


def _of_system(error: OSError, name: str, *, opening: bool) -> TransportError:
    if error.errno in _FULL:
        return SessionLostError(
            "this machine has no free file handles: raise its limit (ulimit -n) or lower --concurrency"
        )
    reason = os_reason(error)
    if opening:
        return UnreachableError(f"{name}: {reason}")
    return SessionLostError(f"the session with {name} ended: {reason}")


def spoken(text: str) -> str:
    """A peer's words, inert and short."""
    shown = visible(text.encode("utf-8", "surrogatepass")).strip()
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
