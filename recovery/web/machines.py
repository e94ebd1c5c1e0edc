"""What programs ask: recovery media report, and Prometheus scrapes. Plain text, short, for `curl` in WinPE and cmd."""

from __future__ import annotations

import ipaddress

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from recovery.desk.recovery_key import key_id_of
from recovery.desk.tokens import digest, is_token, same
from recovery.errors import RecoveryError, UsageError
from recovery.report.metrics import CONTENT_TYPE
from recovery.service.field_desk import Report
from recovery.web.entering import form
from recovery.web.site import ProblemError, Site, neighbours_of, site_of, source_of, status_of

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


async def check_in(request: Request) -> Response:
    """A medium says what it did: `serial`, `key_id`, `host`, `did`, `once`; `want=key` asks for the recovery key.

    The answer's first line is `noted` with the host's name, if it is known; a key is in a line of its own, `key=...`.
    """
    site = site_of(request)
    medium = await run_in_threadpool(site.desk.medium, await _token(request, site))
    if not medium:
        await _stranger(request, site)
    if not site.limits.reports.take(medium):
        if site.limits.reports.tells(medium):
            await run_in_threadpool(site.desk.alarm, f"medium {medium} reports again and again")
        raise ProblemError(429, "too many reports")
    fields = await form(request)
    said = _report(fields)
    about = await run_in_threadpool(site.desk.reported, medium, said)
    lines = [f"noted {about}".strip()]
    if fields.get("want") == "key":
        try:
            record = await run_in_threadpool(site.keys.release, about, said.key_id, medium)
        except RecoveryError as error:
            return PlainTextResponse(f"{lines[0]}\nno key: {error}\n", status_of(error))
        lines.append(f"key={record.secret.reveal()}")
    return PlainTextResponse("\n".join(lines) + "\n")


async def metrics(request: Request) -> Response:
    """The figures, for who has their token, or without one for programs on this machine."""
    site = site_of(request)
    token = await _token(request, site)
    if site.metrics_token:
        if not same(digest("metrics", token), site.metrics_token):
            await _stranger(request, site)
    elif not _is_local(request):
        raise ProblemError(403, "figures are for programs on this machine only")
    try:
        body = await run_in_threadpool(site.metrics)
    except RecoveryError as error:
        return PlainTextResponse(f"{error}\n", 503)
    return Response(body, media_type=CONTENT_TYPE)


def _report(fields: dict[str, str]) -> Report:
    key_id, once = fields.get("key_id", "").strip(), fields.get("once", "")
    if once and not is_token(once):
        raise ProblemError(422, "once: 22 to 86 letters, digits, - or _")
    try:
        return Report(
            serial=fields.get("serial", ""),
            key_id=key_id_of(key_id) if key_id else "",
            host=fields.get("host", "").strip(),
            did=fields.get("did", ""),
            once=once,
        )
    except UsageError as error:
        raise ProblemError(422, str(error)) from None


async def _token(request: Request, site: Site) -> str:
    whose = neighbours_of(request)
    if site.limits.strangers.reached(whose):
        if site.limits.strangers.tells(whose):
            await run_in_threadpool(site.desk.alarm, f"tokens are being guessed from {whose}")
        raise ProblemError(429, "too many wrong tokens")
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


async def _stranger(request: Request, site: Site) -> None:
    site.limits.strangers.note(neighbours_of(request))
    raise ProblemError(401, "no such token")


def _is_local(request: Request) -> bool:
    """Of this machine, and meant for it: a page elsewhere may have its own name point here."""
    name = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    try:
        source = ipaddress.ip_address(source_of(request))
    except ValueError:
        return False
    return source.is_loopback and name in _LOOPBACK_NAMES
