"""WS-Management messages as Windows writes them: what a request asks for, replies, and faults.

The forms are those of [MS-WSMV] (Web Services Management Protocol Extensions for Windows Vista) and of DSP0226.
"""

from __future__ import annotations

import re
import uuid
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

import msgspec

MOST_BYTES = 512_000
"""Of one message: MaxEnvelopeSizekb of Windows is 500."""

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
_SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
_IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
_TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
_ANONYMOUS = f"{_ADDRESSING}/role/anonymous"
_ROOMS = {"s": _SOAP, "a": _ADDRESSING, "w": _WSMAN, "r": _SHELL, "i": _IDENTITY}
_SPAN = re.compile(r"PT(?:(\d{1,6})M)?(?:(\d{1,6}(?:\.\d{1,6})?)S)?")
_LONGEST_SPAN = 86_400.0


class FaultError(Exception):
    """The answer to a request that is not carried out: HTTP status 500 and these words."""

    def __init__(self, code: int, subcode: str, reason: str, *, sender: bool = True) -> None:
        """`code` is that of WSManFault (wsmerror.h), `subcode` one of DSP0226's."""
        super().__init__(reason)
        self.code = code
        self.subcode = subcode
        self.reason = reason
        self.sender = sender


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request."""

    operation: str
    """`Create`, `Command`, `Send`, `Receive`, `Signal`, `Delete`, or what the action ends in."""
    identity: str
    shell: str
    timeout: float
    """Seconds after which an operation is answered with a fault."""
    body: Element


def parse(raw: bytes) -> Asked:
    """The request. Raises `FaultError` for what is not one."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root = fromstring(raw, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        raise FaultError(
            2150858752, "w:SchemaValidationError", "The XML in the request is not valid."
        ) from None
    body = root.find("s:Body", _ROOMS)
    if body is None:
        raise FaultError(2150858752, "w:SchemaValidationError", "The request has no body.")
    return Asked(
        operation=_text(root, "s:Header/a:Action").rpartition("/")[2],
        identity=_text(root, "s:Header/a:MessageID"),
        shell=_text(root, "s:Header/w:SelectorSet/w:Selector"),
        timeout=seconds(_text(root, "s:Header/w:OperationTimeout"), 60.0),
        body=body,
    )


def seconds(span: str, default: float) -> float:
    """Seconds of an XML schema duration, as far as clients of WinRM write any."""
    match = _SPAN.fullmatch(span)
    if match is None or not span[2:]:
        return default
    return min(_LONGEST_SPAN, 60.0 * int(match[1] or 0) + float(match[2] or 0))


def is_identify(raw: bytes) -> bool:
    """Whether the message is the question for the kind of server (DSP0226, 11)."""
    return b"Identify" in raw and _IDENTITY.encode() in raw


def part(body: Element, path: str) -> Element | None:
    """An element below the body; `path` uses the prefixes s, a, w, r."""
    return body.find(path, _ROOMS)


def text(body: Element, path: str) -> str:
    """The text of an element below the body."""
    return _text(body, path)


def _text(element: Element, path: str) -> str:
    return (element.findtext(path, "", _ROOMS) or "").strip()


# --- replies ---


def identified() -> bytes:
    """The answer to Identify."""
    return _envelope(
        "",
        f'<i:IdentifyResponse xmlns:i="{_IDENTITY}"><i:ProtocolVersion>{_WSMAN}</i:ProtocolVersion>'
        "<i:ProductVendor>Microsoft Corporation</i:ProductVendor>"
        "<i:ProductVersion>OS: 0.0.0 SP: 0.0 Stack: 3.0</i:ProductVersion></i:IdentifyResponse>",
    )


def created(asked: Asked, shell: str) -> bytes:
    """A shell was opened."""
    return _reply(
        asked,
        f"{_TRANSFER}/CreateResponse",
        f'<x:ResourceCreated xmlns:x="{_TRANSFER}"><a:Address>http://localhost/wsman</a:Address>'
        f"<a:ReferenceParameters><w:ResourceURI>{_SHELL}/cmd</w:ResourceURI><w:SelectorSet>"
        f'<w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
        f"</x:ResourceCreated><rsp:Shell><rsp:ShellId>{shell}</rsp:ShellId></rsp:Shell>",
    )


def started(asked: Asked, command: str) -> bytes:
    """A command was started."""
    inner = f"<rsp:CommandResponse><rsp:CommandId>{command}</rsp:CommandId></rsp:CommandResponse>"
    return _reply(asked, f"{_SHELL}/CommandResponse", inner)


def received(
    asked: Asked, command: str, streams: list[tuple[str, str, bool]], exit_code: int | None
) -> bytes:
    """Output: name, base64 text and whether it is the stream's last; with an exit code the command is done."""
    parts = "".join(
        f"<rsp:Stream Name={quoteattr(name)} CommandId={quoteattr(command)}"
        + (' End="true"' if last else "")
        + f">{data}</rsp:Stream>"
        for name, data, last in streams
    )
    state = "Running" if exit_code is None else "Done"
    ending = "" if exit_code is None else f"<rsp:ExitCode>{exit_code}</rsp:ExitCode>"
    return _reply(
        asked,
        f"{_SHELL}/ReceiveResponse",
        f"<rsp:ReceiveResponse>{parts}<rsp:CommandState CommandId={quoteattr(command)}"
        f' State="{_SHELL}/CommandState/{state}">{ending}</rsp:CommandState></rsp:ReceiveResponse>',
    )


def acknowledged(asked: Asked) -> bytes:
    """Send, Signal and Delete have nothing to tell."""
    operation = asked.operation
    if operation == "Delete":
        return _reply(asked, f"{_TRANSFER}/DeleteResponse", "")
    return _reply(asked, f"{_SHELL}/{operation}Response", f"<rsp:{operation}Response/>")


def fault(asked: Asked | None, problem: FaultError) -> bytes:
    """Why a request was not carried out."""
    reason = escape(problem.reason)
    return _reply(
        asked,
        "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault",
        f"<s:Fault><s:Code><s:Value>s:{'Sender' if problem.sender else 'Receiver'}</s:Value><s:Subcode>"
        f"<s:Value>{problem.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{reason}</s:Text></s:Reason>'
        f'<s:Detail><f:WSManFault xmlns:f="{_FAULT}" Code="{problem.code}" Machine="localhost">'
        f"<f:Message>{reason}</f:Message></f:WSManFault></s:Detail></s:Fault>",
    )


def _reply(asked: Asked | None, action: str, body: str) -> bytes:
    related = f"<a:RelatesTo>{escape(asked.identity)}</a:RelatesTo>" if asked else ""
    header = (
        f"<a:Action>{action}</a:Action><a:MessageID>uuid:{uuid.uuid4()}</a:MessageID>"
        f"<a:To>{_ANONYMOUS}</a:To>{related}"
    )
    return _envelope(header, body)


def _envelope(header: str, body: str) -> bytes:
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{_SOAP}" xmlns:a="{_ADDRESSING}" xmlns:w="{_WSMAN}" '
        f'xmlns:rsp="{_SHELL}"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'
    ).encode()
