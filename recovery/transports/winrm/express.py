"""Requests on a connection on which somebody is signed in, without the layers that only signing in needs.

`requests` and urllib3 cost as much as everything else that a command costs here; what they would do for a message in
the middle of a session is nothing.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from recovery.transports.winrm.line import (
    MOST_BYTES,
    REDIRECTION,
    ClearTextError,
    EndedError,
    FloodError,
    Line,
    RedirectError,
)

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection

_PIECE = 65_536


class Got(msgspec.Struct, frozen=True):
    """An answer, as far as pywinrm looks at one."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    request: Any
    """Something that has the `url`."""


class Express:
    """The connection of a line, once somebody is signed in on it."""

    def __init__(self, line: Line, endpoint: str, authorization: str) -> None:
        """Post to `endpoint`; `authorization` is sent with each request, where it is not empty."""
        parts = urlsplit(endpoint)
        self._line = line
        self._endpoint = endpoint
        said = f"Authorization: {authorization}\r\n" if authorization else ""
        self._head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept-Encoding: identity\r\n"
            f"Connection: Keep-Alive\r\n{said}"
        )

    def prepare_request(self, request: Any) -> Any:
        """What pywinrm's encryption asks a session for: something with a body and headers."""
        return SimpleNamespace(body=request.data, headers={})

    def post(self, body: bytes, kind: str) -> Got:
        """The answer to a request. Raises `OSError`, `requests.RequestException` and `http.client.HTTPException`."""
        connection = self._line.connection
        if self._line.ended or connection is None or connection.sock is None:
            raise EndedError
        try:
            return self._exchange(connection, body, kind)
        except BaseException:
            # What is still on its way would be taken for the answer to the next request.
            connection.close()
            raise

    def _exchange(self, connection: HTTPConnection, body: bytes, kind: str) -> Got:
        head = f"{self._head}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sock.settimeout(self._line.timeouts()[1])
        connection.sock.sendall(head.encode("latin-1") + body)
        with http.client.HTTPResponse(connection.sock, method="POST") as response:
            response.begin()
            content = self._read(response)
            status, headers = response.status, dict(response.getheaders())
            if response.will_close:
                connection.close()
        self._check(status, headers, content)
        return Got(status, headers, content, SimpleNamespace(url=self._endpoint))

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        """The body, in pieces, so that nothing is kept for an answer that only says that it is long."""
        content = bytearray()
        while piece := response.read(_PIECE):
            content += piece
            if len(content) > MOST_BYTES:
                raise FloodError
        if response.length:
            raise EndedError
        return bytes(content)

    def _check(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        if status // 100 == REDIRECTION:
            raise RedirectError
        if status == HTTPStatus.UNAUTHORIZED:
            raise EndedError  # whoever was signed in is so no more
        if self._line.sealed and content and "encrypted" not in headers.get("Content-Type", ""):
            raise ClearTextError
