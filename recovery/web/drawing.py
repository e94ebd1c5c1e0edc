"""Templates to pages. Whatever is put into one is text: it never becomes markup."""

from __future__ import annotations

import functools
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from recovery.redact import scrub
from recovery.web.entering import Visit
from recovery.web.site import site_of

NOTES = {
    "claimed": "It is yours. Nobody else gets it until your claim ends.",
    "on_site": "Noted: you are in front of it.",
    "tried": "Noted. It is still yours.",
    "done": "Noted. The ticket closes when the machine itself proves it.",
    "released": "It is back in the queue.",
    "escalated": "It was left to somebody else.",
    "added": "Ticket opened.",
    "unlocked": "Noted: the key unlocked it.",
    "failed": "Noted: the key did not unlock it.",
    "approved": "For one hour a recovery medium may be given one key of it.",
    "again": "This had been sent before; nothing was done twice.",
}
"""What a page says on top, by a name: an address carries no text of its own."""


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("recovery.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(
    request: Request,
    template: str,
    visit: Visit | None = None,
    *,
    status: int = 200,
    shows_secret: bool = False,
    **values: Any,
) -> Response:
    """The page. A recovery key stands only on the one that `shows_secret`."""
    site = site_of(request)
    text = (
        _environment()
        .get_template(template)
        .render(
            visit=visit,
            mint=site.mint,
            note=NOTES.get(request.query_params.get("note", ""), ""),
            form_answered=values.pop("form_answered", request.query_params.get("form", ""))[:86],
            simulated=site.desk.folded_now.mock,
            now=site.desk.clock.now(),
            **values,
        )
    )
    return HTMLResponse(text if shows_secret else scrub(text), status_code=status)


def problem(request: Request, status: int, message: str, form: str = "") -> Response:
    """A page that says what is wrong."""
    back = "/enter" if status == 401 else "/"  # noqa: PLR2004 - its own meaning is its number
    return page(
        request, "problem.html", status=status, message=message, back=back, form_answered=form
    )


def go(target: str) -> Response:
    """To a page of ours."""
    return RedirectResponse(target, status_code=303)
