"""What the pages act on, and how the errors of the program look on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from recovery.desk.tokens import Mint
from recovery.errors import (
    JournalError,
    KeySourceError,
    RecoveryError,
    RefusedError,
    UnknownNameError,
    UsageError,
)
from recovery.service.field_desk import FieldDesk
from recovery.service.field_keys import FieldKeys
from recovery.web.door import neighbourhood
from recovery.web.limits import Limit

if TYPE_CHECKING:
    from starlette.requests import Request

_MINUTES_5, _MINUTE, _HOUR = 300.0, 60.0, 3600.0


class ProblemError(Exception):
    """What was sent is not carried out: a status and a sentence."""

    def __init__(self, status: int, message: str, *, form: str = "") -> None:
        """`form`: the key of the form that this is the answer to."""
        self.status = status
        self.form = form
        super().__init__(message)


class Limits(msgspec.Struct, frozen=True):
    """How often each may be done."""

    sign_ins: Limit
    """Refused ones, by neighbourhood."""
    forms: Limit
    """By person."""
    keys: Limit
    """By person: far beyond what the desk allows, so that its refusals do not fill the journal."""
    strangers: Limit
    """Refused reports and scrapes, by neighbourhood."""
    reports: Limit
    """By medium."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """The desk with everything around it."""

    desk: FieldDesk
    keys: FieldKeys
    mint: Mint
    limits: Limits
    metrics: Callable[[], bytes]
    metrics_token: str = ""
    """Digest; empty: only programs on this machine may read the figures."""
    secure: bool = False
    """Served over TLS."""
    boards: dict[str, tuple[tuple[float, ...], dict[str, Any]]] = msgspec.field(
        default_factory=dict
    )
    """The latest board of each stage, with the moment that it is of."""
    strict_transport: bool = False
    """Tell browsers to insist on TLS: not with a certificate that they have to be told to accept."""


def limits(now: Callable[[], float], keys_per_hour: int) -> Limits:
    """The usual ones."""
    return Limits(
        sign_ins=Limit(10, _MINUTES_5, now),
        forms=Limit(120, _MINUTE, now),
        keys=Limit(2 * keys_per_hour, _HOUR, now),
        strangers=Limit(20, _MINUTES_5, now),
        reports=Limit(60, _MINUTE, now),
    )


def site_of(request: Request) -> Site:
    """The site that a request came to."""
    found = request.app.state.site
    assert isinstance(found, Site)  # noqa: S101 - the application has no other state
    return found


def source_of(request: Request) -> str:
    """The address that a request came from; a header about it is believed from nobody."""
    return request.client.host if request.client else ""


def neighbours_of(request: Request) -> str:
    """Those who are counted as one with whoever sent it: by IPv6 one machine has as many addresses as it likes."""
    return neighbourhood(source_of(request))


def status_of(error: RecoveryError) -> int:
    """The status that goes with an error of the program."""
    match error:
        case UnknownNameError():
            return 404
        case UsageError():
            return 422
        case RefusedError():
            return 409
        case KeySourceError():
            return 502
        case JournalError():
            return 503
        case _:
            return 500
