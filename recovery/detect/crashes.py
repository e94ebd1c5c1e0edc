"""Several records of one crash become one: a bug check leaves up to three events and two dumps.

Windows writes all of them in the boot that follows, so a crash lies before the boot that logged it. Records belong
together when they name one report, or when one boot wrote them and their stop codes agree, or else when their codes
agree and they lie within two minutes. Two records of one kind are two crashes, however close: in a loop they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from recovery.detect.dump_header import DumpHeader
from recovery.detect.event_record import EventRecord
from recovery.model.evidence import CrashRecord, RestartCause, RestartRecord

NEAR = 120.0
"""Seconds between records of one crash, where no boot is known that lies between."""
_WRITING = 3600.0
"""Seconds from a crash to the first record of it, where no boot is known: a dump is written, the machine restarts."""
_CLEAN_BOOT = 5.0
"""Seconds by which the readings of one boot's start differ."""
_NAMES = {
    "bugcheck": "wer_1001",
    "dirty_restart": "kernel_power_41",
    "unexpected_shutdown": "eventlog_6008",
    "planned_restart": "user32_1074",
    "dump_failed": "volmgr",
}

_BOOT_RECORDS = (12, 6009, 6005)

Dump = tuple[str, float, DumpHeader]
"""Path, mtime (seconds since 1970) and header."""


class _Group:
    """Records that are taken to be of one crash or restart."""

    def __init__(self, boot: int) -> None:
        self.boot = boot
        self.events: list[EventRecord] = []
        self.dumps: list[Dump] = []

    @property
    def codes(self) -> set[int]:
        found = {event.stop_code for event in self.events}
        found |= {header.stop_code for _, _, header in self.dumps}
        return {code for code in found if code is not None}

    @property
    def logged_at(self) -> float | None:
        return min((t for t in map(_epoch, self.events) if t is not None), default=None)

    def takes(self, event: EventRecord, boot: int) -> bool:
        """Whether the event is of the same crash."""
        reports = {known.report_id for known in self.events} - {""}
        if event.report_id in reports:
            return True
        if any(known.kind == event.kind for known in self.events):
            return False
        if event.stop_code is not None and self.codes and event.stop_code not in self.codes:
            return False
        if boot and self.boot:
            return boot == self.boot
        return _near(self.logged_at, _epoch(event))

    def takes_dump(self, dump: Dump, starts: Sequence[float]) -> bool:
        """Whether a dump is of the same crash: by its name, or by code and time."""
        path, _, header = dump
        name = _name(path)
        if not name.startswith("memory") and name in {_name(e.dump_path) for e in self.events}:
            return True
        if header.stop_code not in self.codes:
            return False
        for _, _, other in self.dumps:
            return _near(other.crashed_at, header.crashed_at, 2.0)
        crashed, logged = header.crashed_at, self.logged_at
        if crashed is None or logged is None:
            return crashed is None and len(self.dumps) == 0
        between = sum(1 for start in starts if crashed < start <= logged + _CLEAN_BOOT)
        return between == 1 or (not between and -NEAR <= logged - crashed <= _WRITING)


def fold(
    events: Iterable[EventRecord], dumps: Iterable[Dump], *, at: datetime, source: str
) -> tuple[CrashRecord | RestartRecord, ...]:
    """The crashes and restarts that events and dumps tell of, oldest first, seen at `at` through `source`.

    Dumps of programs and reports on systems that went on running are no crashes. A restart that somebody asked for, a
    held power button, and a machine that went without a word are `RestartRecord`s.
    """
    known = sorted(_distinct(events), key=lambda event: _epoch(event) or 0.0)
    starts = _starts(known)
    groups: list[_Group] = []
    for event in known:
        if event.kind in _NAMES:
            _place(event, _boot_of(event, starts), groups)
    for dump in sorted(dumps, key=lambda dump: dump[2].crashed_at or dump[1]):
        if dump[2].is_crash:
            _place_dump(dump, groups, starts)
    found = [_record(group, starts, at, source) for group in groups]
    return tuple(sorted((item for item in found if item is not None), key=_moment_of))


def _distinct(events: Iterable[EventRecord]) -> list[EventRecord]:
    """Without records that were handed in twice, as from overlapping exports.

    Two that tell of different crashes are two, also where an export left their numbers out.
    """
    found = {
        (e.computer, e.provider, e.event_id, e.record_id, e.at, e.raw_stop_code, e.report_id): e
        for e in events
    }
    return list(found.values())


def _place(event: EventRecord, boot: int, groups: list[_Group]) -> None:
    if event.kind == "planned_restart":
        groups.append(_Group(0))
        groups[-1].events.append(event)
        return
    for group in reversed(groups):
        if group.events[0].kind != "planned_restart" and group.takes(event, boot):
            group.events.append(event)
            return
    groups.append(_Group(boot))
    groups[-1].events.append(event)


def _place_dump(dump: Dump, groups: list[_Group], starts: Sequence[float]) -> None:
    for group in groups:
        if group.takes_dump(dump, starts):
            group.dumps.append(dump)
            return
    groups.append(_Group(0))
    groups[-1].dumps.append(dump)


def _record(
    group: _Group, starts: Sequence[float], at: datetime, source: str
) -> CrashRecord | RestartRecord | None:
    kinds = {event.kind for event in group.events}
    if group.codes or "bugcheck" in kinds:
        return _crash(group, starts, at, source)
    if not kinds - {"dump_failed"}:
        return None
    cause = _cause(group)
    first = group.events[0]
    when = _epoch(first) if cause == "planned" else _not_later(group, starts)
    return RestartRecord(
        at=at,
        source=source,
        cause=cause,
        restarted_at=when,
        logged_at=group.logged_at,
        who=first.who,
        text=_text(group),
        record=_carriers(group),
    )


def _cause(group: _Group) -> RestartCause:
    if group.events[0].kind == "planned_restart":
        return "planned"
    if any(event.power_button for event in group.events):
        return "power_button"
    told = any(e.kind == "dirty_restart" and e.raw_stop_code == 0 for e in group.events)
    return "power_loss" if told else "unexpected"


def _crash(group: _Group, starts: Sequence[float], at: datetime, source: str) -> CrashRecord:
    coded = next((event for event in group.events if event.stop_code is not None), None)
    headers = [header for _, _, header in group.dumps]
    times = [header.crashed_at for header in headers if header.crashed_at is not None]
    code = coded.stop_code if coded else next((h.stop_code for h in headers), None)
    parameters = coded.parameters if coded else next((h.parameters for h in headers), ())
    paths = [path for path, _, _ in group.dumps] + [e.dump_path for e in group.events]
    return CrashRecord(
        at=at,
        source=source,
        crashed_at=min(times) if times else _not_later(group, starts),
        stop_code=code,
        text=_text(group),
        record=_carriers(group),
        logged_at=group.logged_at,
        parameters=parameters,
        dump=next(filter(None, paths), ""),
        report=next((e.report_id for e in group.events if e.report_id), ""),
    )


def _not_later(group: _Group, starts: Sequence[float]) -> float | None:
    """The start of the boot that logged it, else when it was logged."""
    return starts[group.boot - 1] if group.boot else group.logged_at


def _carriers(group: _Group) -> str:
    names = [_NAMES[event.kind] for event in group.events] + ["dump"] * bool(group.dumps)
    return "+".join(dict.fromkeys(names))


def _text(group: _Group) -> str:
    """The record that says most comes first."""
    order = list(_NAMES)
    said = sorted(group.events, key=lambda event: order.index(event.kind))
    return "; ".join(event.meaning for event in said)


def _starts(events: Sequence[EventRecord]) -> list[float]:
    """When boots began, oldest first, by the most exact of the records that each boot writes once."""
    for number in _BOOT_RECORDS:
        found = {e.started.timestamp() for e in events if e.event_id == number and e.started}
        if found:
            return sorted(found)
    return []


def _boot_of(event: EventRecord, starts: Sequence[float]) -> int:
    """Which boot wrote the event, counted from 1; 0 where it is not known."""
    when = _epoch(event)
    if when is None:
        return 0
    return sum(1 for start in starts if start <= when + _CLEAN_BOOT)


def _near(one: float | None, two: float | None, limit: float = NEAR) -> bool:
    return one is not None and two is not None and abs(one - two) <= limit


def _epoch(event: EventRecord) -> float | None:
    return event.at.timestamp() if event.at is not None else None


def _moment_of(record: CrashRecord | RestartRecord) -> float:
    when = record.crashed_at if isinstance(record, CrashRecord) else record.restarted_at
    return when if when is not None else 0.0


def _name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2].lower()


def with_mentions(crash: CrashRecord, mentioned: Sequence[str]) -> CrashRecord:
    """The crash with the modules of a profile that its dump names. A mention, not a cause: the module stays unset."""
    if not mentioned:
        return crash
    said = f"its dump mentions {', '.join(mentioned)}"
    return msgspec.structs.replace(crash, text=f"{crash.text}; {said}" if crash.text else said)
