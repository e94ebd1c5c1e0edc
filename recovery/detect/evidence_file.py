"""Files that prove something about a machine: what kind each is, told by its content, and what it proves.

A further kind is one more entry of `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO

import msgspec

from recovery.detect import bugchecks, dump_header, event_xml, evtx_file, screen
from recovery.detect.crashes import fold
from recovery.detect.event_record import EventRecord
from recovery.detect.event_xml import EventsRead
from recovery.detect.screen import picture
from recovery.model.evidence import CrashRecord

_HEAD = 64 * 1024
"""Bytes by which a kind is told."""
_TRIAGE = 8 * 1024 * 1024
"""Bytes of a dump that are searched for names; small dumps are shorter."""


_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Nobody observed what a file holds."""


class FileRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a file says. Times are by the clock of the machine that wrote it."""

    kind: str
    """As an event record's; of a dump `bugcheck`, `live_report`, or `dump` where it names no stop code."""
    event_id: int | None = None
    at: datetime | None = None
    """UTC."""
    stop_code: int | None = None
    meaning: str
    details: Mapping[str, Any] = {}
    """What else it says, for JSON."""


class FileEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a file proves."""

    kind: str
    """A name in `KINDS`, or `unknown`."""
    records: tuple[FileRecord, ...] = ()
    problems: tuple[str, ...] = ()
    """What of it was lost or makes no sense."""
    details: Mapping[str, Any] = {}
    """What it says as a whole, for JSON."""


class Content(msgspec.Struct, frozen=True):
    """A file that is being read."""

    head: bytes
    stream: BinaryIO
    """At its beginning."""
    enough: Callable[[], bool]
    """Asked in between; once it says so the rest is left."""
    modules: Sequence[str]
    """Names to look for in dumps."""
    reader: screen.TextReader | None = None
    """Who reads the text of pictures."""


class FileKind(msgspec.Struct, frozen=True):
    """A kind of file."""

    name: str
    recognises: Callable[[bytes], bool]
    """By the file's first bytes."""
    read: Callable[[Content], FileEvidence]


def read(
    stream: BinaryIO,
    *,
    enough: Callable[[], bool] = lambda: False,
    modules: Sequence[str] = (),
    reader: screen.TextReader | None = None,
) -> FileEvidence:
    """What a file proves; `modules` are names to look for in dumps, `reader` reads the text of pictures.

    Never raises for what the file holds.

    Raises `OSError` when not even its beginning can be read.
    """
    head = stream.read(_HEAD)
    stream.seek(0)
    content = Content(head, stream, enough, modules, reader)
    for kind in KINDS:
        if kind.recognises(head):
            return kind.read(content)
    known = ", ".join(kind.name for kind in KINDS)
    said = f"none of the kinds that are known ({known})" if head else "it is empty"
    return FileEvidence(kind="unknown", problems=(said,))


def event_details(event: EventRecord) -> dict[str, Any]:
    """What an event says beside number, time, stop code and meaning; without what is not given."""
    found: dict[str, Any] = {
        "provider": event.provider,
        "computer": event.computer,
        "record_id": event.record_id,
        **code_details(event.raw_stop_code),
        "parameters": [f"0x{value:X}" for value in event.parameters],
        "dump": event.dump_path,
        "report": event.report_id,
        "power_button": event.power_button,
        "from_firmware": event.from_firmware,
        "ran_until": msgspec.to_builtins(event.alive_until),
        "ran_until_local": event.alive_until_local,
        "started": msgspec.to_builtins(event.started),
        "who": event.who,
    }
    return {name: value for name, value in found.items() if value not in (None, "", [], False)}


def code_details(raw: int | None) -> dict[str, Any]:
    """A stop code for people and as it stands in the record."""
    if not raw:
        return {}
    code = bugchecks.effective(raw)
    marked = {"stop_code_raw": raw} if raw != code else {}
    return {"stop_code_hex": f"0x{code:X}", "stop_code_name": bugchecks.name(code), **marked}


def _events(kind: str, found: EventsRead) -> FileEvidence:
    told = tuple(
        FileRecord(
            kind=event.kind,
            event_id=event.event_id,
            at=event.at,
            stop_code=event.stop_code,
            meaning=event.meaning,
            details=event_details(event),
        )
        for event in found.records
        if event.kind != "other"
    )
    others = len(found.records) - len(told)
    return FileEvidence(
        kind=kind,
        records=told,
        problems=found.problems,
        details={
            "crashes": _crashes(found.records),
            **({"other_events": others} if others else {}),
        },
    )


def _crashes(events: Sequence[EventRecord]) -> list[dict[str, Any]]:
    """The crashes that the records add up to, oldest first; those of each machine apart, as collectors mix them."""
    machines: dict[str, list[EventRecord]] = {}
    for event in events:
        machines.setdefault(event.computer.casefold(), []).append(event)
    found = [
        (crash.crashed_at or 0.0, crash, own[0].computer)
        for own in machines.values()
        for crash in fold(own, (), at=_NEVER, source="file")
        if isinstance(crash, CrashRecord)
    ]
    return [
        {
            "at": _moment(crash.crashed_at),
            "stop_code": crash.stop_code,
            "record": crash.record,
            **({"computer": computer} if len(machines) > 1 else {}),
        }
        for _, crash, computer in sorted(found, key=lambda item: item[0])
    ]


def _moment(seconds: float | None) -> Any:
    """Seconds since 1970 as ISO 8601 in UTC."""
    return None if seconds is None else msgspec.to_builtins(datetime.fromtimestamp(seconds, UTC))


def _event_xml(content: Content) -> FileEvidence:
    return _events("event_xml", event_xml.read_all(content.stream.read(event_xml.LARGEST + 1)))


def _evtx(content: Content) -> FileEvidence:
    return _events("evtx", evtx_file.read_stream(content.stream, enough=content.enough))


def _dump(content: Content) -> FileEvidence:
    header = dump_header.read(content.head[: dump_header.HEAD])
    if header is None or header.kind == "user":
        meaning = "a dump of a program, which proves no crash of the machine"
        return FileEvidence(kind="user_dump", details={"meaning": meaning})
    mentioned = _mentioned(content)
    details = {
        **code_details(header.raw_stop_code),
        "parameters": [f"0x{value:X}" for value in header.parameters],
        "bits": header.bits,
        "machine": header.machine,
        "build": header.build,
        "processors": header.processors,
        "dump_type": header.dump_type,
        "uptime": header.uptime,
        "comment": header.comment,
        "mentions": list(mentioned),
    }
    record = FileRecord(
        kind=_dump_kind(header),
        at=None if header.crashed_at is None else datetime.fromtimestamp(header.crashed_at, UTC),
        stop_code=header.stop_code if header.is_crash or not _captured(header) else None,
        meaning=_dump_meaning(header)
        + (f"; it mentions {', '.join(mentioned)}" if mentioned else ""),
        details={name: value for name, value in details.items() if value not in (None, "", [])},
    )
    return FileEvidence(kind="dump", records=(record,), problems=header.problems)


def _dump_kind(header: dump_header.DumpHeader) -> str:
    if header.live:
        return "live_report"
    return "bugcheck" if header.is_crash else "dump"


def _captured(header: dump_header.DumpHeader) -> bool:
    """Whether the stop code is none of Windows' own: a tool wrote it."""
    return header.stop_code is not None and not bugchecks.name(header.stop_code) and header.live


def _dump_meaning(header: dump_header.DumpHeader) -> str:
    if header.stop_code is None:
        return "a dump of the system that names no stop code"
    code = bugchecks.shown(header.stop_code)
    if header.live:
        return f"a report on a system that went on running ({code}), which proves no crash"
    ran = f", {header.uptime:.0f} s after its start" if header.uptime is not None else ""
    return f"blue screen: stop code {code}{ran}"


def _mentioned(content: Content) -> tuple[str, ...]:
    if not content.modules:
        return ()
    try:
        return dump_header.mentions(content.stream.read(_TRIAGE), content.modules)
    except OSError:
        return dump_header.mentions(content.head, content.modules)


def _picture(content: Content) -> FileEvidence:
    found = screen.read(content.stream.read(picture.LARGEST + 1), content.reader)
    details = {
        "label": found.label,
        "confidence": found.confidence,
        "meaning": found.meaning,
        "alternatives": list(found.alternatives),
        "busy": found.busy,
        "stop_code": found.stop_code,
        **(code_details(found.stop_code) or {"stop_code_name": found.stop_code_name}),
        "module": found.module,
        "percent": found.percent,
        "key_id": found.key_id,
        "panic": found.panic,
        "text": list(found.text),
        "read_by": found.read_by,
        "width": found.width,
        "height": found.height,
        "guest": None if found.guest is None else list(found.guest),
    }
    return FileEvidence(kind="picture", problems=found.problems, details=details)


def _is_kernel_dump(head: bytes) -> bool:
    header = dump_header.read(head[: dump_header.HEAD])
    return header is not None and header.kind == "kernel"


KINDS: tuple[FileKind, ...] = (
    FileKind("dump", _is_kernel_dump, _dump),
    FileKind("user_dump", lambda head: head.startswith(b"MDMP"), _dump),
    FileKind("evtx", evtx_file.looks_like, _evtx),
    FileKind("picture", picture.looks_like, _picture),
    FileKind("event_xml", event_xml.looks_like, _event_xml),
)
"""In the order in which they are tried: a dump holds what was in memory, pieces of event logs too."""
