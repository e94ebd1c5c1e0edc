"""Windows event XML: what Event Viewer, `wevtutil qe /f:xml`, `Get-WinEvent` with ToXml and readers of logs put out.

Records are cut out of the text one by one, so that wrappers, text around them, missing roots and a missing end do
not matter, and no document type and no entity of the file ever reaches the parser.
"""

from __future__ import annotations

import base64
import codecs
import html
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from recovery.detect import event_objects
from recovery.detect.event_record import EventRecord, RawEvent, interpret, moment

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LARGEST = 128 * 1024 * 1024
"""Bytes that are read; what is behind is lost and said to be."""
_MOST = 200_000
_LONGEST_RECORD = 1024 * 1024
_MOST_BINARY = 4096

_NUMBER = re.compile(r"[0-9]{1,19}")
_TAG = re.compile(r"<(/?)(?:[\w.-]+:)?Event(?:\s[^<>]*)?(/?)>")
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_STRING = re.compile(r"<string>(.*?)</string>", re.DOTALL)
"""Some readers of logs put the strings of one datum so."""
_PREFIX = re.compile(r"<(/?)[\w.-]+:(?=\w)")
_CHARACTER = r"\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff"
_ILLEGAL = re.compile(rf"[^{_CHARACTER}]")
_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}));")
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class EventsRead(msgspec.Struct, frozen=True):
    """Records of a file, and what of it was lost."""

    records: tuple[EventRecord, ...]
    problems: tuple[str, ...] = ()


def read(data: bytes) -> tuple[EventRecord, ...]:
    """Every record that can be read, in the file's order; those that say nothing of crashes are of kind `other`."""
    return read_all(data).records


def read_all(data: bytes) -> EventsRead:
    """As `read`, with what could not be read."""
    problems = [f"only its first {LARGEST} bytes were read"] if len(data) > LARGEST else []
    records: list[EventRecord] = []
    broken = 0
    for raw in _raw_events(_decode(data[:LARGEST]), problems):
        if raw is None:
            broken += 1
        elif len(records) < _MOST:
            records.append(interpret(raw))
    if broken:
        problems.append(f"{broken} record{'s' if broken > 1 else ''} could not be read")
    if len(records) == _MOST:
        problems.append(f"only the first {_MOST} records were read")
    return EventsRead(tuple(records), tuple(problems))


def _raw_events(text: str, problems: list[str]) -> Iterator[RawEvent | None]:
    """The parts of each record; None for one that cannot be read."""
    if event_objects.looks_like(text):
        yield from event_objects.read(text, problems)
    else:
        yield from map(parse, _cut(text, problems))


def looks_like(head: bytes) -> bool:
    """Whether a file that begins so holds event records."""
    text = _decode(head)
    holds = _TAG.search(text) is not None or "&lt;Event" in text
    return holds or event_objects.looks_like(text)


def parse(text: str) -> RawEvent | None:
    """The parts of one `<Event>` element; None when it is none."""
    if len(text) > _LONGEST_RECORD:
        return None
    for form in (text, _repaired(text)):
        element = _element(form)
        if element is not None:
            return _raw(element)
    return None


def _decode(data: bytes) -> str:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data[len(bom) :].decode(encoding, "replace")
    head = data[:200]
    if head[1::2].count(0) > len(head) // 4:
        return data.decode("utf-16-le", "replace")
    if head[::2].count(0) > len(head) // 4:
        return data.decode("utf-16-be", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode(_declared(head), "replace")


def _declared(head: bytes) -> str:
    """The encoding that an XML declaration names, where it is one of text that this machine knows."""
    found = _DECLARED.search(head)
    try:
        info = codecs.lookup(found[1].decode("ascii")) if found else None
    except LookupError:
        return "utf-8"
    usual = info is not None and info.name.startswith(
        ("cp", "iso8859", "koi8", "gb", "big5", "shift", "euc")
    )
    return info.name if info is not None and usual else "utf-8"


def _cut(text: str, problems: list[str]) -> Iterator[str]:
    """The text of each record. One that another begins within was cut off, and so is the last without an end."""
    if not _TAG.search(text) and "&lt;Event" in text:
        text = html.unescape(text)
    begin = -1
    lost = 0
    for tag in _TAG.finditer(text):
        if tag[2]:
            continue
        if not tag[1]:
            lost += begin >= 0
            begin = tag.start()
        elif begin >= 0:
            yield text[begin : tag.end()]
            begin = -1
    lost += begin >= 0
    if lost:
        problems.append(f"{lost} record{'s are' if lost > 1 else ' is'} cut off")


def _repaired(text: str) -> str:
    """Without characters that XML has no place for, prefixes that nothing declares, and loose ampersands."""
    text = _ILLEGAL.sub("", _REFERENCE.sub(_kept, text))
    return _PREFIX.sub(r"<\1", _ENTITY.sub("&amp;", text))


def _kept(reference: re.Match[str]) -> str:
    """A character reference, unless XML has no place for what it stands for."""
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    legal = code <= sys.maxunicode and not _ILLEGAL.match(chr(code))
    return reference[0] if legal else ""


def _element(text: str) -> Element | None:
    from xml.etree.ElementTree import ParseError  # noqa: PLC0415

    from defusedxml import DefusedXmlException  # noqa: PLC0415
    from defusedxml.ElementTree import fromstring  # noqa: PLC0415

    try:
        element: Element = fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        return None
    return element


def _raw(event: Element) -> RawEvent | None:
    parts: dict[str, Element] = {}
    for element in event.iter():
        parts.setdefault(_local(element), element)
    number = _integer(_text(parts.get("EventID")))
    if number is None:
        return None
    provider = _attributes(parts.get("Provider"))
    time = _attributes(parts.get("TimeCreated"))
    return RawEvent(
        event_id=number & 0xFFFF,
        provider=provider.get("Name", ""),
        guid=provider.get("Guid", ""),
        source=provider.get("EventSourceName", ""),
        channel=_text(parts.get("Channel")),
        computer=_text(parts.get("Computer")),
        record_id=_integer(_text(parts.get("EventRecordID"))),
        at=moment(time.get("SystemTime", "")),
        data=tuple(_data(parts.get("EventData"))),
        binary=_bytes(_text(parts.get("Binary"))),
    )


def _data(holder: Element | None) -> Iterator[tuple[str, str]]:
    for element in holder if holder is not None else ():
        if _local(element) == "Data":
            name, text = _attributes(element).get("Name", ""), _text(element)
            strings = [_text(inner) for inner in element if _local(inner) == "string"]
            strings = strings or _STRING.findall(text)
            yield from (("", string.strip()) for string in strings) if strings else ((name, text),)


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _attributes(element: Element | None) -> dict[str, str]:
    if element is None:
        return {}
    return {name.rpartition("}")[2]: value for name, value in element.attrib.items()}


def _text(element: Element | None) -> str:
    return "".join(element.itertext()).strip() if element is not None else ""


def _integer(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


def _bytes(text: str) -> bytes:
    """Hex as Windows writes it, or base64 as some readers of logs do."""
    text = "".join(text[: 2 * _MOST_BINARY].split())
    try:
        return bytes.fromhex(text)
    except ValueError:
        return _base64(text)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
