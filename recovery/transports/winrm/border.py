"""The border: what pywinrm, requests and the system raise, as errors of the program's own."""

# ruff: noqa: TID253 - loaded in worker processes only
from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Iterator
from http.client import HTTPException
from xml.etree.ElementTree import ParseError

import requests
from spnego.exceptions import SpnegoError
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError
from winrm.exceptions import (
    AuthenticationError,
    WinRMError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)

from recovery.errors import (
    AuthRefusedError,
    DeadlineError,
    HostKeyError,
    ReplyError,
    SessionLostError,
    TransportError,
    UnreachableError,
)
from recovery.remote.replies import visible
from recovery.transports.winrm.line import (
    ClearTextError,
    FloodError,
    Line,
    RedirectError,
)

_LONGEST = 200
_NO_SHELL = 2150858843
_DENIED = 5


class UnsafeAnswerError(Exception):
    """An answer has what no message of WS-Management has: a document type, or another encoding."""


@contextlib.contextmanager
def translated(name: str, line: Line, *, opening: bool) -> Iterator[None]:
    """Raises `TransportError` for everything that goes wrong with the host `name`."""
    try:
        yield
    except (TransportError, KeyboardInterrupt):
        raise
    except Exception as error:
        if line.left <= 0:
            what = "let us in" if opening else "finish its answer"
            raise DeadlineError(f"{name} did not {what} in time") from None
        found = _of(error, name, opening=opening)
        if found is None:
            raise
        raise found from None


def is_quota(error: WSManFaultError) -> bool:
    """Whether a limit of the host's service is used up."""
    return "QuotaLimit" in (error.fault_subcode or "")


_SAID: tuple[tuple[tuple[type[Exception], ...], type[TransportError], str], ...] = (
    ((AuthenticationError,), AuthRefusedError, "{name} refused the sign-in"),
    ((WinRMOperationTimeoutError,), SessionLostError, "{name} did not answer in its own time"),
    ((WinRMTransportError,), ReplyError, "{name} answered with HTTP status {status}"),
    ((FloodError,), ReplyError, "{name} answered with more than any host sends"),
    ((RedirectError,), TransportError, "{name} redirects elsewhere, which is not followed"),
    (
        (ClearTextError,),
        TransportError,
        "{name} answers in the clear where messages have to be encrypted",
    ),
    ((HTTPException,), ReplyError, "what {name} answers is not HTTP"),
    (
        (ParseError, UnsafeAnswerError, StopIteration, AssertionError),
        ReplyError,
        "what {name} answers is not WS-Management",
    ),
)
_UNEXPECTED = (ValueError, AttributeError, KeyError, IndexError, TypeError, struct.error)
"""What pywinrm raises for answers that it did not think of."""


def _of(error: Exception, name: str, *, opening: bool) -> TransportError | None:
    if isinstance(error, WSManFaultError):
        return _of_fault(error, name)
    for kinds, kind, text in _SAID:
        if isinstance(error, kinds) and not isinstance(error, ConnectionError):
            return kind(text.format(name=name, status=getattr(error, "code", "")))
    if isinstance(error, PermissionError | SpnegoError | WinRMError):
        return TransportError(f"{name} does not sign us in as agreed: {_spoken(error)}")
    if isinstance(error, requests.RequestException | HTTPError | OSError):
        return _of_network(error, name, opening=opening)
    if isinstance(error, _UNEXPECTED):
        return ReplyError(f"what {name} answers is not what was agreed")
    return None


def _of_fault(error: WSManFaultError, name: str) -> TransportError:
    said = spoken(error.reason)
    if error.wsman_fault_code == _DENIED:
        return TransportError(f"{name} knows the account, but lets it open no shell: {said}")
    if is_quota(error):
        return SessionLostError(f"{name} has no room: {said}")
    if error.wsman_fault_code == _NO_SHELL:
        return SessionLostError(f"{name} has closed the shell")
    return SessionLostError(f"{name} could not do it: {said}")


def _of_network(error: Exception, name: str, *, opening: bool) -> TransportError:
    causes = tuple(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return HostKeyError(untrusted(name, cause.verify_message))
        if isinstance(cause, ssl.SSLError) and "WRONG_VERSION" in (cause.reason or ""):
            return TransportError(no_tls(name))
    if any(isinstance(cause, TimeoutError | requests.Timeout) for cause in causes):
        return (UnreachableError if opening else SessionLostError)(f"{name} fell silent")
    if any(isinstance(cause, NameResolutionError | socket.gaierror) for cause in causes):
        return UnreachableError(f"{name}: its name cannot be resolved")
    if opening or any(isinstance(cause, NewConnectionError) for cause in causes):
        return UnreachableError(f"{name}: the connection failed")
    return SessionLostError(f"the session with {name} ended")


def untrusted(name: str, why: str) -> str:
    """That a certificate is not believed, and what to do."""
    return (
        f"the certificate of {name} is not believed: {spoken(why)}. If it is right, name the authority that issued it "
        "(winrm: ca_file)"
    )


def no_tls(name: str) -> str:
    """That there is no TLS where it should be, and what to do."""
    return f"{name} speaks no TLS there: is it a listener for http (winrm_scheme: http)?"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what led to it."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__]
        waiting += [part for part in current.args if isinstance(part, BaseException)]
        waiting.append(getattr(current, "reason", None) if isinstance(current, HTTPError) else None)


def _spoken(error: Exception) -> str:
    return spoken(str(error) or type(error).__name__)


def spoken(text: str) -> str:
    """A peer's words, inert and short."""
    shown = visible(text.encode("utf-8", "surrogatepass")).strip()
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
