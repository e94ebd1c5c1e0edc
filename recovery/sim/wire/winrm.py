"""The WinRM service of one simulated machine: HTTP, who is signed in, and WS-Management."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

import h11

from recovery.sim.wire import soap
from recovery.sim.wire.shells import Shells
from recovery.sim.wire.signing import PROTOCOL, SealError, SignIn
from recovery.sim.wire.soap import Asked, FaultError

_READ = 65_536
_PLAIN = "application/soap+xml;charset=UTF-8"
_SEALED = f'multipart/encrypted;protocol="{PROTOCOL}";boundary="Encrypted Boundary"'
_PATH = b"/wsman"
_BAD = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

Headers = list[tuple[str, str]]


class _AnswerError(Exception):
    """An HTTP answer that ends the treatment of a request."""

    def __init__(self, status: int, headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(status)
        self.status = status
        self.headers = list(headers)


class Conversation:
    """One connection. Messages in the clear are refused where there is no TLS, as AllowUnencrypted=false does."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        shells: Shells,
        sign_in: SignIn,
        *,
        tls: bool,
    ) -> None:
        """Serve `shells` to whom `sign_in` lets in."""
        self._reader = reader
        self._writer = writer
        self._shells = shells
        self._sign_in = sign_in
        self._tls = tls
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_READ)

    async def go_on(self) -> None:
        """Answer requests until the client closes or breaks the rules of HTTP. Raises `ConnectionCutError`."""
        with contextlib.suppress(ConnectionError):
            try:
                await self._answer_all()
            except h11.RemoteProtocolError:
                self._writer.write(_BAD)
                await self._writer.drain()

    async def _answer_all(self) -> None:
        while True:
            request, body = await self._request()
            if request is None:
                return
            try:
                message, status, kind = await self._treat(request, body)
                await self._send(status, [("Content-Type", kind)] if message else [], message)
            except _AnswerError as answer:
                await self._send(answer.status, answer.headers, b"")
            if self._http.our_state is h11.MUST_CLOSE:
                return
            self._http.start_next_cycle()

    async def _request(self) -> tuple[h11.Request | None, bytes]:
        request: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(_READ))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > 2 * soap.MOST_BYTES:
                    return None, b""
            elif isinstance(event, h11.EndOfMessage):
                return request, bytes(body)
            else:
                return None, b""

    async def _treat(self, request: h11.Request, body: bytes) -> tuple[bytes, int, str]:
        """The answer's body, status and type. Raises `_AnswerError` for one without a body."""
        _check_target(request)
        headers = {name.decode(): value.decode("latin-1") for name, value in request.headers}
        if headers.get("wsmanidentify") == "unauthenticated" and soap.is_identify(body):
            return soap.identified(), 200, _PLAIN
        challenge = self._sign_in.step(headers.get("authorization", ""))
        if challenge:
            raise _AnswerError(401, challenge)
        if not body:
            raise _AnswerError(200)
        if PROTOCOL not in headers.get("content-type", ""):
            if not self._tls:
                raise _AnswerError(403)
            message, status = await self._operate(body)
            return message, status, _PLAIN
        try:
            message, status = await self._operate(self._sign_in.unseal(body))
        except SealError:
            raise _AnswerError(400) from None
        return self._sign_in.seal(message), status, _SEALED

    async def _operate(self, body: bytes) -> tuple[bytes, int]:
        asked: Asked | None = None
        try:
            asked = soap.parse(body)
            return await self._shells.handle(asked), 200
        except FaultError as problem:
            return soap.fault(asked, problem), 500

    async def _send(self, status: int, headers: Headers, body: bytes) -> None:
        fields = [("Server", "Microsoft-HTTPAPI/2.0"), *headers, ("Content-Length", str(len(body)))]
        parts = [
            self._http.send(h11.Response(status_code=status, headers=fields)),
            self._http.send(h11.Data(data=body)),
            self._http.send(h11.EndOfMessage()),
        ]
        self._writer.write(b"".join(part for part in parts if part))
        await self._writer.drain()


def _check_target(request: h11.Request) -> None:
    if request.method != b"POST":
        raise _AnswerError(405, [("Allow", "POST")])
    if request.target.partition(b"?")[0] != _PATH:
        raise _AnswerError(404)
