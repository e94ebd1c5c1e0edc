"""Who sends a request, and whether they meant to: sessions, forms, and what forged ones lack."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from recovery.desk.field_fold import Session
from recovery.desk.tokens import csrf, same
from recovery.web.site import ProblemError, Site, site_of

MOST_BYTES = 16_384
_MOST_FIELDS = 24
_MOST_SECONDS = 20.0
_FORM_TYPE = "application/x-www-form-urlencoded"
_BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Visit(msgspec.Struct, frozen=True):
    """A request of somebody who is signed in."""

    site: Site
    session: Session
    csrf: str
    fields: Mapping[str, str] = {}

    @property
    def person(self) -> str:
        """Whose it is."""
        return self.session.person


def cookie_name(site: Site) -> str:
    """With TLS browsers bind the cookie to this host alone."""
    return "__Host-field" if site.secure else "field"


async def visit(request: Request) -> Visit:
    """Who reads. Raises `ProblemError` for nobody."""
    site = site_of(request)
    token = request.cookies.get(cookie_name(site), "")
    session = await run_in_threadpool(site.desk.session, token) if token else None
    if session is None:
        raise ProblemError(401, "You are not signed in. Open your personal link, or ask for one.")
    return Visit(site, session, csrf(token))


async def sent(request: Request, *, reads: bool = False) -> Visit:
    """Who has sent a form, and what. Raises `ProblemError` for what a page of ours did not send.

    `reads`: those who may only read may send it, too.
    """
    check_origin(request)
    found = await visit(request)
    fields = await form(request)
    key = fields.get("once", "")
    if not same(fields.get("csrf", ""), found.csrf):
        raise ProblemError(403, "The form is not of your session. Load the page anew.", form=key)
    if not (found.session.may_work or reads):
        raise ProblemError(403, "You may read, and nothing else.", form=key)
    if not found.site.limits.forms.take(found.person):
        raise ProblemError(429, "Too many forms at once. Wait a minute.")
    return msgspec.structs.replace(found, fields=fields)


def check_origin(request: Request) -> None:
    """Refuse what the browser says another page has sent. Raises `ProblemError`."""
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    foreign = origin is not None and origin not in (f"http://{host}", f"https://{host}")
    if foreign or request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise ProblemError(403, "This was sent from another page.")


async def form(request: Request) -> dict[str, str]:
    """The fields of a form. Raises `ProblemError` for what is none, or too large, or takes too long."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM_TYPE:
        raise ProblemError(415, f"Expected a form ({_FORM_TYPE}).")
    raw = await _body(request)
    try:
        text = raw.decode("ascii")
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            strict_parsing=bool(text),
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise ProblemError(400, "The form cannot be read.") from None
    fields = dict(pairs)
    if _BROKEN.search(text):
        raise ProblemError(400, "The form cannot be read.")
    if len(fields) != len(pairs):
        raise ProblemError(400, "The form has a field twice.")
    return fields


async def _body(request: Request) -> bytes:
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MOST_BYTES:
        raise ProblemError(413, f"At most {MOST_BYTES} bytes.")
    raw = bytearray()
    try:
        async with asyncio.timeout(_MOST_SECONDS):
            async for piece in request.stream():
                raw += piece
                if len(raw) > MOST_BYTES:
                    raise ProblemError(413, f"At most {MOST_BYTES} bytes.")
    except TimeoutError:
        raise ProblemError(408, "The form took too long.") from None
    except ClientDisconnect:
        raise ProblemError(400, "The form broke off.") from None
    return bytes(raw)
