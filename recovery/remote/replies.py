"""Reading what endpoints answer. Untrusted: bounded, and nothing in it is taken for anything but data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from recovery.errors import ReplyError
from recovery.model.evidence import (
    AnyEvidence,
    ArtifactFile,
    ArtifactItem,
    ArtifactListing,
    BootIdentity,
    CrashRecord,
    RebootMark,
    ServiceState,
)
from recovery.ports import Completed
from recovery.remote.cmd_output import lines_of
from recovery.remote.crash_records import CrashRecords
from recovery.remote.records import (
    Acted,
    AnyRecord,
    Boot,
    CrashSeen,
    DumpSeen,
    End,
    EventRecord,
    File,
    Folder,
    Item,
    Looked,
    Manifest,
    Mark,
    Note,
    Refused,
    ServiceRecord,
    Trouble,
)
from recovery.remote.surveys import Survey
from recovery.remote.texts import LONGEST_WORD, moment, span, text_of, visible, word

__all__ = ["Reply", "evidence", "notes", "read", "text_of", "visible", "why_not"]

_MOST_RECORDS = 5000
_MOST_FILES = 500
_MOST_EVIDENCE = 1000
_DECODER = msgspec.json.Decoder(AnyRecord)
_START = b'{"record":'
_Part = File | Item | Manifest
"""What a listing is made of."""
_NEXT = b"\n" + _START

_REASONS: Mapping[str, str] = {
    "link": "a symbolic link stands where a file or folder was expected",
    "directory": "a folder has the artifact's name",
    "changed": "it is not what was judged: it changed since",
    "header": "the file's first bytes are not those of the artifact",
    "not_bad": "the folder is not bad: a good file is there",
    "clock": "the host's clock is too far off, so its file times prove nothing; set it right, then try again",
    "exists": "something stands at its place",
    "space": "it could not be written; is the disk full?",
    "permission": "the user who signed in may not do it",
    "missing": "it is not there",
    "hash": "its content is not what the manifest says",
    "busy": "another act is under way on the host",
    "held": "it could not be moved: it is in use, protected, or not for the user who signed in; restart the host "
    "and race it (`recovery race`), which acts before the file is in use, or start it in Safe Mode and run it again",
    "unsupported": "the host has no way to do it",
    "unavailable": "nothing good is to be had there to put in its place",
    "needed": "something else there needs it, and would be taken away with it",
    "tool": "the system's own tool failed",
}

_NOTES: Mapping[str, str] = {
    "offline": "the package sources did not answer",
    "from_cache": "it was taken from the host's own cache",
    "not_held": "nothing keeps the bad version from coming back: hold it in the package management",
    "restart": "it takes effect with the next start",
}


class Reply(msgspec.Struct, frozen=True):
    """A complete answer."""

    records: tuple[AnyRecord, ...]

    @property
    def refused(self) -> tuple[Refused, ...]:
        """What the endpoint left alone, and why."""
        return tuple(record for record in self.records if isinstance(record, Refused))

    @property
    def trouble(self) -> tuple[Trouble, ...]:
        """What kept the script from its work."""
        return tuple(record for record in self.records if isinstance(record, Trouble))

    def acted(self, action: str) -> Acted | None:
        """The summary of an act."""
        for record in self.records:
            if isinstance(record, Acted) and record.action == action:
                return record
        return None


def read(completed: Completed, token: str) -> Reply:
    """The records of an answer. Raises `ReplyError` unless it is complete and of the agreed form."""
    tidy = _read_tidy(completed.stdout)
    if tidy is not None:
        return _ended(tidy[1], tidy[0], token)
    found: list[AnyRecord] = []
    for line in lines_of(completed.stdout):
        if not line.startswith(_START):
            continue
        if len(found) >= _MOST_RECORDS:
            message = f"the answer has more than {_MOST_RECORDS} records"
            raise ReplyError(message)
        try:
            record = _DECODER.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            message = f"record {len(found) + 1} of the answer is not of the agreed form"
            raise ReplyError(message) from None
        if isinstance(record, End):
            return _ended(record, found, token)
        found.append(record)
    raise ReplyError(_incomplete(completed))


def _read_tidy(stdout: bytes) -> tuple[list[AnyRecord], End] | None:
    """The records of an answer that is nothing but records with its end behind them; None for all others."""
    lines = stdout.count(b"\n")
    if not stdout.startswith(_START) or stdout.count(_NEXT) != lines - 1 or lines > _MOST_RECORDS:
        return None
    try:
        *found, last = _DECODER.decode_lines(stdout)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(last, End) or any(isinstance(record, End) for record in found):
        return None
    return found, last


def _ended(end: End, found: list[AnyRecord], token: str) -> Reply:
    if end.token != token:
        message = "the answer is to another question"
        raise ReplyError(message)
    return Reply(tuple(found))


def _incomplete(completed: Completed) -> str:
    if completed.truncated:
        return "the answer was longer than is read, its end is missing"
    status = completed.exit_status
    ended = "without an exit status" if status is None else f"with exit status {status}"
    said = visible(completed.stderr[-300:]).strip()
    return f"the answer ended {ended} before its last record" + (f": {said}" if said else "")


def why_not(reply: Reply) -> str:
    """What the endpoint refused or could not do, in sentences for an operator; empty when there is nothing."""
    said: dict[str, list[str]] = {}
    for refused in reply.refused:
        said.setdefault(_REASONS[refused.reason], []).append(text_of(refused.path_hex))
    for trouble in reply.trouble:
        said.setdefault(visible(trouble.reason.encode())[:LONGEST_WORD], []).append(
            text_of(trouble.detail_hex)
        )
    return "; ".join(reason + _places(places) for reason, places in said.items())


def notes(reply: Reply) -> str:
    """What has to be said aloud of an act that was carried out; empty when there is nothing."""
    return "; ".join(
        _NOTES[record.what] + _places([text_of(record.detail_hex)])
        for record in reply.records
        if isinstance(record, Note)
    )


def _places(places: list[str]) -> str:
    named = [place for place in places if place]
    if not named:
        return ""
    more = f" and {len(named) - 1} more" if len(named) > 1 else ""
    return f" ({named[0]}{more})"


def evidence(reply: Reply, *, at: datetime, source: str) -> tuple[AnyEvidence, ...]:
    """What an answer says about its host, seen at `at` through `source`.

    A listing is made of the file, item and manifest records before its folder or artifact record. Without such a
    record there is none: the endpoint could not look at all of it. Raises `ReplyError` for names that are not hex.
    """
    found: list[AnyEvidence] = []
    parts: list[_Part] = []
    survey, crashes = Survey(at, source), CrashRecords()
    for record in reply.records:
        if isinstance(record, _Part):
            parts.append(record)
        elif isinstance(record, Folder | Looked):
            found.append(_listing(record, parts, at, source))
            parts = []
        elif isinstance(record, EventRecord | DumpSeen):
            crashes.take(record)
        else:
            single = _single(record, at, source) or survey.take(record)
            if single is not None:
                found.append(single)
    return (*crashes.folded(at, source), *found)[:_MOST_EVIDENCE]


def _single(record: AnyRecord, at: datetime, source: str) -> AnyEvidence | None:
    """The evidence that one record carries by itself."""
    match record:
        case Boot():
            return BootIdentity(
                at=at,
                source=source,
                boot_id=word(record.boot_id),
                boot_time=moment(record.boot_time),
                uptime=span(record.uptime),
                clock=moment(record.clock),
            )
        case ServiceRecord():
            name, detail = text_of(record.name_hex), text_of(record.detail_hex)
            return ServiceState(
                at=at, source=source, name=name, running=record.running, detail=detail
            )
        case CrashSeen():
            return _crash(record, at, source)
        case Mark():
            return RebootMark(at=at, source=source, intent=word(record.intent))
        case _:
            return None


def _listing(
    record: Folder | Looked, parts: list[_Part], at: datetime, source: str
) -> ArtifactListing:
    files = tuple(_file(part) for part in parts if isinstance(part, File))
    items = tuple(_item(part) for part in parts if isinstance(part, Item))
    standing = [part for part in parts if isinstance(part, Manifest) and not part.undone]
    intents = tuple(word(part.intent) for part in standing[:_MOST_FILES])
    listing = ArtifactListing(
        at=at, source=source, exists=record.exists, bad=record.bad, intents=intents
    )
    if isinstance(record, Folder):
        return msgspec.structs.replace(
            listing,
            directory=text_of(record.path_hex),
            files=files[:_MOST_FILES],
            quarantined=record.quarantined,
        )
    return msgspec.structs.replace(
        listing,
        kind=record.kind,
        name=text_of(record.name_hex),
        items=items[:_MOST_FILES],
        quarantined=record.kept,
    )


def _item(record: Item) -> ArtifactItem:
    return ArtifactItem(
        name=text_of(record.name_hex),
        state=record.state,
        version=text_of(record.version_hex),
        detail=text_of(record.detail_hex),
    )


def _file(record: File) -> ArtifactFile:
    return ArtifactFile(
        path=text_of(record.path_hex),
        state=record.state,
        size=record.size,
        mtime=moment(record.mtime) or 0.0,
        sha256=word(record.sha256),
        header=word(record.header),
    )


def _crash(record: CrashSeen, at: datetime, source: str) -> CrashRecord:
    return CrashRecord(
        at=at,
        source=source,
        crashed_at=moment(record.at),
        stop_code=record.stop_code,
        module=text_of(record.module_hex),
        text=text_of(record.text_hex),
        record=word(record.source),
    )
