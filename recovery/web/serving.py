"""The server's process: TLS, bounds on connections, and an end at the first signal."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Callable

import msgspec
import uvicorn
from starlette.types import ASGIApp

from recovery.errors import UsageError
from recovery.web.door import BACKLOG, MOST, Door, Line, Loop
from recovery.web.tls import Certificate

_KEEP_ALIVE = 15
_HEADERS = 16_384
_GRACE = 5


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the page is served."""

    address: str
    port: int
    """0: one that is free."""
    name: str = ""
    """How browsers call it; empty means the address, or the name of this machine where that is any address."""
    certificate: Certificate | None = None


def listening(place: Place) -> socket.socket:
    """A socket of this place. Raises `UsageError`."""
    family = socket.AF_INET6 if ":" in place.address else socket.AF_INET
    made = Door(family)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((place.address, place.port))
        made.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        made.close()
        raise UsageError(f"{place.address} port {place.port} cannot be served: {error}") from None
    return made


def url_of(place: Place, listener: socket.socket) -> str:
    """The page's address for browsers."""
    anywhere = ipaddress.ip_address(place.address).is_unspecified  # which no phone can open
    name = place.name or (socket.gethostname() if anywhere else place.address)
    host = f"[{name}]" if ":" in name else name
    scheme = "https" if place.certificate else "http"
    return f"{scheme}://{host}:{listener.getsockname()[1]}"


def serve(app: ASGIApp, place: Place, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until a signal ends it; `ready` is called once connections are taken."""
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    certificate = place.certificate
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="off",
        http=Line,
        ws="none",
        limit_concurrency=MOST,
        backlog=BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GRACE,
        h11_max_incomplete_event_size=_HEADERS,
        ssl_certfile=certificate.chain if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )
    # By then everything is closed: the server hands the signal on that has ended it.
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(_Server(config, ready).serve(sockets=[listener]))


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()
