"""Blockers: a program or a page of the operator's that says whether machines may be changed now.

Only a clear yes lets a run go on. A program says yes by exit status 0, a page by status 200 or 204 of its own: a
redirection leads to a page that nobody asked about, such as a sign-in. Everything else holds the run, also a blocker
that cannot be asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
import urllib.parse
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from recovery import programs
from recovery.errors import UsageError
from recovery.redact import scrub

if TYPE_CHECKING:
    import http.client

Asking = Callable[[], Awaitable[str]]
"""Asks the blocker: why not now, or nothing."""

TIMEOUT = 10.0
"""Seconds for one answer."""

_MOST_BYTES = 4096
_LONGEST_REASON = 200
_SCHEMES = ("http://", "https://")


def blocker(words: Sequence[str], timeout: float = TIMEOUT) -> Asking | None:
    """The blocker that these words name; None for none. Raises `UsageError` for a URL that cannot be asked."""
    if not words:
        return None
    if len(words) == 1 and "://" in words[0]:
        return _page(words[0], timeout)

    async def ask() -> str:
        return await asyncio.to_thread(_ask_program, tuple(words), timeout)

    return ask


def _ask_program(argv: tuple[str, ...], timeout: float) -> str:
    try:
        ran = programs.run(argv, timeout=timeout, most_bytes=_MOST_BYTES, with_errors=True)
    except TimeoutError:
        return f"{argv[0]} did not end within {timeout:g} s"
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a program's name"
        return f"{argv[0]} cannot be started: {reason}"
    if ran.status is None:
        return f"{argv[0]} printed more than {_MOST_BYTES} bytes"
    if ran.status == 0:
        return ""
    return _shown(ran.output) or f"{argv[0]} ended with status {ran.status}"


class _Page(msgspec.Struct, frozen=True):
    """Where to ask."""

    secure: bool
    host: str
    port: int | None
    path: str


def _page_of(url: str) -> _Page:
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"blocker {url!r}: {error}") from None
    if not url.lower().startswith(_SCHEMES) or not parts.hostname:
        raise UsageError(f"blocker {url!r}: expected http://HOST/... or https://HOST/...")
    if parts.username is not None:
        raise UsageError(
            "blocker: a URL with a password in it would stand in the journal; use a program"
        )
    path = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
    return _Page(parts.scheme == "https", parts.hostname, port, path)


def _page(url: str, timeout: float) -> Asking:
    page = _page_of(url)

    async def ask() -> str:
        try:
            async with asyncio.timeout(timeout + 1.0):
                return await asyncio.to_thread(_ask_page, page, timeout)
        except TimeoutError:
            return _late(page, timeout)

    return ask


def _ask_page(page: _Page, timeout: float) -> str:
    import http.client  # noqa: PLC0415 - with TLS and mail it takes a tenth of a second, which most commands do not need

    until = time.monotonic() + timeout
    kind = http.client.HTTPSConnection if page.secure else http.client.HTTPConnection
    connection = kind(page.host, page.port, timeout=timeout)
    cutter = threading.Timer(timeout, _break_off, (connection,))
    try:
        connection.connect()
        cutter.start()  # a page that comes byte by byte keeps within every limit of the socket
        connection.request("GET", page.path, headers={"Accept": "text/plain, */*"})
        answer = connection.getresponse()
        said = _judged(answer.status, _read(answer, until), page.host)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"{page.host} cannot be asked: {str(error) or type(error).__name__}"
    finally:
        cutter.cancel()
        connection.close()
    # What was broken off is no answer, not even one that began well.
    return said if time.monotonic() < until else _late(page, timeout)


def _late(page: _Page, timeout: float) -> str:
    return f"{page.host} did not answer in {timeout:g} s"


def _break_off(connection: http.client.HTTPConnection) -> None:
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _read(answer: http.client.HTTPResponse, until: float) -> bytes:
    """The beginning of the page, as far as it comes in time."""
    found = bytearray()
    while len(found) < _MOST_BYTES and time.monotonic() < until:
        part = answer.read1(_MOST_BYTES - len(found))
        if not part:
            break
        found += part
    return bytes(found)


def _judged(status: int, body: bytes, host: str) -> str:
    if status in (200, 204):
        return ""
    return _shown(body) or f"{host} answers with status {status}"


def _shown(output: bytes) -> str:
    """The first line that says something, inert and short."""
    lines = (line.strip() for line in output.decode("utf-8", "replace").splitlines())
    line = next((line for line in lines if line), "")
    inert = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
    return scrub(inert)[:_LONGEST_REASON]
