"""What is sent by forms: each is carried out once, by the desk's own rules, for the person whose session it is."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from recovery.desk.rules import Who
from recovery.errors import RecoveryError, RefusedError, UsageError
from recovery.redact import mask_recovery_keys
from recovery.service.field_desk import TakenError
from recovery.web.codes import code128, qr
from recovery.web.drawing import go, page
from recovery.web.entering import Visit, check_origin, cookie_name, form, sent
from recovery.web.site import ProblemError, neighbours_of, site_of, source_of, status_of

BY = "field page"
_MOST_RESTARTS_DIGITS = 3
_SCRIPT = "x-field"
"""What the page's script asks with, and is told in where to go."""
Act = Callable[[Visit], str]
"""Carries a form out, and says where to go."""


async def enter(request: Request) -> Response:
    """Sign in, by a link that is used up by it."""
    check_origin(request)
    site, whose = site_of(request), neighbours_of(request)
    token = (await form(request)).get("token", "")
    limit = site.limits.sign_ins
    if limit.reached(whose):
        if limit.tells(whose):
            await run_in_threadpool(site.desk.alarm, f"sign-ins are being guessed from {whose}")
        raise ProblemError(429, "Too many links that open nothing. Wait five minutes.")
    try:
        session = await run_in_threadpool(site.desk.sign_in, token, site.mint, source_of(request))
    except RefusedError as error:
        limit.note(whose)
        raise ProblemError(403, str(error)) from None
    response = go("/")
    response.set_cookie(
        cookie_name(site),
        session.reveal(),
        path="/",
        secure=site.secure,
        httponly=True,
        samesite="strict",
    )
    return response


async def leave(request: Request) -> Response:
    """Sign out."""
    found = await sent(request, reads=True)
    await run_in_threadpool(found.site.desk.sign_out, found.session)
    response = go("/enter")
    response.delete_cookie(cookie_name(found.site), path="/", secure=found.site.secure)
    return response


async def carry_out(request: Request) -> Response:
    """Any form that changes something."""
    verb = request.path_params["verb"]
    if verb not in ACTS:
        raise ProblemError(404, "There is no such page.")
    found = await sent(request)
    once = found.fields.get("once", "")

    def work() -> str:
        try:
            with found.site.desk.still(), found.site.desk.once(once, found.person, verb):
                return ACTS[verb](found)
        except TakenError as taken:
            return _ticket(taken.about, "again") if taken.about else "/?note=again"

    try:
        target = await run_in_threadpool(work)
    except RecoveryError as error:
        raise ProblemError(status_of(error), str(error), form=once) from None
    answered = f"{target}{'&' if '?' in target else '?'}{urlencode({'form': once})}"
    if _SCRIPT in request.headers:  # it goes there by itself, and is spared one page
        return Response(status_code=204, headers={_SCRIPT: answered})
    return go(answered)


async def key(request: Request) -> Response:
    """Show a recovery key, for a while, to the holder of the host's ticket."""
    found = await sent(request)
    site, host = found.site, found.fields.get("host", "")
    if not site.limits.keys.take(found.person):
        if site.limits.keys.tells(found.person):
            await run_in_threadpool(
                site.desk.alarm, f"{found.person} asks for recovery keys again and again"
            )
        raise ProblemError(429, "You have asked for far too many keys. Your lead has been told.")
    try:
        shown = await run_in_threadpool(
            site.keys.show, host, _not_a_key(found.fields.get("key_id", "")), found.person, BY
        )
    except RecoveryError as error:
        raise ProblemError(status_of(error), str(error)) from None
    both = shown.spellings()
    seconds = max(1, round((shown.until - site.desk.clock.now()).total_seconds()))
    return page(
        request,
        "key.html",
        found,
        shows_secret=True,
        shown=shown,
        seconds=seconds,
        back=_ticket(host),
        spellings=[
            ("digits", "On the screen before Windows", both.digits, _grouped(both.digits)),
            ("dashed", "For manage-bde and recovery media", both.dashed, [both.dashed]),
        ],
        code128=code128,
        qr=qr,
    )


def _grouped(digits: str) -> list[str]:
    return [digits[place : place + 6] for place in range(0, len(digits), 6)]


def _not_a_key(key_id: str) -> str:
    if mask_recovery_keys(key_id) != key_id:
        raise UsageError("That is a recovery key, not its id. The id is what the screen shows.")
    return key_id


def _ticket(host: str, note: str = "") -> str:
    return "/ticket?" + urlencode({"host": host} | ({"note": note} if note else {}))


def _who(found: Visit) -> Who:
    return Who(tech=found.person, by=BY)


def _lead(found: Visit) -> Who:
    """For what only a lead may do. Raises `RefusedError`."""
    if not found.session.leads:
        raise RefusedError("Only a lead may do that.")
    return Who(tech=found.person, by=BY, lead=found.person)


def _host(found: Visit) -> str:
    return found.fields.get("host", "")


def _restarts(found: Visit) -> int:
    text = found.fields.get("restarts", "") or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_RESTARTS_DIGITS):
        raise UsageError("How often was it restarted? Give a number.")
    return int(text)


def _next(found: Visit) -> str:
    site, near = found.fields.get("site", "").strip(), found.fields.get("near", "").strip()
    job = found.site.desk.next(found.person, site, near, BY, take=True)
    return _ticket(job.ticket.host, "claimed") if job else "/?none=1"


def _claim(found: Visit) -> str:
    found.site.desk.claim(_host(found), _who(found))
    return _ticket(_host(found), "claimed")


def _on_site(found: Visit) -> str:
    found.site.desk.on_site(_host(found), _who(found))
    return _ticket(_host(found), "on_site")


def _tried(found: Visit) -> str:
    found.site.desk.tried(
        _host(found), _who(found), found.fields.get("reason", ""), _restarts(found)
    )
    return _ticket(_host(found), "tried")


def _done(found: Visit) -> str:
    found.site.desk.done(_host(found), _who(found), _restarts(found))
    return _ticket(_host(found), "done")


def _release(found: Visit) -> str:
    found.site.desk.release(_host(found), _who(found), found.fields.get("reason", ""))
    return "/?note=released"


def _escalate(found: Visit) -> str:
    found.site.desk.escalate(
        _host(found), _who(found), found.fields.get("to", ""), found.fields.get("reason", "")
    )
    return _ticket(_host(found), "escalated")


def _add(found: Visit) -> str:
    get = found.fields.get
    opened = found.site.desk.add(
        [get("host", "").strip()],
        get("reason", ""),
        site=get("site", ""),
        location=get("location", ""),
        by=found.person,
    )
    return _ticket(opened[0], "added")


def _unlocked(found: Visit) -> str:
    return _said(found, unlocked=True)


def _failed(found: Visit) -> str:
    return _said(found, unlocked=False)


def _said(found: Visit, *, unlocked: bool) -> str:
    """What a key did. Raises `RefusedError` for a ticket of somebody else."""
    holder = found.site.desk.job(_host(found)).ticket.holder(found.site.desk.clock.now())
    if holder != found.person:
        raise RefusedError(f"{found.person} does not hold {_host(found)}")
    key_id = _not_a_key(found.fields.get("key_id", ""))
    found.site.keys.tried(_host(found), key_id, found.person, BY, unlocked=unlocked)
    return _ticket(_host(found), "unlocked" if unlocked else "failed")


def _give_back(found: Visit) -> str:
    found.site.desk.release(_host(found), _lead(found), found.fields.get("reason", ""))
    return _ticket(_host(found), "released")


def _approve(found: Visit) -> str:
    found.site.desk.approve(_host(found), _lead(found).lead)
    return _ticket(_host(found), "approved")


ACTS: dict[str, Act] = {
    "next": _next,
    "claim": _claim,
    "on-site": _on_site,
    "tried": _tried,
    "done": _done,
    "release": _release,
    "escalate": _escalate,
    "add": _add,
    "unlocked": _unlocked,
    "failed": _failed,
    "give-back": _give_back,
    "approve": _approve,
}
"""By the last part of the address."""
