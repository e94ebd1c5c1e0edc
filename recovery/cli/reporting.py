"""`report`: the status for management, the after-action report, and the figures for Prometheus."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recovery.cli.main import app
from recovery.cli.output import data, inert, say
from recovery.cli.shared import Inventory, JournalOption, service, user
from recovery.documents import duration
from recovery.errors import OutputError, UsageError
from recovery.redact import scrub

if TYPE_CHECKING:
    from recovery.report.documents import Review
    from recovery.service.reporting import Asked

_FORMS = ("text", "markdown", "html", "json", "prometheus")

Since = Annotated[
    str,
    typer.Option(
        help="Tell what has changed since: 2h, 1d, or 2024-07-19T12:00 (UTC).",
        show_default="the last report that was given",
    ),
]
AfterAction = Annotated[
    bool, typer.Option("--after-action", help="The whole story instead of one page, as HTML.")
]
Metrics = Annotated[bool, typer.Option("--metrics", help="The same as -o prometheus.")]
Given = Annotated[
    bool,
    typer.Option(
        "--given", help="Note in the journal that this report was given; the next one compares."
    ),
]
FormOption = Annotated[str, typer.Option("-o", "--output", help=", ".join(_FORMS) + ".")]
Write = Annotated[
    str, typer.Option("-w", "--write", help="Write it to this file; one that is there is replaced.")
]


@app.command("report")
def report_command(
    context: typer.Context,
    inventory: Inventory = [],
    since: Since = "",
    after_action: AfterAction = False,
    metrics: Metrics = False,
    given: Given = False,
    output: FormOption = "",
    write: Write = "",
    journal: JournalOption = "",
) -> None:
    """How many there are, how many are proven, what is lost, and when it will be over; for people or for programs.

    The numbers add up to the inventory, or to the hosts that the journal's runs named.
    """
    from recovery.service.reporting import note, report

    shape = _form(output, after_action=after_action, metrics=metrics)
    acting = service(context, journal)
    found = report(acting.settings, _asked(inventory or list(acting.settings.inventory), since))
    if found.page.brief.mock:
        say("these are SIMULATED hosts: the latest run was on the mock twin")
    _put(_told(found, shape, after_action=after_action), write)
    if given:
        note(acting.settings, found.page, user())


def _form(output: str, *, after_action: bool, metrics: bool) -> str:
    usual = "html" if after_action else "prometheus" if metrics else "text"
    shape = output or usual
    if shape not in _FORMS:
        raise UsageError(f"-o {shape}: this command prints {', '.join(_FORMS)}")
    if (after_action or metrics) and (shape != usual or (after_action and metrics)):
        option = "--after-action" if after_action else "--metrics"
        raise UsageError(f"{option} is {usual}, and nothing else goes with it")
    return shape


def _asked(inventory: list[str], since: str) -> Asked:
    from recovery.service.reporting import Asked

    sources = tuple(inventory)
    if not since:
        return Asked(inventory=sources)
    try:
        return Asked(inventory=sources, ago=duration(since))
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(since)
    except ValueError:
        raise UsageError(
            f"--since {since}: expected 90m, 2h, 1d, or a time such as 2024-07-19T12:00 (UTC)"
        ) from None
    return Asked(inventory=sources, since=at if at.tzinfo else at.replace(tzinfo=UTC))


def _told(found: Review, shape: str, *, after_action: bool) -> str:
    """The report in that form."""
    from recovery.report.documents import review_html, status_html
    from recovery.report.metrics import exposition
    from recovery.report.page import document, markdown

    page = found.page
    match shape:
        case "html":
            return review_html(found) if after_action else status_html(page)
        case "prometheus":
            return exposition(page).decode()
        case "json":
            return json.dumps(document(page), indent=1, ensure_ascii=False)
        case "markdown":
            return "\n".join(inert(line) for line in markdown(page).splitlines())
        case _:
            return "\n".join(inert(plain(line)) for line in markdown(page).splitlines())


def plain(line: str) -> str:
    """A line of the report without Markdown's marks."""
    return line.removeprefix("# ").replace("**", "").replace("\\", "")


def _put(text: str, write: str) -> None:
    if not write:
        data(text.rstrip("\n"))
        return
    path = Path(write).expanduser()
    try:
        path.write_text(scrub(text.rstrip("\n") + "\n"), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{write}: cannot be written: {error.strerror}", pipe=False) from None
    say(f"written to {path}")
