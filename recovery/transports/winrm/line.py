"""One connection to one host below `requests`: pinned, bounded in time and size, and cut from outside at any moment.

pywinrm leaves four things to `requests` that must not be left to chance. A connection that ended would be opened anew
in the middle of a session, without anybody signed in. A redirect would be followed, with the sign-in repeated at
whatever it names. An answer would be read without end. And a peer that sends a byte now and then would never time out.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from typing_extensions import override
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Url, parse_url

MOST_BYTES = 4_000_000
"""Of one answer; Windows sends 500 kB at most (MaxEnvelopeSizekb)."""
_CONNECT = 10.0
_SHORTEST = 0.05
_PIECE = 65_536
_NEVER = float("inf")
REDIRECTION = 3
"""The first digit of such a status."""


class FloodError(requests.RequestException):
    """The answer is longer than any that a host sends."""


class EndedError(requests.ConnectionError):
    """The connection ended; another one would be another session."""


class RedirectError(requests.RequestException):
    """The peer names another address."""


class ClearTextError(requests.RequestException):
    """The peer answers in the clear where messages are encrypted."""


class Line:
    """The one connection of a session, and the time that its current operation has left."""

    def __init__(self, read_timeout: float, under_way: set[Line]) -> None:
        """A silence of `read_timeout` seconds ends it. While something is done on it, it is in `under_way`."""
        self._read_timeout = read_timeout
        self._under_way = under_way
        self._cut = threading.Event()
        self._deadline = _NEVER
        self._handle: socket.socket | None = None
        self._lock = threading.Lock()
        self.connection: HTTPConnection | None = None
        self.pinned = False
        """Somebody is signed in on it."""
        self.ended = False
        """It was cut."""
        self.sealed = False
        """Everything that comes over it has to be encrypted."""

    @contextlib.contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        """What is done meanwhile ends at `deadline` (monotonic seconds)."""
        before, self._deadline = self._deadline, deadline
        self._under_way.add(self)
        try:
            yield
        finally:
            self._deadline = before
            if before == _NEVER:
                self._under_way.discard(self)

    @property
    def left(self) -> float:
        """Seconds that the operation has."""
        return self._deadline - time.monotonic()

    def hurry(self, deadline: float) -> None:
        """Let the operation end by `deadline` at the latest."""
        self._deadline = min(self._deadline, deadline)

    def rest(self, seconds: float) -> None:
        """Do nothing for a while, unless the line is cut."""
        self._cut.wait(max(0.0, min(seconds, self.left)))

    def timeouts(self) -> tuple[float, float]:
        """Seconds to connect, and seconds of silence."""
        left = max(_SHORTEST, self.left)
        return min(_CONNECT, left), min(self._read_timeout, left)

    def connected(self, connection: socket.socket) -> None:
        """A connection was made; what is done to the copy of its handle is done to it.

        Raises `EndedError` where the line was cut meanwhile.
        """
        with self._lock:
            self._let_go()
            if self.ended:
                raise EndedError
            self._handle = connection.dup()

    def check(self) -> None:
        """Raises `EndedError` when no new connection may be made."""
        if self.pinned or self.ended:
            raise EndedError

    def cut(self) -> None:
        """End the connection, whatever somebody is doing with it."""
        with self._lock:
            self.ended = True
            self._cut.set()
            if self._handle is not None:
                with contextlib.suppress(OSError):
                    self._handle.shutdown(socket.SHUT_RDWR)
            self._let_go()

    def close(self) -> None:
        """Let go of the copy."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None


class _OnLine:
    """What both kinds of connections do beside their own."""

    line: Line

    def connect(self) -> None:
        self.line.check()
        super().connect()  # type: ignore[misc]
        self.line.connection = cast("HTTPConnection", self)

    def _new_conn(self) -> socket.socket:
        made: socket.socket = super()._new_conn()  # type: ignore[misc]
        try:
            self.line.connected(made)
        except EndedError:
            made.close()
            raise
        return made


class _Plain(_OnLine, HTTPConnection):
    pass


class _Secure(_OnLine, HTTPSConnection):
    pass


class _Bounded(requests.Response):
    """An answer that is read up to a limit."""

    @override
    def iter_content(
        self, chunk_size: int | None = 1, decode_unicode: bool = False
    ) -> Iterator[Any]:
        read = 0
        for piece in super().iter_content(_PIECE):
            read += len(piece)
            if read > MOST_BYTES:
                self.close()
                raise FloodError
            yield piece


class LineAdapter(HTTPAdapter):
    """Sends everything over one line."""

    def __init__(self, line: Line, context: ssl.SSLContext | None) -> None:
        """`context` says whom to believe over https."""
        self._line = line
        self._context = context
        self._pool: HTTPConnectionPool | None = None
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    @override
    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Send within the time that is left. Redirects and answers in the clear are refused."""
        kwargs["timeout"] = self._line.timeouts()
        response = super().send(request, *args, **kwargs)
        if response.is_redirect or response.status_code // 100 == REDIRECTION:
            response.close()
            raise RedirectError
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            self._line.pinned = True
            if self._line.sealed and _in_the_clear(response):
                response.close()
                raise ClearTextError
        return response

    @override
    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """As the library's, but bounded."""
        bounded = _Bounded()
        bounded.__dict__.update(super().build_response(req, resp).__dict__)
        return bounded

    @override
    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        """The pool with the one connection."""
        if self._pool is None:
            self._pool = self._made(parse_url(request.url), select_proxy(request.url, proxies))
        return self._pool

    @override
    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """The context has it all."""

    @override
    def close(self) -> None:
        """Close the connection."""
        super().close()
        if self._pool is not None:
            self._pool.close()
        self._line.close()

    def _made(self, url: Url, proxy: str | None) -> HTTPConnectionPool:
        host, port = url.host or "", url.port
        pool: HTTPConnectionPool
        if proxy:
            manager = ProxyManager(proxy, num_pools=1, maxsize=1, ssl_context=self._context)
            pool = manager.connection_from_host(host, port, url.scheme)
        elif self._context is not None:
            pool = HTTPSConnectionPool(host, port, maxsize=1, ssl_context=self._context)
        else:
            pool = HTTPConnectionPool(host, port, maxsize=1)
        kind = _Secure if self._context is not None else _Plain

        def connection(*args: Any, **kwargs: Any) -> HTTPConnection:
            made = kind(*args, **kwargs)
            made.line = self._line
            return made

        pool.ConnectionCls = connection  # type: ignore[assignment]
        return pool


def _in_the_clear(response: requests.Response) -> bool:
    """Whether it carries something that is not encrypted. The answer that ends a handshake is empty."""
    kind = response.headers.get("Content-Type", "")
    return "encrypted" not in kind and response.headers.get("Content-Length") != "0"
