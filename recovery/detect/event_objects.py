"""Event records as PowerShell's `Export-Clixml` writes the objects of `Get-WinEvent`."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING

from recovery.detect.event_record import RawEvent, moment

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_LARGEST = 64 * 1024 * 1024


def looks_like(text: str) -> bool:
    """Whether the text holds such objects."""
    return "<Objs" in text[:2000] and "Eventing.Reader.EventLogRecord" in text


def read(text: str, problems: list[str]) -> Iterator[RawEvent]:
    """Each record. One damaged place ends the whole, as the records refer to one another."""
    from xml.etree.ElementTree import ParseError  # noqa: PLC0415

    from defusedxml import DefusedXmlException  # noqa: PLC0415
    from defusedxml.ElementTree import fromstring  # noqa: PLC0415

    try:
        root: Element = fromstring(text[text.index("<Objs") : _LARGEST], forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        problems.append("the exported objects cannot be read: the file is damaged or cut off")
        return
    for element in root.iter():
        found = _named(element) if _local(element) == "Props" else {}
        if "ProviderName" in found and _text(found.get("Id")).isdecimal():
            yield _record(found)


def _record(found: dict[str, Element]) -> RawEvent:
    values = list(_values(found.get("Properties")))
    record = _text(found.get("RecordId"))
    return RawEvent(
        event_id=int(_text(found["Id"])[:9]) & 0xFFFF,
        provider=_text(found["ProviderName"]),
        guid=_text(found.get("ProviderId")),
        channel=_text(found.get("LogName")),
        computer=_text(found.get("MachineName")),
        record_id=int(record[:19]) if record.isdecimal() else None,
        at=moment(_text(found.get("TimeCreated"))),
        data=tuple(("", value) for kind, value in values if kind != "BA"),
        binary=next((_decoded(value) for kind, value in values if kind == "BA"), b""),
    )


def _values(properties: Element | None) -> Iterator[tuple[str, str]]:
    """Type and text of each value."""
    for element in properties.iter() if properties is not None else ():
        if element.get("N") == "Value":
            yield _local(element), _text(element)


def _named(props: Element) -> dict[str, Element]:
    return {element.get("N", ""): element for element in props}


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError:
        return b""


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _text(element: Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""
