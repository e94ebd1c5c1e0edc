"""The command that serves the field page."""

from __future__ import annotations

import ipaddress
import logging
import math
import secrets
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recovery import private_file
from recovery.cli.desk_people import field_desk
from recovery.cli.main import app
from recovery.cli.output import say
from recovery.cli.shared import Inventory, JournalOption, Verbose, user
from recovery.errors import UsageError

if TYPE_CHECKING:
    from recovery.service.field_desk import FieldDesk
    from recovery.settings import Settings
    from recovery.web.serving import Place
    from recovery.web.site import Site
    from recovery.web.tls import Certificate

_PORT = 8470
_LONGEST_TOKEN = 4096
_FRESH = 15.0
"""Seconds for which the figures are believed: each look folds the whole journal."""


@app.command("serve")
def serve_page(
    context: typer.Context,
    inventory: Inventory = [],
    bind: Annotated[
        str, typer.Option(help="Address to listen on; others than loopback need TLS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: one that is free.")] = _PORT,
    name: Annotated[
        str, typer.Option(help="How browsers call this machine, for links and the certificate.")
    ] = "",
    cert: Annotated[str, typer.Option(help="Certificate with its chain (PEM).")] = "",
    key: Annotated[str, typer.Option(help="Its private key (PEM, chmod 600).")] = "",
    self_signed: Annotated[
        bool, typer.Option("--self-signed", help="Make a certificate, and show its fingerprint.")
    ] = False,
    keys_to_media: Annotated[
        bool,
        typer.Option("--keys-to-media", help="Recovery media may get keys of approved hosts."),
    ] = False,
    metrics_token: Annotated[
        str,
        typer.Option(help="File with the token for /metrics, which is for loopback without one."),
    ] = "",
    verbose: Verbose = 0,
    journal: JournalOption = "",
) -> None:
    """Serve the field page until Ctrl-C: tickets, checklists and recovery keys for people on their phones."""
    _check_installed()
    from recovery.web.serving import Place

    desk = field_desk(context, journal, inventory)
    certificate = _certificate(desk, (cert, key), (bind, name), self_signed=self_signed)
    _check_bind(bind, certificate)
    place = Place(address=bind, port=port, name=name, certificate=certificate)
    site = _site(desk, place, metrics_token, inventory, keys_to_media=keys_to_media, own=bool(cert))
    if verbose:
        logging.getLogger("recovery.web.access").setLevel(logging.INFO)
    _serve(site, place)


def _serve(site: Site, place: Place) -> None:
    from recovery.web.app import make_app
    from recovery.web.serving import listening, serve, url_of

    with listening(place) as listener:
        ready = _ready(site.desk, url_of(place, listener), place.certificate)
        serve(make_app(site), place, listener, ready)
    say("the field page is closed")


def _check_installed() -> None:
    try:
        import barcode
        import jinja2
        import segno
        import starlette
        import uvicorn
    except ImportError as error:
        raise UsageError(
            f"the field page needs {error.name}: pip install 'fleet-recovery[web]'"
        ) from None
    del barcode, jinja2, segno, starlette, uvicorn


def _certificate(
    desk: FieldDesk, own: tuple[str, str], place: tuple[str, str], *, self_signed: bool
) -> Certificate | None:
    from recovery.web import tls

    if any(own):
        if self_signed or not all(own):
            raise UsageError("give --cert and --key together, or --self-signed alone")
        return tls.own(Path(own[0]).expanduser(), Path(own[1]).expanduser())
    if not self_signed:
        return None
    names = [name for name in (*place, socket.gethostname(), "localhost", "127.0.0.1") if name]
    file = tls.place(desk.settings.journal)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tls.self_signed(file, names, desk.clock.now())


def _check_bind(bind: str, certificate: Certificate | None) -> None:
    try:
        is_loopback = ipaddress.ip_address(bind).is_loopback
    except ValueError:
        raise UsageError(
            f"--bind {bind}: expected an address such as 127.0.0.1, 10.1.2.3 or ::"
        ) from None
    if not is_loopback and certificate is None:
        raise UsageError(
            f"--bind {bind}: beyond this machine the page is served over TLS only: "
            "give --cert and --key, or --self-signed"
        )


def _site(
    desk: FieldDesk,
    place: Place,
    metrics_token: str,
    inventory: list[str],
    *,
    keys_to_media: bool,
    own: bool,
) -> Site:
    from recovery.desk.tokens import digest
    from recovery.service.field_keys import FieldKeys
    from recovery.web.site import Site, limits

    keys = FieldKeys(desk, to_media=keys_to_media)
    if not keys.open():
        say("no source of recovery keys is named in the settings: the page shows none")
    token = _token(metrics_token)
    return Site(
        desk=desk,
        keys=keys,
        mint=secrets.token_urlsafe,
        limits=limits(time.monotonic, desk.settings.keys.per_hour),
        metrics=Figures(desk.settings, tuple(inventory)),
        metrics_token=digest("metrics", token) if token else "",
        secure=place.certificate is not None,
        strict_transport=own,
    )


def _token(file: str) -> str:
    if not file:
        return ""
    path = Path(file).expanduser()
    try:
        text = private_file.read(path, _LONGEST_TOKEN).decode().strip()
    except (OSError, ValueError) as error:
        raise UsageError(f"--metrics-token {file}: {error}") from None
    if len(text) < 16:  # noqa: PLR2004 - said beside it
        raise UsageError(f"--metrics-token {file}: expected at least 16 characters")
    return text


def _ready(desk: FieldDesk, url: str, certificate: Certificate | None) -> Callable[[], None]:
    def ready() -> None:
        desk.served(url, certificate.fingerprint if certificate else "", user())
        say(f"the field page is at {url}; Ctrl-C closes it")
        if certificate:
            say(f"its certificate has the SHA-256 {certificate.fingerprint}")
        if desk.mock:
            say("its hosts are SIMULATED: the latest run was on the mock twin")
        say("who may enter: recovery desk link NAME --role technician|lead|viewer")

    return ready


class Figures:
    """Prometheus' figures, folded anew only when they are old."""

    def __init__(
        self,
        settings: Settings,
        inventory: tuple[str, ...],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Of this inventory, else of the hosts that runs named. `now` gives seconds that never go back."""
        self._settings = settings
        self._now = now
        self._inventory = inventory or settings.inventory
        self._lock = threading.Lock()
        self._told: tuple[float, bytes] = (-math.inf, b"")

    def __call__(self) -> bytes:
        """The text. Raises `JournalError`, and `UsageError` without the extra `metrics`."""
        from recovery.report.metrics import exposition
        from recovery.service.reporting import Asked, report

        with self._lock:
            now = self._now()
            if now - self._told[0] >= _FRESH:
                found = report(self._settings, Asked(inventory=self._inventory))
                self._told = (now, exposition(found.page))
            return self._told[1]
