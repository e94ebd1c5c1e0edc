"""The application: which address leads where."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from recovery.errors import RecoveryError
from recovery.web import acts, machines, pages
from recovery.web.drawing import problem
from recovery.web.gate import Gate
from recovery.web.site import ProblemError, Site, status_of

_FOR_PROGRAMS = ("/check-in", "/metrics")


def make_app(site: Site) -> ASGIApp:
    """The field page of this site."""
    app = Starlette(
        routes=[
            Route("/", pages.start),
            Route("/enter", pages.enter, methods=["GET"]),
            Route("/enter", acts.enter, methods=["POST"]),
            Route("/leave", acts.leave, methods=["POST"]),
            Route("/ticket", pages.ticket),
            Route("/add", pages.add),
            Route("/board", pages.board),
            Route("/key", acts.key, methods=["POST"]),
            Route("/do/{verb}", acts.carry_out, methods=["POST"]),
            Route("/check-in", machines.check_in, methods=["POST"]),
            Route("/metrics", machines.metrics),
            Mount("/static", StaticFiles(packages=[("recovery.web", "static")])),
        ],
        exception_handlers={
            ProblemError: _problem,
            RecoveryError: _problem,
            HTTPException: _problem,
            500: _broken,
        },
    )
    app.state.site = site
    # Outside of what turns errors into pages, so that those have the headers too.
    return Gate(app, strict_transport=site.strict_transport)


async def _problem(request: Request, error: Exception) -> Response:
    if isinstance(error, ProblemError):
        return _told(request, error.status, str(error), error.form)
    if isinstance(error, RecoveryError):
        return _told(request, status_of(error), str(error))
    found = error if isinstance(error, HTTPException) else HTTPException(500)
    return _told(request, found.status_code, found.detail)


async def _broken(request: Request, _: Exception) -> Response:
    return _told(request, 500, "Something is broken here. It stands in the program's log.")


def _told(request: Request, status: int, message: str, form: str = "") -> Response:
    if request.url.path in _FOR_PROGRAMS:
        return PlainTextResponse(f"{message}\n", status)
    return problem(request, status, message, form)
