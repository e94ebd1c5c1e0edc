"""Around every request: headers that keep browsers strict, and a line for the log without anything secret."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ACCESS = logging.getLogger("recovery.web.access")
_LONGEST_PATH = 80

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # With `no-referrer` browsers would hide where forms come from, from us as well.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


class Gate:
    """An ASGI application around another one."""

    def __init__(
        self, app: ASGIApp, *, strict_transport: bool, now: Callable[[], float] = time.perf_counter
    ) -> None:
        """`now` gives seconds, for how long each answer took."""
        self._app = app
        self._now = now
        self._headers = dict(HEADERS)
        if strict_transport:
            self._headers["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry a request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = self._now(), 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            client = scope.get("client") or ("-", 0)
            # What follows the path may be a token; the path itself is anybody's text.
            path = ascii(scope["path"][:_LONGEST_PATH])
            ACCESS.info(
                "%s %s %s %d %.0f ms",
                client[0],
                scope["method"],
                path,
                status,
                (self._now() - began) * 1000,
            )
