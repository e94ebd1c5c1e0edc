"""CLIXML, in which PowerShell writes to a standard error that is no terminal, as text.

Only text streams are shown: progress and objects are noise. What is not CLIXML, or broken, stays as it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_MARK = b"#< CLIXML"
_MOST_BYTES = 256_000
_MOST_LINES = 2000
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_BEGIN, _END = b"<Objs", b"</Objs>"
_STREAMS = ("Error", "Warning", "Verbose", "Debug", "Information", "Output", "")


def text_of(stderr: bytes) -> bytes:
    """Standard error as text, UTF-8; bytes without CLIXML come back as they are."""
    if _MARK not in stderr or len(stderr) > _MOST_BYTES:
        return stderr
    lines: list[str] = []
    rest = bytearray()
    for document, before in _documents(stderr):
        rest += before
        found = _lines(document) if document else []
        if found is None:
            return stderr
        lines += found
    others = b"".join(
        line for line in bytes(rest).replace(_MARK, b"").splitlines(keepends=True) if line.strip()
    )
    said = "".join(lines[:_MOST_LINES]).replace("\r\n", "\n")
    return said.encode("utf-8", "backslashreplace") + others


def _documents(stderr: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each document with what stands before it; the last one is empty. Takes time in step with the length."""
    place = 0
    while True:
        begin = stderr.find(_BEGIN, place)
        end = stderr.find(_END, begin) if begin >= 0 else -1
        if end < 0:
            yield b"", stderr[place:]
            return
        end += len(_END)
        yield stderr[begin:end], stderr[place:begin]
        place = end


def _lines(document: bytes) -> list[str] | None:
    """The texts in one document; None when it cannot be read."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root = fromstring(document, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        return None
    return [_unescaped(node.text or "") for node in root if _is_text(node)]


def _is_text(node: Element) -> bool:
    return node.tag.rpartition("}")[2] == "S" and node.get("S", "") in _STREAMS


def _unescaped(text: str) -> str:
    r"""`_x000D__x000A_` is a line end; halves of a pair that stand alone are made visible."""
    raw = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return raw.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
