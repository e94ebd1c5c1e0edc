"""Commands for who may use the field page: personal links, and recovery media."""

from __future__ import annotations

import io
import secrets
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from recovery.cli.desk import desk_app
from recovery.cli.output import data, documents, say, table
from recovery.cli.shared import JournalOption, Output, form, service, user
from recovery.documents import duration
from recovery.errors import UsageError
from recovery.model.address import is_loopback

if TYPE_CHECKING:
    from recovery.service.field_desk import FieldDesk

medium_app = typer.Typer(help="Recovery media that report to the field page.", no_args_is_help=True)
desk_app.add_typer(medium_app, name="medium")

_LONGEST_LINK = timedelta(days=7)


def field_desk(
    context: typer.Context, journal: str = "", inventory: list[str] | None = None
) -> FieldDesk:
    """The desk with the field page's part."""
    from recovery.service.field_desk import FieldDesk

    settings = service(context, journal).settings
    return FieldDesk(settings, None, None, tuple(inventory or ()) or settings.inventory)


@desk_app.command("link")
def make_link(
    context: typer.Context,
    person: str,
    role: Annotated[str, typer.Option(help="technician, lead or viewer.")] = "technician",
    lasts: Annotated[str, typer.Option("--for", help="How long it can be used: 30m, 8h.")] = "",
    url: Annotated[
        str, typer.Option(help="Address of the page.", show_default="where it was served last")
    ] = "",
    qr: Annotated[
        bool, typer.Option("--qr", help="Also as a QR code, which is shown on a terminal anyway.")
    ] = False,
    journal: JournalOption = "",
) -> None:
    """A personal link to the field page, shown this once: whoever opens it first is signed in, for twelve hours."""
    from recovery.model.field_events import Role

    if role not in list(Role):
        raise UsageError(f"--role {role}: expected one of {', '.join(Role)}")
    desk = field_desk(context, journal)
    served = desk.field().served
    place = url or (served.url if served else "")
    if not place.startswith(("http://", "https://")):
        raise UsageError("where is the page? start `recovery serve`, or give --url https://...")
    there = urlsplit(place)
    if there.scheme == "http" and not is_loopback(there.hostname or ""):
        raise UsageError(
            f"--url {place}: whoever reads the link on the way would be {person.strip()}; use https://"
        )
    token = desk.link(person, Role(role), secrets.token_urlsafe, user(), _lasts(lasts))
    link = f"{place.rstrip('/')}/enter?t={token.reveal()}"
    data(link)
    if qr or sys.stdout.isatty():
        data(_drawn(link))
    say(f"for {person.strip()} alone, once; `recovery desk unlink` ends it and what it opened")
    if served and served.fingerprint and not url:
        say(f"the page's certificate has the SHA-256 {served.fingerprint}")


@desk_app.command("unlink")
def end_links(context: typer.Context, person: str, journal: JournalOption = "") -> None:
    """End all links and sessions that a person has on the field page."""
    field_desk(context, journal).end(person, user())


@medium_app.command("add")
def add_medium(context: typer.Context, medium: str, journal: JournalOption = "") -> None:
    """A token for a recovery medium, shown this once."""
    token = field_desk(context, journal).add_medium(medium, secrets.token_urlsafe, user())
    data(token.reveal())
    say("it is the bearer of what `curl` sends to /check-in; keep it on the medium alone")


@medium_app.command("revoke")
def revoke_medium(context: typer.Context, medium: str, journal: JournalOption = "") -> None:
    """Take a medium's token back."""
    field_desk(context, journal).revoke_medium(medium, user())


@medium_app.command("certificate")
def show_certificate(context: typer.Context, journal: JournalOption = "") -> None:
    """The certificate that `serve --self-signed` made, without its key: the file for `curl --cacert` on media."""
    from recovery.web import tls

    desk = field_desk(context, journal)
    block, fingerprint = tls.public_part(tls.place(desk.settings.journal))
    served = desk.field().served
    if served and served.fingerprint != fingerprint:
        raise UsageError(
            "the page was served last without the certificate that was made here: "
            "media trust what signed its own"
        )
    data(block)
    say(f"its SHA-256 is {fingerprint}")


@medium_app.command("list")
def list_media(
    context: typer.Context, output: Output = "text", journal: JournalOption = ""
) -> None:
    """The media that may report."""
    shape = form(output, "text", "json", "jsonl", "csv")
    media = field_desk(context, journal).field().media()
    rows = [
        {"schema": 1, "medium": it.medium, "since": f"{it.at:%Y-%m-%dT%H:%M:%SZ}", "by": it.by}
        for it in media
    ]
    if shape != "text":
        documents(rows, shape)
        return
    table(("medium", "since", "by"), [(row["medium"], row["since"], row["by"]) for row in rows])


def _lasts(text: str) -> timedelta:
    from recovery.service.field_desk import LINK_LASTS

    try:
        lasts = timedelta(seconds=duration(text, "--for")) if text else LINK_LASTS
    except ValueError as error:
        raise UsageError(str(error)) from None
    if not timedelta(0) < lasts <= _LONGEST_LINK:
        raise UsageError(f"--for {text}: at most {_LONGEST_LINK.days} days")
    return lasts


def _drawn(link: str) -> str:
    try:
        import segno
    except ImportError:
        raise UsageError(
            "QR codes need the extra `web`: pip install 'fleet-recovery[web]'"
        ) from None
    drawn = io.StringIO()
    segno.make(link, error="l", micro=False).terminal(drawn, compact=True)
    return drawn.getvalue().rstrip("\n")
