"""The dashboard in a browser: textual-serve, behind a link that only its owner has.

Whoever reaches the page can do all that the dashboard can, so every request has to carry the key of the link, to name
this server as its host (a name that was bound anew to this address is none), and to come from no other page.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
import shlex
import sys
from collections.abc import Awaitable, Callable, Sequence

from recovery.errors import UsageError
from recovery.model.address import is_loopback

try:
    from aiohttp import web
    from textual_serve.server import Server
except ImportError:
    raise UsageError("--web needs textual-serve: pip install 'fleet-recovery[browser]'") from None

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_COOKIE = "recovery"
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self' ws://{host}; frame-ancestors 'none'"
)


def serve_dashboard(words: Sequence[str], listen: str, say: Callable[[str], None]) -> None:
    """Serve the dashboard that `recovery` shows with these words, until Ctrl-C. Raises `UsageError`."""
    host, port = _place(listen)
    command = shlex.join([sys.executable, "-m", "recovery", *words])
    if not is_loopback(host):
        say(
            f"warning: {host} is reached by others, and nothing is encrypted: "
            "whoever reads the link on the way steers the recovery"
        )
    try:
        DashboardServer(command, host, port, say).serve()
    except OSError as error:
        raise UsageError(f"--listen {listen}: {error.strerror or error}") from None


def _place(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    host = host.strip("[]")
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) <= 65_535):  # noqa: PLR2004 - ports
        raise UsageError(f"--listen {listen}: expected ADDRESS:PORT, such as 127.0.0.1:8017")
    if host in ("0.0.0.0", "::"):  # noqa: S104 - it is refused
        raise UsageError(f"--listen {listen}: name the address that the browser will use")
    return host, int(port)


class DashboardServer(Server):
    """textual-serve's server, which answers nobody who has not got the link."""

    def __init__(self, command: str, host: str, port: int, say: Callable[[str], None]) -> None:
        """Serve what `command` shows; `say` gets the link."""
        self.authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        super().__init__(command, host, port, "Fleet Recovery", f"http://{self.authority}")
        self.key = secrets.token_urlsafe(32)
        self._say = say

    @property
    def link(self) -> str:
        """Where the dashboard is."""
        return f"{self.public_url}/?key={self.key}"

    def initialize_logging(self) -> None:
        """Errors alone are told, by the program's own log, which masks secrets."""

    async def on_startup(self, app: web.Application) -> None:
        """Nothing is told before somebody can be served."""

    def serve(self, debug: bool = False) -> None:  # noqa: FBT001, FBT002 - textual-serve's signature
        """Serve until Ctrl-C. Raises `OSError` where the place is not to be had."""
        self.debug = debug
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(self._serve())

    async def _serve(self) -> None:
        runner = web.AppRunner(await self._make_app(), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
            self._say(f"open {self.link}\nCtrl-C ends this page; runs go on")
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._check_place(request)
        if request.path == "/" and self._is_key(request.query.get("key", "")):
            found = web.HTTPSeeOther("/")
            found.set_cookie(_COOKIE, self.key, httponly=True, samesite="Strict", path="/")
            raise found
        if not self._is_key(request.cookies.get(_COOKIE, "")):
            raise web.HTTPForbidden(text="Open the link that `recovery tui --web` has printed.")
        response = await handler(request)
        if not response.prepared:
            response.headers["Content-Security-Policy"] = _POLICY.format(host=self.authority)
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def _check_place(self, request: web.Request) -> None:
        origin = request.headers.get("Origin", self.public_url)
        if request.headers.get("Host") != self.authority or origin != self.public_url:
            raise web.HTTPForbidden(text="This page is not for other pages.")

    def _is_key(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self.key.encode())
