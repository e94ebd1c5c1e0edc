"""What is read: my list, a ticket, the board, and the forms for signing in and adding."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from recovery.desk.field_fold import Session
from recovery.desk.queue import Job
from recovery.desk.tokens import is_token
from recovery.model.ticket import FREE, HELD, Stage, Ticket, is_overdue, numbers
from recovery.service.desk import placed
from recovery.web.drawing import go, page
from recovery.web.entering import visit
from recovery.web.site import ProblemError, Site

P = ParamSpec("P")
R = TypeVar("R")

_MOST_ROWS = 200
_BOARD_SECONDS = 10.0
"""For which a board stands where nothing happens: leases end by themselves."""
STAGES = tuple((stage.value, stage.value.replace("_", " ")) for stage in Stage)


class Mine(msgspec.Struct, frozen=True):
    """The start page of somebody who works."""

    held: list[Job]
    said: list[Job]
    """Theirs, said to be done, and not proven."""
    proven: int
    waiting: int
    sites: list[str]
    near: tuple[str, str]
    """Site and location where they were last."""


async def start(request: Request) -> Response:
    """My list, and the next machine; the board for those who only read."""
    found = await visit(request)
    if not found.session.may_work:
        return go("/board")
    mine = await _read(found.site, _mine, found.person)
    return page(request, "start.html", found, mine=mine, missing=request.query_params.get("none"))


async def ticket(request: Request) -> Response:
    """One ticket: for its holder with everything that they can do."""
    found = await visit(request)
    host = request.query_params.get("host", "")
    values = await _read(found.site, _ticket, found.session, host)
    return page(request, "ticket.html", found, **values)


async def board(request: Request) -> Response:
    """How many stand where, and which."""
    found = await visit(request)
    stage = request.query_params.get("stage", "")
    if stage and stage not in dict(STAGES):
        raise ProblemError(404, "There is no such stage.")
    values = await _read(found.site, _board, stage)
    return page(
        request,
        "board.html",
        found,
        stages=STAGES,
        stage=stage,
        approves=found.session.leads and found.site.keys.to_media,
        **values,
    )


async def add(request: Request) -> Response:
    """The form for a machine that nobody knew."""
    found = await visit(request)
    if not found.session.may_work:
        raise ProblemError(403, "You may read, and nothing else.")
    mine = await _read(found.site, _mine, found.person)
    return page(request, "add.html", found, mine=mine)


async def enter(request: Request) -> Response:
    """Where a personal link leads. Looking at it uses nothing up: some programs open links before people do."""
    token = request.query_params.get("t", "")
    return page(request, "enter.html", token=token if is_token(token) else "")


async def _read(
    site: Site, look: Callable[Concatenate[Site, P], R], *asked: P.args, **more: P.kwargs
) -> R:
    """What stands at the desk, all of it at one moment."""

    def work() -> R:
        with site.desk.still():
            return look(site, *asked, **more)

    return await run_in_threadpool(work)


def _ticket(site: Site, session: Session, host: str) -> dict[str, Any]:
    """What the page of a ticket shows. Raises `UnknownNameError`."""
    job, now = site.desk.job(host), site.desk.clock.now()
    field, mock = site.desk.field_now, site.desk.folded_now.mock
    holds = job.ticket.stage in HELD and job.ticket.owner == session.person
    return {
        "job": job,
        "ticket": job.ticket,
        "stage": _stage_words(job.ticket, now),
        "holds": holds and session.may_work,
        "is_free": job.ticket.stage in FREE and session.may_work,
        "uses": site.keys.uses(host) if holds or session.leads else (),
        "reports": field.reports(host, mock=mock),
        "approval": field.approved(host, now, mock=mock),
        "approves": session.leads and site.keys.to_media,
    }


def _stage_words(ticket: Ticket, now: datetime) -> str:
    """The stage as people read it."""
    late = ", unproven for long" if is_overdue(ticket, now) else ""
    return ticket.stage.value.replace("_", " ") + late


def _mine(site: Site, person: str) -> Mine:
    tickets = site.desk.tickets()
    own = [ticket for ticket in tickets if ticket.owner == person]
    held = site.desk.jobs(ticket for ticket in own if ticket.stage in HELD)
    said = site.desk.jobs(ticket for ticket in own if ticket.stage is Stage.SAYS_DONE)
    free = site.desk.jobs(ticket for ticket in tickets if ticket.stage in FREE)
    last = max(
        own,
        key=lambda ticket: ticket.spells[-1].began if ticket.spells else ticket.opened,
        default=None,
    )
    place = site.desk.jobs([last])[0] if last else None
    return Mine(
        held=held,
        said=said,
        proven=sum(ticket.stage is Stage.PROVEN for ticket in own),
        waiting=len(free),
        sites=sorted({job.site for job in free if job.site}),
        near=(place.site, place.location) if place else ("", ""),
    )


def _board(site: Site, stage: str) -> dict[str, Any]:
    """What the board shows. With a hundred thousand tickets that takes seconds: who asks again gets the same."""
    desk, now = site.desk, site.desk.clock.now()
    desk.folded()
    moment = (desk.folded_now.seq, desk.field_now.seq, now.timestamp() // _BOARD_SECONDS)
    if site.boards.get(stage, ((), {}))[0] != moment:
        site.boards[stage] = (moment, _look(site, stage, now))
    return site.boards[stage][1]


def _look(site: Site, stage: str, now: datetime) -> dict[str, Any]:
    jobs = site.desk.jobs(site.desk.tickets())
    field, mock = site.desk.field_now, site.desk.folded_now.mock
    wanted = _wanted(jobs, stage)
    return {
        "numbers": numbers((placed(job) for job in jobs), now),
        "rows": [(job, _stage_words(job.ticket, now)) for job in wanted[:_MOST_ROWS]],
        "more": max(0, len(wanted) - _MOST_ROWS),
        "approved": {
            job.ticket.host for job in wanted if field.approved(job.ticket.host, now, mock=mock)
        },
        "strangers": field.reports("", mock=mock),
        "people": field.people(now),
    }


def _wanted(jobs: Iterable[Job], stage: str) -> list[Job]:
    chosen = [job for job in jobs if (job.ticket.stage == stage if stage else job.ticket.is_open)]
    return sorted(chosen, key=lambda job: (-job.urgency, job.ticket.opened))
