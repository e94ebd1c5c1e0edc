"""A cheap look at a WinRM service: a connection, TLS where it belongs, and the question what kind of server it is.

Nobody signs in for that (DSP0226, 11; Windows answers it where the header `WSMANIDENTIFY: unauthenticated` is set).
"""

from __future__ import annotations

import asyncio
import ssl
from http import HTTPStatus

import h11

from recovery.errors import TransportError
from recovery.ports import Look
from recovery.transports.patience import listening_for
from recovery.transports.ssh.reasons import os_reason
from recovery.transports.winrm.place import Place
from recovery.transports.winrm.trust import context_for

_QUESTION = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    b' xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    b"<s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>"
)
_ANSWERS = Look(answers=True)
_NO_ANSWER = Look(answers=False, reason="no answer to a TCP connection")
_NO_SERVER = Look(
    answers=False, reason="the port accepts connections, but no WinRM service answers behind it"
)
_NO_TLS = Look(answers=False, reason="what answers there speaks no TLS: is it a listener for http?")
_REDIRECTS = Look(answers=False, reason="what answers there redirects to another address")
_NO_NAME = Look(answers=False, reason="its name cannot be resolved")
"""A name of too long or empty parts (RFC 1035, 2.3.4) is an error of Python's own."""
_MOST_BYTES = 65_536


class Looks:
    """Looks, with the trust that is the same for many hosts read once."""

    def __init__(self, timeout: float) -> None:
        """Give up after `timeout` seconds."""
        self._timeout = timeout
        self._contexts: dict[tuple[str, bool], ssl.SSLContext] = {}

    async def at(self, place: Place) -> Look:
        """Whether a WinRM service answers. One whose certificate is not believed does: opening a session says why."""
        writer: asyncio.StreamWriter | None = None
        connected = False
        try:
            context = self._context(place) if place.https else None
            async with listening_for(self._timeout):
                reader, writer = await asyncio.open_connection(place.address, place.port)
                connected = True
                if context is not None:
                    await writer.start_tls(context, server_hostname=place.address)
                return await _identified(reader, writer, place)
        except TimeoutError:
            return _NO_SERVER if connected else _NO_ANSWER
        except (ssl.SSLCertVerificationError, TransportError):
            return _ANSWERS
        except ssl.SSLError:
            return _NO_TLS
        except OSError as error:
            return _NO_SERVER if connected else Look(answers=False, reason=os_reason(error))
        except ValueError:
            return _NO_SERVER if connected else _NO_NAME
        finally:
            if writer is not None:
                writer.transport.abort()

    def _context(self, place: Place) -> ssl.SSLContext:
        key = (place.ca_file, place.verify)
        found = self._contexts.get(key)
        if found is None:
            try:
                found = self._contexts[key] = context_for(place.ca_file, verify=place.verify)
            except OSError:
                raise TransportError from None
        return found


async def _identified(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: Place
) -> Look:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_BYTES)
    writer.write(_request(connection, place))
    response: h11.Response | None = None
    body = b""
    try:
        while len(body) < _MOST_BYTES:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(_MOST_BYTES))
            elif isinstance(event, h11.Response):
                response = event
                if event.status_code != HTTPStatus.OK:
                    break
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                break
    except h11.RemoteProtocolError:
        return _NO_SERVER
    return _judged(response, body)


def _request(connection: h11.Connection, place: Place) -> bytes:
    headers = [
        ("Host", f"{place.address}:{place.port}"),
        ("Content-Type", "application/soap+xml;charset=UTF-8"),
        ("Content-Length", str(len(_QUESTION))),
        ("WSMANIDENTIFY", "unauthenticated"),
        ("Connection", "close"),
    ]
    parts = (
        connection.send(h11.Request(method="POST", target="/wsman", headers=headers)),
        connection.send(h11.Data(data=_QUESTION)),
        connection.send(h11.EndOfMessage()),
    )
    return b"".join(part for part in parts if part)


def _judged(response: h11.Response | None, body: bytes) -> Look:
    if response is None:
        return _NO_SERVER
    if response.status_code == HTTPStatus.OK and b"IdentifyResponse" in body:
        return _ANSWERS
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        # The service is set not to say what it is before somebody has signed in.
        return _ANSWERS
    return _REDIRECTS if any(name == b"location" for name, _ in response.headers) else _NO_SERVER
